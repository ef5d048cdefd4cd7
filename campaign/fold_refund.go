package campaign

import (
	"strings"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/money"
	"siyu/internal/webhook"
	"siyu/referral"
)

// sentBack is what done refunds of an order come to, those of payments that
// bought nothing left out.
func sentBack(refunds []Refund) (sum money.Amount) {
	for _, r := range refunds {
		if r.Status == RefundDone && !strings.HasPrefix(r.RefundNo, backPrefix) {
			sum += r.Amount
		}
	}
	return sum
}

// sumOf is what done refunds come to, in money of the goods and in pieces, and
// the newest of them: one that failed at first may be done after others. Once
// all that was paid went back, the goods' part did, whatever was said of it.
func (o Order) sumOf(refunds []Refund, paid money.Amount) (goods money.Amount, qty int, last Refund) {
	for _, r := range refunds {
		if r.Status != RefundDone || strings.HasPrefix(r.RefundNo, backPrefix) {
			continue
		}
		goods, qty = goods+r.Goods, qty+r.Qty
		if r.ReportedAt >= last.ReportedAt {
			last = r
		}
	}
	if goods = min(goods, o.Goods); paid > 0 && sentBack(refunds) >= paid {
		goods = o.Goods
	}
	if last.ID != 0 && goods == o.Goods {
		qty = o.Qty // everything was refunded, so every piece is free
	}
	return goods, min(qty, o.Qty), last
}

// foldRefunds applies what the done refunds sum to beyond what was applied
// before. Refunded pieces go back to the item's stock.
func (s *Service) foldRefunds(tx *database.Tx, kind string, o *Order, refunds []Refund, paid money.Amount) error {
	goods, qty, last := o.sumOf(refunds, paid)
	if goods == o.RefundedGoods && qty == o.RefundedQty {
		return nil
	}
	freed := int64(qty - o.RefundedQty)
	o.RefundedGoods, o.RefundedQty = goods, qty
	if qty == o.Qty && goods == o.Goods {
		o.Status, o.ClosedAt = OrderRefunded, tx.Now
	}
	err := tx.Exec("UPDATE orders SET refunded_goods = ?, refunded_qty = ?, status = ?, closed_at = ?, version = version + 1 WHERE id = ?",
		o.RefundedGoods, o.RefundedQty, o.Status, o.ClosedAt, o.ID).Error
	if err != nil {
		return err
	}
	if freed != 0 {
		if err := leaveSession(tx, *o, freed); err != nil {
			return err
		}
		if err := s.moveTx(tx, o.ItemID, move{left: freed, sold: -freed}); err != nil {
			return err
		}
	}
	if err := s.turn(tx, kind, []Order{*o}); err != nil {
		return err
	}
	if o.earns() {
		if err := referral.RefundedTx(tx, o.ID, last.ID, o.RefundedGoods); err != nil {
			return err
		}
	}
	if err := refundDiscount(tx, *o); err != nil {
		return err
	}
	if o.InviterID != 0 {
		if err := community.ReferredKeptTx(tx, o.ID, o.Goods-o.RefundedGoods); err != nil {
			return err
		}
	}
	return webhook.PublishTx(tx, eventOrderRefunded, *o)
}
