package task

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

type note struct {
	Name string `json:"name"`
}

func (note) Kind() string { return "test:note" }

func effect(tx *database.Tx, name string) error {
	return tx.Exec("INSERT INTO periodic (job, scheduled_for, started_at) VALUES (?, ?, 0)", name, tx.Next()).Error
}

func number(t testing.TB, db *database.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.Read(context.Background()).Raw(query, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func enqueue(t testing.TB, db *database.DB, list ...Args) {
	t.Helper()
	err := db.Tx(context.Background(), func(tx *database.Tx) error {
		for _, a := range list {
			if err := EnqueueTx(tx, a, 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sound(t testing.TB, db *database.DB) {
	t.Helper()
	proofs, err := VerifyStrict(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		for _, b := range p.Broken {
			t.Error(b)
		}
	}
}

func notes() *Registry {
	r := NewRegistry()
	Handle(r, func(tx *database.Tx, n note) error { return effect(tx, n.Name) })
	return r
}

// twins are two handles on one store, as two replicas have them.
func twins(t testing.TB, engine string) (a, b *database.DB) {
	t.Helper()
	url := dbtest.URL(t, engine)
	seed := &database.DB{Clock: clock.At(dbtest.Start)}
	return dbtest.Twin(t, seed, url, 1), dbtest.Twin(t, seed, url, 2)
}

// A zombie and the run that took over work on the same row at the same moment,
// many times: each row has one effect.
func TestZombieAtTheSameTime(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			ctx := context.Background()
			a, b := twins(t, engine)
			r := notes()
			const rows = 20
			for i := range rows {
				enqueue(t, a, note{fmt.Sprint("zombie", i)})
				first, err := take(ctx, a, "test:note", 1)
				if err != nil || len(first) != 1 {
					t.Fatalf("leased %v, %v", first, err)
				}
				ExpireLease(t, a, first[0].ID)
				second, err := take(ctx, b, "test:note", 1)
				if err != nil || len(second) != 1 {
					t.Fatalf("taken over %v, %v", second, err)
				}
				var both sync.WaitGroup
				both.Go(func() { _ = runOne(ctx, r.handlers["test:note"], first[0]) })
				both.Go(func() { _ = runOne(ctx, r.handlers["test:note"], second[0]) })
				both.Wait()
				if err := Drain(ctx, a, r); err != nil {
					t.Fatal(err)
				}
			}
			for i := range rows {
				if n := number(t, a, "SELECT COUNT(*) FROM periodic WHERE job = ?", fmt.Sprint("zombie", i)); n != 1 {
					t.Errorf("row %d: %d effects, want 1", i, n)
				}
			}
			sound(t, a)
		})
	}
}

// Without the fence and the inbox key a zombie doubles the effect: the test
// above can fail.
func TestZombieWithoutFence(t *testing.T) {
	db := dbtest.Unlocked(t, "sqlite")
	ctx := context.Background()
	r := NewRegistry()
	HandleOutside(r, func(ctx context.Context, j Job, n note) error {
		return db.Tx(ctx, func(tx *database.Tx) error {
			if err := effect(tx, n.Name); err != nil {
				return err
			}
			return j.DoneTx(tx)
		})
	})
	enqueue(t, db, note{"x"})
	first, err := take(ctx, db, "test:note", 1)
	if err != nil {
		t.Fatal(err)
	}
	ExpireLease(t, db, first[0].ID)
	second, err := take(ctx, db, "test:note", 1)
	if err != nil {
		t.Fatal(err)
	}
	_ = runOne(ctx, r.handlers["test:note"], second[0])
	_ = runOne(ctx, r.handlers["test:note"], first[0])
	if n := number(t, db, "SELECT COUNT(*) FROM periodic WHERE job = 'x'"); n != 2 {
		t.Errorf("%d effects without a fence; the zombie test proves nothing", n)
	}
}

// Many takers at once lease every row exactly once.
func TestTakeIsExclusive(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			a, b := twins(t, engine)
			var list []Args
			for range 100 {
				list = append(list, note{"x"})
			}
			enqueue(t, a, list...)
			var mu sync.Mutex
			seen := map[id.Task]int{}
			var all sync.WaitGroup
			for i := range 4 {
				db := []*database.DB{a, b}[i%2]
				all.Go(func() {
					for found := true; found; {
						jobs, err := take(context.Background(), db, "test:note", 10)
						if err != nil {
							t.Errorf("take: %v", err)
						}
						found = len(jobs) > 0
						mu.Lock()
						for _, j := range jobs {
							seen[j.ID]++
						}
						mu.Unlock()
					}
				})
			}
			all.Wait()
			for task, n := range seen { // far sooner than a lease runs out
				if n != 1 {
					t.Errorf("%s was leased %d times", task, n)
				}
			}
			if len(seen) != 100 {
				t.Errorf("%d rows leased, want 100", len(seen))
			}
		})
	}
}

// A long run keeps its lease; nobody else gets the row meanwhile.
func TestRenewal(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		enqueue(t, db, note{"a"}, note{"b"})
		jobs, err := take(ctx, db, "test:note", 10)
		if err != nil {
			t.Fatal(err)
		}
		h := holdOf(db, jobs)
		ExpireLease(t, db, jobs[0].ID)
		ExpireLease(t, db, jobs[1].ID)
		h.renew()
		if again, err := take(ctx, db, "test:note", 10); err != nil || len(again) != 0 {
			t.Errorf("renewed rows were leased again: %v, %v", again, err)
		}
		// One is taken away; its run is told to stop and the other goes on.
		ExpireLease(t, db, jobs[0].ID)
		if _, err := take(ctx, db, "test:note", 1); err != nil {
			t.Fatal(err)
		}
		stopped := make(chan struct{})
		slow := handler{mode: outside, run: func(ctx context.Context, j Job) error { <-ctx.Done(); close(stopped); return ctx.Err() }}
		var running sync.WaitGroup
		running.Go(func() { _ = h.run(ctx, slow, jobs[:1]) })
		for renewed := false; !renewed; {
			h.renew()
			select {
			case <-stopped:
				renewed = true
			case <-time.After(10 * time.Millisecond):
				h.mu.Lock()
				_, held := h.rows[jobs[0].ID]
				h.mu.Unlock()
				renewed = !held // lost before its run began: it never runs
			}
		}
		running.Wait()
		if err := h.run(ctx, notes().handlers["test:note"], jobs[1:2]); err != nil {
			t.Error(err)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM periodic WHERE job = 'b'"); n != 1 {
			t.Errorf("%d effects of the row that was kept", n)
		}
		h.done.Wait()
	})
}

