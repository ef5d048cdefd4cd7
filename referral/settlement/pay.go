package settlement

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral/payee"
	"siyu/wallet"
)

// payChunk is how many members one transaction pays: each is a line, a line
// of tax and its month, a transfer, up to four entries and as many balances.
const payChunk = 100

type payJob struct {
	Payout id.Payout `json:"payout"`
}

func (payJob) Kind() string { return "settlement:pay_payout" }

// errMerged says that a member was merged while he was being paid; the
// transaction is rolled back and the chunk runs again.
var errMerged = errors.New("settlement: a member was merged meanwhile")

// RunPay is the paying job: payable → paid, or on its way, and tax for every member who is
// still owed something and can be paid, in chunks. A run that begins again
// passes over who has a line.
func (s *Service) RunPay(ctx context.Context, pid id.Payout) error {
	for after := id.Member(0); ; {
		last, done := after, false
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var err error
			last, done, err = s.payChunkTx(tx, pid, after)
			return err
		})
		switch {
		case errors.Is(err, errMerged):
			continue
		case err != nil || done:
			return err
		}
		after = last
		database.KillPoint("settlement:pay")
	}
}

// payChunkTx pays the next members and says whether the payout is done.
func (s *Service) payChunkTx(tx *database.Tx, pid id.Payout, after id.Member) (last id.Member, done bool, err error) {
	_, p, err := lockPayout(tx, pid)
	if err != nil || p.Status != PayoutPaying {
		return after, true, err
	}
	owed, err := stillOwed(tx, p.SettlementID, after)
	switch {
	case err != nil:
		return after, false, err
	case len(owed) == 0:
		return after, true, endPayTx(tx, p)
	}
	lines, err := s.plan(tx, p, owed)
	if err != nil {
		return after, false, err
	}
	return owed[len(owed)-1].Member, false, payLinesTx(tx, p, lines)
}

// stillOwed are the next members whom no payout of the settlement has on a
// line yet.
func stillOwed(tx *database.Tx, sid id.Settlement, after id.Member) ([]payee.Owed, error) {
	var rows []struct {
		MemberID id.Member
		Owed     money.Amount
	}
	err := tx.Raw(`SELECT l.member_id, SUM(l.gross) AS owed FROM settlement_lines l
		WHERE l.settlement_id = ? AND l.member_id > ?
			AND NOT EXISTS (SELECT 1 FROM payout_lines f WHERE f.settlement_id = ? AND f.member_id = l.member_id)
		GROUP BY l.member_id HAVING SUM(l.gross) <> 0 ORDER BY l.member_id LIMIT ?`, sid, after, sid, payChunk).Scan(&rows).Error
	out := make([]payee.Owed, 0, len(rows))
	for _, r := range rows {
		out = append(out, payee.Owed{Member: r.MemberID, Amount: r.Owed})
	}
	return out, err
}

// plan says who of the members is paid now and notes the others as held. With
// carry_held those who cannot be paid get a line that has failed, which the
// next settlement carries; what only did not fit, who objects to a line, and
// whom another channel pays waits for the next payout.
func (s *Service) plan(tx *database.Tx, p Payout, owed []payee.Owed) ([]PayoutLine, error) {
	ready, err := payee.ForPaymentTx(tx, p.PayerID, owed)
	if err != nil {
		return nil, err
	}
	objected, err := objecting(tx, p.SettlementID, owed)
	if err != nil {
		return nil, err
	}
	space, err := roomTx(tx, p)
	if err != nil {
		return nil, err
	}
	bounds, err := s.boundsTx(tx, p, owed)
	if err != nil {
		return nil, err
	}
	var lines []PayoutLine
	var holds []Hold
	var seen []id.Member
	given := money.Amount(0)
	for _, o := range owed {
		seen = append(seen, o.Member)
		r := ready[o.Member]
		r.Blocked = p.Channel.blocks(r)
		if r.Blocked == "" {
			if r.Blocked, err = bounds.blocks(o); err != nil {
				return nil, err
			}
		}
		if objected[o.Member] {
			r.Blocked = reasonObjected
		}
		if r.Blocked == "" && !space.take(o.Amount) {
			r.Blocked = reasonLimit
		}
		l := PayoutLine{ID: tx.Next(), PayoutID: p.ID, SettlementID: p.SettlementID, LineNo: p.LineCount + len(lines) + 1, MemberID: o.Member, PaidTo: r.Member,
			PayeeID: r.Payee, PayeeNo: r.No, PayeeType: r.Type, AccountKind: r.Kind, Owed: o.Amount, DayNo: space.day, Status: p.Channel.status()}
		if l.Status == PayoutLinePaid {
			l.PaidAt = tx.Now
		}
		switch {
		case r.Blocked == "":
			given += o.Amount
			bounds.take()
		case p.CarryHeld && !waits(r.Blocked):
			l.Status, l.PaidAt, l.FailedAt, l.Reason = PayoutLineFailed, 0, tx.Now, string(r.Blocked)
		default:
			holds = append(holds, Hold{o.Member, o.Amount, r.Blocked})
			continue
		}
		lines = append(lines, l)
	}
	if err := holdTx(tx, p.ID, seen, holds); err != nil {
		return nil, err
	}
	return lines, space.spendTx(tx, p.PayerID, given)
}

