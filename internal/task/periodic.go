package task

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
)

// job is periodic work.
type job struct {
	name  string
	every time.Duration
}

// tick is one due moment of a job; it is an ordinary task, so a process that
// dies in the middle of it loses nothing.
type tick struct {
	Job string      `json:"job"`
	Due clock.Milli `json:"due"`
}

// Kind is the job's name.
func (t tick) Kind() string { return t.Job }

// due is the latest tick at or before now.
func (b job) due(now clock.Milli) clock.Milli {
	every := clock.Milli(b.every.Milliseconds())
	return now / every * every
}

// schedule makes the job's latest tick a task, unless some replica did.
func schedule(ctx context.Context, db *database.DB, b job, due clock.Milli) error {
	err := db.Tx(ctx, func(tx *database.Tx) error {
		err := tx.Exec("INSERT INTO periodic (job, scheduled_for, started_at) VALUES (?, ?, ?)", b.name, due, tx.Now).Error
		if database.IsDuplicate(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return EnqueueTx(tx, tick{b.name, due}, due)
	})
	if err != nil {
		return fmt.Errorf("task: schedule %s: %w", b.name, err)
	}
	return nil
}

// superseded says whether a later tick of the job exists: then this one was
// missed and only the later one runs.
func superseded(q *database.Query, name string, due clock.Milli) (bool, error) {
	var latest clock.Milli
	err := q.Raw("SELECT COALESCE(MAX(scheduled_for), 0) FROM periodic WHERE job = ?", name).Scan(&latest).Error
	if err != nil {
		return false, fmt.Errorf("task: %s: %w", name, err)
	}
	return latest > due, nil
}
