package community

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TagSource is who gave a member a tag.
type TagSource string

// The sources. What was given by hand no rule takes away.
const (
	TagByHand TagSource = "manual"
	TagByRule TagSource = "rule"
)

// MemberTag is a tag a member has, with the day on which he was given it.
type MemberTag struct {
	TagID  id.Tag    `json:"tag_id"`
	NameZH string    `json:"name_zh" gorm:"column:name_zh"`
	NameEN string    `json:"name_en" gorm:"column:name_en"`
	Source TagSource `json:"source"`
	Day    int       `json:"day"`
}

type memberTag struct {
	MemberID id.Member `gorm:"column:member_id;primaryKey;autoIncrement:false"`
	TagID    id.Tag    `gorm:"column:tag_id;primaryKey;autoIncrement:false"`
	Source   TagSource `gorm:"column:source"`
	Day      int       `gorm:"column:day"`
}

func (memberTag) TableName() string { return "member_tags" }

// tagged is a member with a tag.
type tagged struct {
	member id.Member
	tag    id.Tag
}

// TagRow gives one person the tag, or takes it away. He is named by his id or
// by an identity.
type TagRow struct {
	MemberID id.Member `json:"member_id"`
	Identity *Identity `json:"identity"`
	Remove   bool      `json:"remove"`
}

// TagBatch is what TagMembers takes at once.
type TagBatch struct {
	Members []TagRow `json:"members"`
}

// Validate checks every row's form.
func (b TagBatch) Validate() error {
	var c fault.Check
	c.Range(int64(len(b.Members)), "members", 1, memberChunk)
	for i, r := range b.Members[:min(len(b.Members), memberChunk)] {
		at := fmt.Sprintf("members[%d]", i)
		c.That((r.MemberID != 0) != (r.Identity != nil), at, "required", "请填写 member_id 或 identity 之一", "needs either member_id or identity")
		if r.Identity != nil {
			r.Identity.check(&c, at+".identity")
		}
	}
	return c.Err()
}

// TagMembers gives up to 200 people the tag by hand or takes it away, in one
// transaction, a result for each row in order. What is so already is no error.
// A tag taken from somebody its rule gives it to comes back the next day.
func (s *Service) TagMembers(ctx context.Context, tag id.Tag, rows []TagRow) ([]MemberResult, error) {
	if err := (TagBatch{rows}).Validate(); err != nil {
		return nil, err
	}
	var out []MemberResult
	err := Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			t, err := seenTag(tx.Context(), tx.DB, tag)
			if err != nil {
				return err
			}
			if out, err = s.tagRows(tx, t.ID, rows); err != nil {
				return err
			}
			return database.AuditTx(tx, "tag.members", t.ID, nil, out)
		})
	})
	return out, err
}

func (s *Service) tagRows(tx *database.Tx, tag id.Tag, rows []TagRow) ([]MemberResult, error) {
	named := make([]id.Member, len(rows))
	in := make([]MembershipIn, 0, len(rows))
	for i, r := range rows {
		named[i] = r.MemberID
		if r.Identity != nil {
			m, err := s.Resolve(tx.DB, string(r.Identity.Kind), r.Identity.App, r.Identity.Value)
			if err != nil && err != fault.NotFound {
				return nil, err
			}
			named[i] = m
		}
		in = append(in, MembershipIn{MemberID: named[i]})
	}
	live, err := lockForJoin(tx, in)
	if err != nil {
		return nil, err
	}
	has, err := heldTags(tx, liveIDs(live))
	if err != nil {
		return nil, err
	}
	byHand := map[id.Member]int{}
	for at, source := range has {
		if source == TagByHand {
			byHand[at.member]++
		}
	}
	out, touched := make([]MemberResult, len(rows)), map[id.Member]TagSource{}
	for i, r := range rows {
		member := live[named[i]]
		at := tagged{member, tag}
		out[i] = MemberResult{Member: member, Result: RowUpdated}
		switch {
		case member == 0:
			out[i] = MemberResult{Member: named[i], Result: RowConflict, Err: ErrMemberUnknown.With("member", named[i])}
		case r.Remove:
			if has[at] == TagByHand {
				byHand[member]--
			}
			delete(has, at)
			touched[member] = ""
		case has[at] == TagByHand:
		case byHand[member] >= memberTagsMax:
			out[i] = MemberResult{Member: member, Result: RowConflict, Err: ErrMemberTagsFull.With("max", memberTagsMax)}
		default:
			has[at], touched[member] = TagByHand, TagByHand
			byHand[member]++
		}
	}
	return out, writeTagged(tx, tag, touched)
}

