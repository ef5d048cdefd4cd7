package campaign

import (
	"context"
	"fmt"
	"math"

	"siyu/internal/database"
)

// walk goes over the orders along an indexed column, each step in a snapshot
// of its own: (after, upTo] holds about as many rows as asked.
type walk struct {
	column      string
	after, upTo int64
	done        bool
}

func (w *walk) step(ctx context.Context, db *database.DB, rows int, fn func(q *database.Query) error) error {
	return db.Snapshot(ctx, func(q *database.Query) error {
		w.after, w.upTo = w.upTo, math.MaxInt64
		var edge []int64
		err := q.Raw("SELECT "+w.column+" FROM orders WHERE "+w.column+" > ? ORDER BY "+w.column+" LIMIT 1 OFFSET ?", w.after, rows-1).Scan(&edge).Error
		if err != nil {
			return fmt.Errorf("campaign: walk orders by %s after %d: %w", w.column, w.after, err)
		}
		if len(edge) == 1 {
			w.upTo = edge[0]
		}
		w.done = len(edge) == 0
		return fn(q)
	})
}
