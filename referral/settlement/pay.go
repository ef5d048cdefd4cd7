package settlement

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// payChunk is how many members one transaction pays: each is a line, a
// transfer, two or three entries and as many balances.
const payChunk = 200

type payJob struct {
	Payout id.Payout `json:"payout"`
}

func (payJob) Kind() string { return "settlement:pay_payout" }

// errMerged says that a member was merged while he was being paid; the
// transaction is rolled back and the chunk runs again.
var errMerged = errors.New("settlement: a member was merged meanwhile")

// RunPay is the paying job: payable → paid for every member with something to
// get, in chunks that begin after the last line written.
func (s *Service) RunPay(ctx context.Context, pid id.Payout) error {
	for {
		done := false
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var err error
			done, err = payChunkTx(tx, pid)
			return err
		})
		switch {
		case errors.Is(err, errMerged):
			continue
		case err != nil || done:
			return err
		}
		database.KillPoint("settlement:pay")
	}
}

// payChunkTx pays the next members and says whether the payout is done.
func payChunkTx(tx *database.Tx, pid id.Payout) (bool, error) {
	p, err := findPayout(tx.DB, pid, "")
	if err != nil {
		return false, err
	}
	if _, err := lock(tx, p.SettlementID); err != nil {
		return false, err
	}
	p, err = findPayout(tx.DB, pid, tx.Dialect.ForUpdate)
	if err != nil || p.Status != PayoutPaying {
		return p.Status == PayoutPaid, err
	}
	var last id.Member
	if err := tx.Raw("SELECT COALESCE(MAX(member_id), 0) FROM payout_lines WHERE payout_id = ?", pid).Scan(&last).Error; err != nil {
		return false, err
	}
	var lines []PayoutLine
	err = tx.Raw(`SELECT member_id, SUM(gross) AS gross, SUM(tax) AS tax, SUM(net) AS net FROM settlement_lines
		WHERE settlement_id = ? AND member_id > ? GROUP BY member_id HAVING SUM(gross) <> 0 ORDER BY member_id LIMIT ?`,
		p.SettlementID, last, payChunk).Scan(&lines).Error
	switch {
	case err != nil:
		return false, err
	case len(lines) == 0:
		return true, endPayTx(tx, p)
	}
	return false, payLinesTx(tx, p, lines)
}

// payLinesTx writes the lines and the ledger. The accounts are those of who
// the members are today; that is looked at again once the accounts are locked,
// because a merge locks them too.
func payLinesTx(tx *database.Tx, p Payout, lines []PayoutLine) error {
	members := make([]id.Member, 0, len(lines))
	for _, l := range lines {
		members = append(members, l.MemberID)
	}
	live, err := today(tx.DB, members)
	if err != nil {
		return err
	}
	transfers := make([]wallet.Transfer, 0, len(lines))
	for i := range lines {
		l := &lines[i]
		l.ID, l.PayoutID, l.LineNo, l.Status = tx.Next(), p.ID, p.LineCount+i+1, PayoutLinePaid
		l.PaidTo = live[l.MemberID]
		transfers = append(transfers, l.transfer())
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
		lines[i].TransferID = ids[i]
	}
	if err := tx.Create(&lines).Error; err != nil {
		return err
	}
	return tx.Exec("UPDATE payouts SET line_count = line_count + ? WHERE id = ?", len(lines), p.ID).Error
}

// key is the permanent business key of the line's ledger fact.
func (l PayoutLine) key() string { return fmt.Sprintf("payout:%d:%d", l.PayoutID, l.LineNo) }

func (l PayoutLine) transfer() wallet.Transfer {
	owner := wallet.Member(l.PaidTo)
	t := wallet.Move(l.key(), "payout", money.CNY, l.Gross, wallet.At(wallet.StagePayable, owner), wallet.At(wallet.StagePaid, owner))
	if l.Tax != 0 {
		t.Legs[1].Amount = l.Net
		t.Legs = append(t.Legs, wallet.Leg{Stage: wallet.StageTax, Owner: owner, Amount: l.Tax})
	}
	return t
}

// endPayTx closes the payout if its lines are the settlement's total.
func endPayTx(tx *database.Tx, p Payout) error {
	var paid sum
	err := tx.Raw("SELECT COUNT(*) AS line_count, COALESCE(SUM(gross), 0) AS gross, COALESCE(SUM(tax), 0) AS tax, COALESCE(SUM(net), 0) AS net FROM payout_lines WHERE payout_id = ?", p.ID).Scan(&paid).Error
	if err != nil {
		return err
	}
	if paid != (sum{p.LineCount, p.Gross, p.Tax, p.Net}) {
		return fmt.Errorf("settlement: %s paid %s on %d lines, want %s on %d", p.ID, paid.Net, paid.Lines, p.Net, p.LineCount)
	}
	if err := tx.Exec("UPDATE payouts SET status = ?, paid_at = ? WHERE id = ?", PayoutPaid, tx.Now, p.ID).Error; err != nil {
		return err
	}
	err = tx.Exec("UPDATE settlements SET status = ?, paid_by = ?, paid_at = ? WHERE id = ?", StatusPaid, p.PaidBy, tx.Now, p.SettlementID).Error
	if err != nil {
		return err
	}
	return publishPaid(tx, p)
}
