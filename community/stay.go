package community

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Stay is one membership's time in a group; LeftAt is 0 while it lasts.
type Stay struct {
	GroupID  id.Group
	JoinedAt clock.Milli
	LeftAt   clock.Milli
}

// StaysIn hands over each membership of the groups that lasted until a moment
// or still does. The groups are few.
func StaysIn(q *database.Query, groups []id.Group, from clock.Milli, each func(Stay)) error {
	rows, err := q.Raw("SELECT group_id, joined_at, left_at FROM memberships WHERE group_id IN ? AND (left_at = 0 OR left_at >= ?)", groups, from).Rows()
	if err != nil {
		return fmt.Errorf("community: stays: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s Stay
		if err := rows.Scan(&s.GroupID, &s.JoinedAt, &s.LeftAt); err != nil {
			return fmt.Errorf("community: stays: %w", err)
		}
		each(s)
	}
	return rows.Err()
}
