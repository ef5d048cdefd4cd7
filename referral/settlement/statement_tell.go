package settlement

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// tellJob tells the members of a sealed settlement that their statement is
// there.
type tellJob struct {
	Settlement id.Settlement `json:"settlement"`
}

func (tellJob) Kind() string { return "settlement:tell_statements" }

// tellMost is how many members one transaction tells: an IN list's most.
const tellMost = 200

// RunTell tells each member of a settlement, once in a month, that his
// statement of the month it was sealed in is there, and until when he may
// object to these lines. It may be run any number of times. What is sealed
// later in the month is added to the statement without a word.
func (s *Service) RunTell(ctx context.Context, sid id.Settlement) error {
	st, err := find(s.DB.Read(ctx), sid)
	if err != nil || st.SealedAt == 0 || st.Status == StatusRejected {
		return err
	}
	for after := id.Member(0); ; {
		var members []id.Member
		err := s.DB.Read(ctx).Raw("SELECT DISTINCT member_id FROM settlement_lines WHERE settlement_id = ? AND member_id > ? ORDER BY member_id LIMIT ?",
			sid, after, tellMost).Scan(&members).Error
		if err != nil || len(members) == 0 {
			return err
		}
		if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return tellMonthTx(tx, st, members) }); err != nil {
			return fmt.Errorf("settlement: tell of %s: %w", sid, err)
		}
		after = members[len(members)-1]
	}
}

func tellMonthTx(tx *database.Tx, st Settlement, members []id.Member) error {
	heard, err := webhook.Wanted(tx.DB, eventStatement)
	if err != nil || !heard {
		return err
	}
	live, err := today(tx.DB, members)
	if err != nil {
		return err
	}
	month := clock.Day(st.SealedAt.Time(), zone) / 100
	told, err := toldOf(tx.DB, live, month)
	if err != nil {
		return err
	}
	for _, m := range members {
		who := live[m]
		if told[who] {
			continue
		}
		told[who] = true
		err := tx.Exec("INSERT INTO statement_tellings (member_id, month_no, settlement_id, told_at) VALUES (?, ?, ?, ?)", who, month, st.ID, tx.Now).Error
		if database.IsDuplicate(err) {
			continue // another settlement's job told him a moment ago
		}
		if err != nil {
			return err
		}
		err = webhook.PublishTx(tx, eventStatement, map[string]any{"member_id": who, "month": month, "settlement_id": st.ID, "object_until": st.SealedAt.Add(objectFor)})
		if err != nil {
			return err
		}
	}
	return nil
}

// toldOf says who of those that members are today was told of the month, also
// under a merged name.
func toldOf(q *database.Query, live map[id.Member]id.Member, month int) (map[id.Member]bool, error) {
	now := slices.Collect(maps.Values(live))
	from, err := community.MergedInto(q, now)
	if err != nil {
		return nil, err
	}
	of := map[id.Member]id.Member{}
	for _, m := range now {
		of[m] = m
		for _, old := range from[m] {
			of[old] = m
		}
	}
	out := map[id.Member]bool{}
	for part := range slices.Chunk(slices.Collect(maps.Keys(of)), tellMost) {
		var rows []id.Member
		err := q.Raw("SELECT member_id FROM statement_tellings WHERE month_no = ? AND member_id IN ?", month, part).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			out[of[m]] = true
		}
	}
	return out, nil
}
