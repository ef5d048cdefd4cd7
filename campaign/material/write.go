package material

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Bounds of a material. Titles and paths are what WeChat's cards take.
const (
	variantsMax = 5
	titleMax    = 64
	textMax     = 4000
	linkMax     = 500
)

var appID = regexp.MustCompile(`^wx[0-9a-f]{16}$`)

// In is a material to write. A text needs text_zh or text_en; a picture needs
// picture_id; a link needs link and title_zh; a card needs app_id, app_path,
// title_zh and picture_id. Sponsor is whose ad it is, shown with it.
type In struct {
	UnitID   id.Unit   `json:"unit_id"` // default the caller's unit
	Name     string    `json:"name"`
	Kind     Kind      `json:"kind"`
	Sponsor  string    `json:"sponsor"`
	Variants []Content `json:"variants"`
}

// Validate checks the form.
func (in In) Validate() error {
	var c fault.Check
	c.Required(strings.TrimSpace(in.Name), "name")
	c.Length(in.Name, "name", 100)
	c.OneOf(string(in.Kind), "kind", string(KindText), string(KindPicture), string(KindLink), string(KindCard))
	c.Required(strings.TrimSpace(in.Sponsor), "sponsor")
	c.Length(in.Sponsor, "sponsor", 60)
	c.Range(int64(len(in.Variants)), "variants", 1, variantsMax)
	for i, v := range in.Variants {
		v.check(&c, in.Kind, fmt.Sprintf("variants[%d]", i))
	}
	return c.Err()
}

// check wants what the kind needs and nothing it would not show.
func (v Content) check(c *fault.Check, kind Kind, at string) {
	none := func(empty bool, name string) {
		c.That(empty, at+"."+name, "not_shown", "这类素材不显示此项，请留空", "is not shown by this kind; leave it out")
	}
	c.Length(v.TextZH, at+".text_zh", textMax)
	c.Length(v.TextEN, at+".text_en", textMax)
	c.Length(v.TitleZH, at+".title_zh", titleMax)
	c.Length(v.TitleEN, at+".title_en", titleMax)
	switch kind {
	case KindText:
		c.That(v.TextZH != "" || v.TextEN != "", at+".text_zh", "required", "请填写文案", "write the text in at least one language")
		none(v.PictureID == 0, "picture_id")
	case KindPicture, KindCard:
		c.That(v.PictureID != 0, at+".picture_id", "required", "请先上传图片", "upload a picture first")
	}
	if kind == KindLink || kind == KindCard {
		c.Required(v.TitleZH, at+".title_zh")
	} else {
		none(v.TitleZH == "" && v.TitleEN == "", "title_zh")
	}
	if kind == KindLink {
		u, err := url.Parse(v.Link)
		c.That(err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && len(v.Link) <= linkMax, at+".link", "format",
			"应为 https:// 开头的网址，最长 500 字符", "must be an https:// address of at most 500 characters")
	} else {
		none(v.Link == "", "link")
	}
	if kind == KindCard {
		c.That(appID.MatchString(v.AppID), at+".app_id", "format", "应为小程序的 AppID：wx 加 16 位", "must be a mini program's app id: wx and 16 digits")
		c.That(v.AppPath != "" && len(v.AppPath) <= linkMax && !strings.ContainsAny(v.AppPath, " \r\n"), at+".app_path", "format",
			"应为小程序内的页面路径，最长 500 字符", "must be a page's path in the mini program, at most 500 characters")
	} else {
		none(v.AppID == "", "app_id")
		none(v.AppPath == "", "app_path")
	}
}

// Create makes a draft.
func (s *Service) Create(ctx context.Context, in In) (id.Material, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	if in.UnitID == 0 {
		in.UnitID = database.ActorOf(ctx).Unit
	}
	if !database.ActorOf(ctx).Sees(in.UnitID) {
		return 0, fault.Invalid.Field("unit_id", "unknown_value", "没有这个组织", "there is no such unit")
	}
	var made id.Material
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		words, err := in.fit(tx, in.UnitID)
		if err != nil {
			return err
		}
		m := Material{
			ID: id.Material(tx.Next()), UnitID: in.UnitID, Name: in.Name, Kind: in.Kind, Sponsor: in.Sponsor, Status: StatusDraft, Words: words,
			CreatedBy: tx.Actor.Staff, Version: 1, CreatedAt: tx.Now,
		}
		made = m.ID
		if err := tx.Create(&m).Error; err != nil {
			return fmt.Errorf("material: create: %w", err)
		}
		if err := writeVariants(tx, m.ID, in.Variants); err != nil {
			return err
		}
		tx.SetResult("material", int64(m.ID), 201)
		return database.AuditTx(tx, "material.create", m.ID, nil, in)
	})
	return made, err
}

// Edit rewrites a draft. Its editor becomes its author: who wrote the last
// word cannot approve it.
func (s *Service) Edit(ctx context.Context, material id.Material, version int, in In) error {
	if err := in.Validate(); err != nil {
		return err
	}
	before, err := s.Find(ctx, material)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		words, err := in.fit(tx, before.UnitID)
		if err != nil {
			return err
		}
		m, err := lock(tx, material)
		switch {
		case err != nil:
			return err
		case m.Status != StatusDraft:
			return ErrStatus.With("status", m.Status)
		case m.Version != version:
			return fault.Stale
		}
		err = tx.Exec("UPDATE materials SET name = ?, kind = ?, sponsor = ?, words = ?, created_by = ?, version = version + 1 WHERE id = ?",
			in.Name, in.Kind, in.Sponsor, words, tx.Actor.Staff, material).Error
		if err != nil {
			return fmt.Errorf("material: edit %s: %w", material, err)
		}
		if err := tx.Exec("DELETE FROM material_variants WHERE material_id = ?", material).Error; err != nil {
			return fmt.Errorf("material: variants of %s: %w", material, err)
		}
		if err := writeVariants(tx, material, in.Variants); err != nil {
			return err
		}
		return database.AuditTx(tx, "material.edit", material, before, in)
	})
}

// fit checks what needs the store: pictures the unit may show, and words. It
// returns the name of the lists it looked through.
func (in In) fit(tx *database.Tx, unit id.Unit) (words string, err error) {
	if err := knownPictures(tx, unit, in.Variants); err != nil {
		return "", err
	}
	list, err := wordsInForce(tx.DB)
	if err != nil {
		return "", err
	}
	return list.String(), list.refuse(in.Variants)
}

type variantRow struct {
	MaterialID id.Material `gorm:"column:material_id"`
	No         int         `gorm:"column:variant_no"`
	Content    `gorm:"embedded"`
}

// TableName is the table's.
func (variantRow) TableName() string { return "material_variants" }

func writeVariants(tx *database.Tx, material id.Material, variants []Content) error {
	rows := make([]variantRow, len(variants))
	for i, v := range variants {
		rows[i] = variantRow{material, i + 1, v}
	}
	if err := tx.Create(&rows).Error; err != nil {
		return fmt.Errorf("material: variants of %s: %w", material, err)
	}
	return nil
}
