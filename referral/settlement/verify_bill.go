package settlement

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// billSum is a line of a payout by bills beside its bills.
type billSum struct {
	ID                       int64
	PayoutID                 id.Payout
	LineNo                   int
	Status                   PayoutLineStatus
	TransferID               id.Transfer
	Net                      money.Amount
	Tries, Last              int
	Open, OpenTry, Paid, Odd int
	Other                    int // bills of another amount
}

// billSums reads lines in a range. Odd are states that no bill has.
const billSums = `SELECT f.id, f.payout_id, f.line_no, f.status, f.transfer_id, f.net, COUNT(b.id) AS tries, COALESCE(MAX(b.try_no), 0) AS last,
	COALESCE(SUM(CASE WHEN b.status IN ? THEN 1 ELSE 0 END), 0) AS open, COALESCE(MAX(CASE WHEN b.status IN ? THEN b.try_no ELSE 0 END), 0) AS open_try,
	COALESCE(SUM(CASE WHEN b.status = 'paid' THEN 1 ELSE 0 END), 0) AS paid,
	COALESCE(SUM(CASE WHEN b.status IN ? OR b.status IN ('paid', 'failed', 'cancelled', 'expired') THEN 0 ELSE 1 END), 0) AS odd,
	COALESCE(SUM(CASE WHEN b.net <> f.net OR b.payout_id <> f.payout_id THEN 1 ELSE 0 END), 0) AS other
	FROM payouts p JOIN payout_lines f ON f.payout_id = p.id LEFT JOIN payout_bills b ON b.line_id = f.id
	WHERE p.channel = ? AND p.status IN ? AND f.id > ? GROUP BY f.id, f.payout_id, f.line_no, f.status, f.transfer_id, f.net ORDER BY f.id LIMIT ?`

// proveBills proves of V16 that every payment by bills is paid by one final
// bill, on its way by one open bill after others that ended, or has come back
// with none that could still pay; what is all tax has none.
func (s *Service) proveBills(ctx context.Context, p *database.Proof) error {
	for after := int64(0); ; {
		var rows []billSum
		err := s.DB.Snapshot(ctx, func(q *database.Query) error {
			return q.Raw(billSums, openBills, openBills, openBills, ChannelBills, []PayoutStatus{PayoutPaying, PayoutSent, PayoutPaid}, after, proveAt).Scan(&rows).Error
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			p.Checked++
			after = r.ID
			r.prove(p)
		}
		if len(rows) < proveAt {
			return s.proveStray(ctx, p)
		}
	}
}

func (r billSum) prove(p *database.Proof) {
	name := lineName(r.PayoutID, r.LineNo)
	switch {
	case r.TransferID == 0 && r.Tries != 0:
		p.Break("%s: is held, and has %d bills", name, r.Tries)
	case r.TransferID != 0 && r.Net == 0 && r.Tries != 0:
		p.Break("%s: is all tax, and has %d bills", name, r.Tries)
	case r.TransferID == 0, r.Net == 0:
	case r.Tries == 0 || r.Tries != r.Last:
		p.Break("%s: has %d bills, the last is try %d", name, r.Tries, r.Last)
	case r.Odd != 0 || r.Other != 0:
		p.Break("%s: has %d bills in no state and %d of another payment", name, r.Odd, r.Other)
	case r.Status == PayoutLinePaid && (r.Paid != 1 || r.Open != 0):
		p.Break("%s: is paid by %d bills, with %d open", name, r.Paid, r.Open)
	case r.Status == PayoutLineFailed && (r.Paid != 0 || r.Open != 0):
		p.Break("%s: has failed, with %d bills paid and %d open", name, r.Paid, r.Open)
	case r.Status.flies() && (r.Paid != 0 || r.Open != 1 || r.OpenTry != r.Last):
		p.Break("%s: is on its way by %d open bills, with %d paid", name, r.Open, r.Paid)
	}
}

// proveStray looks for bills of no line.
func (s *Service) proveStray(ctx context.Context, p *database.Proof) error {
	var list []string
	err := s.DB.Read(ctx).Raw(`SELECT b.bill_no FROM payout_bills b LEFT JOIN payout_lines f ON f.id = b.line_id LEFT JOIN payouts p ON p.id = f.payout_id
		WHERE p.id IS NULL OR p.channel <> ? ORDER BY b.id LIMIT 50`, ChannelBills).Scan(&list).Error
	for _, no := range list {
		p.Break("bill %s: pays no line of a payout by bills", no)
	}
	return err
}
