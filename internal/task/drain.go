package task

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
)

// drainMost bounds one Drain; a task that always enqueues itself as due at
// once would otherwise hold a test for ever.
const drainMost = 100_000

// Drain works everything that is due, on the caller's goroutine and without
// Redis, until nothing is; what a task enqueues as due is worked too. It
// returns what the handlers returned; failed rows wait for their next attempt.
// Tests call it after moving the clock.
func Drain(ctx context.Context, db *database.DB, r *Registry) error {
	var failed []error
	for worked := 0; ; {
		n := 0
		for _, kind := range r.Kinds() {
			k, errs, err := drainKind(ctx, db, r, kind)
			if err != nil {
				return errors.Join(append(failed, err)...)
			}
			n += k
			failed = append(failed, errs...)
		}
		if worked += n; worked > drainMost {
			return errors.Join(append(failed, fmt.Errorf("task: drain found no end after %d tasks", worked))...)
		}
		if n == 0 {
			return errors.Join(failed...)
		}
	}
}

// Tick makes the due tick of every periodic job a task and drains. A job whose
// latest tick has run already does not run again until the clock has moved.
func Tick(ctx context.Context, db *database.DB, r *Registry) error {
	now := clock.MilliOf(db.Clock.Now())
	for _, b := range r.jobs {
		if err := schedule(ctx, db, b, b.due(now)); err != nil {
			return err
		}
	}
	return Drain(ctx, db, r)
}

func drainKind(ctx context.Context, db *database.DB, r *Registry, kind string) (int, []error, error) {
	var failed []error
	ctx = database.WithActor(ctx, database.Actor{})
	by := r.handlers[kind]
	if by.sweep != nil {
		n, bad, lost := by.sweep(ctx, db, func() bool { return true })
		if bad != nil {
			failed = append(failed, bad)
		}
		return n, failed, lost
	}
	if by.many != nil {
		jobs, err := dueJobs(ctx, db, kind, leaseMost, &place{})
		if err != nil {
			return 0, nil, err
		}
		if len(jobs) > 0 {
			for part := range slices.Chunk(jobs, by.most) {
				err, lost := runDue(ctx, db, by, part)
				if lost != nil {
					return 0, nil, lost
				}
				if err != nil {
					failed = append(failed, err)
				}
			}
			return len(jobs), failed, ctx.Err()
		}
	}
	jobs, err := take(ctx, db, kind, leaseMost)
	if err != nil || len(jobs) == 0 {
		return 0, nil, err
	}
	h := holdOf(db, jobs)
	for part := range slices.Chunk(jobs, max(by.most, 1)) {
		if err := h.run(ctx, by, part); err != nil {
			failed = append(failed, err)
		}
	}
	h.done.Wait()
	return len(jobs), failed, ctx.Err()
}
