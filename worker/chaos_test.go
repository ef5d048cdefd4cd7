package worker

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/task"
)

// privateRedis is a server the test may kill.
type privateRedis struct {
	socket string
	cmd    *exec.Cmd
}

func (p *privateRedis) url() string { return "unix://" + p.socket + "?db=0" }

func newRedis(t testing.TB) *privateRedis {
	t.Helper()
	_ = dbtest.Redis(t) // skips or fails where there is no redis-server
	p := &privateRedis{socket: filepath.Join(t.TempDir(), "s")}
	t.Cleanup(p.kill)
	p.start(t)
	return p
}

func (p *privateRedis) start(t testing.TB) {
	t.Helper()
	p.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", p.socket, "--save", "", "--appendonly", "no", "--dir", filepath.Dir(p.socket))
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, "redis answers", func() bool {
		c, err := net.Dial("unix", p.socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (p *privateRedis) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func TestFlushAll(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		url := dbtest.Redis(t)
		start(t, db, notes(), url)
		c := client(t, url)
		for range 20 {
			enqueue(t, db, "flushed", 5)
			if err := c.FlushDB(context.Background()).Err(); err != nil {
				t.Fatal(err)
			}
		}
		within(t, 10*time.Second, "all work is done", func() bool { return effects(t, db, "flushed") >= 100 })
		settled(t, db)
		if got := effects(t, db, "flushed"); got != 100 {
			t.Errorf("%d effects, want 100", got)
		}
	})
}

// Redis is killed, stays away, comes back: work goes on from SQL, nothing is
// lost or doubled, no commit waits, and nothing spins meanwhile.
func TestRedisKilled(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newRedis(t)
		w := start(t, db, notes(), r.url())
		enqueue(t, db, "before", 20)
		settled(t, db)

		r.kill()
		enqueue(t, db, "away", 20)
		within(t, 10*time.Second, "work done without Redis", func() bool { return effects(t, db, "away") == 20 })
		if s := w.State(); !s.Degraded || !s.Ready() {
			t.Errorf("state while Redis is away: %+v", s)
		}

		turns, cpu, began := w.link.commands.Load(), cpuTime(t), time.Now()
		for i := range 30 {
			at := time.Now()
			enqueue(t, db, "still away", 1)
			if took := time.Since(at); took > time.Second {
				t.Errorf("commit %d waited %s", i, took)
			}
			time.Sleep(100 * time.Millisecond)
		}
		took := time.Since(began)
		turned, share := w.link.commands.Load()-turns, float64(cpuTime(t)-cpu)/float64(took)
		t.Logf("in %s without Redis: %d commands tried, %.1f %% of one processor", took.Round(time.Millisecond), turned, 100*share)
		if turned > 20*int64(took/time.Second+1) || share > 0.5 {
			t.Errorf("the queue spins: %d commands and %.0f %% of one processor in %s", turned, 100*share, took)
		}
		within(t, 10*time.Second, "work done without Redis", func() bool { return effects(t, db, "still away") == 30 })

		r.start(t)
		within(t, 10*time.Second, "Redis is back in use", func() bool { return !w.State().Degraded })
		enqueue(t, db, "after", 20)
		settled(t, db)
		for name, want := range map[string]int{"before": 20, "away": 20, "still away": 30, "after": 20} {
			if got := effects(t, db, name); got != want {
				t.Errorf("%s: %d effects, want %d", name, got, want)
			}
		}
	})
}

// Redis hangs without closing a connection: nobody who commits waits for it,
// work goes on from SQL, and it is used again when it wakes.
func TestRedisHangs(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newRedis(t)
		w := start(t, db, notes(), r.url())
		enqueue(t, db, "before", 5)
		settled(t, db)
		if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			enqueue(t, db, "hung", 1)
			at := time.Now()
			w.waker.wake("test:note")
			if took := time.Since(at); took > 50*time.Millisecond {
				t.Errorf("a wake-up took %s", took)
			}
		}
		within(t, 10*time.Second, "work done while Redis hangs", func() bool { return effects(t, db, "hung") == 20 })
		within(t, 10*time.Second, "Redis is seen to be away", func() bool { return w.State().Degraded })
		if err := r.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "Redis is back in use", func() bool { return !w.State().Degraded })
		enqueue(t, db, "after", 5)
		settled(t, db)
		if got := effects(t, db, "before") + effects(t, db, "hung") + effects(t, db, "after"); got != 30 {
			t.Errorf("%d effects, want 30", got)
		}
	})
}

// A process may start while Redis is away.
func TestStartWithoutRedis(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := start(t, db, notes(), "unix://"+filepath.Join(t.TempDir(), "nobody"))
		enqueue(t, db, "n", 10)
		within(t, 10*time.Second, "work done without Redis", func() bool { return effects(t, db, "n") == 10 })
		settled(t, db)
		if !w.State().Degraded {
			t.Error("not shown as degraded")
		}
	})
}

// Redis fails exactly when asynq acknowledges: the effect stays one, and later
// work flows.
func TestErrorAtAcknowledge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		var w *Worker
		var broken atomic.Bool
		r := task.NewRegistry()
		task.Handle(r, func(tx *database.Tx, n note) error {
			if n.Name == "acked" && broken.CompareAndSwap(false, true) {
				w.link.embedded.SetError("LOADING broken for a moment")
			}
			return effect(tx, n.Name)
		})
		w = start(t, db, r, "")
		enqueue(t, db, "warm", 1)
		settled(t, db)
		enqueue(t, db, "acked", 1)
		within(t, 10*time.Second, "the effect is there", func() bool { return effects(t, db, "acked") == 1 })
		within(t, 5*time.Second, "the failure was seen", func() bool { return w.State().Degraded })
		w.link.embedded.SetError("")
		enqueue(t, db, "later", 1)
		settled(t, db)
		if a, l := effects(t, db, "acked"), effects(t, db, "later"); a != 1 || l != 1 {
			t.Errorf("%d and %d effects, want one each", a, l)
		}
	})
}

// Keys of the embedded Redis expire by wall time.
func TestEmbeddedExpires(t *testing.T) {
	db := dbtest.Open(t, "sqlite")
	w := start(t, db, notes(), "")
	ctx := context.Background()
	if err := w.link.client.Set(ctx, "brief", 1, time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	if err := w.link.client.Set(ctx, "long", 1, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	within(t, 3*time.Second, "the key is gone", func() bool { return w.link.client.Exists(ctx, "brief").Val() == 0 })
	if w.link.client.Exists(ctx, "long").Val() != 1 {
		t.Error("a key of a minute is gone after a second")
	}
}

// cpuTime is what this process has used.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
