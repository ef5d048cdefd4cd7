package task

import (
	"context"
	"fmt"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
)

// Due is a kind with rows to be worked and how long the oldest has waited.
type Due struct {
	Kind string
	Lag  time.Duration
}

// Look lists the registered kinds that have due or lease-expired rows, in one
// statement of index look-ups. Kinds of a newer release are left to it.
func Look(ctx context.Context, db *database.DB, r *Registry) ([]Due, error) {
	kinds := r.Kinds()
	if len(kinds) == 0 {
		return nil, nil
	}
	const one = `SELECT ? AS kind,
		(SELECT MIN(next_at) FROM outbox WHERE status = 0 AND kind = ? AND next_at <= ?) AS due,
		(SELECT MIN(leased_until) FROM outbox WHERE status = 1 AND kind = ? AND leased_until <= ?) AS expired`
	now, wall := clock.MilliOf(db.Clock.Now()), clock.MilliOf(time.Now())
	parts := make([]string, len(kinds))
	var args []any
	for i, k := range kinds {
		if h := r.handlers[k]; h.sweep != nil {
			parts[i] = "SELECT ? AS kind, (" + h.due + ") AS due, NULL AS expired"
			args = append(args, k, now)
			continue
		}
		parts[i] = one
		args = append(args, k, k, now, k, wall)
	}
	var rows []struct {
		Kind    string
		Due     *clock.Milli
		Expired *clock.Milli
	}
	if err := db.Read(ctx).Raw(strings.Join(parts, " UNION ALL "), args...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("task: look: %w", err)
	}
	var due []Due
	for _, row := range rows {
		if row.Due == nil && row.Expired == nil {
			continue
		}
		d := Due{Kind: row.Kind}
		if row.Due != nil {
			d.Lag = time.Duration(now-*row.Due) * time.Millisecond
		}
		if row.Expired != nil {
			d.Lag = max(d.Lag, leaseFor+time.Duration(wall-*row.Expired)*time.Millisecond)
		}
		due = append(due, d)
	}
	return due, nil
}
