package campaign

import (
	"context"
	"strings"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
	"siyu/referral"
)

// report runs one callback of the mall: the order is read unlocked to learn
// its item, item, team and order are locked in that order, the callback's row
// is noted, and the order is folded again from its rows. Whatever the order
// and number of callbacks, the end is the same.
func (s *Service) report(ctx context.Context, oid id.Order, note func(tx *database.Tx, o Order) error) error {
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		o, camp, err := s.lockOrder(tx, oid)
		if err != nil {
			return err
		}
		if err := note(tx, o); err != nil {
			return err
		}
		if err := s.fold(tx, camp, o); err != nil {
			return err
		}
		database.KillPoint("order:noted")
		if tx.Actor.Kind == database.ActorStaff {
			return database.AuditTx(tx, "order.report", oid, nil, nil)
		}
		return nil
	})
	database.KillPoint("order:reported")
	return err
}

// lockOrder locks the order's item, its kind's rows, and the order.
func (s *Service) lockOrder(tx *database.Tx, oid id.Order) (Order, Campaign, error) {
	var o Order
	var camp Campaign
	if err := tx.Raw("SELECT * FROM orders WHERE id = ?", oid).Scan(&o).Error; err != nil {
		return o, camp, err
	}
	if err := visible(tx.Context(), tx.DB, o); err != nil {
		return o, camp, err
	}
	if _, err := lockItems(tx, []id.Item{o.ItemID}); err != nil {
		return o, camp, err
	}
	if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?", o.CampaignID).Scan(&camp).Error; err != nil {
		return o, camp, err
	}
	if err := s.lockTeams(tx, camp.Kind, []Order{o}); err != nil {
		return o, camp, err
	}
	locked, err := lockOrders(tx, []id.Order{oid})
	if err != nil {
		return o, camp, err
	}
	if len(locked) != 1 {
		return o, camp, fault.NotFound
	}
	return locked[0], camp, nil
}

func (s *Service) lockTeams(tx *database.Tx, kind string, orders []Order) error {
	seats := s.kinds[kind].Seats
	if seats == nil {
		return nil
	}
	claims := make([]Claim, 0, len(orders))
	for _, o := range orders {
		claims = append(claims, Claim{Campaign: o.CampaignID, Item: o.ItemID, Team: o.TeamID})
	}
	_, locks := seats.Sit(tx, claims)
	return tx.Queries(locks...)
}

// backPrefix marks refunds of payments that bought nothing: late, doubled or
// of a wrong sum. They send money back but do not touch the goods.
const backPrefix = "back_"

// fold brings the order to what its rows say.
func (s *Service) fold(tx *database.Tx, camp Campaign, o Order) error {
	var payments []Payment
	if err := tx.Raw("SELECT * FROM payments WHERE order_id = ? ORDER BY id", o.ID).Scan(&payments).Error; err != nil {
		return err
	}
	var refunds []Refund
	if err := tx.Raw("SELECT * FROM refunds WHERE order_id = ? ORDER BY id", o.ID).Scan(&refunds).Error; err != nil {
		return err
	}
	late, err := s.openLate(tx.DB, camp.Kind, o)
	if err != nil {
		return err
	}
	bought := -1
	if o.PaidAt > 0 {
		bought = firstKept(payments, refunds)
	}
	numbers := numbersOf(refunds)
	for i, p := range payments {
		back := backPrefix + p.ID.String()
		if i == bought || numbers[back] || p.ID == late.PaymentID {
			continue
		}
		reason := "paid_twice"
		if late.PaymentID == 0 {
			if reason, err = s.accept(tx, camp, &o, p); err != nil {
				return err
			}
		}
		if reason == "" {
			bought = i
			continue
		}
		if kept, err := s.offerLate(tx, camp, o, p, reason); err != nil {
			return err
		} else if kept {
			late.PaymentID = p.ID
			continue
		}
		if err := RequestRefundTx(tx, Refund{OrderID: o.ID, RefundNo: back, Amount: p.Amount, Reason: reason}); err != nil {
			return err
		}
	}
	if o.PaidAt == 0 {
		return nil // refunds and receipts wait for the payment
	}
	paid := money.Amount(0)
	if bought >= 0 {
		paid = payments[bought].Amount
	}
	if err := s.foldRefunds(tx, camp.Kind, &o, refunds, paid); err != nil {
		return err
	}
	return foldReceipt(tx, o)
}

func numbersOf(refunds []Refund) map[string]bool {
	out := make(map[string]bool, len(refunds))
	for _, r := range refunds {
		out[r.RefundNo] = true
	}
	return out
}

// firstKept is the index of the payment that bought a paid order.
func firstKept(payments []Payment, refunds []Refund) int {
	numbers := numbersOf(refunds)
	for i, p := range payments {
		if !numbers[backPrefix+p.ID.String()] {
			return i
		}
	}
	return -1
}

