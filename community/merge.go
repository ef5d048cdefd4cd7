package community

import (
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// FollowMerges maps each member that exists to the live one it is today: to
// itself unless it was merged. One step is enough, because MergeTx keeps every
// merged member pointing at a live one.
func FollowMerges(q *database.Query, members []id.Member) (map[id.Member]id.Member, error) {
	live := make(map[id.Member]id.Member, len(members))
	if len(members) == 0 {
		return live, nil
	}
	var rows []struct{ ID, MergedInto id.Member }
	if err := q.Raw("SELECT id, merged_into FROM members WHERE id IN ?", members).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("community: follow merges: %w", err)
	}
	for _, r := range rows {
		live[r.ID] = r.ID
		if r.MergedInto != 0 {
			live[r.ID] = r.MergedInto
		}
	}
	return live, nil
}

// MergedAway are those of the members that were merged, with whom each became.
func MergedAway(q *database.Query, members []id.Member) (map[id.Member]id.Member, error) {
	away := map[id.Member]id.Member{}
	for part := range slices.Chunk(members, factsAtOnce) {
		err := database.Read{
			SQL:  "SELECT id, merged_into FROM members WHERE id IN ? AND merged_into <> 0",
			Args: []any{part},
			Row: func(rows database.Row) error {
				var m, into int64
				err := rows.Scan(&m, &into)
				away[id.Member(m)] = id.Member(into)
				return err
			},
		}.On(q)
		if err != nil {
			return nil, fmt.Errorf("community: merged away: %w", err)
		}
	}
	return away, nil
}

// MergedInto is who was merged into each of the members.
func MergedInto(q *database.Query, members []id.Member) (map[id.Member][]id.Member, error) {
	var rows []struct{ ID, MergedInto id.Member }
	if err := q.Raw("SELECT id, merged_into FROM members WHERE merged_into IN ? ORDER BY id", members).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("community: merged: %w", err)
	}
	out := map[id.Member][]id.Member{}
	for _, r := range rows {
		out[r.MergedInto] = append(out[r.MergedInto], r.ID)
	}
	return out, nil
}

// MergeRoots are the members after one id, up to another, into whom others
// were merged.
func MergeRoots(q *database.Query, after, upTo id.Member) ([]id.Member, error) {
	var roots []id.Member
	err := q.Raw("SELECT DISTINCT merged_into FROM members WHERE merged_into > ? AND merged_into <= ?", after, upTo).Scan(&roots).Error
	return roots, err
}

// MergeTx moves this room's part of one member to another and says how many
// rows that changed. Both rows are locked first, by id ascending. The merged
// one keeps its id as a pointer and nothing else. Whether the actor may see
// the two, and the audit, are the use case's: a payment merges a guest into
// its payer whoever reports it.
func MergeTx(tx *database.Tx, from, into id.Member) (int, error) {
	a, b, err := mergePair(tx, from, into)
	if err != nil {
		return 0, err
	}
	moved, err := moveMemberships(tx, from, into)
	if err != nil {
		return 0, err
	}
	facts, err := moveFacts(tx, from, into)
	if err != nil {
		return 0, err
	}
	name := b.Name
	if name == "" {
		name = a.Name
	}
	marks, err := moveMarks(tx, from, into)
	if err != nil {
		return 0, err
	}
	counted, err := markMerged(tx, from)
	if err != nil {
		return 0, err
	}
	rows := moved + facts + marks + counted
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{"UPDATE identities SET member_id = ? WHERE member_id = ?", []any{into, from}},
		{"UPDATE consents SET member_id = ? WHERE member_id = ?", []any{into, from}},
		// Whoever was merged into from now points at into: chains stay one step long.
		{"UPDATE members SET merged_into = ? WHERE merged_into = ?", []any{into, from}},
		{"UPDATE members SET merged_into = ?, status = ?, name = '', version = version + 1 WHERE id = ?", []any{into, MemberMerged, from}},
		// Whoever was known longer says since when the person is known.
		{"UPDATE members SET name = ?, guest = ?, created_at = ?, version = version + 1 WHERE id = ?", []any{name, a.Guest && b.Guest, min(a.CreatedAt, b.CreatedAt), into}},
		{"INSERT INTO member_merges (from_id, into_id, at) VALUES (?, ?, ?)", []any{from, into, tx.Now}},
	} {
		res := tx.Exec(step.sql, step.args...)
		if res.Error != nil {
			return 0, fmt.Errorf("community: merge %s into %s: %w", from, into, res.Error)
		}
		rows += int(res.RowsAffected)
	}
	return rows, changedTx(tx)
}

