package campaign

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/referral"
)

// EarnFormed asks for the rewards that an order earns because its team formed.
type EarnFormed struct {
	Order id.Order `json:"order"`
}

// Kind names the task.
func (EarnFormed) Kind() string { return "campaign:earn_formed" }

// FormedTx asks for the rewards of paid orders whose team has formed, where
// their program promised them for that. A team may be large, so each order
// earns in a transaction of its own.
func FormedTx(tx *database.Tx, orders []Order) error {
	for _, o := range orders {
		earns, err := referral.EarnsFormed(tx.DB, o.ProgramID, o.ProgramVersion)
		if err != nil {
			return err
		}
		if !earns {
			continue
		}
		if err := task.EnqueueTx(tx, EarnFormed{o.ID}, tx.Now); err != nil {
			return err
		}
	}
	return nil
}

// earnFormedTx earns with the order locked, so that no refund comes between;
// what was refunded before takes its share at once.
func earnFormedTx(tx *database.Tx, a EarnFormed) error {
	var o Order
	if err := tx.Raw("SELECT * FROM orders WHERE id = ?"+tx.Dialect.ForUpdate, a.Order).Take(&o).Error; err != nil {
		return fmt.Errorf("campaign: %s: %w", a.Order, err)
	}
	var c Campaign
	if err := tx.Raw("SELECT id, unit_id, budget FROM campaigns WHERE id = ?", o.CampaignID).Take(&c).Error; err != nil {
		return fmt.Errorf("campaign: of %s: %w", o.ID, err)
	}
	if o.Status != OrderPaid {
		return nil // refunded whole meanwhile
	}
	if err := referral.FormedTx(tx, o.paidFor(c), o.RefundedGoods); err != nil {
		return err
	}
	return markBudget(tx, c)
}

// paidFor is the order as rewards look at it.
func (o Order) paidFor(c Campaign) referral.PaidOrder {
	return referral.PaidOrder{
		Order: o.ID, Campaign: o.CampaignID, Item: o.ItemID, Unit: c.UnitID, Invitee: o.MemberID,
		Goods: o.Goods, PaidAt: o.PaidAt, Frozen: frozenOn(o), FromCampaign: c.Budget > 0,
	}
}
