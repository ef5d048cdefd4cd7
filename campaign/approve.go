package campaign

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// PriceIn asks for an item to be sold at a price under its floor.
type PriceIn struct {
	ItemID id.Item      `json:"item_id"`
	Price  money.Amount `json:"price_fen"`
	Reason string       `json:"reason"`
}

// Validate checks what needs no database.
func (in PriceIn) Validate() error {
	var c fault.Check
	c.That(in.ItemID != 0, "item_id", "required", "请填写活动商品编号", "name the item")
	c.Range(int64(in.Price), "price_fen", 1, priceMax)
	c.Required(in.Reason, "reason")
	c.Length(in.Reason, "reason", 200)
	return c.Err()
}

// AskPrice asks for the approval. The item's price is not touched: whoever
// edits it sets it once it is approved.
func (s *Service) AskPrice(ctx context.Context, cid id.Campaign, in PriceIn) (id.PriceApproval, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.PriceApproval
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := holdCampaign(tx, cid)
		if err != nil {
			return err
		}
		if phase := c.Phase(tx.Now); phase == StatusEnded || phase == StatusCancelled {
			return ErrTransition.With("state", phase)
		}
		k := itemAt(c.Items, in.ItemID)
		if k < 0 {
			return fault.Invalid.Field("item_id", "not_found", "活动中没有这个商品，请从活动详情取编号", "is no item of this campaign; take the id from the campaign")
		}
		products, err := productsOf(tx.DB, c)
		if err != nil {
			return err
		}
		p := products[c.Items[k].ProductID]
		var check fault.Check
		check.That(in.Price < p.FloorPrice, "price_fen", "above_floor", "不低于底价 "+p.FloorPrice.String()+"，无需审批，请直接改价", "is not under the floor price "+p.FloorPrice.String()+"; set it without an approval")
		if err := check.Err(); err != nil {
			return err
		}
		row := PriceApproval{
			ID: id.PriceApproval(tx.Next()), CampaignID: cid, ItemID: in.ItemID, Price: in.Price,
			FloorPrice: p.FloorPrice, Cost: p.Cost, ListPrice: p.ListPrice, Digest: priceDigest(in.ItemID, in.Price, p),
			Reason: in.Reason, Status: ApprovalAsked, AskedBy: tx.Actor.Staff, AskedAt: tx.Now,
		}
		var standing int
		if err := tx.Raw("SELECT COUNT(*) FROM price_approvals WHERE item_id = ? AND digest = ? AND closed = 0", row.ItemID, row.Digest).Scan(&standing).Error; err != nil {
			return err
		}
		if standing > 0 {
			return ErrApprovalAsked
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		made = row.ID
		tx.SetResult("price_approval", int64(made), 201)
		return database.AuditTx(tx, "price.ask", made, nil, row)
	})
	return made, err
}

// PriceDecision is a person's word on what was asked for: approved under the
// digest he has seen, or rejected, with a reason if he gives one.
type PriceDecision struct {
	To      ApprovalStatus
	Digest  string
	Refusal string
}

// DecidePrice approves or rejects what was asked for. Whoever asked may
// withdraw by rejecting, not approve.
func (s *Service) DecidePrice(ctx context.Context, cid id.Campaign, approval id.PriceApproval, d PriceDecision) error {
	var check fault.Check
	check.Line(d.Refusal, "refusal", 200)
	if err := check.Err(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := holdCampaign(tx, cid)
		if err != nil {
			return err
		}
		var row PriceApproval
		if err := tx.Raw("SELECT * FROM price_approvals WHERE id = ? AND campaign_id = ?"+tx.Dialect.ForUpdate, approval, cid).Scan(&row).Error; err != nil {
			return err
		}
		switch {
		case row.ID == 0:
			return fault.NotFound
		case row.Status != ApprovalAsked:
			return ErrApprovalState.With("status", row.Status)
		}
		closed := int64(row.ID)
		if d.To == ApprovalApproved {
			if err := approvable(tx, c, row, d.Digest); err != nil {
				return err
			}
			closed = 0
		}
		res := tx.Exec("UPDATE price_approvals SET status = ?, closed = ?, refusal = ?, decided_by = ?, decided_at = ? WHERE id = ?"+tx.Only("status = ?"),
			d.To, closed, d.Refusal, tx.Actor.Staff, tx.Now, row.ID, ApprovalAsked)
		if err := database.One(res, ErrApprovalState.With("status", row.Status)); err != nil {
			return err
		}
		tx.SetResult("price_approval", int64(row.ID), 200)
		after := row
		after.Status, after.Refusal, after.DecidedBy, after.DecidedAt = d.To, d.Refusal, tx.Actor.Staff, tx.Now
		return database.AuditTx(tx, "price."+string(d.To), row.ID, row, after)
	})
}