// writeTagged leaves the members with the tag by hand, or without it.
func writeTagged(tx *database.Tx, tag id.Tag, touched map[id.Member]TagSource) error {
	if len(touched) == 0 {
		return nil
	}
	members := slices.Sorted(maps.Keys(touched))
	if err := tx.Exec("DELETE FROM member_tags WHERE tag_id = ? AND member_id IN ?", tag, members).Error; err != nil {
		return err
	}
	var fresh []memberTag
	for _, m := range members {
		if touched[m] != "" {
			fresh = append(fresh, memberTag{m, tag, TagByHand, today(tx)})
		}
	}
	return insertTags(tx, fresh)
}

func insertTags(tx *database.Tx, rows []memberTag) error {
	if len(rows) == 0 {
		return nil
	}
	return raced(tx.CreateInBatches(&rows, memberChunk).Error)
}

// heldTags reads which tags the members have, and from whom.
func heldTags(tx *database.Tx, members []id.Member) (map[tagged]TagSource, error) {
	out := map[tagged]TagSource{}
	if len(members) == 0 {
		return out, nil
	}
	var rows []memberTag
	if err := tx.Raw("SELECT * FROM member_tags WHERE member_id IN ?", members).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("community: tags of members: %w", err)
	}
	for _, r := range rows {
		out[tagged{r.MemberID, r.TagID}] = r.Source
	}
	return out, nil
}

// today is the local day on which a tag was given.
func today(tx *database.Tx) int {
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		loc = time.UTC
	}
	return clock.Day(tx.Now.Time(), loc)
}

func keysOf[K interface{ ~int64 }](set map[K]bool) []K { return slices.Sorted(maps.Keys(set)) }

// MemberTags are the tags the member has.
func (s *Service) MemberTags(ctx context.Context, member id.Member) ([]MemberTag, error) {
	m, err := s.FindMember(ctx, member)
	if err != nil {
		return nil, err
	}
	return tagsOf(s.DB.Read(ctx), m.ID)
}

func tagsOf(q *database.Query, member id.Member) ([]MemberTag, error) {
	out := []MemberTag{}
	err := q.Raw(`SELECT m.tag_id, t.name_zh, t.name_en, m.source, m.day FROM member_tags m JOIN tags t ON t.id = m.tag_id
		WHERE m.member_id = ? ORDER BY m.tag_id`, member).Scan(&out).Error
	if err != nil {
		return nil, fmt.Errorf("community: tags of %s: %w", member, err)
	}
	return out, nil
}

// moveMarks gives into the tags of from and the longer of their two blocks.
func moveMarks(tx *database.Tx, from, into id.Member) (int, error) {
	has, err := heldTags(tx, []id.Member{from, into})
	if err != nil {
		return 0, err
	}
	rows := 0
	for at, source := range has {
		if at.member != from {
			continue
		}
		rows++
		old, both := has[tagged{into, at.tag}]
		sql, args := "UPDATE member_tags SET member_id = ? WHERE member_id = ? AND tag_id = ?", []any{into, from, at.tag}
		if both {
			sql, args = "DELETE FROM member_tags WHERE member_id = ? AND tag_id = ?", []any{from, at.tag}
		}
		if err := tx.Exec(sql, args...).Error; err != nil {
			return 0, err
		}
		if both && old == TagByRule && source == TagByHand {
			if err := tx.Exec("UPDATE member_tags SET source = ? WHERE member_id = ? AND tag_id = ?", source, into, at.tag).Error; err != nil {
				return 0, err
			}
		}
	}
	moved, err := moveBlock(tx, from, into)
	return rows + moved, err
}
