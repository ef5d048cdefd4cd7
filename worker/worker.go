// Package worker runs the queue in this process: it receives wake-ups over
// Redis, watches the outbox when none come, and starts the periodic jobs. It
// holds no business code; the work is in the rooms' handlers, the rows and
// their rules in internal/task.
//
// Redis carries one sort of message, "kind K has due rows", on one asynq queue
// per room: all keys of a queue lie on one node of a Redis Cluster, so queues
// are split by the kind's room to spread over nodes, and a flood of one room's
// wake-ups is not ahead of another's. A wake-up only starts the kind's lane of
// task.Queue and is acknowledged at once, so what Redis loses, repeats or holds
// back changes no effect. The relay looks into the outbox every second, in
// every replica; while Redis is away it starts the lanes itself.
//
// Without a Redis address the process has its own (miniredis) on loopback.
package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"siyu/internal/database"
	"siyu/internal/task"
)

// grace is how long work may go on after the process was told to stop.
const grace = 8 * time.Second

// Config says what to run on.
type Config struct {
	DB       *database.DB
	Registry *task.Registry // complete; read from New on
	// RedisURL is redis://…, rediss://… or unix:///path?db=N, with addr=
	// parameters for the further nodes of a cluster; "" is the embedded one.
	RedisURL string
}

// Worker is the queue of one process.
type Worker struct {
	cfg    Config
	link   *link
	waker  *Waker
	queue  *task.Queue
	server *asynq.Server

	mu    sync.Mutex
	state State
}

// New connects to nothing yet but the embedded Redis, so that a Redis that is
// away does not stop the start. From now on commits on the DB send wake-ups.
func New(cfg Config) (*Worker, error) {
	if cfg.DB == nil || cfg.Registry == nil {
		return nil, fmt.Errorf("worker: a store and a registry are needed")
	}
	l, err := dial(cfg.RedisURL)
	if err != nil {
		return nil, err
	}
	w := &Worker{cfg: cfg, link: l, waker: wakerOver(l), queue: task.NewQueue(cfg.DB, cfg.Registry)}
	w.server = newServer(l, cfg.Registry)
	cfg.DB.OnWake(w.waker.wake)
	return w, nil
}

// Run works until ctx ends, then drains: no new rows, those begun get 8 s.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.server.Start(asynq.HandlerFunc(w.woken)); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	slog.Info("worker started", "queue", w.link.name(), "kinds", len(w.cfg.Registry.Kinds()))
	var loops sync.WaitGroup
	loops.Go(func() { w.waker.Run(ctx) })
	loops.Go(func() { w.relay(ctx) })
	<-ctx.Done()
	loops.Go(w.server.Shutdown)
	loops.Go(func() { w.queue.Close(grace) })
	loops.Wait()
	return w.link.close()
}

// woken is the asynq handler.
func (w *Worker) woken(_ context.Context, t *asynq.Task) error {
	w.queue.Kick(string(t.Payload()))
	return nil
}

// newServer polls the rooms' queues. The timeouts are asynq's safety net: the
// handler returns at once, and rows keep their own leases.
func newServer(l *link, r *task.Registry) *asynq.Server {
	queues := map[string]int{}
	for _, k := range r.Kinds() {
		queues[task.Room(k)] = 1
	}
	return asynq.NewServerFromRedisClient(l.client, asynq.Config{
		Concurrency:       4,
		Queues:            queues,
		TaskCheckInterval: 200 * time.Millisecond,
		ShutdownTimeout:   2 * time.Second,
		Logger:            logger{},
		LogLevel:          asynq.WarnLevel,
	})
}
