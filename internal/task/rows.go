package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
)

// Rows is work whose due rows lie in a table of their room, for what comes by
// the hundred thousand and needs nothing but a moment: a task each would cost a
// row of the outbox with its indexes, its end and an inbox key. A row is there
// as long as its work is not done, and goes in the transaction that does it, so
// nothing is lost with a process, and two that work the same row meet at the
// locks that Work takes. One process at a time has the turn, which saves them
// the meeting.
type Rows[R any] struct {
	Kind string // package:verb_noun
	// Due is SQL for the moment of the first row that is due at a time, its one
	// argument, or NULL.
	Due string
	// Read reads the first due rows behind one, the zero row at first.
	Read func(q *database.Query, now clock.Milli, after R, most int) ([]R, error)
	// Window is how many are read at a time.
	Window int
	// Arrange brings them into the order in which they are worked: what shares
	// locks and rows lies together.
	Arrange func(list []R)
	// Take is how many of the first one transaction works that may write so
	// many rows, at least one.
	Take func(list []R, writes int) int
	// Work does what the rows ask for and deletes them. It trusts none: another
	// process may have worked one since it was read.
	Work func(tx *database.Tx, list []R) error
	// Aside deletes a row whose work failed by itself and makes it a task, which
	// counts attempts and is seen when it is dead.
	Aside func(tx *database.Tx, row R) error
}

// A transaction over rows writes at most writesMost of the 2,000 rows it may;
// one that was slow is followed by a smaller one, a quick one by a larger.
const (
	writesMost  = 1900
	writesLeast = 100
	slowRows    = 80 * time.Millisecond
	quickRows   = 40 * time.Millisecond
)

// sweepers is how many transactions over a table of rows one process has at a
// time: some wait for their commit or read while the others work. SQLite has one
// writer.
const sweepers = 3

// HandleRows registers such work.
func HandleRows[R any](r *Registry, w Rows[R]) {
	r.add(w.Kind, handler{mode: sweeping, due: w.Due, sweep: w.sweep})
}

// sweep works what is due, window by window, and says how many rows that was.
// What failed is of the rows and only for tests, the rows' tasks know it; what
// was lost is of the store, and ends the sweep.
func (w Rows[R]) sweep(ctx context.Context, db *database.DB, allowed func() bool) (n int, failed, lost error) {
	ctx = database.WithActor(ctx, database.Actor{})
	var after R
	for allowed() {
		list, err := w.Read(db.Read(ctx), clock.MilliOf(db.Clock.Now()), after, w.Window)
		if err != nil {
			return n, failed, fmt.Errorf("task: look for %s: %w", w.Kind, err)
		}
		if len(list) == 0 {
			break
		}
		n += len(list)
		more := len(list) == w.Window
		after = list[len(list)-1]
		w.Arrange(list)
		bad, err := w.window(ctx, db, list, allowed)
		failed = errors.Join(failed, bad)
		if err != nil {
			return n, failed, err
		}
		if !more {
			break
		}
	}
	return n, failed, ctx.Err()
}

// window works rows in a few goroutines, each a stretch of them.
func (w Rows[R]) window(ctx context.Context, db *database.DB, list []R, allowed func() bool) (failed, lost error) {
	parts := sweepers
	if db.Dialect.Name == "sqlite" || w.Take(list, writesMost) == len(list) {
		parts = 1
	}
	var work sync.WaitGroup
	bad, gone := make([]error, parts), make([]error, parts)
	for i := range parts {
		stretch := list[i*len(list)/parts : (i+1)*len(list)/parts]
		work.Go(func() { bad[i], gone[i] = w.stretch(ctx, db, stretch, allowed) })
	}
	work.Wait()
	return errors.Join(bad...), errors.Join(gone...)
}

func (w Rows[R]) stretch(ctx context.Context, db *database.DB, list []R, allowed func() bool) (failed, lost error) {
	for writes := writesMost; len(list) > 0 && allowed(); {
		n := w.Take(list, writes)
		began := time.Now()
		bad, err := w.work(ctx, db, list[:n])
		failed = errors.Join(failed, bad)
		if err != nil {
			return failed, err
		}
		list, writes = list[n:], paced(writes, time.Since(began))
	}
	return failed, nil
}

// paced is how many rows the next transaction may write after one that took so
// long.
func paced(writes int, took time.Duration) int {
	switch {
	case took > slowRows:
		return max(writes/2, writesLeast)
	case took < quickRows:
		return min(writes+writes/4, writesMost)
	}
	return writes
}

// work does rows in one transaction. If it fails, each half is tried by itself,
// down to the row that is at fault, which is put aside. That the store cannot be
// asked is no row's fault.
func (w Rows[R]) work(ctx context.Context, db *database.DB, list []R) (failed, lost error) {
	err := guarded(ctx, Job{Kind: w.Kind}, func(ctx context.Context) error {
		return db.Tx(ctx, func(tx *database.Tx) error {
			if err := w.Work(tx, list); err != nil {
				return err
			}
			database.KillPoint("task:rows_worked")
			return nil
		})
	})
	switch {
	case err == nil:
		database.KillPoint("task:rows_done")
		return nil, nil
	case ctx.Err() != nil || errors.Is(err, fault.Unavailable):
		return nil, err
	case len(list) > 1:
		half := len(list) / 2
		first, lost := w.work(ctx, db, list[:half])
		if lost != nil {
			return first, lost
		}
		second, lost := w.work(ctx, db, list[half:])
		return errors.Join(first, second), lost
	}
	slog.Warn("a due row put aside", "kind", w.Kind, "error", err)
	return fmt.Errorf("task: %s: %w", w.Kind, err), db.Tx(ctx, func(tx *database.Tx) error { return w.Aside(tx, list[0]) })
}
