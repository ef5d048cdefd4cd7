package gathering

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Verify proves V26, a range of events per snapshot.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V26", Says: "the places taken at an offline event are the seats that stand, within its capacity; nobody waits while a place is free; only who had a place was there"}
	now := clock.MilliOf(db.Clock.Now())
	for after := id.Gathering(0); ; {
		var ids []id.Gathering
		err := db.Snapshot(ctx, func(q *database.Query) error {
			if err := q.Raw("SELECT id FROM gatherings WHERE id > ? ORDER BY id LIMIT 2000", after).Scan(&ids).Error; err != nil || len(ids) == 0 {
				return err
			}
			p.Checked += int64(len(ids))
			hi := ids[len(ids)-1]
			var broken []id.Gathering
			err := q.Raw(`SELECT g.id FROM gatherings g WHERE g.id > ? AND g.id <= ? AND (g.taken > g.capacity
				OR g.taken <> (SELECT COUNT(*) FROM gathering_seats s WHERE s.gathering_id = g.id AND s.status = 'in')
				OR g.taken < g.capacity AND g.status = 'open' AND g.starts_at > ? AND EXISTS (SELECT 1 FROM gathering_seats s WHERE s.gathering_id = g.id AND s.status = 'waiting')
				OR EXISTS (SELECT 1 FROM gathering_seats s WHERE s.gathering_id = g.id AND s.status <> 'in' AND s.checked_at <> 0))`, after, hi, now).Scan(&broken).Error
			for _, b := range broken {
				p.Break("gathering %s: its places, its line or its check-ins do not agree", b)
			}
			after = hi
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("gathering: verify: %w", err)
		}
		if len(ids) == 0 {
			return []database.Proof{p}, nil
		}
	}
}
