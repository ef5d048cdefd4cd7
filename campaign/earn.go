package campaign

import (
	"fmt"

	"siyu/internal/clock"
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
	o, c, err := earningTx(tx, a.Order)
	if err != nil || o.Status != OrderPaid { // refunded whole meanwhile
		return err
	}
	if err := referral.FormedTx(tx, o.paidFor(c), o.RefundedGoods); err != nil {
		return err
	}
	return markBudget(tx, c)
}

// PayOpener asks for the fee of who opened a team that formed, by his order,
// with at most referral.PeersMost of those who paid beside him.
type PayOpener struct {
	Order    id.Order    `json:"order"`
	OpenedAt clock.Milli `json:"opened_at"` // the team
	Peers    []id.Member `json:"peers"`
}

// Kind names the task.
func (PayOpener) Kind() string { return "campaign:pay_opener" }

// PaysOpener says whether a campaign's program promised a fee to whom opened a
// team at a moment.
func PaysOpener(q *database.Query, c id.Campaign, openedAt clock.Milli) (bool, error) {
	var p id.Program
	if err := q.Raw("SELECT program_id FROM campaigns WHERE id = ?", c).Row().Scan(&p); err != nil {
		return false, fmt.Errorf("campaign: program of %s: %w", c, err)
	}
	promised, err := referral.OpenerPromise(q, p, openedAt)
	return promised != 0, err
}

// payOpenerTx pays it with his order locked. Who has not paid, or had all of it
// back, gets none.
func payOpenerTx(tx *database.Tx, a PayOpener) error {
	o, c, err := earningTx(tx, a.Order)
	if err != nil || o.Status != OrderPaid {
		return err
	}
	t := referral.OpenedTeam{PaidOrder: o.paidFor(c), Team: o.TeamID, OpenedAt: a.OpenedAt, Refunded: o.RefundedGoods, Peers: a.Peers}
	version, err := referral.OpenerPromise(tx.DB, c.ProgramID, a.OpenedAt)
	if err != nil || version == 0 {
		return err
	}
	t.Frozen = referral.Frozen{Program: c.ProgramID, Version: version}
	if err := referral.OpenedTx(tx, t); err != nil {
		return err
	}
	return markBudget(tx, c)
}

// earningTx locks an order that is to earn, and reads its campaign.
func earningTx(tx *database.Tx, order id.Order) (o Order, c Campaign, err error) {
	if err = tx.Raw("SELECT * FROM orders WHERE id = ?"+tx.Dialect.ForUpdate, order).Take(&o).Error; err != nil {
		return o, c, fmt.Errorf("campaign: %s: %w", order, err)
	}
	if err = tx.Raw("SELECT id, unit_id, budget, program_id, payer_id FROM campaigns WHERE id = ?", o.CampaignID).Take(&c).Error; err != nil {
		return o, c, fmt.Errorf("campaign: of %s: %w", order, err)
	}
	return o, c, nil
}

// earns says whether rewards may hang on the order: its buyer was invited, or
// it may be that of who opened a team.
func (o Order) earns() bool { return o.ProgramID != 0 || o.TeamID != 0 }

// paidFor is the order as rewards look at it.
func (o Order) paidFor(c Campaign) referral.PaidOrder {
	return referral.PaidOrder{
		Order: o.ID, Campaign: o.CampaignID, Item: o.ItemID, Unit: c.UnitID, Invitee: o.MemberID,
		Goods: o.Goods, PaidAt: o.PaidAt, Frozen: frozenOn(o), Payer: c.PayerID, FromCampaign: c.Budget > 0,
	}
}
