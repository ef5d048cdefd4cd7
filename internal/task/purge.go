package task

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// keepDone is how long done tasks and past ticks are kept. Nothing enqueues
// the same task again later than that, so the inbox keys may go with the rows.
const keepDone = 7 * 24 * time.Hour

// purgeMost rows go in one transaction.
const purgeMost = 500

// Register registers the queue's own work: an hourly purge of what is done.
func Register(r *Registry, db *database.DB) {
	Every(r, "task:purge_done", time.Hour, func(ctx context.Context, due clock.Milli) error {
		return purge(ctx, db, due.Add(-keepDone))
	})
}

func purge(ctx context.Context, db *database.DB, before clock.Milli) error {
	for {
		n, err := purgeSome(ctx, db, before)
		if err != nil {
			return fmt.Errorf("task: purge: %w", err)
		}
		if n == 0 {
			break
		}
	}
	return db.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec("DELETE FROM periodic WHERE scheduled_for < ? AND started_at < ?", before, before).Error
	})
}

// purgeSome deletes rows and their inbox keys together, so that V10 holds at
// every moment.
func purgeSome(ctx context.Context, db *database.DB, before clock.Milli) (int, error) {
	var ids []id.Task
	// done_at is not indexed; a done row was due before it was done, and the
	// index leads to those per kind.
	err := db.Read(ctx).Raw(`SELECT id FROM outbox WHERE status = ? AND done_at < ? AND next_at < ? LIMIT ?`,
		statusDone, before, before, purgeMost).Scan(&ids).Error
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return len(ids), db.Tx(ctx, func(tx *database.Tx) error {
		if err := tx.Exec("DELETE FROM inbox WHERE task_id IN ?", ids).Error; err != nil {
			return err
		}
		return tx.Exec("DELETE FROM outbox WHERE id IN ? AND status = ?", ids, statusDone).Error
	})
}
