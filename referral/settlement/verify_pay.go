package settlement

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
)

// paidSum is a line of a payout beside what the settlement, the tax room and
// the ledger say of it.
type paidSum struct {
	MemberID                      id.Member
	PayoutID                      id.Payout
	LineNo                        int
	Status                        PayoutLineStatus
	TransferID                    id.Transfer
	ArrivedBy, ReturnedBy         id.Transfer
	Owed, Gross, Tax, Net         money.Amount
	Due                           money.Amount // by the settlement
	Promised                      money.Amount // by the tax line, as the next three
	TaxGross, TaxTax, TaxNet      money.Amount
	TakenBack                     int // lines that take the tax back
	Payable, Paid, Withheld, Back money.Amount
	Paying, Arrived               money.Amount
}

// paidSums reads the lines of members in a range. What came back is the
// mirror of what went out, so its sums are nought.
const paidSums = `SELECT f.member_id, f.payout_id, f.line_no, f.status, f.transfer_id, f.arrived_by, f.returned_by, f.owed, f.gross, f.tax, f.net,
	(SELECT COALESCE(SUM(l.gross), 0) FROM settlement_lines l WHERE l.settlement_id = f.settlement_id AND l.member_id = f.member_id) AS due,
	COALESCE(t.promised, 0) AS promised, COALESCE(t.gross, 0) AS tax_gross, COALESCE(t.tax, 0) AS tax_tax, COALESCE(t.net, 0) AS tax_net,
	(SELECT COUNT(*) FROM tax_lines b WHERE b.month_id <> 0 AND b.corrects = t.id) AS taken_back,
	` + legs + `'payable' AND x.transfer_id = f.transfer_id) AS payable,
	` + legs + `'paid' AND x.transfer_id = f.transfer_id) AS paid,
	` + legs + `'paying' AND x.transfer_id = f.transfer_id) AS paying,
	` + legs + `'paid' AND x.transfer_id = f.arrived_by) AS arrived,
	` + legs + `'tax' AND x.transfer_id = f.transfer_id) AS withheld,
	` + legs + `'payable' AND x.transfer_id = f.returned_by) AS back
	FROM payout_lines f LEFT JOIN tax_lines t ON t.id = f.tax_line_id
	WHERE f.settlement_id = ? AND f.member_id > ? ORDER BY f.member_id LIMIT ?`

const legs = `(SELECT COALESCE(SUM(x.amount), 0) FROM entries x JOIN accounts a ON a.id = x.account_id WHERE a.stage = `

// proveEachPaid proves V16 for every settlement that has a payout.
func (s *Service) proveEachPaid(ctx context.Context, p *database.Proof) error {
	for after := id.Settlement(0); ; {
		var next id.Settlement
		err := s.DB.Read(ctx).Raw("SELECT COALESCE(MIN(settlement_id), 0) FROM payouts WHERE settlement_id > ?", after).Scan(&next).Error
		if err != nil || next == 0 {
			return err
		}
		after = next
		st, err := find(s.DB.Read(ctx), next)
		if err != nil {
			return err
		}
		if err := s.provePayments(ctx, st, p); err != nil {
			return err
		}
	}
}

