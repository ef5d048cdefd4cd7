package main

import (
	"context"
	"fmt"
)

// runSoldOut measures what is refused: claims of an item that is gone, against
// the front without the claim, and claims of which three in four are by
// members who have theirs, against claims that are all granted.
func runSoldOut(ctx context.Context, l *lab) error {
	if err := l.startFront(ctx, 0); err != nil {
		return err
	}
	what := sale{kind: "flash_sale", items: 1, stock: plenty, limit: 1}
	ours := l.claiming("siyu", what)
	front := l.baseline("front", "none", "house")
	if _, err := l.turn(ctx, ours.warm(), -1); err != nil {
		return err
	}
	if err := l.play(ctx, []subject{ours, front, l.refused(), l.repeated(what)}); err != nil {
		return err
	}
	l.table()
	l.printf("  %.2f × refusals when sold out, against our front without the claim (goal 0.95)\n", l.ratio("siyu sold out", "front", rateOf))
	l.printf("  %.2f × answers with 75 %% repeated members, against claims (goal 0.95)\n", l.ratio("siyu repeated", "siyu", rateOf))
	return l.settled(ctx)
}

// refused is an item whose one piece is gone before the load starts.
func (l *lab) refused() subject {
	var items []item
	s := subject{name: "siyu sold out", says: "refusals", addrs: l.addrs(), pids: l.pids(), codes: []int{409}}
	s.source = func(ctx context.Context, round int) (source, error) {
		var err error
		if items, err = l.openSale(ctx, sale{kind: "flash_sale", items: 1, stock: 1, limit: 1}); err != nil {
			return source{}, err
		}
		kind := claimsOf(items)[0]
		key := fmt.Sprintf("gone%d", round)
		last := len(l.crowd.ids) - 1
		t, err := drive(plan{addrs: l.addrs(), conns: 1, lasts: l.lasts(), src: source{count: 1, write: func(buf []byte, n int) []byte {
			return kind.write(buf, l.crowd, last, key+"first", n)
		}}})
		if err == nil && t.codes[201] != 1 {
			err = fmt.Errorf("the one piece was answered %s", t.codesText())
		}
		all := oncePer(l.crowd, key, kind)
		all.count = last // the buyer does not ask again
		return all, err
	}
	s.after = func(ctx context.Context, _ *figure) error { return l.exact(ctx, items, 1) }
	return s
}

// repeated is every member claiming four times, nearly at once, under four
// keys: one is granted.
func (l *lab) repeated(what sale) subject {
	var items []item
	s := subject{name: "siyu repeated", says: "75 % repeated members", addrs: l.addrs(), pids: l.pids(), codes: []int{201, 409}}
	s.source = func(ctx context.Context, round int) (source, error) {
		var err error
		if items, err = l.openSale(ctx, what); err != nil {
			return source{}, err
		}
		kind, key := claimsOf(items)[0], fmt.Sprintf("again%d", round)
		return source{count: 4 * len(l.crowd.ids), write: func(buf []byte, n int) []byte {
			return kind.write(buf, l.crowd, n/4, key, n)
		}}, nil
	}
	s.after = func(ctx context.Context, f *figure) error { return l.exact(ctx, items, f.tally.codes[201]) }
	return s
}
