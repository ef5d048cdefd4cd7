package community

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// Register tells the worker what this room does in the background.
func (s *Service) Register(r *task.Registry) {
	task.Handle(r, s.tagMembers)
	task.Every(r, "community:tag_daily", 24*time.Hour, func(ctx context.Context, _ clock.Milli) error {
		return s.DB.Tx(ctx, walkTx)
	})
	task.Every(r, "community:purge_activity", 24*time.Hour, func(ctx context.Context, _ clock.Milli) error {
		return s.PurgeActivity(ctx)
	})
}

// tagMembers is the task that works out the rules for the members after one,
// a transaction's worth; each enqueues the next.
type tagMembers struct {
	After id.Member `json:"after"`
}

// Kind names the task.
func (tagMembers) Kind() string { return "community:tag_members" }

func walkTx(tx *database.Tx) error { return task.EnqueueTx(tx, tagMembers{}, tx.Now) }

// walkWrites is how many rows one step may write.
const walkWrites = 1_000

// ruled is a tag with a rule and the units it reaches; nil is all.
type ruled struct {
	Tag
	reach map[id.Unit]bool
}

func (s *Service) tagMembers(tx *database.Tx, a tagMembers) error {
	tags, err := ruledTags(tx)
	if err != nil || len(tags) == 0 {
		return err
	}
	var ids []id.Member
	step := max(1, min(memberChunk, walkWrites/len(tags)))
	err = tx.Raw("SELECT id FROM members WHERE id > ? ORDER BY id LIMIT ?", a.After, step).Scan(&ids).Error
	if err != nil || len(ids) == 0 {
		return err
	}
	// Locked, so that nobody is merged away or tagged by hand meanwhile.
	members, err := lockMembers(tx, ids)
	if err != nil {
		return err
	}
	facts, err := tagFacts(tx, members)
	if err != nil {
		return err
	}
	if err := writeRuled(tx, tags, members, facts); err != nil {
		return err
	}
	if len(ids) < step {
		return nil
	}
	return task.EnqueueTx(tx, tagMembers{ids[len(ids)-1]}, tx.Now)
}

// ruledTags reads the tags with a rule. A tag of a unit reaches the members of
// its subtree, one of no unit everybody.
func ruledTags(tx *database.Tx) ([]ruled, error) {
	var rows []Tag
	if err := tx.Raw("SELECT * FROM tags WHERE rule <> '' ORDER BY id").Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("community: tags: %w", err)
	}
	units := map[id.Unit]bool{}
	for _, t := range rows {
		units[t.UnitID] = true
	}
	reach := map[id.Unit]map[id.Unit]bool{}
	err := tx.Queries(UnitsBelowRead(keysOf(units), func(top, part id.Unit) {
		if reach[top] == nil {
			reach[top] = map[id.Unit]bool{top: true}
		}
		reach[top][part] = true
	}))
	if err != nil {
		return nil, err
	}
	out := make([]ruled, len(rows))
	for i, t := range rows {
		if err := t.unpack(); err != nil {
			return nil, err
		}
		out[i] = ruled{t, reach[t.UnitID]}
		if t.UnitID != 0 && out[i].reach == nil {
			out[i].reach = map[id.Unit]bool{t.UnitID: true}
		}
	}
	return out, nil
}

// tagFacts reads what the rules ask about the members.
func tagFacts(tx *database.Tx, members []Member) (map[id.Member]*TagFacts, error) {
	out := make(map[id.Member]*TagFacts, len(members))
	ids := make([]id.Member, len(members))
	for i, m := range members {
		ids[i], out[m.ID] = m.ID, &TagFacts{FirstSeen: m.CreatedAt, Groups: map[id.Group]bool{}}
	}
	var facts []struct {
		MemberID id.Member
		Kind     FactKind
		At       clock.Milli
		Amount   money.Amount
	}
	err := tx.Raw("SELECT member_id, kind, at, amount FROM member_facts WHERE member_id IN ? AND kind IN ?", ids, []FactKind{FactOrderPaid, FactReferralKept}).Scan(&facts).Error
	if err != nil {
		return nil, fmt.Errorf("community: facts: %w", err)
	}
	for _, f := range facts {
		if to := out[f.MemberID]; f.Kind == FactOrderPaid {
			to.Paid = append(to.Paid, PaidFact{f.At, f.Amount})
		} else {
			to.Kept++
		}
	}
	var in []Membership
	if err := tx.Raw("SELECT member_id, group_id, joined_at, left_at FROM memberships WHERE member_id IN ?", ids).Scan(&in).Error; err != nil {
		return nil, fmt.Errorf("community: memberships: %w", err)
	}
	for _, m := range in {
		to := out[m.MemberID]
		to.Joined = max(to.Joined, m.JoinedAt)
		if m.LeftAt == 0 {
			to.Groups[m.GroupID] = true
		}
	}
	return out, nil
}

// writeRuled gives and takes what the rules say; what was given by hand stays.
func writeRuled(tx *database.Tx, tags []ruled, members []Member, facts map[id.Member]*TagFacts) error {
	ids := make([]id.Member, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	has, err := heldTags(tx, ids)
	if err != nil {
		return err
	}
	var fresh []memberTag
	gone := map[id.Tag][]id.Member{}
	for _, t := range tags {
		for _, m := range members {
			holds := m.Status == MemberActive && (t.reach == nil || t.reach[m.UnitID]) && t.Rule.Holds(*facts[m.ID], tx.Now)
			source, had := has[tagged{m.ID, t.ID}]
			switch {
			case holds && !had:
				fresh = append(fresh, memberTag{m.ID, t.ID, TagByRule, today(tx)})
			case !holds && source == TagByRule:
				gone[t.ID] = append(gone[t.ID], m.ID)
			}
		}
	}
	for tag, list := range gone {
		if err := tx.Exec("DELETE FROM member_tags WHERE tag_id = ? AND member_id IN ? AND source = ?", tag, list, TagByRule).Error; err != nil {
			return err
		}
	}
	return insertTags(tx, fresh)
}
