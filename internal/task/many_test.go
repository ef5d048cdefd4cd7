package task

import (
	"context"
	"errors"
	"slices"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// many is a registry whose notes are worked ten to a transaction; a note named
// bad fails. It tells the sizes of the runs that committed.
func many(sizes *[]int) *Registry {
	r := NewRegistry()
	HandleMany(r, 10, func(tx *database.Tx, list []note) error {
		for _, n := range list {
			if n.Name == "bad" {
				return errors.New("a bad one")
			}
			if err := tx.Exec("INSERT INTO periodic (job, scheduled_for, started_at) VALUES (?, ?, 0)", n.Name, tx.Next()).Error; err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { *sizes = append(*sizes, len(list)) })
		return nil
	})
	return r
}

func TestHandleMany(t *testing.T) {
	ctx := context.Background()
	enqueue := func(t *testing.T, db *database.DB, names ...string) {
		t.Helper()
		err := db.Tx(ctx, func(tx *database.Tx) error {
			for _, n := range names {
				if err := EnqueueTx(tx, note{n}, 0); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		var sizes []int
		r := many(&sizes)
		enqueue(t, db, slices.Repeat([]string{"good"}, 25)...)
		if err := Drain(ctx, db, r); err != nil {
			t.Fatal(err)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM periodic"); n != 25 || !slices.Equal(sizes, []int{10, 10, 5}) {
			t.Errorf("%d effects in runs of %v, want 25 in runs of 10, 10 and 5", n, sizes)
		}

		sizes = nil
		enqueue(t, db, "good", "good", "good", "bad", "good", "good", "good", "good")
		if err := Drain(ctx, db, r); err == nil {
			t.Error("the bad one failed without a word")
		}
		if n := number(t, db, "SELECT COUNT(*) FROM periodic"); n != 32 || !slices.Equal(sizes, []int{2, 1, 4}) {
			t.Errorf("%d effects beside a bad one in runs of %v, want 32 in runs of 2, 1 and 4", n, sizes)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM outbox WHERE status = 0 AND attempts = 1"); n != 1 {
			t.Errorf("%d tasks were charged with an attempt, want the bad one", n)
		}

		// A run whose lease ran out has no effect, whatever it did.
		sizes = nil
		enqueue(t, db, "late", "late", "late")
		jobs, err := take(ctx, db, note{}.Kind(), 3)
		if err != nil || len(jobs) != 3 {
			t.Fatal(jobs, err)
		}
		ExpireLease(t, db, jobs[1].ID)
		if again, err := take(ctx, db, note{}.Kind(), 1); err != nil || len(again) != 1 {
			t.Fatal(again, err)
		}
		if err := runAll(ctx, r.handlers[note{}.Kind()], jobs); err != nil {
			t.Error(err)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM periodic WHERE job = 'late'"); n != 2 {
			t.Errorf("%d effects of rows that were still leased, want 2", n)
		}
		// An effect that stands already is not repeated.
		if err := db.Tx(ctx, func(tx *database.Tx) error { _, err := jobs[1].keyTx(tx); return err }); err != nil {
			t.Fatal(err)
		}
		ExpireLease(t, db, jobs[1].ID)
		enqueue(t, db, "late")
		if err := Drain(ctx, db, r); err != nil {
			t.Fatal(err)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM periodic WHERE job = 'late'"); n != 3 {
			t.Errorf("%d effects after a key that stood, want 3", n)
		}
	})
}
