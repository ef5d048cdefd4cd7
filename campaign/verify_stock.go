package campaign

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
)

// count is what the orders say of their items, summed over many snapshots.
// That is exact for an item whose row did not change from before the first to
// after the last, because no order moves without its item; the others are
// counted again in one snapshot.
type count struct {
	orders   int64
	says     map[id.Item]move
	joined   map[id.Item]int64 // pieces of the last session
	before   map[id.Item]int   // version
	sessions bool              // some item sells by session
}

func newCount(ctx context.Context, db *database.DB) (*count, error) {
	c := &count{says: map[id.Item]move{}, joined: map[id.Item]int64{}, before: map[id.Item]int{}}
	var rows []struct {
		ID           id.Item
		Version      int
		SessionStock int64
	}
	err := db.Snapshot(ctx, func(q *database.Query) error {
		return q.Raw("SELECT id, version, session_stock FROM items").Scan(&rows).Error
	})
	for _, r := range rows {
		c.before[r.ID] = r.Version
		c.sessions = c.sessions || r.SessionStock > 0
	}
	return c, err
}

const (
	countColumns = `item_id, COUNT(*) AS orders,
		SUM(CASE WHEN status = 'held' THEN qty ELSE 0 END) AS held,
		SUM(CASE WHEN status IN ('paid', 'refunded') THEN qty - refunded_qty ELSE 0 END) AS sold`
	countAgainMost = 200 // items in one list
)

type counted struct {
	ItemID             id.Item
	Orders, Held, Sold int64
}

// add counts the orders after one id, up to another.
func (c *count) add(q *database.Query, after, upTo int64) error {
	var sums []counted
	err := q.Raw("SELECT "+countColumns+" FROM orders WHERE id > ? AND id <= ? GROUP BY item_id", after, upTo).Scan(&sums).Error
	for _, s := range sums {
		c.orders += s.Orders
		said := c.says[s.ItemID]
		c.says[s.ItemID] = move{held: said.held + s.Held, sold: said.sold + s.Sold}
	}
	if err != nil || !c.sessions {
		return err
	}
	joined, err := joinedSince(q, "orders.id > ? AND orders.id <= ?", after, upTo)
	for item, n := range joined {
		c.joined[item] += n
	}
	return err
}

// prove checks V1, and that the counters are what the orders say.
func (c *count) prove(ctx context.Context, db *database.DB, p *database.Proof) error {
	p.ID, p.Says = "V1", "left + held + sold = stock, none negative, as the orders say"
	var busy []id.Item
	err := db.Snapshot(ctx, func(q *database.Query) error {
		var items []Item
		err := q.Raw("SELECT * FROM items ORDER BY id").Scan(&items).Error
		for _, r := range items {
			if version, known := c.before[r.ID]; known && version == r.Version {
				proveItem(p, r, c.says[r.ID], c.joined[r.ID])
			} else {
				busy = append(busy, r.ID)
			}
		}
		return err
	})
	for chunk := range slices.Chunk(busy, countAgainMost) {
		if err == nil {
			err = db.Snapshot(ctx, func(q *database.Query) error { return countAgain(q, chunk, p) })
		}
	}
	return err
}

// countAgain proves items that are being sold in one snapshot. Ids are made in
// the order of time, so their orders begin at the oldest of their campaigns.
func countAgain(q *database.Query, of []id.Item, p *database.Proof) error {
	var items []Item
	if err := q.Raw("SELECT * FROM items WHERE id IN ? ORDER BY id", of).Scan(&items).Error; err != nil {
		return err
	}
	since := items[0].CampaignID
	for _, r := range items {
		since = min(since, r.CampaignID)
	}
	var sums []counted
	err := q.Raw("SELECT "+countColumns+" FROM orders WHERE id > ? AND item_id IN ? GROUP BY item_id", since, of).Scan(&sums).Error
	if err != nil {
		return fmt.Errorf("campaign: count the orders of %d items that are being sold, since %s (pause it if this takes too long): %w", len(of), since, err)
	}
	joined, err := joinedSince(q, "orders.id > ? AND orders.item_id IN ?", since, of)
	if err != nil {
		return err
	}
	says := map[id.Item]move{}
	for _, s := range sums {
		says[s.ItemID] = move{held: s.Held, sold: s.Sold}
	}
	for _, r := range items {
		proveItem(p, r, says[r.ID], joined[r.ID])
	}
	return nil
}

func proveItem(p *database.Proof, r Item, said move, joined int64) {
	p.Checked++
	if r.Left < 0 || r.Held < 0 || r.Sold < 0 || r.Left+r.Held+r.Sold != r.Stock {
		p.Break("%s: left %d + held %d + sold %d against stock %d", r.ID, r.Left, r.Held, r.Sold, r.Stock)
	}
	if r.Held != said.held || r.Sold != said.sold {
		p.Break("%s: held %d sold %d, but its orders hold %d and sold %d", r.ID, r.Held, r.Sold, said.held, said.sold)
	}
	if r.SessionStock > 0 && r.SessionTaken != joined {
		p.Break("%s counts %d pieces of its session, its orders have %d", r.ID, r.SessionTaken, joined)
	}
}
