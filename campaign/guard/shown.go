package guard

import (
	"fmt"

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
