package community

import (
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Deed is one thing a live member did, at its moment.
type Deed struct {
	MemberID id.Member
	Kind     ActivityKind
	At       clock.Milli
}

// DeedsOf are a group's posts, answers and incentives since a day, in order.
func DeedsOf(q *database.Query, group id.Group, since int) ([]Deed, error) {
	var list []Deed
	err := q.Raw(`SELECT CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END AS member_id, e.kind, e.at
		FROM activity_events e JOIN members m ON m.id = e.member_id
		WHERE e.group_id = ? AND e.day >= ? AND e.kind IN (?, ?, ?)`,
		group, since, ActivityPost, ActivityAnswer, ActivityIncentive).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("community: deeds in %s: %w", group, err)
	}
	slices.SortStableFunc(list, func(a, b Deed) int { return int(a.At - b.At) })
	return list, nil
}
