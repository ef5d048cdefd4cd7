package settlement

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/wechat"
)

// ReadNotice takes what the channel tells of a bill that became final. It may
// come twice, late, or before the answer to our own question.
func (s *Service) ReadNotice(ctx context.Context, h http.Header, body []byte) error {
	if s.Bills == nil {
		return fault.NotFound
	}
	told, err := s.Bills.Teller.ReadNotice(h, body)
	if err != nil {
		return ErrNotice.Wrap(err)
	}
	var b Bill
	if err := s.DB.Read(ctx).Raw("SELECT * FROM payout_bills WHERE bill_no = ?", told.BillNo).Scan(&b).Error; err != nil {
		return err
	}
	if b.ID == 0 {
		return fault.NotFound
	}
	return s.tell(ctx, b.PayoutID, []asked{{Bill: b, did: actFind, told: told}})
}

// ErrNotice refuses a notice that the channel did not sign for us.
var ErrNotice = fault.New(fault.KindUnauthorized, "settlement.notice", "通知验签或解密失败", "the notice is not signed or sealed as it must be")

// tell writes what was answered about bills, and what follows for their lines
// and the ledger.
func (s *Service) tell(ctx context.Context, pid id.Payout, list []asked) error {
	for {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error { return tellTx(tx, pid, list) })
		if !errors.Is(err, errMerged) {
			return err
		}
	}
}

func tellTx(tx *database.Tx, pid id.Payout, list []asked) error {
	_, p, err := lockPayout(tx, pid)
	if err != nil {
		return err
	}
	ids := make([]int64, 0, len(list))
	for _, x := range list {
		ids = append(ids, x.ID)
	}
	var rows []Bill
	if err := tx.Raw("SELECT * FROM payout_bills WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, ids).Scan(&rows).Error; err != nil {
		return err
	}
	now := make(map[int64]Bill, len(rows))
	for _, b := range rows {
		now[b.ID] = b
	}
	ended := map[int64]Bill{} // by line
	for _, x := range list {
		b := now[x.ID]
		if errors.Is(x.err, errUnasked) {
			if !b.Status.final() {
				b.NextAt = tx.Now
			}
		} else if b = b.heard(x.did, x.told, x.err, tx.Now); b.Status.final() && !now[x.ID].Status.final() {
			ended[b.LineID] = b
		}
		if err := b.writeTx(tx); err != nil {
			return err
		}
	}
	return endLinesTx(tx, p, ended)
}

// endLinesTx carries the end of bills to their lines: arrived, come back, or
// another bill after one that nobody confirmed.
func endLinesTx(tx *database.Tx, p Payout, ended map[int64]Bill) error {
	if len(ended) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(ended))
	for line := range ended {
		ids = append(ids, line)
	}
	var lines, arrived, failed []PayoutLine
	if err := tx.Raw("SELECT * FROM payout_lines WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, ids).Scan(&lines).Error; err != nil {
		return err
	}
	for _, l := range lines {
		b := ended[l.ID]
		switch {
		case !l.Status.flies():
			return fmt.Errorf("settlement: bill %s is %s, its line is %s", b.No, b.Status, l.Status)
		case b.Status == BillPaid:
			arrived = append(arrived, l)
		case b.Status == BillExpired && b.Try < triesMost:
			again := billOf(tx, l, b.Try+1)
			if err := tx.Create(&again).Error; err != nil {
				return err
			}
		default:
			if l.Reason = b.Code; l.Reason == "" || b.Status == BillExpired {
				l.Reason = string(b.Status)
			}
			failed = append(failed, l)
		}
	}
	if err := returnTx(tx, p, failed); err != nil {
		return err
	}
	if err := arriveTx(tx, arrived); err != nil {
		return err
	}
	return finishTx(tx, p.ID)
}

// giveUpTx lets a person call payments failed whose bill the channel has
// forgotten. Of every other bill the channel's word counts alone: what two say
// of one payment must not differ.
func giveUpTx(tx *database.Tx, lines []PayoutLine) error {
	for _, l := range lines {
		res := tx.Exec("UPDATE payout_bills SET status = ?, code = 'BY_HAND', ended_at = ?, next_at = 0, package_info = '' WHERE line_id = ? AND status IN ? AND sent_at <> 0 AND sent_at <= ?",
			BillFailed, tx.Now, l.ID, openBills, tx.Now.Add(-askedFor))
		if err := database.One(res, ErrBillOpen.With("line", l.LineNo)); err != nil {
			return err
		}
	}
	return nil
}

var _ Teller = (*wechat.Client)(nil)
