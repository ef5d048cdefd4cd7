package task

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// A buffer is flushed so often, and its last flush may take so long.
const (
	flushEvery = time.Second
	flushLast  = 5 * time.Second
)

// KeepFlushed calls flush every second of wall time until ctx ends, and once
// more then. Each process keeps its own buffers, so none of this is in the
// store; what is not flushed is lost with the process.
func KeepFlushed(ctx context.Context, what string, flush func(context.Context) error) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := flush(ctx); err != nil && ctx.Err() == nil {
				slog.Error(what+" not written", "error", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushLast)
			defer cancel()
			if err := flush(last); err != nil {
				return fmt.Errorf("%s not written: %w", what, err)
			}
			return nil
		}
	}
}
