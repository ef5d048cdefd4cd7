package task

import (
	"context"
	"database/sql"
	"log/slog"

	"siyu/internal/clock"
	"siyu/internal/database"
)

// sweepLane works the due rows of a kind if nobody else is at it.
func (q *Queue) sweepLane(l *lane) {
	due, err := l.handler.anyDue(q.run, q.db)
	if err != nil {
		slog.Warn("due rows not found", "kind", l.kind, "error", err)
		return // the relay kicks again in a second
	}
	if !due {
		return
	}
	t, err := takeTurn(q.run, q.db, l.kind)
	if err != nil {
		slog.Warn("turn not taken", "kind", l.kind, "error", err)
	}
	if t == nil {
		return
	}
	defer t.end()
	// The rows' tasks know what failed, and the log has it.
	_, _, lost := l.handler.sweep(q.run, q.db, func() bool { return q.open() && t.ours() })
	if lost != nil && q.run.Err() == nil {
		slog.Warn("due rows not worked", "kind", l.kind, "error", lost)
	}
}

// anyDue says whether a row is due.
func (h handler) anyDue(ctx context.Context, db *database.DB) (bool, error) {
	var first sql.NullInt64
	err := db.Read(ctx).Raw(h.due, clock.MilliOf(db.Clock.Now())).Row().Scan(&first)
	return first.Valid, err
}