// payLinesTx withholds the tax and writes the lines and the ledger. The
// accounts are those of who the members are today; that is looked at again
// once the accounts are locked, because a merge locks them too.
func payLinesTx(tx *database.Tx, p Payout, lines []PayoutLine) error {
	if len(lines) == 0 {
		return nil
	}
	if err := taxTx(tx, p, lines); err != nil {
		return err
	}
	var members []id.Member
	var transfers []wallet.Transfer
	var all outlay
	failed := 0
	live := map[id.Member]id.Member{}
	for _, l := range lines {
		all.Gross, all.Tax, all.Net = all.Gross+l.Gross, all.Tax+l.Tax, all.Net+l.Net
		if l.Status == PayoutLineFailed {
			failed++
			continue
		}
		members = append(members, l.MemberID)
		live[l.MemberID] = l.PaidTo
		transfers = append(transfers, l.transfer(p.Channel.stage()))
	}
	ids, err := wallet.PostManyTx(tx, transfers)
	if err != nil {
		return err
	}
	again, err := today(tx.DB, members)
	switch {
	case err != nil:
		return err
	case !maps.Equal(live, again):
		return errMerged
	}
	for i := range lines {
		if lines[i].Status != PayoutLineFailed {
			lines[i].TransferID, ids = ids[0], ids[1:]
		}
	}
	if err := tx.Create(&lines).Error; err != nil {
		return err
	}
	if p.Channel == ChannelBills {
		if err := billsTx(tx, lines); err != nil {
			return err
		}
	}
	return tx.Exec(`UPDATE payouts SET line_count = line_count + ?, failed_count = failed_count + ?, gross = gross + ?, tax = tax + ?, net = net + ? WHERE id = ?`,
		len(lines), failed, all.Gross, all.Tax, all.Net, p.ID).Error
}

// taxTx withholds from the lines that are paid. What tax takes whole has
// arrived with that.
func taxTx(tx *database.Tx, p Payout, lines []PayoutLine) error {
	var list []payee.Withholding
	for _, l := range lines {
		if l.Status != PayoutLineFailed {
			list = append(list, payee.Withholding{Key: l.key(), Payer: p.PayerID, Member: l.MemberID, Amount: l.Owed})
		}
	}
	if len(list) == 0 {
		return nil
	}
	taxed, err := payee.WithholdTx(tx, list)
	if err != nil {
		return err
	}
	for i := range lines {
		if l := &lines[i]; l.Status != PayoutLineFailed {
			l.Gross, l.Tax, l.Net, l.TaxLineID = taxed[0].Gross, taxed[0].Tax, taxed[0].Net, taxed[0].ID
			taxed = taxed[1:]
			if l.Net == 0 {
				l.Status, l.PaidAt, l.Reason = PayoutLinePaid, tx.Now, string(reasonAllTax)
			}
		}
	}
	return nil
}

// endPayTx ends the giving out if the lines are what the payout says. A payout
// that left everybody out has paid nobody, and ends as that.
func endPayTx(tx *database.Tx, p Payout) error {
	var paid outlay
	err := tx.Raw(`SELECT COUNT(*) AS line_count, COALESCE(SUM(gross), 0) AS gross, COALESCE(SUM(tax), 0) AS tax, COALESCE(SUM(net), 0) AS net
		FROM payout_lines WHERE payout_id = ?`, p.ID).Scan(&paid).Error
	if err != nil {
		return err
	}
	if want := (outlay{Lines: p.LineCount, Gross: p.Gross, Tax: p.Tax, Net: p.Net}); paid != want {
		return fmt.Errorf("settlement: %s has %+v on its lines, says %+v", p.ID, paid, want)
	}
	if p.LineCount == 0 {
		held, err := heldSums(tx.DB, p.ID)
		switch {
		case err != nil:
			return err
		case len(held) > 0:
			if err := tx.Exec("UPDATE payouts SET status = ? WHERE id = ?", PayoutUnpaid, p.ID).Error; err != nil {
				return err
			}
			return publishUnpaid(tx, p, held)
		}
	}
	if err := tx.Exec("UPDATE payouts SET status = ? WHERE id = ?", PayoutSent, p.ID).Error; err != nil {
		return err
	}
	if p.Channel == ChannelBills {
		if err := task.EnqueueTx(tx, billsJob{p.ID}, tx.Now); err != nil {
			return err
		}
	}
	return finishTx(tx, p.ID)
}
