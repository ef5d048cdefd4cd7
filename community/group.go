package community

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// GroupStatus is where a group stands.
type GroupStatus string

// The statuses. A group in handover waits for an owner; a dissolved one is
// over for good.
const (
	GroupActive    GroupStatus = "active"
	GroupHandover  GroupStatus = "handover"
	GroupDissolved GroupStatus = "dissolved"
)

// Words name the state.
func (s GroupStatus) Words() (zh, en string) {
	return map[GroupStatus]string{GroupActive: "使用中", GroupHandover: "交接中", GroupDissolved: "已解散"}[s], string(s)
}

// Group is a chat group. BornAt is its real creation, which may lie before
// Siyu knew it; Imported says that it came in by a batch as a living group.
type Group struct {
	ID         id.Group    `json:"id" gorm:"column:id;primaryKey;autoIncrement:false"`
	UnitID     id.Unit     `json:"unit_id" gorm:"column:unit_id"`
	ExternalID string      `json:"external_id" gorm:"column:external_id"`
	Name       string      `json:"name" gorm:"column:name"`
	Preset     Preset      `json:"preset" gorm:"column:preset"`
	Zone       string      `json:"zone" gorm:"column:zone"`
	OwnerID    id.Staff    `json:"owner_id" gorm:"column:owner_id"`
	BornAt     clock.Milli `json:"born_at" gorm:"column:born_at"`
	Imported   bool        `json:"imported" gorm:"column:imported"`
	Gated      bool        `json:"gated" gorm:"column:gated"`                     // joined by application alone
	EndsAt     clock.Milli `json:"ends_at" gorm:"column:ends_at"`                 // its planned end; 0 is none
	EndReason  string      `json:"end_reason" gorm:"column:end_reason"`           // why it is to end, or did
	ParentID   id.Group    `json:"parent_group_id" gorm:"column:parent_group_id"` // of a sub-group, the group it came from
	Status     GroupStatus `json:"status" gorm:"column:status"`
	Version    int         `json:"version" gorm:"column:version"`
	CreatedAt  clock.Milli `json:"created_at" gorm:"column:created_at;autoCreateTime:false"`
}

// TableName is the table's.
func (Group) TableName() string { return "chat_groups" }

const groupColumns = "id, unit_id, external_id, name, preset, zone, owner_id, born_at, imported, gated, ends_at, end_reason, parent_group_id, status, version, created_at"

// GroupIn is a group to make. Left out, ExternalID becomes the group's own id,
// UnitID and OwnerID the caller's, Preset interest, Zone Shanghai, BornAt now
// and Charter the preset's.
type GroupIn struct {
	UnitID     id.Unit     `json:"unit_id"`
	ExternalID string      `json:"external_id"`
	Name       string      `json:"name"`
	Preset     Preset      `json:"preset"`
	Zone       string      `json:"zone"`
	OwnerID    id.Staff    `json:"owner_id"`
	BornAt     clock.Milli `json:"born_at"`
	Charter    *CharterIn  `json:"charter"`
	ParentID   id.Group    `json:"-"`
}

// Validate checks the group's form.
func (in GroupIn) Validate() error {
	var c fault.Check
	in.check(&c, "")
	return c.Err()
}

func (in GroupIn) check(c *fault.Check, at string) {
	c.Required(CleanLine(in.Name), at+"name")
	checkName(c, in.Name, at+"name")
	c.Length(in.ExternalID, at+"external_id", 64)
	c.That(plain(in.ExternalID), at+"external_id", "format", "不能含空白或控制字符", "must hold neither spaces nor control characters")
	if in.Preset != "" {
		c.OneOf(string(in.Preset), at+"preset", presets()...)
	}
	if in.Zone != "" {
		checkZone(c, in.Zone, at+"zone")
	}
	c.That(in.BornAt >= 0, at+"born_at", "range", "时间无效", "is before 1970")
	if in.Charter != nil {
		in.Charter.check(c, at+"charter.")
	}
}

// checkZone accepts IANA names; the host's own zone is none.
func checkZone(c *fault.Check, zone, field string) {
	_, err := time.LoadLocation(zone)
	c.That(err == nil && len(zone) <= 64 && (zone == "UTC" || strings.Contains(zone, "/")), field, "unknown_value",
		"应为 IANA 时区，如 Asia/Shanghai", "must be an IANA zone like Asia/Shanghai")
}

// CreateGroup makes a group with version 1 of its charter, in force at once.
func (s *Service) CreateGroup(ctx context.Context, in GroupIn) (id.Group, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var group id.Group
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		g, err := createTx(tx, in, false)
		if errors.Is(err, errRaced) {
			return ErrGroupTaken.With("external_id", in.ExternalID)
		}
		if err != nil {
			return err
		}
		group = g.ID
		tx.SetResult("group", int64(g.ID), 201)
		return database.AuditTx(tx, "group.create", g.ID, nil, g)
	})
	return group, err
}

