package main

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/id"
)

// plenty is stock that no round exhausts.
const plenty = 50_000_000

// runClaims measures claims of one hot item against the baselines.
func runClaims(ctx context.Context, l *lab) error {
	if err := l.fillOrders(ctx); err != nil {
		return err
	}
	if err := l.startFront(ctx); err != nil {
		return err
	}
	ours := l.claiming("siyu", sale{kind: "flash_sale", items: l.items, stock: plenty, limit: l.limit})
	if _, err := l.turn(ctx, ours.warm(), -1); err != nil {
		return err
	}
	base, err := l.baselineSubjects(ctx)
	if err != nil {
		return err
	}
	if err := l.play(ctx, append([]subject{ours}, base...)); err != nil {
		return err
	}
	l.table()
	l.ratios("siyu", base)
	return l.settled(ctx)
}

// settled ends a run: everything the claims left to do is done, all numbers
// add up, and verify holds.
func (l *lab) settled(ctx context.Context) error {
	if err := l.drained(ctx); err != nil {
		return err
	}
	return l.verify(ctx)
}

// warm is a short turn that nobody counts.
func (s subject) warm() subject {
	s.limit = 700 * time.Millisecond
	return s
}

// claiming is the house under claims of a new sale in every round.
func (l *lab) claiming(name string, what sale) subject {
	var items []item
	s := subject{name: name, says: "the house", addrs: l.addrs(), pids: l.pids(), codes: []int{201}}
	s.source = func(ctx context.Context, round int) (source, error) {
		var err error
		if items, err = l.openSale(ctx, what); err != nil {
			return source{}, err
		}
		return oncePer(l.crowd, fmt.Sprintf("%s%d", name, round), claimsOf(items)...), nil
	}
	s.after = func(ctx context.Context, f figure) error { return l.exact(ctx, items, f.tally.codes[201]) }
	return s
}

func claimsOf(items []item) []request {
	kinds := make([]request, len(items))
	for i, it := range items {
		kinds[i] = post("/v1/campaigns/"+it.campaign.String()+"/claims", it.body())
	}
	return kinds
}

// exact holds acknowledgements, rows and stock against each other.
func (l *lab) exact(ctx context.Context, items []item, acks int) error {
	ids := make([]id.Item, len(items))
	for i, it := range items {
		ids[i] = it.id
	}
	rows, err := l.store.number(ctx, "SELECT COUNT(*) FROM orders WHERE item_id IN ?", ids)
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

// drained waits until the outbox has done what the claims left it to do.
func (l *lab) drained(ctx context.Context) error {
	began := time.Now()
	var left int64
	err := until("the outbox is drained", 60*time.Second, func() bool {
		n, err := l.store.number(ctx, "SELECT COUNT(*) FROM outbox WHERE status IN (0, 1) AND next_at <= ?", time.Now().UnixMilli())
		left = n
		return err == nil && n == 0
	})
	l.printf("outbox: drained %.1f s after the last turn (goal 5 s)\n", time.Since(began).Seconds())
	l.printf("exact: %d claims acknowledged in all rounds, as many rows, as many taken from stock\n", l.exactly)
	if err != nil {
		return fmt.Errorf("%w; %d rows are left", err, left)
	}
	return nil
}
