package campaign

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Moved is money of an order as it was noted: a payment, or a refund that is
// done. PayerID is that of the campaign's program, whose payer is for life, or else
// the campaign's own, which is fixed once it is published; none for the default
// payer.
type Moved struct {
	ID      int64
	No      string
	OrderID id.Order
	Amount  money.Amount
	At      clock.Milli
	PayerID id.Payer
}

// A payment and a refund count at the time that the mall gave them; a refund
// without one when it was reported as done.
const (
	campaignPayer = "COALESCE(NULLIF(g.payer_id, 0), c.payer_id)"
	paidMoves     = `SELECT p.id, p.payment_no AS no, p.order_id, p.amount, p.paid_at AS at, ` + campaignPayer + ` AS payer_id
		FROM payments p JOIN orders o ON o.id = p.order_id JOIN campaigns c ON c.id = o.campaign_id LEFT JOIN programs g ON g.id = c.program_id`
	backMoves = `SELECT p.id, p.refund_no AS no, p.order_id, p.amount, p.done_at AS at, ` + campaignPayer + ` AS payer_id
		FROM refunds p JOIN orders o ON o.id = p.order_id JOIN campaigns c ON c.id = o.campaign_id LEFT JOIN programs g ON g.id = c.program_id`
)

// PaidBetween are payments of these payers' campaigns up to a time, in order
// of time and id, after the one given.
func PaidBetween(q *database.Query, payers []id.Payer, after Moved, until clock.Milli, most int) ([]Moved, error) {
	return moves(q, paidMoves, "p.paid_at", payers, after, until, most)
}

// RefundedBetween are the refunds done, in the same way.
func RefundedBetween(q *database.Query, payers []id.Payer, after Moved, until clock.Milli, most int) ([]Moved, error) {
	return moves(q, backMoves, "p.done_at", payers, after, until, most)
}

func moves(q *database.Query, from, at string, payers []id.Payer, after Moved, until clock.Milli, most int) ([]Moved, error) {
	var rows []Moved
	err := q.Raw(from+" WHERE "+at+" >= ? AND "+at+" < ? AND ("+at+" > ? OR p.id > ?) AND "+campaignPayer+" IN ? ORDER BY "+at+", p.id LIMIT ?",
		after.At, until, after.At, after.ID, payers, most).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("campaign: money of a day: %w", err)
	}
	return rows, nil
}

// PaidUnder are the payments with these numbers, whenever they were made;
// RefundedUnder the refunds that are done. At most 200 numbers are asked for.
func PaidUnder(q *database.Query, numbers []string) ([]Moved, error) {
	return under(q, paidMoves+" WHERE p.payment_no IN ? ORDER BY p.id", numbers)
}

// RefundedUnder is PaidUnder for refunds.
func RefundedUnder(q *database.Query, numbers []string) ([]Moved, error) {
	return under(q, backMoves+" WHERE p.refund_no IN ? AND p.done_at > 0 ORDER BY p.id", numbers)
}

func under(q *database.Query, sql string, numbers []string) ([]Moved, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	var rows []Moved
	if err := q.Raw(sql, numbers).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("campaign: money by number: %w", err)
	}
	return rows, nil
}