// mergePair locks both members and refuses a pair that cannot be merged.
func mergePair(tx *database.Tx, from, into id.Member) (a, b Member, err error) {
	if from == into {
		return a, b, ErrMergeSelf
	}
	pair, err := lockMembers(tx, []id.Member{from, into})
	if err != nil {
		return a, b, err
	}
	if len(pair) != 2 {
		return a, b, fault.NotFound
	}
	for _, m := range pair {
		switch {
		case m.MergedInto != 0:
			return a, b, ErrMergedAlready.With("member", m.ID).With("into", m.MergedInto)
		case m.Status == MemberErased:
			return a, b, ErrMemberErased.With("member", m.ID)
		}
	}
	if pair[0].ID == from {
		return pair[0], pair[1], nil
	}
	return pair[1], pair[0], nil
}

// moveMemberships gives into every group from is in. Where both are in a
// group, into's row stays with the earlier join, the higher role, and whoever
// is still in.
func moveMemberships(tx *database.Tx, from, into id.Member) (int, error) {
	var both []struct {
		ID, Other             int64
		Role, OtherRole       Role
		JoinedAt, OtherJoined clock.Milli
		LeftAt, OtherLeft     clock.Milli
	}
	err := tx.Raw(`SELECT k.id, k.role, k.joined_at, k.left_at,
			o.id AS other, o.role AS other_role, o.joined_at AS other_joined, o.left_at AS other_left
		FROM memberships k JOIN memberships o ON o.group_id = k.group_id AND o.member_id = ?
		WHERE k.member_id = ? ORDER BY k.id`, from, into).Scan(&both).Error
	if err != nil {
		return 0, fmt.Errorf("community: memberships of %s: %w", from, err)
	}
	for _, p := range both {
		left := clock.Milli(0)
		if p.LeftAt != 0 && p.OtherLeft != 0 {
			left = max(p.LeftAt, p.OtherLeft)
		}
		if p.OtherRole.rank() > p.Role.rank() {
			p.Role = p.OtherRole
		}
		if err := tx.Exec("DELETE FROM memberships WHERE id = ?", p.Other).Error; err != nil {
			return 0, err
		}
		err := tx.Exec("UPDATE memberships SET role = ?, joined_at = ?, left_at = ?, version = version + 1 WHERE id = ?",
			p.Role, min(p.JoinedAt, p.OtherJoined), left, p.ID).Error
		if err != nil {
			return 0, err
		}
	}
	res := tx.Exec("UPDATE memberships SET member_id = ?, version = version + 1 WHERE member_id = ?", into, from)
	return 2*len(both) + int(res.RowsAffected), res.Error
}

// moveFacts gives into the facts of from that it does not have yet. MySQL
// cannot delete by a subquery on the same table, so the doubles are read first.
func moveFacts(tx *database.Tx, from, into id.Member) (int, error) {
	var doubles []int64
	err := tx.Raw(`SELECT o.id FROM member_facts o JOIN member_facts k
		ON k.kind = o.kind AND k.ref = o.ref AND k.member_id = ? WHERE o.member_id = ?`, into, from).Scan(&doubles).Error
	if err != nil {
		return 0, fmt.Errorf("community: facts of %s: %w", from, err)
	}
	if len(doubles) > 0 {
		if err := tx.Exec("DELETE FROM member_facts WHERE id IN ?", doubles).Error; err != nil {
			return 0, err
		}
	}
	res := tx.Exec("UPDATE member_facts SET member_id = ? WHERE member_id = ?", into, from)
	return len(doubles) + int(res.RowsAffected), res.Error
}
