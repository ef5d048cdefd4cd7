package task_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
)

// note is a task whose effect is one periodic row: counting those counts
// effects, without a table of the test's own.
type note struct {
	Name string `json:"name"`
}

func (note) Kind() string { return "test:note" }

// call is outside work.
type call struct {
	Name string `json:"name"`
}

func (call) Kind() string { return "test:call" }

func enqueue(t testing.TB, db *database.DB, at clock.Milli, list ...task.Args) {
	t.Helper()
	err := db.Tx(context.Background(), func(tx *database.Tx) error {
		for _, a := range list {
			if err := task.EnqueueTx(tx, a, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// effect adds one row for the name; a second one for the same name gets the
// next number.
func effect(tx *database.Tx, name string) error {
	var n int
	if err := tx.Raw("SELECT COUNT(*) FROM periodic WHERE job = ?", name).Scan(&n).Error; err != nil {
		return err
	}
	return tx.Exec("INSERT INTO periodic (job, scheduled_for, started_at) VALUES (?, ?, 0)", name, n+1).Error
}

func effects(t testing.TB, db *database.DB, name string) (n int) {
	t.Helper()
	if err := db.Read(context.Background()).Raw("SELECT COUNT(*) FROM periodic WHERE job = ?", name).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func drain(t testing.TB, db *database.DB, r *task.Registry) {
	t.Helper()
	if err := task.Drain(context.Background(), db, r); err != nil {
		t.Fatal(err)
	}
}

// sound checks V10.
func sound(t testing.TB, db *database.DB) {
	t.Helper()
	proofs, err := task.Verify(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		for _, b := range p.Broken {
			t.Errorf("%s: %s", p.ID, b)
		}
	}
}

func notes() *task.Registry {
	r := task.NewRegistry()
	task.Handle(r, func(tx *database.Tx, n note) error { return effect(tx, n.Name) })
	return r
}

func TestDrain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := notes()
		now := clock.MilliOf(db.Clock.Now())
		enqueue(t, db, 0, note{"now"}, note{"now"})
		enqueue(t, db, now.Add(time.Hour), note{"later"})
		drain(t, db, r)
		drain(t, db, r)
		if got := effects(t, db, "now"); got != 2 {
			t.Errorf("due tasks had %d effects, want 2", got)
		}
		if got := effects(t, db, "later"); got != 0 {
			t.Errorf("a task due in an hour had %d effects", got)
		}
		db.Clock.Jump(time.Hour)
		drain(t, db, r)
		if got := effects(t, db, "later"); got != 1 {
			t.Errorf("after an hour %d effects, want 1", got)
		}
		sound(t, db)
	})
}

func TestDrain_follows_what_tasks_enqueue(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := task.NewRegistry()
		task.Handle(r, func(tx *database.Tx, n note) error {
			if len(n.Name) < 4 {
				return task.EnqueueTx(tx, note{n.Name + "x"}, 0)
			}
			return effect(tx, n.Name)
		})
		enqueue(t, db, 0, note{"x"})
		drain(t, db, r)
		if got := effects(t, db, "xxxx"); got != 1 {
			t.Errorf("the chain's end had %d effects, want 1", got)
		}
		sound(t, db)
	})
}

func TestRolledBackTransactionEnqueuesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		boom := errors.New("boom")
		err := db.Tx(context.Background(), func(tx *database.Tx) error {
			if err := task.EnqueueTx(tx, note{"never"}, 0); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		drain(t, db, notes())
		if got := effects(t, db, "never"); got != 0 {
			t.Errorf("%d effects of a task that was rolled back", got)
		}
	})
}

// A poison task costs the others nothing, is dead after its attempts, and runs
// when it is redriven.
func TestPoison(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		r := task.NewRegistry()
		cured, runs := false, 0
		task.Handle(r, func(tx *database.Tx, n note) error {
			if n.Name == "poison" {
				runs++
				if err := effect(tx, n.Name); err != nil {
					return err
				}
				if !cured {
					panic("poison")
				}
				return nil
			}
			return effect(tx, n.Name)
		})
		enqueue(t, db, 0, note{"a"}, note{"poison"}, note{"b"})
		for range task.Attempts + 3 {
			err := task.Drain(ctx, db, r)
			if runs <= task.Attempts && effects(t, db, "b") == 0 {
				t.Fatalf("the poison task stops its neighbours: %v", err)
			}
			db.Clock.Jump(15 * time.Minute)
		}
		if got := [...]int{runs, effects(t, db, "a"), effects(t, db, "poison"), effects(t, db, "b")}; got != [...]int{task.Attempts, 1, 0, 1} {
			t.Fatalf("runs, a, poison, b = %v", got)
		}
		dead, err := task.ListDead(ctx, db, "", database.Page{})
		if err != nil || len(dead.Items) != 1 {
			t.Fatalf("dead tasks: %v, %v", dead, err)
		}
		d := dead.Items[0]
		if d.Kind != "test:note" || d.Attempts != task.Attempts || !strings.Contains(d.LastError, "poison") {
			t.Errorf("dead task %+v", d)
		}
		sound(t, db)
		cured = true
		if err := task.Redrive(ctx, db, d.ID); err != nil {
			t.Fatal(err)
		}
		drain(t, db, r)
		if got := effects(t, db, "poison"); got != 1 {
			t.Errorf("after redrive %d effects, want 1", got)
		}
		if err := task.Redrive(ctx, db, d.ID); !errors.Is(err, task.ErrNotDead) {
			t.Errorf("redriving a done task: %v", err)
		}
		sound(t, db)
	})
}