// A slow row holds its own slot and not the rows behind it.
func TestSlowRowLetsOthersPass(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		slow, fast := make(chan struct{}), make(chan string, 100)
		r := NewRegistry()
		HandleOutside(r, func(_ context.Context, _ Job, n note) error {
			if n.Name == "slow" {
				<-slow
			}
			fast <- n.Name
			return nil
		})
		q := NewQueue(db, r)
		enqueue(t, db, note{"slow"})
		q.Kick("test:note")
		for i := range 40 {
			enqueue(t, db, note{fmt.Sprint(i)})
			q.Kick("test:note")
		}
		for range 40 {
			select {
			case n := <-fast:
				if n == "slow" {
					t.Error("the slow row ended first")
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the slow row holds the others")
			}
		}
		close(slow)
		<-fast
		q.Close(time.Minute)
		sound(t, db)
		if n := number(t, db, "SELECT COUNT(*) FROM outbox WHERE status = 2"); n != 41 {
			t.Errorf("%d done, want 41", n)
		}
	})
}

func TestPurge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		r := notes()
		Register(r, db)
		enqueue(t, db, note{"old"}, note{"old"})
		if err := Tick(ctx, db, r); err != nil {
			t.Fatal(err)
		}
		db.Clock.Jump(keepDone + 2*time.Hour)
		enqueue(t, db, note{"new"})
		if err := Tick(ctx, db, r); err != nil {
			t.Fatal(err)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM outbox WHERE kind = 'test:note'"); n != 1 {
			t.Errorf("%d rows are left, want the new one", n)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM inbox WHERE kind = 'test:note'"); n != 1 {
			t.Errorf("%d inbox keys are left, want the new one", n)
		}
		sound(t, db)
	})
}

// V10 names each kind of broken row.
func TestVerifyFindsBreaches(t *testing.T) {
	for name, breach := range map[string]string{
		"done without a key":   "DELETE FROM inbox",
		"key without a row":    "DELETE FROM outbox",
		"key of a waiting row": "UPDATE outbox SET status = 0",
		"no such state":        "UPDATE outbox SET status = 7",
		"leased without end":   "UPDATE outbox SET status = 1, lease = 'x'",
		"dead without error":   "UPDATE outbox SET status = 3",
	} {
		dbtest.Run(t, func(t *testing.T, db *database.DB) {
			enqueue(t, db, note{"x"})
			if err := Drain(context.Background(), db, notes()); err != nil {
				t.Fatal(err)
			}
			sound(t, db)
			err := db.Tx(context.Background(), func(tx *database.Tx) error { return tx.Exec(breach).Error })
			if err != nil {
				t.Fatal(err)
			}
			proofs, err := Verify(context.Background(), db)
			if err != nil || len(proofs[0].Broken) == 0 || proofs[0].Checked == 0 {
				t.Errorf("%s was not found: %+v, %v", name, proofs, err)
			}
		})
	}
}

func TestVerifyStrictFindsLateRows(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		enqueue(t, db, note{"a"}, note{"b"})
		jobs, err := take(context.Background(), db, "test:note", 1)
		if err != nil {
			t.Fatal(err)
		}
		ExpireLease(t, db, jobs[0].ID)
		db.Clock.Jump(61 * time.Second)
		proofs, err := VerifyStrict(context.Background(), db)
		if err != nil || len(proofs) != 2 || len(proofs[0].Broken) != 0 || len(proofs[1].Broken) != 2 {
			t.Errorf("%+v, %v", proofs, err)
		}
	})
}

func BenchmarkQueue(b *testing.B) {
	for _, engine := range dbtest.Engines {
		b.Run(engine, func(b *testing.B) {
			db := dbtest.Open(b, engine)
			r := notes()
			for n := 0; n < b.N; n += 500 {
				list := make([]Args, min(500, b.N-n))
				for i := range list {
					list[i] = note{"x"}
				}
				enqueue(b, db, list...)
			}
			b.ResetTimer()
			q := NewQueue(db, r)
			q.Kick("test:note")
			for number(b, db, "SELECT COUNT(*) FROM outbox WHERE status <> 2") > 0 {
				time.Sleep(5 * time.Millisecond)
			}
			q.Close(time.Second)
		})
	}
}
