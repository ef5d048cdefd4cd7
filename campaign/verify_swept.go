package campaign

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// odd reads the few orders of a span that cannot stand as they are: held past
// the sweep, or paid and not so; and who holds more by one order than it
// allows, whose limit is proven apart.
func odd(q *database.Query, after, upTo int64, p *database.Proof, excess map[id.Member]bool) error {
	var swept clock.Milli
	if err := q.Raw("SELECT COALESCE(MAX(swept), 0) FROM sweeps WHERE name = ?", ordersSwept).Scan(&swept).Error; err != nil {
		return err
	}
	var orders []Order
	err := q.Raw(`SELECT id, member_id, qty, refunded_qty, status, limit_frozen, deadline_at, paid_at FROM orders WHERE id > ? AND id <= ?
		AND (status = 'held' AND deadline_at < ? OR paid_at > 0 AND status IN ('held', 'expired', 'cancelled')
			OR limit_frozen > 0 AND status IN ('held', 'paid') AND qty - refunded_qty > limit_frozen)`, after, upTo, swept).Scan(&orders).Error
	if err != nil {
		return fmt.Errorf("campaign: orders that cannot stand: %w", err)
	}
	for _, o := range orders {
		if o.Status == OrderHeld && o.DeadlineAt < swept {
			p.Break("%s is held unpaid past its deadline", o.ID)
		}
		if o.PaidAt > 0 && o.Status != OrderPaid && o.Status != OrderRefunded {
			p.Break("%s was paid but is not paid", o.ID)
		}
		if o.LimitFrozen > 0 && o.live() > o.LimitFrozen {
			excess[o.MemberID] = true
		}
	}
	return nil
}

// proveKept checks that each order kept at most one payment, and that every
// other is on its way back.
func proveKept(q *database.Query, after, upTo int64, p *database.Proof) error {
	p.ID, p.Says = "V9", "nothing held past the sweep; no paid money stranded"
	var payments []struct {
		Payment
		Bought clock.Milli // when the order became paid
	}
	err := q.Raw(`SELECT payments.id, payments.order_id, orders.paid_at AS bought FROM payments JOIN orders ON orders.id = payments.order_id
		WHERE payments.order_id > ? AND payments.order_id <= ? ORDER BY payments.order_id, payments.id`, after, upTo).Scan(&payments).Error
	if err != nil {
		return fmt.Errorf("campaign: payments: %w", err)
	}
	var backs []Refund
	err = q.Raw("SELECT order_id, refund_no FROM refunds WHERE order_id > ? AND order_id <= ? AND refund_no LIKE 'back!_%' ESCAPE '!'", after, upTo).Scan(&backs).Error
	if err != nil {
		return fmt.Errorf("campaign: refunds of payments that bought nothing: %w", err)
	}
	back := map[string]bool{}
	for _, r := range backs {
		back[r.RefundNo] = true
	}
	choosing, err := openLates(q, after, upTo)
	if err != nil {
		return err
	}
	kept := map[id.Order]bool{}
	for _, pay := range payments {
		p.Checked++
		if back[backPrefix+pay.ID.String()] || choosing[pay.ID] {
			continue
		}
		if pay.Bought == 0 {
			p.Break("%s of %s bought nothing, has no refund and no choice", pay.ID, pay.OrderID)
		}
		if kept[pay.OrderID] {
			p.Break("%s of %s bought nothing and has no refund", pay.ID, pay.OrderID)
		}
		kept[pay.OrderID] = true
	}
	return nil
}

// proveAlerts checks that no refund was open past its bound, up to when the
// alert sweep last ran, without having said so.
func proveAlerts(q *database.Query, p *database.Proof) error {
	var swept clock.Milli
	if err := q.Raw("SELECT COALESCE(MAX(swept), 0) FROM sweeps WHERE name = ?", refundsAlerted).Scan(&swept).Error; err != nil {
		return err
	}
	var silent []Refund
	err := q.Raw("SELECT * FROM refunds WHERE status IN ? AND alerted_at = 0 AND created_at <= ?",
		[]RefundStatus{RefundRequested, RefundFailed}, swept.Add(-refundBound)).Scan(&silent).Error
	for _, r := range silent {
		p.Break("%s of %s is overdue without an alert", r.ID, r.OrderID)
	}
	return err
}
