package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// errMax is how many characters of an error the row keeps.
const errMax = 500

// runAll runs the jobs, in one transaction if their handler takes many. One
// handler after the other in a transaction would not do: each takes its locks
// in the house's order, and two in a row would not.
func runAll(ctx context.Context, h handler, jobs []Job) error {
	if len(jobs) == 1 {
		return runOne(ctx, h, jobs[0])
	}
	err := guarded(database.WithActor(ctx, database.Actor{Request: jobs[0].ID.String()}), jobs[0], func(ctx context.Context) error { return h.many(ctx, jobs) })
	if err == nil {
		return nil
	}
	half := len(jobs) / 2
	return errors.Join(runAll(ctx, h, jobs[:half]), runAll(ctx, h, jobs[half:]))
}

// runOne runs the job's handler and writes what became of it. The error it
// returns is the handler's, for tests; the row already knows. A task that puts
// itself off has not failed.
func runOne(ctx context.Context, h handler, j Job) error {
	ctx = database.WithActor(ctx, database.Actor{Request: j.ID.String()})
	started := time.Now()
	err := guarded(ctx, j, func(ctx context.Context) error { return h.run(ctx, j) })
	switch {
	case err == nil, j.done.Load():
		return nil
	case errors.Is(err, errLost):
		slog.Warn("task lease lost while running; its effect was rolled back", "task_id", j.ID, "kind", j.Kind, "took_ms", time.Since(started).Milliseconds())
		return nil
	case ctx.Err() != nil:
		// The process stops, or the lease is gone: no fault of the task.
		return errors.Join(ctx.Err(), release(j.db, j.lease, []id.Task{j.ID}))
	}
	if snoozed(err) {
		return fail(j, err)
	}
	return errors.Join(fmt.Errorf("task: %s %s: %w", j.Kind, j.ID, err), fail(j, err))
}

// guarded turns a panic into an error, so that it costs an attempt and not the
// process.
func guarded(ctx context.Context, j Job, run func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			slog.Error("task panicked", "task_id", j.ID, "kind", j.Kind, "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return run(ctx)
}

// fail writes the attempt, the error and the next time, or the end. The lease
// is the fence here too.
func fail(j Job, cause error) error {
	v := judge(j.Attempt-1, cause)
	status, next := statusWaiting, clock.MilliOf(j.db.Clock.Now()).Add(max(v.wait, time.Millisecond))
	switch {
	case v.dead:
		status = statusDead
		slog.Error("task is dead", "task_id", j.ID, "kind", j.Kind, "attempts", v.attempts, "error", cause)
	case snoozed(cause):
		slog.Debug("task put off", "task_id", j.ID, "kind", j.Kind, "next_at", next)
	default:
		slog.Warn("task failed", "task_id", j.ID, "kind", j.Kind, "attempts", v.attempts, "next_at", next, "error", cause)
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseFor)
	defer cancel()
	return j.db.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec(`UPDATE outbox SET status = ?, next_at = ?, attempts = ?, last_error = ?, lease = '', leased_until = 0
			WHERE id = ? AND status = ? AND lease = ?`,
			status, next, v.attempts, shorten(cause.Error()), j.ID, statusLeased, j.lease).Error
	})
}

// release gives rows back untried, due as they were.
func release(db *database.DB, lease string, ids []id.Task) error {
	if len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseFor/2)
	defer cancel()
	return db.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec(`UPDATE outbox SET status = ?, lease = '', leased_until = 0
			WHERE id IN ? AND status = ? AND lease = ?`, statusWaiting, ids, statusLeased, lease).Error
	})
}

// shorten makes the text fit the column; "" would look like no error.
func shorten(s string) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) == 0 {
		return "unknown"
	}
	return string(r[:min(len(r), errMax)])
}
