package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"siyu/internal/database"
)

// fillChunk is how many existing orders one statement and transaction write.
const fillChunk = 2000

// fillOrders makes the store hold n existing orders, of older sales whose
// claims were not paid, straight in the table. What it made before counts.
//
// Ids ascend, as those of real orders do, so the table only grows at its end.
// The members take turns, so that each one's orders lie scattered over it: a
// claim reads what its member holds, and orders that lay together would make
// that cheaper than it is.
func (l *lab) fillOrders(ctx context.Context, n int) error {
	if n <= l.filled {
		return nil
	}
	items, err := l.openSale(ctx, sale{kind: "flash_sale", items: 1, stock: plenty})
	if err != nil {
		return err
	}
	began, before := time.Now(), l.filled
	err = l.leased(ctx, func(db *database.DB) error {
		for l.filled < n {
			rows := min(fillChunk, n-l.filled)
			err := db.Tx(ctx, func(tx *database.Tx) error { return l.insertOrders(tx, items[0], l.filled, rows) })
			if err != nil {
				return fmt.Errorf("existing orders: %w", err)
			}
			l.filled += rows
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.printf("  %s orders exist; %s made in %.0f s\n", short(l.filled), short(l.filled-before), time.Since(began).Seconds())
	return nil
}

func (l *lab) insertOrders(tx *database.Tx, of item, from, n int) error {
	var b strings.Builder
	b.WriteString("INSERT INTO orders (id, campaign_id, item_id, member_id, qty, unit_price, amount, status, limit_frozen, " +
		"claimed_by, idem_key, input_hash, deadline_at, created_at, closed_at) VALUES ")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		m := l.crowd.ids[(from+i)%len(l.crowd.ids)]
		fmt.Fprintf(&b, "(%d,%d,%d,%d,1,9900,9900,'expired',0,%d,'old%d',0,%d,%d,%d)",
			tx.Next(), of.campaign, of.id, m, m, from+i, tx.Now, tx.Now, tx.Now)
	}
	return tx.Exec(b.String()).Error
}
