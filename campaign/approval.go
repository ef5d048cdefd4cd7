package campaign

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// ApprovalStatus says what became of a price that was asked for.
type ApprovalStatus string

// The statuses: asked → approved or rejected; asked and approved → void once
// the item has another price or is gone.
const (
	ApprovalAsked    ApprovalStatus = "asked"
	ApprovalApproved ApprovalStatus = "approved"
	ApprovalRejected ApprovalStatus = "rejected"
	ApprovalVoid     ApprovalStatus = "void"
)

// Words name the state.
func (s ApprovalStatus) Words() (zh, en string) {
	return map[ApprovalStatus]string{ApprovalAsked: "待审批", ApprovalApproved: "已通过", ApprovalRejected: "已驳回", ApprovalVoid: "已失效"}[s], string(s)
}

// PriceApproval lets one item be sold at one price under its product's floor.
// It is bound by its digest to that price and to the product's floor, cost and
// list price; when any of these changes it counts no more.
type PriceApproval struct {
	ID         id.PriceApproval `json:"id"`
	CampaignID id.Campaign      `json:"campaign_id"`
	ItemID     id.Item          `json:"item_id"`
	Price      money.Amount     `json:"price_fen"`
	FloorPrice money.Amount     `json:"floor_price_fen"`
	Cost       money.Amount     `json:"cost_fen"`
	ListPrice  money.Amount     `json:"list_price_fen"`
	Digest     string           `json:"digest"`
	Reason     string           `json:"reason"`
	Refusal    string           `json:"refusal"` // why it was rejected or taken back
	Status     ApprovalStatus   `json:"status"`
	Closed     int64            `json:"-"`
	AskedBy    id.Staff         `json:"asked_by"`
	AskedAt    clock.Milli      `json:"asked_at"`
	DecidedBy  id.Staff         `json:"decided_by"`
	DecidedAt  clock.Milli      `json:"decided_at"`
	InForce    bool             `json:"in_force" gorm:"-"` // approved, and nothing it is bound to has changed
}

// TableName is price_approvals.
func (PriceApproval) TableName() string { return "price_approvals" }

// The refusals of approvals.
var (
	ErrApprovalAsked = fault.New(fault.KindConflict, "campaign.price_asked", "该价格已提交过审批", "this price has been asked for already")
	ErrApprovalState = fault.New(fault.KindConflict, "campaign.approval_state", "审批现在是“{status}”，不能这样操作", "the approval is {status}, which does not allow this")
	ErrApprovalStale = fault.New(fault.KindConflict, "campaign.approval_stale", "价格、底价或成本已变化，请重新提交审批", "price, floor or cost have changed since; ask again")
	ErrSameStaff     = fault.New(fault.KindForbidden, "campaign.same_staff", "低于底价须由提交人以外的同事批准", "somebody else than who asked must approve a price under the floor")
)

// priceDigest binds an approval. The product's version is not in it: the mall
// sends its products again every day, and what has not changed needs no new
// approval.
func priceDigest(item id.Item, price money.Amount, p Product) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%d\n%d\n%d\n%d", item, price, p.FloorPrice, p.Cost, p.ListPrice))
	return hex.EncodeToString(sum[:])
}

// approvals are the digests in force for a campaign's items.
type approvals map[string]bool

// approvalsOf reads them. They are asked for only where a price is under its
// floor.
func approvalsOf(q *database.Query, c id.Campaign) (approvals, error) {
	var digests []string
	err := q.Raw("SELECT digest FROM price_approvals WHERE campaign_id = ? AND closed = 0 AND status = ?", c, ApprovalApproved).Scan(&digests).Error
	if err != nil {
		return nil, fmt.Errorf("campaign: price approvals of %s: %w", c, err)
	}
	out := approvals{}
	for _, d := range digests {
		out[d] = true
	}
	return out, nil
}

// allow says whether the item may have the price though it is under the floor.
func (a approvals) allow(item id.Item, price money.Amount, p Product) bool {
	return a[priceDigest(item, price, p)]
}

// voidPrices ends the item's approvals, and those asked for, of other prices
// than it has now, by itself or in a team; an item without a price loses all.
func voidPrices(tx *database.Tx, item Item) error {
	return tx.Exec("UPDATE price_approvals SET status = ?, closed = id WHERE item_id = ? AND closed = 0 AND price NOT IN ?",
		ApprovalVoid, item.ID, item.prices()).Error
}

// provePrices checks that two people stand behind every price under a floor,
// and that what they agreed on is what is written.
func provePrices(q *database.Query, p *database.Proof) error {
	p.ID, p.Says = "V13", "a price under the floor was approved by another person than asked, for what is written"
	var rows []PriceApproval
	err := q.Raw("SELECT * FROM price_approvals WHERE status = ? ORDER BY id", ApprovalApproved).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("campaign: price approvals: %w", err)
	}
	for _, a := range rows {
		p.Checked++
		if a.AskedBy != 0 && a.AskedBy == a.DecidedBy {
			p.Break("%s: asked and approved by %s", a.ID, a.AskedBy)
		}
		known := Product{FloorPrice: a.FloorPrice, Cost: a.Cost, ListPrice: a.ListPrice}
		if a.Price >= a.FloorPrice || a.Digest != priceDigest(a.ItemID, a.Price, known) {
			p.Break("%s: its digest is not of its price, floor, cost and list price", a.ID)
		}
	}
	return nil
}
