package community

import (
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// The reads of this file travel with the locks of a batch of claims. None
// joins where an optimizer could begin at the wrong end: what another table
// knows is asked per row.

// pairRead is a read of two ids per row.
func pairRead[A, B ~int64](row func(A, B), sql string, args ...any) database.Read {
	return database.Read{SQL: sql, Args: args, Row: rowsOf(row)}
}

func rowsOf[A, B ~int64](row func(A, B)) func(database.Row) error {
	return func(rows database.Row) error {
		var a A
		var b B
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		row(a, b)
		return nil
	}
}

// TagsRead reads the tags the members have, of which each has few. Naming the
// tags too would multiply the two lists, and a server looks into its index only
// for so many pairs.
func TagsRead(members []id.Member, row func(m id.Member, t id.Tag)) database.Read {
	return pairRead(row, "SELECT member_id, tag_id FROM member_tags WHERE member_id IN ?", members)
}

// BlocksRead reads which of the members are on the blocklist now, and until
// when.
func BlocksRead(members []id.Member, now clock.Milli, row func(m id.Member, until clock.Milli)) database.Read {
	return pairRead(row, "SELECT member_id, until_at FROM member_blocks WHERE member_id IN ? AND (until_at = 0 OR until_at > ?)", members, now)
}

// SeenRead reads when each member was first seen and whether he ever paid an
// order.
func SeenRead(members []id.Member, row func(m id.Member, first clock.Milli, paid bool)) database.Read {
	return database.Read{
		SQL: `SELECT id, created_at, EXISTS (SELECT 1 FROM member_facts f WHERE f.member_id = members.id AND f.kind = 'order_paid')
			FROM members WHERE id IN ?`, Args: []any{members},
		Row: func(rows database.Row) error {
			var m id.Member
			var first clock.Milli
			var paid int
			if err := rows.Scan(&m, &first, &paid); err != nil {
				return err
			}
			row(m, first, paid > 0)
			return nil
		},
	}
}

// Standing is a member in a group that is not dissolved.
type Standing struct {
	Group id.Group
	Unit  id.Unit // the group's
	Role  Role
}

// StandingsRead reads the groups the members are in now, and as what.
func StandingsRead(members []id.Member, row func(m id.Member, s Standing)) database.Read {
	return database.Read{
		SQL: `SELECT m.member_id, m.group_id, m.role, COALESCE((SELECT g.unit_id FROM chat_groups g WHERE g.id = m.group_id AND g.status <> 'dissolved'), -1)
			FROM memberships m WHERE m.member_id IN ? AND m.left_at = 0`, Args: []any{members},
		Row: func(rows database.Row) error {
			var m id.Member
			var s Standing
			if err := rows.Scan(&m, &s.Group, &s.Role, &s.Unit); err != nil || s.Unit < 0 {
				return err
			}
			row(m, s)
			return nil
		},
	}
}

// UnitsBelowRead reads which units lie in the subtrees of the tops, these
// themselves among them.
func UnitsBelowRead(tops []id.Unit, row func(top, part id.Unit)) database.Read {
	return pairRead(row, `SELECT top.id, part.id FROM units top JOIN units part ON SUBSTR(part.path, 1, LENGTH(top.path)) = top.path WHERE top.id IN ?`, tops)
}
