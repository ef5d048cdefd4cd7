package main

import (
	"context"
	"fmt"
	"time"

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
