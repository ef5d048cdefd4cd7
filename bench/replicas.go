package main

import (
	"context"
	"fmt"
)

// runReplicas measures one to four houses on one store, the connections spread
// over them. On one machine they share its CPUs: what is shown is that they do
// not get into each other's way, and that they stay exact together.
func runReplicas(ctx context.Context, l *lab) error {
	for len(l.houses) < l.replicas {
		h, err := l.startHouse(ctx)
		if err != nil {
			return err
		}
		l.houses = append(l.houses, h)
	}
	var subjects []subject
	for n := 1; n <= l.replicas; n *= 2 {
		s := l.claiming(fmt.Sprintf("siyu ×%d", n), sale{kind: "flash_sale", items: l.items, stock: plenty, limit: l.limit})
		s.addrs, s.pids = s.addrs[:n], s.pids[:n]
		subjects = append(subjects, s)
	}
	if _, err := l.turn(ctx, subjects[len(subjects)-1].warm(), -1); err != nil {
		return err
	}
	if err := l.play(ctx, subjects); err != nil {
		return err
	}
	l.table()
	for _, s := range subjects[1:] {
		l.printf("  %s: %.2f × one house (goal 0.95 with two)\n", s.name, l.ratio(s.name, subjects[0].name, rateOf))
	}
	return l.settled(ctx)
}
