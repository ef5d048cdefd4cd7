package community

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// WaitingIn is how many wait for a place in a group with a gate.
func WaitingIn(q *database.Query, group id.Group) (int, error) {
	var n int
	if err := q.Raw("SELECT COUNT(*) FROM applications WHERE group_id = ? AND status = 'waiting'", group).Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("community: who waits for %s: %w", group, err)
	}
	return n, nil
}
