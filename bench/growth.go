package main

import (
	"context"
	"fmt"
)

// grownTo is how many orders claims are measured upon, up to -existing, which
// is the last step.
func (o *options) grownTo() []int {
	most := o.existing
	if most == 0 {
		most = 1_000_000
	}
	var steps []int
	for _, n := range []int{1_000, 1_000_000} {
		if n < most {
			steps = append(steps, n)
		}
	}
	return append(steps, most)
}

// runGrowth measures whether claims grow slower as the house grows: one item
// upon ever more existing orders in one store, and then claims among 1, 100
// and 1,000 live items. Orders only grow, so their steps cannot take turns
// round by round; a front without the claim runs beside each, and what the
// machine did meanwhile falls out of the ratios to it.
func runGrowth(ctx context.Context, l *lab) error {
	if err := l.startFront(ctx, 0); err != nil {
		return err
	}
	one := sale{kind: "flash_sale", items: 1, stock: plenty, limit: l.limit}
	if _, err := l.turn(ctx, l.claiming("siyu", one).warm(), -1); err != nil {
		return err
	}
	var upon []step
	for _, n := range l.grownTo() {
		if err := l.fillOrders(ctx, n); err != nil {
			return err
		}
		s := step{l.claiming("siyu on "+short(n), one), l.baseline("front", "none", "house")}
		s.claims.says = short(n) + " existing orders"
		s.beside.name = "front at " + short(n)
		if err := l.play(ctx, []subject{s.claims, s.beside}); err != nil {
			return err
		}
		upon = append(upon, s)
	}
	var among []subject
	for _, n := range []int{1, 100, 1000} {
		s := l.claiming(fmt.Sprintf("siyu of %d", n), sale{kind: "flash_sale", items: n, stock: plenty / 10, limit: l.limit})
		s.says = fmt.Sprintf("%d live items", n)
		among = append(among, s)
	}
	if err := l.play(ctx, among); err != nil {
		return err
	}
	l.table()
	for _, s := range upon[1:] {
		l.printf("  %s: %.2f × %s\n", s.claims.says, l.against(s)/l.against(upon[0]), upon[0].claims.says)
	}
	for _, s := range among[1:] {
		l.printf("  %s: %.2f × one\n", s.says, l.ratio(s.name, among[0].name, rateOf))
	}
	return l.settled(ctx)
}

// step is claims upon so many orders, and what ran beside them.
type step struct{ claims, beside subject }

// against is the rate of a step's claims in that of what ran beside them.
func (l *lab) against(s step) float64 { return l.ratio(s.claims.name, s.beside.name, rateOf) }

// short writes a count as 1k or 10M.
func short(n int) string {
	switch {
	case n >= 1_000_000 && n%100_000 == 0:
		return fmt.Sprintf("%gM", float64(n)/1e6)
	case n >= 1000:
		return fmt.Sprintf("%gk", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}
