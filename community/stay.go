package community

import (
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Stay is one membership's time in a group; LeftAt is 0 while it lasts.
type Stay struct {
	GroupID  id.Group
	MemberID id.Member
	JoinedAt clock.Milli
	LeftAt   clock.Milli
	Host     bool // owner or admin, where it was asked for
}

// StaysIn hands over each membership of the groups that lasted until a moment
// or still does. The groups are few.
func StaysIn(q *database.Query, groups []id.Group, from clock.Milli, each func(Stay)) error {
	rows, err := q.Raw("SELECT group_id, member_id, joined_at, left_at FROM memberships WHERE group_id IN ? AND (left_at = 0 OR left_at >= ?)", groups, from).Rows()
	if err != nil {
		return fmt.Errorf("community: stays: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s Stay
		if err := rows.Scan(&s.GroupID, &s.MemberID, &s.JoinedAt, &s.LeftAt); err != nil {
			return fmt.Errorf("community: stays: %w", err)
		}
		each(s)
	}
	return rows.Err()
}

// InSince is since when the live member has been in a group without a break;
// in any group, the longest, if none is named. 0 says that he is not in it.
func InSince(q *database.Query, m id.Member, group id.Group) (clock.Milli, error) {
	var since clock.Milli
	err := q.Raw("SELECT COALESCE(MIN(joined_at), 0) FROM memberships WHERE member_id = ? AND left_at = 0 AND (? = 0 OR group_id = ?)",
		m, group, group).Scan(&since).Error
	if err != nil {
		return 0, fmt.Errorf("community: stay of %s: %w", m, err)
	}
	return since, nil
}

// ActedIn counts what the live member did of a kind in a group, or in all he is
// in, from a moment until before another. Of one local day at most three
// count, as for the group's own figures.
func ActedIn(q *database.Query, m id.Member, group id.Group, kind ActivityKind, from, until clock.Milli) (int, error) {
	groups := []id.Group{group}
	if group == 0 {
		of, err := GroupsOf(q, []id.Member{m})
		if err != nil {
			return 0, err
		}
		groups = of[m]
	}
	were, err := MergedInto(q, []id.Member{m})
	if err != nil || len(groups) == 0 {
		return 0, err
	}
	// The index begins with group and day; a day more on both sides covers
	// every zone.
	first, last := clock.Day(from.Time().AddDate(0, 0, -1), time.UTC), clock.Day(until.Time().AddDate(0, 0, 1), time.UTC)
	var n int
	err = q.Raw(`SELECT COALESCE(SUM(CASE WHEN d.n > 3 THEN 3 ELSE d.n END), 0) FROM (SELECT group_id, day, COUNT(*) AS n FROM activity_events
		WHERE group_id IN ? AND day >= ? AND day <= ? AND kind = ? AND member_id IN ? AND at >= ? AND at < ? GROUP BY group_id, day) d`,
		groups, first, last, kind, append(were[m], m), from, until).Scan(&n).Error
	if err != nil {
		return 0, fmt.Errorf("community: activity of %s: %w", m, err)
	}
	return n, nil
}
