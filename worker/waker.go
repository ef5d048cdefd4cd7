package worker

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"siyu/internal/database"
	"siyu/internal/task"
)

const (
	wakeType  = "due"
	wakeEvery = 50 * time.Millisecond // one wake-up per kind and this long
	wakeWait  = 3 * time.Second       // then it is dropped
)

// Waker sends wake-ups from its own goroutine, so that nobody who commits ever
// waits on Redis. What cannot be sent is dropped; the relay finds the rows.
type Waker struct {
	link   *link
	client *asynq.Client
	own    bool // closes the link

	mu    sync.Mutex
	kinds map[string]bool
	ring  chan struct{}
}

// NewWaker sends the wake-ups of a process that works no tasks itself.
func NewWaker(db *database.DB, redisURL string) (*Waker, error) {
	l, err := dial(redisURL)
	if err != nil {
		return nil, err
	}
	w := wakerOver(l)
	w.own = true
	db.OnWake(w.wake)
	return w, nil
}

func wakerOver(l *link) *Waker {
	return &Waker{
		link: l, client: asynq.NewClientFromRedisClient(l.client),
		kinds: map[string]bool{}, ring: make(chan struct{}, 1),
	}
}

// wake notes the kind and returns at once.
func (w *Waker) wake(kind string) {
	w.mu.Lock()
	w.kinds[kind] = true
	w.mu.Unlock()
	select {
	case w.ring <- struct{}{}:
	default:
	}
}

// Run sends what was noted until ctx ends.
func (w *Waker) Run(ctx context.Context) {
	if w.own {
		defer w.link.close()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.ring:
		}
		w.send(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wakeEvery):
		}
	}
}

func (w *Waker) send(ctx context.Context) {
	w.mu.Lock()
	kinds := slices.Collect(maps.Keys(w.kinds))
	clear(w.kinds)
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, wakeWait)
	defer cancel()
	for _, kind := range kinds {
		_, err := w.client.EnqueueContext(ctx, asynq.NewTask(wakeType, []byte(kind)),
			asynq.Queue(task.Room(kind)), asynq.MaxRetry(0), asynq.Timeout(5*time.Second))
		if err != nil {
			slog.Debug("wake-up dropped", "kind", kind, "error", err)
			return
		}
	}
}