// accept lets a payment buy the order, or says why its money goes back. An
// order let go before is had again only if a fresh claim would be granted now.
func (s *Service) accept(tx *database.Tx, camp Campaign, o *Order, p Payment) (reason string, err error) {
	switch {
	case o.PaidAt > 0:
		return "paid_twice", nil
	case p.Goods != o.Amount:
		return "amount_differs", nil
	case o.discounted() && (p.Discount != o.DiscountCoupon || p.Points != o.DiscountPoints):
		return "discount_differs", nil
	case o.discounted() && o.Status != OrderHeld:
		return "late_discount", nil // its coupon and points may be on another order
	}
	if o.Status != OrderHeld {
		out, err := s.TakeTx(tx, []Claim{{
			Campaign: o.CampaignID, Item: o.ItemID, Member: o.MemberID, Qty: o.Qty, Team: o.TeamID,
			By: o.ClaimedBy, Key: o.IdemKey, Hash: o.InputHash, revive: o,
		}})
		if err != nil {
			return "", err
		}
		if f, ok := fault.As(out[0].Refusal); ok {
			return "late_" + strings.TrimPrefix(f.Code, "campaign."), nil
		}
	}
	return "", s.paid(tx, camp, o, p)
}

// paid turns the order paid and tells every room that cares.
func (s *Service) paid(tx *database.Tx, camp Campaign, o *Order, p Payment) error {
	o.Status, o.PaidAt, o.Goods = OrderPaid, p.PaidAt, p.net()
	err := tx.Exec("UPDATE orders SET status = ?, paid_at = ?, goods = ?, version = version + 1 WHERE id = ?", o.Status, o.PaidAt, o.Goods, o.ID).Error
	if err != nil {
		return err
	}
	if err := s.moveTx(tx, o.ItemID, move{held: -int64(o.Qty), sold: int64(o.Qty)}); err != nil {
		return err
	}
	if err := s.turn(tx, camp.Kind, []Order{*o}); err != nil {
		return err
	}
	if o.ProgramID != 0 {
		if err := referral.PaidTx(tx, o.paidFor(camp)); err != nil {
			return err
		}
	}
	if err := spendDiscount(tx, *o); err != nil {
		return err
	}
	if err := markBudget(tx, camp); err != nil {
		return err
	}
	facts := []community.Fact{{Member: o.MemberID, Kind: community.FactOrderPaid, Ref: int64(o.ID), At: o.PaidAt, Amount: o.Goods}}
	if o.TeamID != 0 {
		facts = append(facts, community.Fact{Member: o.MemberID, Kind: community.FactTeamPaid, Ref: int64(o.TeamID), At: o.PaidAt})
	}
	if o.InviterID != 0 {
		live, err := community.FollowMerges(tx.DB, []id.Member{o.InviterID})
		if err != nil {
			return err
		}
		facts = append(facts, community.Fact{Member: live[o.InviterID], Kind: community.FactReferredPaid, Ref: int64(o.ID), At: o.PaidAt, Amount: o.Goods})
	}
	if err := community.FactsTx(tx, facts); err != nil {
		return err
	}
	if err := webhook.PublishTx(tx, eventOrderPaid, *o); err != nil {
		return err
	}
	if s.kinds[camp.Kind].Seats != nil {
		return nil // its kind says when
	}
	return ToShipTx(tx, []Order{*o})
}

// ToShipTx says that paid orders may be sent: at once, or for a kind with seats
// when their team has formed.
func ToShipTx(tx *database.Tx, orders []Order) error {
	return publishOrders(tx, eventOrderToShip, orders)
}

// ToShipHeard says whether a webhook wants to hear what may be sent.
func ToShipHeard(q *database.Query) (bool, error) {
	return webhook.Wanted(q, eventOrderToShip)
}

// turn tells a kind with seats what became of its orders.
func (s *Service) turn(tx *database.Tx, kind string, orders []Order) error {
	if seats := s.kinds[kind].Seats; seats != nil {
		return seats.TurnTx(tx, orders)
	}
	return nil
}

// foldReceipt notes the first receipt of the goods, which may be reported after
// a later one.
func foldReceipt(tx *database.Tx, o Order) error {
	var first Shipment
	err := tx.Raw("SELECT stage, shipment_no, at FROM shipments WHERE order_id = ? AND stage = 'received' ORDER BY at LIMIT 1", o.ID).Scan(&first).Error
	if err != nil || first.At == 0 || o.ReceivedAt > 0 && o.ReceivedAt <= first.At {
		return err
	}
	if err := tx.Exec("UPDATE orders SET received_at = ?, version = version + 1 WHERE id = ?", first.At, o.ID).Error; err != nil {
		return err
	}
	if !o.earns() {
		return nil
	}
	return referral.ReceivedTx(tx, o.ID, first.At)
}
