package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
)

// crowd is the members who claim, each with a token of his own. Rounds use
// the same members again on another item.
type crowd struct {
	groups []id.Group
	ids    []id.Member
	tokens []string
}

// audienceGroups is how many chat groups the crowd is spread over; campaigns
// are for members of these groups, so that the audience is checked.
const audienceGroups = 10

// gather makes n members straight in the tables: with a mall identity and a
// place in a group, as the mall's import would, only faster.
func gather(ctx context.Context, db *database.DB, groups []id.Group, n int) (crowd, error) {
	c := crowd{groups: groups, ids: make([]id.Member, n)}
	for i := range c.ids {
		c.ids[i] = id.Member(db.IDs.Next())
	}
	const chunk = 500
	for from := 0; from < n; from += chunk {
		part := c.ids[from:min(from+chunk, n)]
		err := db.Tx(ctx, func(tx *database.Tx) error { return c.insert(tx, part, from) })
		if err != nil {
			return c, fmt.Errorf("members: %w", err)
		}
	}
	return c, nil
}

func (c crowd) insert(tx *database.Tx, part []id.Member, from int) error {
	var members, identities, places strings.Builder
	members.WriteString("INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at) VALUES ")
	identities.WriteString("INSERT INTO identities (id, kind, app, value, member_id, created_at) VALUES ")
	places.WriteString("INSERT INTO memberships (id, group_id, member_id, role, joined_at, left_at, charter_version, code_id, version) VALUES ")
	for i, m := range part {
		if i > 0 {
			members.WriteByte(',')
			identities.WriteByte(',')
			places.WriteByte(',')
		}
		fmt.Fprintf(&members, "(%d,0,'bench',0,'active',0,1,%d)", m, tx.Now)
		fmt.Fprintf(&identities, "(%d,'mall','','bench%d',%d,%d)", tx.Next(), m, m, tx.Now)
		fmt.Fprintf(&places, "(%d,%d,%d,'member',%d,0,1,0,1)", tx.Next(), c.groups[(from+i)%len(c.groups)], m, tx.Now)
	}
	for _, text := range []string{members.String(), identities.String(), places.String()} {
		if err := tx.Exec(text).Error; err != nil {
			return err
		}
	}
	return nil
}

// authorize issues every member a token, with the house's own keys; they live
// for a quarter of an hour. Issuing is not part of what is measured.
func (c *crowd) authorize(ctx context.Context, s *access.Service) error {
	c.tokens = make([]string, len(c.ids))
	for i, m := range c.ids {
		t, err := s.IssueMemberToken(ctx, m, access.MemberTokenFor)
		if err != nil {
			return err
		}
		c.tokens[i] = t
	}
	return nil
}

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
	body := map[string]any{
		"kind": s.kind, "name": "bench", "starts_at": now.Add(-time.Second).Format(time.RFC3339), "ends_at": now.Add(24 * time.Hour).Format(time.RFC3339),
		"pay_within_s": 86400, "audience": map[string]any{"groups": l.crowd.groups}, "items": items, "rules": s.rules,
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
