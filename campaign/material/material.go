// Package material keeps what ads show: texts, pictures, links and cards, each
// in up to five variants of which a group sees one.
//
// A material is written as a draft and looked through for forbidden words, the
// house's and the brand's own; somebody else than its author approves it, and
// from then on it does not change. Withdrawn, it is handed to no channel any
// more, whatever promotion wanted it. Every material names its sponsor; the
// label and how to refuse more are the sender's to add.
//
// Tables: materials, material_variants, pictures, ad_words. Invariants: an
// approved material had two people and none of the words refused then; its
// variants are what was approved. Called by campaign/promotion and api.
package material

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// Kind is what a material is.
type Kind string

// The kinds: a text, a picture with or without one, a link to a page, a card
// of a mini program.
const (
	KindText    Kind = "text"
	KindPicture Kind = "picture"
	KindLink    Kind = "link"
	KindCard    Kind = "card"
)

// Status is where a material stands.
type Status string

// The statuses: draft → approved → withdrawn; a draft may be withdrawn too.
const (
	StatusDraft     Status = "draft"
	StatusApproved  Status = "approved"
	StatusWithdrawn Status = "withdrawn"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusDraft: "待审批", StatusApproved: "已通过", StatusWithdrawn: "已停用"}[s], string(s)
}

// Material is what an ad shows. Words names the lists it was last looked
// through with.
type Material struct {
	ID          id.Material `json:"id" gorm:"column:id;primaryKey;autoIncrement:false"`
	UnitID      id.Unit     `json:"unit_id" gorm:"column:unit_id"`
	Name        string      `json:"name" gorm:"column:name"`
	Kind        Kind        `json:"kind" gorm:"column:kind"`
	Sponsor     string      `json:"sponsor" gorm:"column:sponsor"`
	Status      Status      `json:"status" gorm:"column:status"`
	Words       string      `json:"words" gorm:"column:words"`
	CreatedBy   id.Staff    `json:"created_by" gorm:"column:created_by"`
	ApprovedBy  id.Staff    `json:"approved_by" gorm:"column:approved_by"`
	Version     int         `json:"version" gorm:"column:version"`
	CreatedAt   clock.Milli `json:"created_at" gorm:"column:created_at;autoCreateTime:false"`
	ApprovedAt  clock.Milli `json:"approved_at" gorm:"column:approved_at"`
	WithdrawnAt clock.Milli `json:"withdrawn_at" gorm:"column:withdrawn_at"`
	Refusal     string      `json:"refusal" gorm:"column:refusal"` // why it was withdrawn
	Variants    []Variant   `json:"variants,omitempty" gorm:"-"`   // of one that is shown by itself
}

// TableName is the table's.
func (Material) TableName() string { return "materials" }

const columns = `id, unit_id, name, kind, sponsor, status, words, created_by, approved_by, version, created_at, approved_at, withdrawn_at, refusal`

// Variant is one way to show a material, numbered from 1.
type Variant struct {
	No int `json:"no" gorm:"column:variant_no"`
	Content
}

// Content is what a variant shows. Which fields count is the kind's to say.
type Content struct {
	TitleZH   string     `json:"title_zh" gorm:"column:title_zh"`
	TitleEN   string     `json:"title_en" gorm:"column:title_en"`
	TextZH    string     `json:"text_zh" gorm:"column:text_zh"`
	TextEN    string     `json:"text_en" gorm:"column:text_en"`
	Link      string     `json:"link" gorm:"column:link"`
	AppID     string     `json:"app_id" gorm:"column:app_id"`
	AppPath   string     `json:"app_path" gorm:"column:app_path"`
	PictureID id.Picture `json:"picture_id" gorm:"column:picture_id"`
}

// The refusals.
var (
	ErrSameStaff = fault.New(fault.KindForbidden, "material.same_staff", "素材须由创建人以外的同事批准", "somebody else than its author must approve the material")
	ErrStatus    = fault.New(fault.KindConflict, "material.status", "素材现在是“{status}”，不能这样操作", "the material is {status}, which does not allow this")
)

// For is the variant a group sees: each group always the same one, and the
// variants evenly among groups.
func (m Material) For(group id.Group) Variant {
	var ids [16]byte
	binary.BigEndian.PutUint64(ids[:], uint64(m.ID))
	binary.BigEndian.PutUint64(ids[8:], uint64(group))
	sum := sha256.Sum256(ids[:]) // ids made within a second differ in few bits, which a weaker hash keeps together
	return m.Variants[binary.BigEndian.Uint64(sum[:])%uint64(len(m.Variants))]
}

// Find reads a material the actor may see, with its variants.
func (s *Service) Find(ctx context.Context, material id.Material) (Material, error) {
	m, err := Read(s.DB.Read(ctx), material)
	if err == nil && !database.ActorOf(ctx).Sees(m.UnitID) {
		return Material{}, fault.NotFound
	}
	return m, err
}

// Looked is a material with what its words make people weigh.
type Looked struct {
	Material
	Findings []campaign.Finding `json:"findings"`
}

// Look is Find with the words of now looked for.
func (s *Service) Look(ctx context.Context, material id.Material) (Looked, error) {
	m, err := s.Find(ctx, material)
	if err != nil {
		return Looked{}, err
	}
	list, err := s.Words(ctx)
	return Looked{m, list.Findings(m.contents())}, err
}

// Read is Find inside a larger question, whoever asks.
func Read(q *database.Query, material id.Material) (Material, error) {
	var m Material
	if err := q.Raw("SELECT "+columns+" FROM materials WHERE id = ?", material).Scan(&m).Error; err != nil {
		return m, fmt.Errorf("material: %s: %w", material, err)
	}
	if m.ID == 0 {
		return m, fault.NotFound
	}
	err := q.Raw(`SELECT variant_no, title_zh, title_en, text_zh, text_en, link, app_id, app_path, picture_id
		FROM material_variants WHERE material_id = ? ORDER BY variant_no`, material).Scan(&m.Variants).Error
	if err != nil {
		return m, fmt.Errorf("material: variants of %s: %w", material, err)
	}
	return m, nil
}

// Filter narrows a list of materials; zero fields do not.
type Filter struct {
	Kind   Kind
	Status Status
}

// List lists materials without their variants, newest first.
func (s *Service) List(ctx context.Context, f Filter, page database.Page) (database.Paged[Material], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	if f.Kind != "" {
		cond, args = cond+" AND kind = ?", append(args, f.Kind)
	}
	if f.Status != "" {
		cond, args = cond+" AND status = ?", append(args, f.Status)
	}
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Material
	err := s.DB.Read(ctx).Raw("SELECT "+columns+" FROM materials WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Material]{}, fmt.Errorf("material: list: %w", err)
	}
	return database.Cut(page, rows, func(m Material) int64 { return int64(m.ID) }), nil
}
