package main

import (
	"context"
	"fmt"
)

// runMixed measures many hot items at once against one.
func runMixed(ctx context.Context, l *lab) error {
	var subjects []subject
	for _, n := range []int{1, 100, 1000} {
		s := l.claiming(fmt.Sprintf("siyu %d", n), sale{kind: "flash_sale", items: n, stock: plenty / 10, limit: l.limit})
		s.says = fmt.Sprintf("%d hot items", n)
		subjects = append(subjects, s)
	}
	if _, err := l.turn(ctx, subjects[0].warm(), -1); err != nil {
		return err
	}
	if err := l.play(ctx, subjects); err != nil {
		return err
	}
	l.table()
	for _, s := range subjects[1:] {
		l.printf("  %s: %.2f × one item (goal 0.8)\n", s.says, l.ratio(s.name, subjects[0].name, rateOf))
	}
	return l.settled(ctx)
}
