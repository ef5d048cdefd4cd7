package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// plenty is stock that no round exhausts.
const plenty = 50_000_000

// runClaims measures claims of one hot item against the baselines.
func runClaims(ctx context.Context, l *lab) error {
	if err := l.fillOrders(ctx); err != nil {
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
	l.ratios("siyu", base)
	return l.settled(ctx)
}

// playOpen is the open loop: what it shows is latency, against the engine's
// own COMMIT at the same time.
func (l *lab) playOpen(ctx context.Context, ours subject, base []subject) error {
	commits, err := l.store.probeCommits(ctx)
	if err != nil {
		return err
	}
	err = l.play(ctx, append([]subject{ours}, base...))
	floor, probed := commits.p99()
	if err := errors.Join(err, probed); err != nil {
		return err
	}
	l.table()
	p99 := over(l.of(ours.name), func(f figure) float64 { return millis(f.tally.percentile(0.99)) })
	l.printf("  p99 %.1f ms, %.1f ms above the p99 of a COMMIT meanwhile, which was %.1f ms (goal: at most 10 above)\n", p99, p99-millis(floor), millis(floor))
	return l.settled(ctx)
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
	s.after = func(ctx context.Context, f figure) error { return l.exact(ctx, items, f.tally.codes[201]) }
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