// createTx writes group and charter; a taken external id is errRaced.
func createTx(tx *database.Tx, in GroupIn, imported importedGroup) (Group, error) {
	g := Group{
		ID: id.Group(tx.Next()), UnitID: in.UnitID, ExternalID: in.ExternalID, Name: CleanLine(in.Name),
		Preset: in.Preset, Zone: in.Zone, OwnerID: in.OwnerID, BornAt: in.BornAt, Imported: bool(imported), ParentID: in.ParentID,
		Status: GroupActive, Version: 1, CreatedAt: tx.Now,
	}
	g.fill(tx)
	if !tx.Actor.Sees(g.UnitID) {
		return Group{}, ErrUnitUnknown
	}
	if g.BornAt > tx.Now {
		return Group{}, bornAhead
	}
	terms := g.Preset.defaults(tx.Now)
	if in.Charter != nil {
		terms = *in.Charter
	}
	// Before the first write: a batch goes on after a refused row.
	if err := terms.fits(g.Preset, tx.Now); err != nil {
		return Group{}, err
	}
	if err := tx.Create(&g).Error; err != nil {
		return Group{}, raced(err)
	}
	_, err := publishTx(tx, g, terms)
	return g, err
}

// importedGroup marks groups that lived before Siyu knew them.
type importedGroup bool

var bornAhead = fault.Invalid.Field("born_at", "range", "建群时间不能晚于现在", "cannot lie ahead")

// fill puts in what was left out.
func (g *Group) fill(tx *database.Tx) {
	if g.ExternalID == "" {
		g.ExternalID = g.ID.String()
	}
	if g.UnitID == 0 {
		g.UnitID = tx.Actor.Unit
	}
	if g.OwnerID == 0 {
		g.OwnerID = tx.Actor.Staff
	}
	if g.Preset == "" {
		g.Preset = PresetInterest
	}
	if g.Zone == "" {
		g.Zone = clock.Shanghai
	}
	if g.BornAt == 0 {
		g.BornAt = tx.Now
	}
}

// seenGroup reads a group the actor may see.
func seenGroup(ctx context.Context, q *database.Query, group id.Group) (Group, error) {
	return oneGroup(q, database.ActorOf(ctx), group, "")
}

// lockGroup locks a group the actor may see and that is not over.
func lockGroup(tx *database.Tx, group id.Group) (Group, error) {
	g, err := oneGroup(tx.DB, tx.Actor, group, tx.Dialect.ForUpdate)
	if err == nil && g.Status == GroupDissolved {
		return Group{}, ErrGroupClosed.With("status", g.Status)
	}
	return g, err
}

func oneGroup(q *database.Query, actor database.Actor, group id.Group, lock string) (Group, error) {
	var g Group
	if err := q.Raw("SELECT "+groupColumns+" FROM chat_groups WHERE id = ?"+lock, group).Scan(&g).Error; err != nil {
		return Group{}, fmt.Errorf("community: group %s: %w", group, err)
	}
	if g.ID == 0 || !g.SeenBy(actor) {
		return Group{}, fault.NotFound
	}
	return g, nil
}

// SeenBy says whether the actor may see the group: it is of his units, and a
// group owner's own.
func (g Group) SeenBy(actor database.Actor) bool {
	return actor.Sees(g.UnitID) && (!actor.Own || g.OwnerID == actor.Staff)
}

// OwnGroups is a condition on a column of group ids that keeps a group owner
// to his own groups: " AND col IN (…)" with its argument, or nothing.
func OwnGroups(actor database.Actor, column string) (cond string, args []any) {
	if !actor.Own {
		return "", nil
	}
	return " AND " + column + " IN (SELECT id FROM chat_groups WHERE owner_id = ?)", []any{actor.Staff}
}

// FindGroup reads a group.
func (s *Service) FindGroup(ctx context.Context, group id.Group) (Group, error) {
	return seenGroup(ctx, s.DB.Read(ctx), group)
}

// GroupsIn reads groups by id, whoever asks; unknown ids are left out.
func GroupsIn(q *database.Query, groups []id.Group) (map[id.Group]Group, error) {
	out := make(map[id.Group]Group, len(groups))
	if len(groups) == 0 {
		return out, nil
	}
	var rows []Group
	if err := q.Raw("SELECT "+groupColumns+" FROM chat_groups WHERE id IN ?", groups).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("community: groups: %w", err)
	}
	for _, g := range rows {
		out[g.ID] = g
	}
	return out, nil
}

// GroupFilter narrows a list of groups; zero fields do not.
type GroupFilter struct {
	Unit   id.Unit
	Owner  id.Staff
	Preset Preset
	Status GroupStatus
}

// ListGroups lists groups, newest first.
func (s *Service) ListGroups(ctx context.Context, f GroupFilter, page database.Page) (database.Paged[Group], error) {
	var c fault.Check
	c.OneOf(string(f.Preset), "preset", append(presets(), "")...)
	c.OneOf(string(f.Status), "status", string(GroupActive), string(GroupHandover), string(GroupDissolved), "")
	if err := c.Err(); err != nil {
		return database.Paged[Group]{}, err
	}
	actor := database.ActorOf(ctx)
	cond, args := actor.Within("unit_id")
	if actor.Own {
		cond, args = cond+" AND owner_id = ?", append(args, actor.Staff)
	}
	for _, x := range []struct {
		given bool
		cond  string
		value any
	}{
		{f.Unit != 0, "unit_id", f.Unit}, {f.Owner != 0, "owner_id", f.Owner},
		{f.Preset != "", "preset", f.Preset}, {f.Status != "", "status", f.Status},
	} {
		if x.given {
			cond, args = cond+" AND "+x.cond+" = ?", append(args, x.value)
		}
	}
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Group
	err := s.DB.Read(ctx).Raw("SELECT "+groupColumns+" FROM chat_groups WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Group]{}, fmt.Errorf("community: groups: %w", err)
	}
	return database.Cut(page, rows, func(g Group) int64 { return int64(g.ID) }), nil
}
