package guard

import (
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// ShownOf are the slots of a campaign that were shown in some groups from one
// moment to before another, oldest first. The groups are few.
func ShownOf(q *database.Query, c id.Campaign, groups []id.Group, from, to clock.Milli) ([]Slot, error) {
	var list []Slot
	err := q.Raw("SELECT "+slotColumns+` FROM slots WHERE group_id IN ? AND last_at >= ? AND campaign_id = ?
		AND confirmed_at >= ? AND confirmed_at < ? ORDER BY confirmed_at, id`, groups, from, c, from, to).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("guard: shown for %s: %w", c, err)
	}
	return list, nil
}

// Counted is an ad of a group that counts: the moments it may have shown at,
// and when it was reserved (0: before Siyu knew the group).
type Counted struct {
	GroupID     id.Group
	First, Last clock.Milli
	ReservedAt  clock.Milli
}

// CountedSince hands over the ads of groups that count at a moment or after
// it: shown, still to be shown, posted by hand, or brought in with the group's
// past. The groups are few.
func CountedSince(q *database.Query, groups []id.Group, from clock.Milli, each func(Counted)) error {
	rows := database.Read{
		SQL:  "SELECT group_id, first_at, last_at, reserved_at FROM slots WHERE group_id IN ? AND released_at = 0 AND last_at >= ?",
		Args: []any{groups, from},
		Row: func(rows database.Row) error {
			var c Counted
			err := rows.Scan(&c.GroupID, &c.First, &c.Last, &c.ReservedAt)
			each(c)
			return err
		},
	}
	if err := rows.On(q); err != nil {
		return fmt.Errorf("guard: counted: %w", err)
	}
	return community.PastAdRows(groups, from, never, func(p community.PastAd) {
		for range min(p.N, pastMost) {
			each(Counted{GroupID: p.GroupID, First: p.At, Last: p.At})
		}
	}).On(q)
}
