package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"siyu/internal/task"
)

const (
	lookEvery = time.Second
	// patience is how long a due row may wait before this process works on it
	// without a wake-up: one was sent a look ago and did not help, or there is
	// more than one replica can do.
	patience = 2 * time.Second
)

// State is the queue's health, for /readyz and /metrics. A degraded queue
// still works everything, a second later.
type State struct {
	Queue    string                   // embedded or redis
	Degraded bool                     // Redis does not answer; rows are worked straight from SQL
	Since    time.Time                // of Degraded
	Looked   time.Time                // when the relay last saw the outbox
	Lag      map[string]time.Duration // by kind, how long the oldest due row has waited
	Error    string                   // why the relay's last look failed, "" if it did not
}

// Ready says whether work goes on: the relay saw the outbox within 5 s.
func (s State) Ready() bool { return s.Error == "" && time.Since(s.Looked) < 5*time.Second }

// State is the health right now.
func (w *Worker) State() State {
	w.mu.Lock()
	s := w.state
	w.mu.Unlock()
	s.Queue = w.link.name()
	s.Since, s.Degraded = w.link.down()
	return s
}

// relay starts what no wake-up starts: ticks, rows whose time came, rows of a
// process that died, and everything while Redis is away.
func (w *Worker) relay(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		w.note(w.look(ctx))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Worker) look(ctx context.Context) ([]task.Due, error) {
	unscheduled := w.queue.Schedule(ctx)
	due, err := task.Look(ctx, w.cfg.DB, w.cfg.Registry)
	_, away := w.link.down()
	for _, d := range due {
		if away || d.Lag > patience {
			w.queue.Kick(d.Kind)
			continue
		}
		w.waker.wake(d.Kind)
	}
	return due, errors.Join(unscheduled, err)
}

// note keeps the look's outcome, and logs it when it changes.
func (w *Worker) note(due []task.Due, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != w.state.Error {
		slog.Warn("the relay's look at the outbox changed", "error", text)
	}
	w.state.Error = text
	if err != nil {
		return
	}
	w.state.Looked = time.Now()
	w.state.Lag = make(map[string]time.Duration, len(due))
	for _, d := range due {
		w.state.Lag[d.Kind] = d.Lag
	}
}
