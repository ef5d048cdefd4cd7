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
		for _, kind := range r.Kinds() {
			if err := purge(ctx, db, kind, due.Add(-keepDone)); err != nil {
				return err
			}
		}
		return purgeTicks(ctx, db, due.Add(-keepDone))
	})
}

func purge(ctx context.Context, db *database.DB, kind string, before clock.Milli) error {
	for {
		n, err := purgeSome(ctx, db, kind, before)
		if err != nil {
			return fmt.Errorf("task: purge %s: %w", kind, err)
		}
		if n == 0 {
			return nil
		}
	}
}

// purgeSome deletes rows and their inbox keys together, so that V10 holds at
// every moment. It finds them by when they were due, which the index knows and
// which is never after they were done.
func purgeSome(ctx context.Context, db *database.DB, kind string, before clock.Milli) (int, error) {
	var ids []id.Task
	err := db.Read(ctx).Raw(`SELECT id FROM outbox WHERE status = ? AND kind = ? AND next_at < ? AND done_at < ?
		ORDER BY next_at, id LIMIT ?`, statusDone, kind, before, before, purgeMost).Scan(&ids).Error
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

// purgeTicks forgets past ticks, but each job's latest, which says what is
// superseded.
func purgeTicks(ctx context.Context, db *database.DB, before clock.Milli) error {
	var jobs []struct {
		Job    string
		Latest clock.Milli
	}
	err := db.Read(ctx).Raw("SELECT job, MAX(scheduled_for) AS latest FROM periodic GROUP BY job").Scan(&jobs).Error
	if err != nil {
		return fmt.Errorf("task: purge ticks: %w", err)
	}
	for _, j := range jobs {
		for n := purgeMost; n == purgeMost; {
			if n, err = purgeSomeTicks(ctx, db, j.Job, min(before, j.Latest)); err != nil {
				return fmt.Errorf("task: purge ticks of %s: %w", j.Job, err)
			}
		}
	}
	return nil
}

func purgeSomeTicks(ctx context.Context, db *database.DB, job string, before clock.Milli) (int, error) {
	var past []clock.Milli
	err := db.Read(ctx).Raw("SELECT scheduled_for FROM periodic WHERE job = ? AND scheduled_for < ? ORDER BY scheduled_for LIMIT ?",
		job, before, purgeMost).Scan(&past).Error
	if err != nil || len(past) == 0 {
		return 0, err
	}
	return len(past), db.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec("DELETE FROM periodic WHERE job = ? AND scheduled_for <= ?", job, past[len(past)-1]).Error
	})
}
