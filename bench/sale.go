package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"siyu/internal/database"
	"siyu/internal/id"
)

// item is something to claim.
type item struct {
	id       id.Item
	campaign id.Campaign
}

func (i item) body() string { return `{"item_id":"` + i.id.String() + `","qty":1}` }

// sale is what a round claims.
type sale struct {
	kind  string
	items int
	stock int64
	limit int
	rules map[string]any
}

// itemsPer is how many items one campaign takes.
const itemsPer = 50

// open publishes campaigns with as many items as asked.
func (l *lab) openSale(ctx context.Context, s sale) ([]item, error) {
	var all []item
	for len(all) < s.items {
		some, err := l.openCampaign(ctx, s, min(itemsPer, s.items-len(all)))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (l *lab) openCampaign(ctx context.Context, s sale, n int) ([]item, error) {
	items := make([]map[string]any, n)
	for i := range items {
		items[i] = map[string]any{"sku": sku(i), "price_fen": 9900, "stock": s.stock, "per_member": s.limit, "per_order": 1}
	}
	now := l.store.db.Clock.Now()
	var made struct {
		ID    id.Campaign `json:"id"`
		Items []struct {
			ID id.Item `json:"id"`
		} `json:"items"`
	}
	audience := map[string]any{}
	if l.audience {
		audience["groups"] = l.crowd.groups
	}
	body := map[string]any{
		"kind": s.kind, "name": "bench", "starts_at": now.Add(-time.Second).Format(time.RFC3339), "ends_at": now.Add(24 * time.Hour).Format(time.RFC3339),
		"pay_within_s": 86400, "audience": audience, "items": items, "rules": s.rules,
	}
	if err := l.rest.call(ctx, "POST", "/v1/campaigns", body, &made); err != nil {
		return nil, err
	}
	if err := l.rest.call(ctx, "POST", "/v1/campaigns/"+made.ID.String()+"/publish", nil, nil); err != nil {
		return nil, err
	}
	out := make([]item, n)
	for i, x := range made.Items {
		out[i] = item{x.ID, made.ID}
	}
	return out, nil
}

func sku(i int) string { return fmt.Sprintf("bench-%02d", i) }

// stockShelves makes the products and the chat groups.
func (l *lab) stockShelves(ctx context.Context) error {
	products := make([]map[string]any, itemsPer)
	for i := range products {
		products[i] = map[string]any{"sku": sku(i), "name": "有机苹果", "list_price_fen": 19900}
	}
	if err := l.rest.call(ctx, "PUT", "/v1/products", map[string]any{"products": products}, nil); err != nil {
		return err
	}
	for i := range audienceGroups {
		var made struct {
			ID id.Group `json:"id"`
		}
		body := map[string]any{"name": fmt.Sprintf("群%d", i), "preset": "retail", "born_at": l.store.db.Clock.Now().Add(-24 * time.Hour).Format(time.RFC3339)}
		if err := l.rest.call(ctx, "POST", "/v1/groups", body, &made); err != nil {
			return err
		}
		l.crowd.groups = append(l.crowd.groups, made.ID)
	}
	return nil
}

// fillOrders makes the orders said to exist, of an older sale whose claims were
// not paid, straight in the table.
func (l *lab) fillOrders(ctx context.Context) error {
	if l.existing == 0 {
		return nil
	}
	items, err := l.openSale(ctx, sale{kind: "flash_sale", items: 1, stock: plenty})
	if err != nil {
		return err
	}
	began := time.Now()
	err = l.leased(ctx, func(db *database.DB) error {
		const chunk = 1000
		for from := 0; from < l.existing; from += chunk {
			n := min(chunk, l.existing-from)
			err := db.Tx(ctx, func(tx *database.Tx) error { return l.insertOrders(tx, items[0], from, n) })
			if err != nil {
				return fmt.Errorf("existing orders: %w", err)
			}
		}
		return nil
	})
	l.printf("%d orders exist (%.0f s)\n", l.existing, time.Since(began).Seconds())
	return err
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
