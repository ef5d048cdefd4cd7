package campaign

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Validate checks what needs no database.
func (in ItemIn) Validate() error {
	var c fault.Check
	in.check(&c, "")
	return c.Err()
}

// AddItem puts another product into a draft of the version the caller read.
func (s *Service) AddItem(ctx context.Context, cid id.Campaign, version int, in ItemIn) (id.Item, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Item
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := s.lockDraft(tx, cid, version)
		if err != nil {
			return err
		}
		sizes, err := s.kinds[c.Kind].sizes(c)
		if err != nil {
			return err
		}
		items, err := newItems(tx, c, sizes, []ItemIn{in}, func(int) string { return "" })
		if err != nil {
			return err
		}
		item := items[0]
		again := slices.IndexFunc(c.Items, func(x Item) bool { return x.ProductID == item.ProductID })
		var check fault.Check
		check.That(again < 0, "sku", "repeated", "活动中已有该商品，请修改那一项", "is in the campaign already; change that item")
		check.That(len(c.Items) < itemsMax, "sku", "range", fmt.Sprintf("最多 %d 个商品", itemsMax), fmt.Sprintf("at most %d items", itemsMax))
		if err := s.checkSessionStock(&check, c, items); err != nil {
			return err
		}
		if err := check.Err(); err != nil {
			return err
		}
		for _, x := range c.Items {
			item.SortNo = max(item.SortNo, x.SortNo+1)
		}
		if err := createItems(tx, []Item{item}); err != nil {
			return err
		}
		made = item.ID
		tx.SetResult("item", int64(made), 201)
		return database.AuditTx(tx, "campaign.add_item", cid, nil, item)
	})
	return made, err
}

// DropItem takes a product out of a draft. A draft may have none for a while;
// publishing asks for one.
func (s *Service) DropItem(ctx context.Context, cid id.Campaign, version int, item id.Item) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := s.lockDraft(tx, cid, version)
		if err != nil {
			return err
		}
		k := itemAt(c.Items, item)
		if k < 0 {
			return fault.NotFound
		}
		if err := voidPrices(tx, Item{ID: item}); err != nil {
			return err
		}
		res := tx.Exec("DELETE FROM items WHERE id = ? AND campaign_id = ?", item, cid)
		if err := database.One(res, fault.Stale); err != nil {
			return err
		}
		return database.AuditTx(tx, "campaign.drop_item", cid, c.Items[k], nil)
	})
}

// lockDraft locks a draft that is about to change and raises its version.
func (s *Service) lockDraft(tx *database.Tx, cid id.Campaign, version int) (Campaign, error) {
	c, err := s.lockCampaign(tx, cid)
	switch {
	case err != nil:
		return c, err
	case c.Version != version:
		return c, fault.Stale
	case c.Status != StatusDraft:
		return c, ErrTransition.With("state", c.Phase(tx.Now))
	}
	return c, database.One(tx.Exec("UPDATE campaigns SET version = version + 1 WHERE id = ?"+tx.Only("version = ?"), cid, version), fault.Stale)
}
