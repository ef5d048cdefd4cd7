package guard

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/database"
	"siyu/internal/id"
)

// openFor is how long after its window a slot that nobody settled is still
// shown to whoever should.
const openFor = 14 * 24 * time.Hour

// openMost bounds a list of open slots.
const openMost = 200

// ListOpen lists slots of some groups that are neither confirmed nor released,
// of those groups that the actor sees; the one that ends first first.
func (s *Service) ListOpen(ctx context.Context, groups []id.Group) ([]Slot, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	cond, args := seenBy(database.ActorOf(ctx))
	args = append(append([]any{groups, s.now().Add(-openFor)}, args...), openMost)
	var rows []Slot
	err := s.DB.Read(ctx).Raw("SELECT "+slotColumns+` FROM slots
		WHERE group_id IN ? AND last_at >= ? AND confirmed_at = 0 AND released_at = 0`+cond+" ORDER BY to_at, id LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("guard: open slots: %w", err)
	}
	return rows, nil
}