func TestRetryAtChosenTime(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := task.NewRegistry()
		var attempts []int
		task.HandleOutside(r, func(_ context.Context, j task.Job, c call) error {
			attempts = append(attempts, j.Attempt)
			switch len(attempts) {
			case 1:
				return task.After(errors.New("busy"), 30*time.Minute)
			case 2:
				return task.Snooze(time.Minute)
			case 3:
				return task.Dead(errors.New("hopeless"))
			}
			return nil
		})
		enqueue(t, db, 0, call{"x"})
		for _, step := range []struct {
			jump time.Duration
			runs int
		}{{0, 1}, {29 * time.Minute, 1}, {time.Minute, 2}, {59 * time.Second, 2}, {time.Second, 3}, {24 * time.Hour, 3}} {
			db.Clock.Jump(step.jump)
			if err := task.Drain(context.Background(), db, r); step.jump == time.Minute && err != nil {
				t.Errorf("a task that puts itself off failed: %v", err)
			}
			if len(attempts) != step.runs {
				t.Fatalf("after %s: %d runs, want %d", step.jump, len(attempts), step.runs)
			}
		}
		if attempts[1] != 2 || attempts[2] != 2 {
			t.Errorf("attempts %v: After counts one, Snooze none", attempts)
		}
		sound(t, db)
	})
}

// Outside work may end its task in its own last transaction.
func TestDoneTx(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := task.NewRegistry()
		runs := 0
		task.HandleOutside(r, func(ctx context.Context, j task.Job, c call) error {
			runs++
			return db.Tx(ctx, func(tx *database.Tx) error {
				if err := effect(tx, c.Name); err != nil {
					return err
				}
				if err := j.DoneTx(tx); err != nil {
					return err
				}
				if runs == 1 {
					return errors.New("not this time") // rolls the end back too
				}
				return nil
			})
		})
		enqueue(t, db, 0, call{"x"})
		_ = task.Drain(context.Background(), db, r)
		db.Clock.Jump(time.Minute)
		drain(t, db, r)
		if runs != 2 || effects(t, db, "x") != 1 {
			t.Errorf("%d runs and %d effects, want 2 and 1", runs, effects(t, db, "x"))
		}
		sound(t, db)
	})
}

// A handler that outlives its lease is fenced off: the run that took over has
// the one effect.
func TestZombie(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := notes()
		zombie := task.NewRegistry()
		task.HandleOutside(zombie, func(ctx context.Context, j task.Job, n note) error {
			// The lease runs out and somebody else does the work meanwhile.
			task.ExpireLease(t, db, j.ID)
			drain(t, db, r)
			return db.Tx(ctx, func(tx *database.Tx) error {
				if err := effect(tx, n.Name); err != nil {
					return err
				}
				return j.DoneTx(tx)
			})
		})
		enqueue(t, db, 0, note{"x"})
		drain(t, db, zombie)
		if got := effects(t, db, "x"); got != 1 {
			t.Errorf("%d effects, want 1", got)
		}
		sound(t, db)
	})
}

func TestTick(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		var ran []clock.Milli
		r := task.NewRegistry()
		task.Every(r, "test:sweep", time.Minute, func(_ context.Context, due clock.Milli) error {
			ran = append(ran, due)
			return nil
		})
		tick := func() {
			t.Helper()
			if err := task.Tick(context.Background(), db, r); err != nil {
				t.Fatal(err)
			}
		}
		start := clock.MilliOf(dbtest.Start)
		tick()
		tick()
		db.Clock.Jump(90 * time.Second)
		tick()
		db.Clock.Jump(time.Hour) // 60 ticks missed: the latest runs
		tick()
		want := []clock.Milli{start, start.Add(time.Minute), start.Add(61 * time.Minute)}
		if len(ran) != 3 || ran[0] != want[0] || ran[1] != want[1] || ran[2] != want[2] {
			t.Errorf("ran %v, want %v", ran, want)
		}
		sound(t, db)
	})
}

// A tick that fails is tried again, until the next tick is there.
func TestTickThatFails(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		var ran []clock.Milli
		r := task.NewRegistry()
		task.Every(r, "test:sweep", time.Minute, func(_ context.Context, due clock.Milli) error {
			if ran = append(ran, due); len(ran) < 3 {
				return errors.New("not yet")
			}
			return nil
		})
		start := clock.MilliOf(dbtest.Start)
		for range 3 {
			_ = task.Tick(context.Background(), db, r)
			db.Clock.Jump(20 * time.Second)
		}
		_ = task.Tick(context.Background(), db, r)
		if len(ran) != 4 || ran[2] != start || ran[3] != start.Add(time.Minute) {
			t.Errorf("ran %v", ran)
		}
		sound(t, db)
	})
}

func TestUnknownKindsAreLeftAlone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		enqueue(t, db, 0, call{"for a newer release"}, note{"x"})
		drain(t, db, notes())
		var waiting []id.Task
		if err := db.Read(context.Background()).Raw("SELECT id FROM outbox WHERE status = 0").Scan(&waiting).Error; err != nil {
			t.Fatal(err)
		}
		if len(waiting) != 1 || effects(t, db, "x") != 1 {
			t.Errorf("waiting %v", waiting)
		}
	})
}
