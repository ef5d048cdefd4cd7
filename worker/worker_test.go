package worker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/task"
)

// note is a task whose effect is a row of periodic, so that effects can be
// counted without a table of the test's own.
type note struct {
	Name string `json:"name"`
}

func (note) Kind() string { return "test:note" }

func effect(tx *database.Tx, name string) error {
	return tx.Exec("INSERT INTO periodic (job, scheduled_for, started_at) VALUES (?, ?, 0)", name, tx.Next()).Error
}

func notes() *task.Registry {
	r := task.NewRegistry()
	task.Handle(r, func(tx *database.Tx, n note) error { return effect(tx, n.Name) })
	return r
}

func enqueue(t testing.TB, db *database.DB, name string, n int) {
	t.Helper()
	err := db.Tx(context.Background(), func(tx *database.Tx) error {
		for range n {
			if err := task.EnqueueTx(tx, note{name}, 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func effects(t testing.TB, db *database.DB, name string) (n int) {
	t.Helper()
	if err := db.Read(context.Background()).Raw("SELECT COUNT(*) FROM periodic WHERE job = ?", name).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// within waits for the condition; the queue runs on wall time.
func within(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", d, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// settled waits until nothing is due or leased, and proves V10.
func settled(t testing.TB, db *database.DB) {
	t.Helper()
	within(t, 15*time.Second, "every task is done", func() bool {
		var open int
		err := db.Read(context.Background()).Raw("SELECT COUNT(*) FROM outbox WHERE status IN (0, 1)").Scan(&open).Error
		return err == nil && open == 0
	})
	proofs, err := task.VerifyStrict(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		for _, b := range p.Broken {
			t.Errorf("%s: %s", p.ID, b)
		}
	}
}

func start(t testing.TB, db *database.DB, r *task.Registry, url string) *Worker {
	t.Helper()
	w, err := New(Config{DB: db, Registry: r, RedisURL: url})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Errorf("worker: %v", err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
	return w
}

// queues runs the test on every engine with the embedded and a real Redis.
func queues(t *testing.T, test func(t *testing.T, db *database.DB, url string)) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		t.Run("embedded", func(t *testing.T) { test(t, db, "") })
		t.Run("redis", func(t *testing.T) { test(t, db, dbtest.Redis(t)) })
	})
}

func TestWorker(t *testing.T) {
	queues(t, func(t *testing.T, db *database.DB, url string) {
		w := start(t, db, notes(), url)
		const each, rounds = 30, 10
		name := t.Name()
		for i := range rounds {
			enqueue(t, db, fmt.Sprint(name, i), each)
		}
		settled(t, db)
		for i := range rounds {
			if got := effects(t, db, fmt.Sprint(name, i)); got != each {
				t.Errorf("round %d: %d effects, want %d", i, got, each)
			}
		}
		if s := w.State(); s.Degraded || !s.Ready() {
			t.Errorf("state %+v", s)
		}
	})
}

// A wake-up brings work well before the relay's second.
func TestWakeIsQuick(t *testing.T) {
	queues(t, func(t *testing.T, db *database.DB, url string) {
		start(t, db, notes(), url)
		enqueue(t, db, "first", 1)
		settled(t, db)
		var quick int
		for i := range 5 {
			began := time.Now()
			enqueue(t, db, fmt.Sprint("quick", i), 1)
			settled(t, db)
			if time.Since(began) < 700*time.Millisecond {
				quick++
			}
		}
		if quick < 3 {
			t.Errorf("%d of 5 tasks were done within 0.7 s", quick)
		}
	})
}

// Rows leased by a process that died are worked on within 10 s.
func TestLostWorker(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		enqueue(t, db, "lost", 3)
		err := db.Tx(context.Background(), func(tx *database.Tx) error {
			return tx.Exec("UPDATE outbox SET status = 1, lease = 'DEAD', leased_until = ?", time.Now().Add(6*time.Second).UnixMilli()).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		start(t, db, notes(), "")
		within(t, 10*time.Second, "the dead process's rows are done", func() bool { return effects(t, db, "lost") == 3 })
		settled(t, db)
	})
}

// Two complete wirings on one store share the work.
func TestReplicas(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url, redis := dbtest.URL(t, engine), dbtest.Redis(t)
			first := &database.DB{Clock: clock.At(dbtest.Start)}
			var dbs []*database.DB
			for node := 1; node <= 3; node++ {
				db := dbtest.Twin(t, first, url, node)
				dbs = append(dbs, db)
				start(t, db, notes(), redis)
			}
			for i := range 60 {
				enqueue(t, dbs[i%3], "shared", 10)
			}
			settled(t, dbs[0])
			if got := effects(t, dbs[0], "shared"); got != 600 {
				t.Errorf("%d effects, want 600", got)
			}
		})
	}
}

// Three schedulers: each tick has one effect, and of missed ticks only the
// latest.
func TestSchedulers(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url, redis := dbtest.URL(t, engine), dbtest.Redis(t)
			c := clock.At(dbtest.Start)
			var first *database.DB
			for node := 1; node <= 3; node++ {
				db := dbtest.Twin(t, &database.DB{Clock: c}, url, node)
				if first == nil {
					first = db
				}
				r := task.NewRegistry()
				task.Every(r, "test:tick", time.Minute, func(ctx context.Context, due clock.Milli) error {
					return db.Tx(ctx, func(tx *database.Tx) error { return effect(tx, "ran") })
				})
				start(t, db, r, redis)
			}
			for i, jump := range []time.Duration{0, time.Minute, time.Hour, time.Minute} {
				c.Jump(jump)
				within(t, 10*time.Second, fmt.Sprintf("tick %d has run", i), func() bool { return effects(t, first, "ran") >= i+1 })
			}
			settled(t, first)
			if got := effects(t, first, "ran"); got != 4 {
				t.Errorf("ran %d times, want 4", got)
			}
		})
	}
}

// A stopping worker finishes what it began and gives the rest back at once.
func TestShutdown(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		began, end := make(chan struct{}), make(chan struct{})
		var once sync.Once
		r := task.NewRegistry()
		task.HandleOutside(r, func(_ context.Context, j task.Job, n note) error {
			once.Do(func() { close(began) })
			<-end
			return db.Tx(context.Background(), func(tx *database.Tx) error {
				if err := effect(tx, n.Name); err != nil {
					return err
				}
				return j.DoneTx(tx)
			})
		})
		enqueue(t, db, "n", 100)
		w, err := New(Config{DB: db, Registry: r})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ran := make(chan error)
		go func() { ran <- w.Run(ctx) }()
		<-began
		stop()
		close(end)
		if err := <-ran; err != nil {
			t.Fatal(err)
		}
		var leased, done int
		q := db.Read(context.Background())
		q.Raw("SELECT COUNT(*) FROM outbox WHERE status = 1").Scan(&leased)
		q.Raw("SELECT COUNT(*) FROM outbox WHERE status = 2").Scan(&done)
		if leased != 0 || done == 0 || done != effects(t, db, "n") {
			t.Errorf("%d leased, %d done, %d effects", leased, done, effects(t, db, "n"))
		}
	})
}

func TestNewRefusesBadAddress(t *testing.T) {
	db := dbtest.Open(t, "sqlite")
	for _, url := range []string{"localhost:6379", "http://x", "redis://%zz"} {
		if _, err := New(Config{DB: db, Registry: notes(), RedisURL: url}); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}

// client is a plain client of the same Redis.
func client(t testing.TB, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}
