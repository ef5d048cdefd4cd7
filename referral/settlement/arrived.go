package settlement

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Arrived is a payment that reached its person: under the number of the bill
// that was paid, or else the line's own.
type Arrived struct {
	ID     int64
	No     string
	Amount money.Amount
	At     clock.Milli
}

// ArrivedBetween are payments out of these payers' payouts up to a time, in
// order of time and id, after the one given. One that was made elsewhere and
// only marked has no number outside and is left out.
func ArrivedBetween(q *database.Query, payers []id.Payer, after Arrived, until clock.Milli, most int) ([]Arrived, error) {
	var rows []Arrived
	err := q.Raw(`SELECT l.id, COALESCE(b.bill_no, '') AS no, l.net AS amount, l.paid_at AS at
		FROM payout_lines l JOIN payouts p ON p.id = l.payout_id LEFT JOIN payout_bills b ON b.line_id = l.id AND b.status = ?
		WHERE l.paid_at >= ? AND l.paid_at < ? AND (l.paid_at > ? OR l.id > ?) AND p.payer_id IN ? AND p.channel <> ? AND l.net > 0 ORDER BY l.paid_at, l.id LIMIT ?`,
		BillPaid, after.At, until, after.At, after.ID, payers, ChannelManual, most).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("settlement: payments of a day: %w", err)
	}
	for i, r := range rows {
		if r.No == "" {
			rows[i].No = PayoutLine{ID: r.ID}.BillNo()
		}
	}
	return rows, nil
}
