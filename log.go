package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logFlush is how long a line may wait before it is written; a crash loses at
// most that much of the log, never of the store.
const logFlush = 200 * time.Millisecond

// bufferedLog gathers lines, because a write per request would cost more than
// making the line. What a person must see at once (warnings, errors) is
// written at once.
type bufferedLog struct {
	slog.Handler
	out *buffered
}

type buffered struct {
	mu sync.Mutex
	w  *bufio.Writer
}

// newLog logs text to w; flush writes what is gathered and ends the log.
func newLog(w io.Writer) (log *slog.Logger, flush func()) {
	b := &buffered{w: bufio.NewWriterSize(w, 64<<10)}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(logFlush)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				b.flush()
			case <-stop:
				b.flush()
				return
			}
		}
	}()
	end := sync.OnceFunc(func() { close(stop); <-done })
	return slog.New(bufferedLog{slog.NewTextHandler(b, nil), b}), end
}

func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.w.Write(p)
}

func (b *buffered) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.w.Flush()
}

// Handle writes the line, and flushes after what must be seen at once.
func (l bufferedLog) Handle(ctx context.Context, r slog.Record) error {
	err := l.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		l.out.flush()
	}
	return err
}

// WithAttrs keeps the buffering.
func (l bufferedLog) WithAttrs(a []slog.Attr) slog.Handler {
	return bufferedLog{l.Handler.WithAttrs(a), l.out}
}

// WithGroup keeps the buffering.
func (l bufferedLog) WithGroup(name string) slog.Handler {
	return bufferedLog{l.Handler.WithGroup(name), l.out}
}
