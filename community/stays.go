package community

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// StaysByMember hands over up to limit memberships that lasted until a moment
// or still do, by member, of members after one. It returns how many it read:
// the last member of a full page may have more. The index holds all it reads,
// because counts walk every membership there is.
func StaysByMember(q *database.Query, after id.Member, from clock.Milli, limit int, each func(Stay)) (n int, err error) {
	err = database.Read{
		SQL: `SELECT member_id, group_id, joined_at, left_at, role FROM memberships WHERE member_id > ? AND (left_at = 0 OR left_at >= ?)
			ORDER BY member_id, left_at, group_id LIMIT ?`,
		Args: []any{after, from, limit},
		Row: func(rows database.Row) error {
			var s Stay
			var role Role
			err := rows.Scan(&s.MemberID, &s.GroupID, &s.JoinedAt, &s.LeftAt, &role)
			s.Host = role.Host()
			n++
			each(s)
			return err
		},
	}.On(q)
	if err != nil {
		return n, fmt.Errorf("community: stays by member: %w", err)
	}
	return n, nil
}

// Guests hands over each membership of the groups that lasted until a moment or
// still does, of hosts none. The groups are few.
func Guests(q *database.Query, groups []id.Group, from clock.Milli, each func(Stay)) error {
	err := database.Read{
		SQL:  "SELECT group_id, member_id, joined_at, left_at FROM memberships WHERE group_id IN ? AND (left_at = 0 OR left_at >= ?) AND role NOT IN ?",
		Args: []any{groups, from, []Role{RoleAdmin, RoleOwner}},
		Row: func(rows database.Row) error {
			var s Stay
			err := rows.Scan(&s.GroupID, &s.MemberID, &s.JoinedAt, &s.LeftAt)
			each(s)
			return err
		},
	}.On(q)
	if err != nil {
		return fmt.Errorf("community: guests: %w", err)
	}
	return nil
}

// GroupsAfter are groups of any status by id, each with its unit and since when
// Siyu knows it.
func GroupsAfter(q *database.Query, after id.Group, limit int) (groups []id.Group, units []id.Unit, since []clock.Milli, err error) {
	err = database.Read{
		SQL:  "SELECT id, unit_id, created_at FROM chat_groups WHERE id > ? ORDER BY id LIMIT ?",
		Args: []any{after, limit},
		Row: func(rows database.Row) error {
			var g id.Group
			var u id.Unit
			var t clock.Milli
			err := rows.Scan(&g, &u, &t)
			groups, units, since = append(groups, g), append(units, u), append(since, t)
			return err
		},
	}.On(q)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("community: groups: %w", err)
	}
	return groups, units, since, nil
}
