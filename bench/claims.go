package main

import (
	"context"
	"fmt"
	"time"
)

// plenty is stock that no round exhausts.
const plenty = 50_000_000

// runClaims measures claims of one hot item against the baselines.
func runClaims(ctx context.Context, l *lab) error {
	if err := l.fillOrders(ctx, l.existing); err != nil {
		return err
	}
	if len(l.baselines()) > 0 {
		if err := l.startFront(ctx, 0); err != nil {
			return err
		}
	}
	ours := l.claiming("siyu", sale{kind: "flash_sale", items: l.items, stock: plenty, limit: l.limit})
	if _, err := l.turn(ctx, ours.warm(), -1); err != nil {
		return err
	}
	if err := l.atPart(ctx, ours); err != nil {
		return err
	}
	base, err := l.baselineSubjects(ctx)
	if err != nil {
		return err
	}
	if l.open > 0 {
		return l.playOpen(ctx, ours, base)
	}
	if err := l.play(ctx, append([]subject{ours}, base...)); err != nil {
		return err
	}
	l.table()
	l.batches(ours.name)
	l.ratios("siyu", base)
	return l.settled(ctx)
}

// playOpen is the open loop: what it shows is latency, against the engine's
// own COMMIT at the same time.
func (l *lab) playOpen(ctx context.Context, ours subject, base []subject) error {
	l.probing = true
	if err := l.play(ctx, append([]subject{ours}, base...)); err != nil {
		return err
	}
	l.table()
	l.batches(ours.name)
	of := l.of(ours.name)
	p99, floor := over(of, claimAt(0.99)), over(of, commitAt(0.99))
	l.printf("  COMMIT of one row meanwhile: p50 %.1f ms, p99 %.1f ms\n", over(of, commitAt(0.50)), floor)
	l.printf("  a claim: p50 %.1f ms, p99 %.1f ms, %.1f ms above that COMMIT's (goal: at most 10 above)\n", over(of, claimAt(0.50)), p99, p99-floor)
	return l.settled(ctx)
}

// claimAt and commitAt are percentiles of a figure in milliseconds.
func claimAt(p float64) func(figure) float64 {
	return func(f figure) float64 { return millis(f.tally.percentile(p)) }
}

func commitAt(p float64) func(figure) float64 {
	return func(f figure) float64 { return millis(percentile(f.commits, p)) }
}

// batches prints how many claims one commit of the house granted.
func (l *lab) batches(name string) {
	if per := over(l.of(name), func(f figure) float64 { return f.batch }); per > 0 {
		l.printf("  %.0f claims per commit (median of the rounds)\n", per)
	}
}

// perCommit reads how many claims a commit granted. Every batch writes one row
// of holds per payment deadline, and the orders of one item have the same wait,
// so a sale of one item has as many rows as commits. They are found by the ids
// of their orders, which are younger than the campaign.
func (l *lab) perCommit(ctx context.Context, items []item, orders int) (float64, error) {
	if len(items) != 1 {
		return 0, nil
	}
	holds, err := l.store.number(ctx, "SELECT COUNT(*) FROM order_holds WHERE id > ?", items[0].campaign)
	if err != nil || holds == 0 {
		return 0, err
	}
	return float64(orders) / float64(holds), nil
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
		return oncePer(l.crowd, fmt.Sprintf("c%s-%d", items[0].id, round), claimsOf(items)...), nil
	}
	s.after = func(ctx context.Context, f *figure) error {
		if err := l.exact(ctx, items, f.tally.codes[201]); err != nil {
			return err
		}
		var err error
		f.batch, err = l.perCommit(ctx, items, f.tally.codes[201])
		return err
	}
	return s
}

// atPart turns -open, when it is a part of the peak, into a rate: the closed
// loop tells the peak.
func (l *lab) atPart(ctx context.Context, s subject) error {
	if l.open <= 0 || l.open > 1 {
		return nil
	}
	part := l.open
	l.open = 0
	f, err := l.turn(ctx, s, -1)
	if err != nil {
		return err
	}
	l.open = part * f.rate
	l.printf("  peak %.0f/s in a closed loop (p99 %.1f ms); open loop at %.0f/s\n", f.rate, millis(f.tally.percentile(0.99)), l.open)
	return nil
}

func claimsOf(items []item) []request {
	kinds := make([]request, len(items))
	for i, it := range items {
		kinds[i] = post("/v1/campaigns/"+it.campaign.String()+"/claims", it.body())
	}
	return kinds
}
