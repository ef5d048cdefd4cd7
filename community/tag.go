package community

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Bounds of tags.
const (
	tagsMax       = 100 // of a unit
	memberTagsMax = 30  // given to a member by hand
	tagZHMax      = 20
	tagENMax      = 40
)

// Tag is a word the brand has for some of its members. With a rule it is given
// and taken every day; anybody may be given it by hand as well.
type Tag struct {
	ID        id.Tag      `json:"id" gorm:"column:id;primaryKey;autoIncrement:false"`
	UnitID    id.Unit     `json:"unit_id" gorm:"column:unit_id"`
	Seq       int         `json:"-" gorm:"column:seq"` // 1 to tagsMax, so that no unit has more
	NameZH    string      `json:"name_zh" gorm:"column:name_zh"`
	NameEN    string      `json:"name_en" gorm:"column:name_en"`
	Rule      *TagRule    `json:"rule" gorm:"-"`
	RuleText  string      `json:"-" gorm:"column:rule"`
	Version   int         `json:"version" gorm:"column:version"`
	CreatedAt clock.Milli `json:"created_at" gorm:"column:created_at;autoCreateTime:false"`
}

// TableName is the table's.
func (Tag) TableName() string { return "tags" }

func (t *Tag) unpack() error {
	if t.RuleText == "" {
		return nil
	}
	return json.Unmarshal([]byte(t.RuleText), &t.Rule)
}

// TagIn is the input of a new tag; without a rule it is given by hand alone.
type TagIn struct {
	UnitID id.Unit  `json:"unit_id"` // default the caller's unit
	NameZH string   `json:"name_zh"`
	NameEN string   `json:"name_en"`
	Rule   *TagRule `json:"rule"`
}

// Validate checks what needs no database.
func (in TagIn) Validate() error {
	var c fault.Check
	c.Required(CleanLine(in.NameZH), "name_zh")
	c.Length(CleanLine(in.NameZH), "name_zh", tagZHMax)
	c.Required(CleanLine(in.NameEN), "name_en")
	c.Length(CleanLine(in.NameEN), "name_en", tagENMax)
	if in.Rule != nil {
		in.Rule.check(&c)
	}
	return c.Err()
}

// CreateTag makes a tag of the unit. One with a rule is worked out at once and
// then every day.
func (s *Service) CreateTag(ctx context.Context, in TagIn) (id.Tag, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made Tag
	err := Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) (err error) {
			made, err = createTag(tx, in)
			return err
		})
	})
	return made.ID, err
}

func createTag(tx *database.Tx, in TagIn) (Tag, error) {
	if in.UnitID == 0 {
		in.UnitID = tx.Actor.Unit
	}
	if !tx.Actor.Sees(in.UnitID) {
		return Tag{}, ErrUnitUnknown
	}
	t := Tag{
		ID: id.Tag(tx.Next()), UnitID: in.UnitID, Seq: 1, NameZH: CleanLine(in.NameZH), NameEN: CleanLine(in.NameEN),
		Rule: in.Rule, Version: 1, CreatedAt: tx.Now,
	}
	if in.Rule != nil {
		if err := groupsVisible(tx, in.Rule.Groups); err != nil {
			return t, err
		}
		raw, err := json.Marshal(in.Rule)
		if err != nil {
			return t, err
		}
		t.RuleText = string(raw)
	}
	var has []Tag
	if err := tx.Raw("SELECT seq, name_zh FROM tags WHERE unit_id = ? ORDER BY seq", in.UnitID).Scan(&has).Error; err != nil {
		return t, fmt.Errorf("community: tags: %w", err)
	}
	for _, x := range has {
		if x.NameZH == t.NameZH {
			return t, ErrTagTaken.Field("name_zh", "repeated", "已被使用", "is taken")
		}
		if x.Seq == t.Seq {
			t.Seq++
		}
	}
	if t.Seq > tagsMax {
		return t, ErrTagsFull.With("max", tagsMax)
	}
	if err := tx.Create(&t).Error; err != nil {
		return t, raced(err)
	}
	if t.Rule != nil {
		if err := walkTx(tx); err != nil {
			return t, err
		}
	}
	tx.SetResult("tag", int64(t.ID), 201)
	return t, database.AuditTx(tx, "tag.create", t.ID, nil, t)
}

// groupsVisible refuses groups that are not there or are another unit's.
func groupsVisible(tx *database.Tx, groups []id.Group) error {
	found, err := GroupsIn(tx.DB, groups)
	if err != nil {
		return err
	}
	var c fault.Check
	for i, g := range groups {
		x, ok := found[g]
		c.That(ok && tx.Actor.Sees(x.UnitID), fmt.Sprintf("rule.groups[%d]", i), "not_found", "没有这个群，请从群列表取编号", "there is no such group; take the id from the list of groups")
	}
	return c.Err()
}

// FindTag is the tag, if the actor may see its unit.
func (s *Service) FindTag(ctx context.Context, tag id.Tag) (Tag, error) {
	return seenTag(ctx, s.DB.Read(ctx), tag)
}

func seenTag(ctx context.Context, q *database.Query, tag id.Tag) (Tag, error) {
	found, err := TagsIn(q, []id.Tag{tag})
	if err != nil {
		return Tag{}, err
	}
	t, ok := found[tag]
	if !ok || !database.ActorOf(ctx).Sees(t.UnitID) {
		return Tag{}, fault.NotFound
	}
	return t, nil
}

// TagsIn reads those of the tags that exist.
func TagsIn(q *database.Query, tags []id.Tag) (map[id.Tag]Tag, error) {
	out := make(map[id.Tag]Tag, len(tags))
	for part := range slices.Chunk(tags, memberChunk) {
		var rows []Tag
		if err := q.Raw("SELECT * FROM tags WHERE id IN ?", part).Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("community: tags: %w", err)
		}
		for _, t := range rows {
			if err := t.unpack(); err != nil {
				return nil, err
			}
			out[t.ID] = t
		}
	}
	return out, nil
}

// ListTags lists tags, newest first.
func (s *Service) ListTags(ctx context.Context, page database.Page) (database.Paged[Tag], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Tag
	if err := s.DB.Read(ctx).Raw("SELECT * FROM tags WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error; err != nil {
		return database.Paged[Tag]{}, fmt.Errorf("community: tags: %w", err)
	}
	for i := range rows {
		if err := rows[i].unpack(); err != nil {
			return database.Paged[Tag]{}, err
		}
	}
	return database.Cut(page, rows, func(t Tag) int64 { return int64(t.ID) }), nil
}