// approvable checks that another person approves what he has seen and what
// still is so.
func approvable(tx *database.Tx, c Campaign, row PriceApproval, digest string) error {
	if tx.Actor.Kind == database.ActorStaff && tx.Actor.Staff == row.AskedBy {
		return ErrSameStaff
	}
	if digest != row.Digest {
		return fault.Invalid.Field("digest", "mismatch", "请填写审批详情中的 digest，确认看到的就是要批准的", "must be the digest of what you approve, as the approval shows it")
	}
	products, err := productsOf(tx.DB, c)
	if err != nil {
		return err
	}
	k := itemAt(c.Items, row.ItemID)
	if k < 0 || priceDigest(row.ItemID, row.Price, products[c.Items[k].ProductID]) != row.Digest {
		return ErrApprovalStale
	}
	return nil
}

// ListPriceApprovals lists what was asked for, newest first.
func (s *Service) ListPriceApprovals(ctx context.Context, cid id.Campaign, page database.Page) (database.Paged[PriceApproval], error) {
	var out database.Paged[PriceApproval]
	c, err := s.FindCampaign(ctx, cid)
	if err != nil {
		return out, err
	}
	q := s.DB.Read(ctx)
	var rows []PriceApproval
	err = q.Raw("SELECT * FROM price_approvals WHERE campaign_id = ? AND id < ? ORDER BY id DESC LIMIT ?", cid, page.Bound(), page.Fetch()).Scan(&rows).Error
	if err != nil {
		return out, err
	}
	products, err := productsOf(q, c)
	if err != nil {
		return out, err
	}
	for i := range rows {
		rows[i].judge(c, products)
	}
	return database.Cut(page, rows, func(a PriceApproval) int64 { return int64(a.ID) }), nil
}

// AskedPrice is what was asked for and nobody decided on yet, with what it is
// about.
type AskedPrice struct {
	PriceApproval
	Campaign string       `gorm:"column:campaign_name"`
	Product  string       `gorm:"column:product_name"`
	SKU      string       `gorm:"column:product_sku"`
	Now      money.Amount `gorm:"column:item_price"` // the item's price
}

// ListAskedPrices lists what waits for a second person, of all campaigns of
// the actor's units, newest first.
func (s *Service) ListAskedPrices(ctx context.Context, page database.Page) (database.Paged[AskedPrice], error) {
	cond, args := database.ActorOf(ctx).Within("c.unit_id")
	var rows []AskedPrice
	err := s.DB.Read(ctx).Raw(`SELECT a.*, c.name AS campaign_name, p.name AS product_name, p.sku AS product_sku, i.price AS item_price
		FROM price_approvals a JOIN campaigns c ON c.id = a.campaign_id JOIN items i ON i.id = a.item_id JOIN products p ON p.id = i.product_id
		WHERE a.status = ? AND a.closed = 0 AND a.id < ?`+cond+" ORDER BY a.id DESC LIMIT ?",
		append(append([]any{ApprovalAsked, page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		err = fmt.Errorf("campaign: prices asked for: %w", err)
	}
	return database.Cut(page, rows, func(a AskedPrice) int64 { return int64(a.ID) }), err
}

// FindPriceApproval is one of them.
func (s *Service) FindPriceApproval(ctx context.Context, cid id.Campaign, approval id.PriceApproval) (PriceApproval, error) {
	var row PriceApproval
	list, err := s.ListPriceApprovals(ctx, cid, database.Page{Before: int64(approval) + 1, Limit: 1})
	if err != nil {
		return row, err
	}
	if len(list.Items) == 0 || list.Items[0].ID != approval {
		return row, fault.NotFound
	}
	return list.Items[0], nil
}

// judge says whether the approval counts as the campaign and its product are.
func (a *PriceApproval) judge(c Campaign, products map[id.Product]Product) {
	if k := itemAt(c.Items, a.ItemID); k >= 0 && a.Status == ApprovalApproved {
		a.InForce = priceDigest(a.ItemID, a.Price, products[c.Items[k].ProductID]) == a.Digest
	}
}

// holdCampaign locks the campaign's row alone: an edit waits, claims do not.
func holdCampaign(tx *database.Tx, cid id.Campaign) (Campaign, error) {
	var c Campaign
	if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?"+tx.Dialect.ForUpdate, cid).Scan(&c).Error; err != nil {
		return c, err
	}
	if c.ID == 0 || !tx.Actor.Sees(c.UnitID) {
		return c, fault.NotFound
	}
	if err := tx.Raw("SELECT * FROM items WHERE campaign_id = ? ORDER BY id", cid).Scan(&c.Items).Error; err != nil {
		return c, err
	}
	return c, c.unpack()
}
