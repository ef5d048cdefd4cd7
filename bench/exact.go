package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"siyu/internal/id"
)

// errInexact ends a run that found a number that does not add up.
var errInexact = errors.New("not exact")

// exact waits for the outbox and then holds acknowledgements, rows and stock
// against each other. Orders are found by id, for they are younger than their
// campaign: a scan of all would warm or cool the next subject's pages.
func (l *lab) exact(ctx context.Context, items []item, acks int) error {
	if err := l.drain(ctx); err != nil {
		return err
	}
	first := items[0].campaign
	ids := make([]id.Item, len(items))
	for i, it := range items {
		ids[i], first = it.id, min(first, it.campaign)
	}
	rows, err := l.store.number(ctx, "SELECT COUNT(*) FROM orders WHERE id > ? AND item_id IN ?", first, ids)
	if err != nil {
		return err
	}
	taken, err := l.store.number(ctx, "SELECT COALESCE(SUM(stock - left_qty), 0) FROM items WHERE id IN ?", ids)
	if err != nil {
		return err
	}
	if rows != int64(acks) || taken != rows {
		return fmt.Errorf("%w: %d acknowledged, %d rows, %d taken from stock", errInexact, acks, rows, taken)
	}
	l.exactly += acks
	return nil
}

// drainMost is how long the outbox may take before a run gives up on it.
const drainMost = 60 * time.Second

// drain waits until the outbox has done what the claims left it to do, and
// remembers the longest wait.
func (l *lab) drain(ctx context.Context) error {
	began := time.Now()
	var left int64
	err := until("the outbox is drained", drainMost, func() bool {
		n, err := l.store.number(ctx, "SELECT COUNT(*) FROM outbox WHERE status IN (0, 1) AND next_at <= ?", time.Now().UnixMilli())
		left = n
		return err == nil && n == 0 || ctx.Err() != nil
	})
	l.drained = max(l.drained, time.Since(began))
	if err != nil {
		return fmt.Errorf("%w; %d rows are left", err, left)
	}
	return ctx.Err()
}

// settled ends a run: it says what was exact, and verify must hold.
func (l *lab) settled(ctx context.Context) error {
	if err := l.drain(ctx); err != nil {
		return err
	}
	l.printf("outbox: drained at most %.1f s after a turn's last claim (goal 5 s)\n", l.drained.Seconds())
	l.printf("exact: %d claims acknowledged in all turns, as many rows, as many taken from stock\n", l.exactly)
	return l.verify(ctx)
}
