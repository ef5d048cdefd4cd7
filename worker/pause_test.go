package worker

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/task"
)

func TestMain(m *testing.M) { dbtest.Main(m, beat) }

// beat is a process that schedules a job of every second until it is killed.
// Its words are its node and the Redis it works with. What ran for a tick is a
// row; what ran for it again is another.
func beat(ctx context.Context, db *database.DB, words []string) error {
	db.Clock = clock.Wall()
	if err := db.Lease(ctx); err != nil {
		return err
	}
	r := task.NewRegistry()
	task.Every(r, "test:beat", time.Second, func(ctx context.Context, due clock.Milli) error {
		return db.Tx(ctx, func(tx *database.Tx) error {
			const row = "INSERT INTO periodic (job, scheduled_for, started_at) VALUES (?, ?, 0)"
			err := tx.Exec(row, "ran", due).Error
			if database.IsDuplicate(err) {
				return tx.Exec(row, "ran again", due).Error
			}
			return err
		})
	})
	w, err := New(Config{DB: db, Registry: r, RedisURL: words[0]})
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// TestSchedulerStandsStill lets three processes keep a job of every second, one
// of which stands still for three of them: no tick is left out by the others,
// none has two effects, and the one that wakes makes up for nothing.
func TestSchedulerStandsStill(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url, redis := dbtest.URL(t, engine), dbtest.Redis(t)
			db := dbtest.At(t, url)
			var all []*exec.Cmd
			for range 3 {
				child := dbtest.Child(t, url, "", time.Now(), redis)
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
				all = append(all, child)
			}
			ran := func() int { return effects(t, db, "ran") }
			within(t, 30*time.Second, "the job runs", func() bool { return ran() >= 2 })
			_ = all[0].Process.Signal(syscall.SIGSTOP)
			before := ran()
			within(t, 30*time.Second, "the others go on", func() bool { return ran() >= before+3 })
			_ = all[0].Process.Signal(syscall.SIGCONT)
			woken := ran()
			within(t, 30*time.Second, "all go on", func() bool { return ran() >= woken+2 })
			if again := effects(t, db, "ran again"); again > 0 {
				t.Errorf("%d ticks had two effects", again)
			}
			var ticks, late int
			q := db.Read(context.Background())
			must(t, q.Raw("SELECT COUNT(*) FROM periodic WHERE job = 'test:beat'").Scan(&ticks).Error)
			must(t, q.Raw("SELECT COUNT(*) FROM periodic WHERE job = 'test:beat' AND started_at >= scheduled_for + 3000").Scan(&late).Error)
			if n := ran(); ticks < n || ticks > n+2 || late > 0 {
				t.Errorf("%d ticks were scheduled, %d of them late, and %d ran", ticks, late, n)
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