// provePayments proves V16 for one settlement.
func (s *Service) provePayments(ctx context.Context, st Settlement, p *database.Proof) error {
	for after := id.Member(0); ; {
		var rows []paidSum
		err := s.DB.Snapshot(ctx, func(q *database.Query) error {
			return q.Raw(paidSums, st.ID, after, proveAt).Scan(&rows).Error
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			p.Checked++
			after = r.MemberID
			r.prove(p)
		}
		if len(rows) < proveAt {
			break
		}
	}
	if st.Status != StatusPaid {
		return nil
	}
	given, err := givenOut(s.DB.Read(ctx), st.ID)
	if err == nil && given.Owed != st.Gross {
		p.Break("%s: its payouts paid of %s, its total is %s", st.ID, given.Owed, st.Gross)
	}
	return err
}

func (r paidSum) prove(p *database.Proof) {
	name := lineName(r.PayoutID, r.LineNo)
	held := r.TransferID == 0
	switch {
	case r.Owed != r.Due:
		p.Break("%s: pays of %s, the settlement owes %s", name, r.Owed, r.Due)
	case held && (r.Status != PayoutLineFailed || r.Gross != 0 || r.Tax != 0 || r.Net != 0):
		p.Break("%s: is %s without a transfer", name, r.Status)
	case held:
	case r.Net == 0 && r.Status != PayoutLinePaid:
		p.Break("%s: is %s, and nothing of it is to be sent", name, r.Status)
	case r.Promised != r.Owed || r.TaxGross != r.Gross || r.TaxTax != r.Tax || r.TaxNet != r.Net:
		p.Break("%s: says %s gross, %s tax, %s net; the tax line says %s, %s, %s", name, r.Gross, r.Tax, r.Net, r.TaxGross, r.TaxTax, r.TaxNet)
	case r.Payable != -r.Owed || r.Paid+r.Paying != r.Net || r.Withheld != r.Tax:
		p.Break("%s: the ledger moved %s out of payable, %s to the member, %s into tax; it says %s, %s, %s", name, -r.Payable, r.Paid+r.Paying, r.Withheld, r.Owed, r.Net, r.Tax)
	case (r.Status == PayoutLineFailed) != (r.ReturnedBy != 0) || (r.ReturnedBy != 0) != (r.TakenBack == 1):
		p.Break("%s: is %s, but the ledger or the tax says otherwise", name, r.Status)
	case r.Status.flies() && (r.Paying != r.Net || r.ArrivedBy != 0), r.Status == PayoutLinePaid && r.Paid+r.Arrived != r.Net:
		p.Break("%s: is %s, the ledger has %s on its way and %s arrived", name, r.Status, r.Paying, r.Paid+r.Arrived)
	case r.ReturnedBy != 0 && r.Back != r.Owed:
		p.Break("%s: came back, the ledger gave back %s of %s", name, r.Back, r.Owed)
	}
}

// proveTotals compares every payout, and every payer's day, with their lines.
func (s *Service) proveTotals(ctx context.Context, p *database.Proof) error {
	return s.DB.Snapshot(ctx, func(q *database.Query) error {
		var wrong []id.Payout
		err := q.Raw(`SELECT p.id FROM payouts p LEFT JOIN payout_lines f ON f.payout_id = p.id GROUP BY p.id, p.line_count, p.failed_count, p.gross, p.tax, p.net
			HAVING p.line_count <> COUNT(f.id) OR p.gross <> COALESCE(SUM(f.gross), 0) OR p.tax <> COALESCE(SUM(f.tax), 0) OR p.net <> COALESCE(SUM(f.net), 0)
				OR p.failed_count <> SUM(CASE WHEN f.status = ? THEN 1 ELSE 0 END) ORDER BY p.id LIMIT 50`, PayoutLineFailed).Scan(&wrong).Error
		if err != nil {
			return err
		}
		for _, pid := range wrong {
			p.Break("%s: its sums are not those of its lines", pid)
		}
		var days []struct {
			PayerID id.Payer
			DayNo   int
		}
		err = q.Raw(`SELECT d.payer_id, d.day_no FROM payer_days d WHERE d.owed <>
			(SELECT COALESCE(SUM(f.owed), 0) FROM payouts p JOIN payout_lines f ON f.payout_id = p.id AND f.transfer_id <> 0 AND f.day_no = d.day_no
				WHERE p.payer_id = d.payer_id) ORDER BY d.payer_id, d.day_no LIMIT 50`).Scan(&days).Error
		for _, d := range days {
			p.Break("%s: what it gave out on %d is not what its payouts say", d.PayerID, d.DayNo)
		}
		return err
	})
}

// provePayer looks for programs that name another payer. That the lines are of
// rewards of this one, proveLines looks at.
func (s *Service) provePayer(ctx context.Context, st Settlement, p *database.Proof) error {
	payers, err := payee.Covered(s.DB.Read(ctx), st.PayerID)
	if err != nil {
		return err
	}
	var mixed []id.Program
	err = s.DB.Read(ctx).Raw(`SELECT g.id FROM settlement_programs x JOIN programs g ON g.id = x.program_id
		WHERE x.settlement_id = ? AND g.payer_id NOT IN ? ORDER BY g.id LIMIT 50`, st.ID, naming(payers)).Scan(&mixed).Error
	for _, g := range mixed {
		p.Break("%s: holds %s, which another payer pays", st.ID, g)
	}
	return err
}
