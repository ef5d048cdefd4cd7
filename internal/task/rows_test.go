package task

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// dues is a registry that works the rows of ripening, twenty to a transaction,
// an effect each; reward 13 fails. It tells the sizes of the runs that committed.
func dues(sizes *[]int) *Registry {
	r := NewRegistry()
	var mu sync.Mutex
	remove := func(tx *database.Tx, n int64) error {
		return tx.Exec("DELETE FROM ripening WHERE reward_id = ?", n).Error
	}
	HandleRows(r, Rows[int64]{
		Kind: "test:due", Window: 50, Due: "SELECT MIN(matures_at) FROM ripening WHERE matures_at <= ?",
		Read: func(q *database.Query, now clock.Milli, after int64, most int) (list []int64, err error) {
			return list, q.Raw("SELECT reward_id FROM ripening WHERE matures_at <= ? AND reward_id > ? ORDER BY reward_id LIMIT ?", now, after, most).Scan(&list).Error
		},
		Arrange: func([]int64) {},
		Take:    func(list []int64, _ int) int { return min(len(list), 20) },
		Work: func(tx *database.Tx, list []int64) error {
			if slices.Contains(list, 13) {
				return errors.New("unlucky")
			}
			for _, n := range list {
				if err := remove(tx, n); err != nil {
					return err
				}
				if err := tx.Exec("INSERT INTO periodic (job, scheduled_for, started_at) VALUES ('due', ?, 0)", n).Error; err != nil {
					return err
				}
			}
			tx.AfterCommit(func() {
				mu.Lock()
				defer mu.Unlock()
				*sizes = append(*sizes, len(list))
			})
			return nil
		},
		Aside: func(tx *database.Tx, n int64) error {
			if err := remove(tx, n); err != nil {
				return err
			}
			return EnqueueTx(tx, note{"aside"}, 0)
		},
	})
	return r
}

func ripen(t testing.TB, db *database.DB, from, upto int64) {
	t.Helper()
	err := db.Tx(context.Background(), func(tx *database.Tx) error {
		for n := from; n <= upto; n++ {
			if err := tx.Exec("INSERT INTO ripening (matures_at, reward_id, member_id) VALUES (?, ?, 0)", tx.Now, n).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What fails alone becomes a task, and the rest of its transaction has its
// effect.
func TestRows(t *testing.T) {
	ctx := context.Background()
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		var sizes []int
		r := dues(&sizes)
		ripen(t, db, 1, 120)
		look := func(want int) {
			t.Helper()
			if due, err := Look(ctx, db, r); err != nil || len(due) != want {
				t.Errorf("the relay sees %v, %v; want %d kinds", due, err, want)
			}
		}
		look(1)
		if err := Drain(ctx, db, r); err == nil {
			t.Error("the unlucky one failed without a word")
		}
		look(0)
		if n := number(t, db, "SELECT COUNT(*) FROM periodic WHERE job = 'due'"); n != 119 {
			t.Errorf("%d effects, want 119", n)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM outbox WHERE kind = 'test:note'"); n != 1 {
			t.Errorf("%d tasks for what failed, want one", n)
		}
		sum := 0
		for _, n := range sizes {
			sum += n
		}
		if sum != 119 || slices.Max(sizes) != 20 {
			t.Errorf("runs of %v", sizes)
		}
	})
}

// Two queues are kicked for the same rows: one works them, and when it dies with
// its turn the other does, once that has run out.
func TestRowsInTurn(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			ctx := context.Background()
			a, b := twins(t, engine)
			dead, err := takeTurn(ctx, a, "test:due")
			if err != nil || dead == nil {
				t.Fatalf("the first turn: %v, %v", dead, err)
			}
			if second, err := takeTurn(ctx, b, "test:due"); err != nil || second != nil {
				t.Fatalf("a second turn beside it: %v, %v", second, err)
			}
			close(dead.stop) // it renews no more
			dead.done.Wait()
			var sizes []int
			ripen(t, a, 21, 120)
			q := NewQueue(b, dues(&sizes))
			q.Kick("test:due")
			q.Close(time.Minute)
			if n := number(t, a, "SELECT COUNT(*) FROM periodic WHERE job = 'due'"); n != 0 {
				t.Errorf("%d effects out of turn", n)
			}
			err = a.Tx(ctx, func(tx *database.Tx) error { return tx.Exec("UPDATE turns SET held_until = 1").Error })
			if err != nil {
				t.Fatal(err)
			}
			q = NewQueue(b, dues(&sizes))
			q.Kick("test:due")
			for end := time.Now().Add(10 * time.Second); number(t, a, "SELECT COUNT(*) FROM ripening") > 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the rows are not worked after 10 s")
				}
			}
			q.Close(time.Minute)
			if n := number(t, a, "SELECT COUNT(*) FROM periodic WHERE job = 'due'"); n != 100 {
				t.Errorf("%d effects, want 100", n)
			}
			if held, err := dead.hold(time.Now().Add(time.Hour).UnixMilli()); err != nil || held {
				t.Errorf("the dead one's turn goes on: %v, %v", held, err)
			}
			if next, err := takeTurn(ctx, a, "test:due"); err != nil || next == nil {
				t.Errorf("no turn after one that was given back: %v", err)
			} else {
				next.end()
			}
		})
	}
}

func TestPaced(t *testing.T) {
	for _, c := range []struct {
		writes, want int
		took         time.Duration
	}{
		{1900, 950, 100 * time.Millisecond}, {150, 100, time.Second}, {1000, 1000, 60 * time.Millisecond},
		{1000, 1250, time.Millisecond}, {1800, 1900, time.Millisecond},
	} {
		if got := paced(c.writes, c.took); got != c.want {
			t.Errorf("after %d rows in %s: got %d, want %d", c.writes, c.took, got, c.want)
		}
	}
}
