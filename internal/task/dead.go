package task

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// DeadTask is a task that failed too often and waits for a person. Its payload
// is not shown; the id finds it in the store.
type DeadTask struct {
	ID        id.Task     `json:"id"`
	Kind      string      `json:"kind"`
	Attempts  int         `json:"attempts"`
	LastError string      `json:"last_error"`
	CreatedAt clock.Milli `json:"created_at"`
}

// ErrNotDead refuses to redrive what still runs or is done.
var ErrNotDead = fault.New(fault.KindConflict, "task.not_dead", "任务现在是 {status}，只有失败的任务才能重跑", "the task is {status}; only a dead one can be redriven")

// ListDead lists dead tasks, newest first; an empty kind means all.
// Tasks belong to no unit, so only who sees the whole brand sees them.
func ListDead(ctx context.Context, db *database.DB, kind string, page database.Page) (database.Paged[DeadTask], error) {
	if database.ActorOf(ctx).Units != nil {
		return database.Paged[DeadTask]{}, fault.Forbidden
	}
	var rows []DeadTask
	err := db.Read(ctx).Raw(`SELECT id, kind, attempts, last_error, created_at FROM outbox
		WHERE status = ? AND (? = '' OR kind = ?) AND id < ? ORDER BY id DESC LIMIT ?`,
		statusDead, kind, kind, page.Bound(), page.Fetch()).Scan(&rows).Error
	if err != nil {
		return database.Paged[DeadTask]{}, fmt.Errorf("task: list dead: %w", err)
	}
	return database.Cut(page, rows, func(d DeadTask) int64 { return int64(d.ID) }), nil
}

// Redrive gives a dead task all its attempts again, from now.
func Redrive(ctx context.Context, db *database.DB, t id.Task) error {
	if database.ActorOf(ctx).Units != nil {
		return fault.Forbidden
	}
	return db.Tx(ctx, func(tx *database.Tx) error {
		row, err := lockTx(tx, t)
		if err != nil {
			return err
		}
		if row.Status != statusDead {
			return ErrNotDead.With("status", stateName(row.Status))
		}
		err = database.One(tx.Exec(`UPDATE outbox SET status = ?, next_at = ?, attempts = 0 WHERE id = ?`+tx.Only("status = ?"),
			statusWaiting, tx.Now, t, statusDead), ErrNotDead.With("status", "waiting"))
		if err != nil {
			return err
		}
		tx.SetResult("task", int64(t), 202)
		tx.Wake(row.Kind)
		return database.AuditTx(tx, "task.redrive", t, map[string]any{"kind": row.Kind, "attempts": row.Attempts, "last_error": row.LastError}, nil)
	})
}

type state struct {
	Kind      string
	Status    int
	Attempts  int
	LastError string
}

func lockTx(tx *database.Tx, t id.Task) (state, error) {
	var rows []state
	err := tx.Raw("SELECT kind, status, attempts, last_error FROM outbox WHERE id = ?"+tx.Dialect.ForUpdate, t).Scan(&rows).Error
	switch {
	case err != nil:
		return state{}, err
	case len(rows) == 0:
		return state{}, fault.NotFound
	}
	return rows[0], nil
}

func stateName(status int) string {
	switch status {
	case statusWaiting:
		return "waiting"
	case statusLeased:
		return "running"
	case statusDone:
		return "done"
	}
	return "dead"
}
