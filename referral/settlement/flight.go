package settlement

import (
	"fmt"
	"maps"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/wallet"
)

// flying are the states in which nobody knows yet whether a payment arrived;
// its member gets no other of the same settlement.
var flying = []PayoutLineStatus{PayoutLineSent, PayoutLineUnknown}

func (s PayoutLineStatus) flies() bool { return s == PayoutLineSent || s == PayoutLineUnknown }

// arriveTx notes that payments on their way have arrived: paying → paid.
func arriveTx(tx *database.Tx, lines []PayoutLine) error {
	if len(lines) == 0 {
		return nil
	}
	ids, err := moveTx(tx, lines, func(l PayoutLine) wallet.Transfer {
		owner := wallet.Member(l.PaidTo)
		return wallet.Move(l.key()+":arrived", "payout_arrived", money.CNY, l.Net, wallet.At(wallet.StagePaying, owner), wallet.At(wallet.StagePaid, owner))
	})
	if err != nil {
		return err
	}
	for i, l := range lines {
		err := tx.Exec("UPDATE payout_lines SET status = ?, arrived_by = ?, paid_at = ?, reason = '' WHERE id = ?", PayoutLinePaid, ids[i], tx.Now, l.ID).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// returnTx takes payments back, each by a transfer that corrects its payment:
// the tax first, in the lock order, then the ledger. The next settlement
// carries them.
func returnTx(tx *database.Tx, p Payout, lines []PayoutLine) error {
	if len(lines) == 0 {
		return nil
	}
	if err := roomBackTx(tx, p.PayerID, lines); err != nil {
		return err
	}
	keys := make([]string, 0, len(lines))
	for _, l := range lines {
		keys = append(keys, l.key())
	}
	if _, err := payee.ReverseTx(tx, keys); err != nil {
		return err
	}
	ids, err := moveTx(tx, lines, func(l PayoutLine) wallet.Transfer {
		at := wallet.StagePaid
		if l.Status.flies() {
			at = wallet.StagePaying
		}
		t := l.transfer(at)
		t.Key, t.Kind, t.Corrects = l.key()+":failed", "payout_failed", l.TransferID
		for i := range t.Legs {
			t.Legs[i].Amount = -t.Legs[i].Amount
		}
		return t
	})
	if err != nil {
		return err
	}
	for i, l := range lines {
		err := tx.Exec("UPDATE payout_lines SET status = ?, returned_by = ?, failed_at = ?, reason = ?, day_no = 0 WHERE id = ?",
			PayoutLineFailed, ids[i], tx.Now, l.Reason, l.ID).Error
		if err != nil {
			return err
		}
		if err := publishFailed(tx, l); err != nil {
			return err
		}
	}
	return tx.Exec("UPDATE payouts SET failed_count = failed_count + ? WHERE id = ?", len(lines), p.ID).Error
}

// moveTx posts one transfer a line on the accounts of who the members are
// today: a merge took their balances along.
func moveTx(tx *database.Tx, lines []PayoutLine, transfer func(PayoutLine) wallet.Transfer) ([]id.Transfer, error) {
	members := make([]id.Member, 0, len(lines))
	for _, l := range lines {
		members = append(members, l.PaidTo)
	}
	live, err := today(tx.DB, members)
	if err != nil {
		return nil, err
	}
	list := make([]wallet.Transfer, 0, len(lines))
	for _, l := range lines {
		l.PaidTo = live[l.PaidTo]
		list = append(list, transfer(l))
	}
	ids, err := wallet.PostManyTx(tx, list)
	if err != nil {
		return nil, err
	}
	again, err := today(tx.DB, members)
	if err == nil && !maps.Equal(live, again) {
		err = fault.Unavailable.Wrap(errMerged)
	}
	return ids, err
}

// finishTx closes a payout of which nothing is on its way any more, and the
// settlement once all it owes has arrived or come back.
func finishTx(tx *database.Tx, pid id.Payout) error {
	p, err := findPayout(tx.DB, pid, "")
	if err != nil {
		return err
	}
	var flight int
	if err := tx.Raw("SELECT COUNT(*) FROM payout_lines WHERE payout_id = ? AND status IN ?", pid, flying).Scan(&flight).Error; err != nil {
		return err
	}
	if flight == 0 && p.Status == PayoutSent {
		if err := tx.Exec("UPDATE payouts SET status = ?, paid_at = ? WHERE id = ?", PayoutPaid, tx.Now, pid).Error; err != nil {
			return err
		}
		if err := publishPayout(tx, p); err != nil {
			return err
		}
	}
	return settledTx(tx, p)
}

// settledTx marks the settlement as paid once all it owes stands on lines of
// which none is on its way.
func settledTx(tx *database.Tx, p Payout) error {
	st, err := find(tx.DB, p.SettlementID)
	if err != nil {
		return fmt.Errorf("settlement: %s: %w", p.SettlementID, err)
	}
	given, err := givenOut(tx.DB, st.ID)
	if err != nil || given.Owed != st.Gross || given.Flying != 0 || st.Status != StatusReviewed {
		return err
	}
	err = tx.Exec("UPDATE settlements SET status = ?, paid_by = ?, paid_at = ? WHERE id = ?", StatusPaid, p.PaidBy, tx.Now, st.ID).Error
	if err != nil {
		return err
	}
	return publishPaid(tx, p, given)
}
