package settlement

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/wechat"
	"siyu/referral/payee"
)

// wave is how many bills are asked about before their answers are written, and
// callers how many at a time.
const (
	wave    = 50
	callers = 8
)

// A wave belongs to the run that took it for takenFor; a run that was slower
// than half of it leaves what it has not asked about, so that two never ask
// for one bill with an answer of "there is none" between them.
const takenFor = 2 * time.Minute

type billsJob struct {
	Payout id.Payout `json:"payout"`
}

func (billsJob) Kind() string { return "settlement:work_bills" }

// workBills works what is due and comes back when the next bill is; the job
// ends with the last open bill of the payout.
func (s *Service) workBills(ctx context.Context, j task.Job, a billsJob) error {
	if err := s.RunBills(ctx, a.Payout); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		var next clock.Milli
		err := tx.Raw("SELECT COALESCE(MIN(next_at), 0) FROM payout_bills WHERE payout_id = ? AND status IN ?", a.Payout, openBills).Scan(&next).Error
		if err != nil {
			return err
		}
		if next != 0 {
			// Notices make bills too, a try after one that expired.
			if err := task.EnqueueTx(tx, a, min(max(next, tx.Now.Add(time.Second)), tx.Now.Add(pollEvery))); err != nil {
				return err
			}
		}
		return j.DoneTx(tx)
	})
}

// asked is a bill with what was asked about it and what came back.
type asked struct {
	Bill
	did  act
	told wechat.Bill
	err  error
}

// RunBills asks the channel about every bill of the payout that is due, in
// waves: each is noted as asked before it is, and what was answered is written
// after. A run that is cut off anywhere leaves bills that are asked about by
// their number.
func (s *Service) RunBills(ctx context.Context, pid id.Payout) error {
	if s.Bills == nil {
		return ErrNoBills
	}
	for {
		list, err := s.takeBills(ctx, pid)
		if err != nil || len(list) == 0 {
			return err
		}
		database.KillPoint("settlement:bill_kept")
		if err := s.ask(ctx, pid, list); err != nil {
			return err
		}
		database.KillPoint("settlement:bill_told")
		if err := s.tell(ctx, pid, list); err != nil {
			return err
		}
	}
}

// takeBills takes the bills that are due longest and notes them as asked.
func (s *Service) takeBills(ctx context.Context, pid id.Payout) ([]asked, error) {
	var list []asked
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		list = nil
		if _, _, err := lockPayout(tx, pid); err != nil {
			return err
		}
		var rows []Bill
		err := tx.Raw("SELECT * FROM payout_bills WHERE payout_id = ? AND status IN ? AND next_at <= ? ORDER BY next_at, id LIMIT ?", pid, openBills, tx.Now, wave).Scan(&rows).Error
		if err != nil {
			return err
		}
		for _, b := range rows {
			x := asked{Bill: b, did: b.next(tx.Now)}
			x.Asked++
			x.NextAt = tx.Now.Add(takenFor)
			switch {
			case x.did == actNone:
				x.Code, x.NextAt = "TOO_OLD", tx.Now.Add(24*time.Hour)
			case x.Status == BillMade:
				if x.Status = BillAsked; x.SentAt == 0 {
					x.SentAt = tx.Now
				}
			}
			if err := x.writeTx(tx); err != nil {
				return err
			}
			if x.did != actNone {
				list = append(list, x)
			}
		}
		return nil
	})
	return list, err
}

func (b Bill) writeTx(tx *database.Tx) error {
	return tx.Exec(`UPDATE payout_bills SET status = ?, asked_no = ?, refused = ?, code = ?, platform_no = ?, package_info = ?, sent_at = ?, until_at = ?, next_at = ?, ended_at = ?
		WHERE id = ?`, b.Status, b.Asked, b.Refused, b.Code, b.PlatformNo, b.Package, b.SentAt, b.UntilAt, b.NextAt, b.EndedAt, b.ID).Error
}

// ask calls the channel for each bill, some at a time and no faster than its
// rate, and waits for all.
func (s *Service) ask(ctx context.Context, pid id.Payout, list []asked) error {
	refs := make([]payee.Ref, 0, len(list))
	for _, x := range list {
		if x.did == actSend {
			refs = append(refs, payee.Ref{Payee: x.PayeeID, No: x.PayeeNo})
		}
	}
	var to map[payee.Ref]payee.Opened
	if len(refs) > 0 {
		var err error
		if to, err = s.Vault.OpenVault(ctx, pid, refs); err != nil {
			return err
		}
	}
	started := time.Now()
	pace := time.NewTicker(time.Second / time.Duration(max(s.Bills.Rate, 1)))
	defer pace.Stop()
	turns := make(chan *asked)
	var calls sync.WaitGroup
	for range min(callers, len(list)) {
		calls.Go(func() {
			for x := range turns {
				x.told, x.err = s.call(ctx, *x, to[payee.Ref{Payee: x.PayeeID, No: x.PayeeNo}])
			}
		})
	}
	for i := range list {
		list[i].err = errUnasked
		select {
		case <-pace.C:
		case <-ctx.Done():
		}
		if ctx.Err() == nil && time.Since(started) < takenFor/2 {
			turns <- &list[i]
		}
	}
	close(turns)
	calls.Wait()
	return nil
}

// errUnasked marks what a wave did not come to.
var errUnasked = errors.New("settlement: not asked")

// errGone stands for an answer where nobody can be paid any more.
var errGone = fmt.Errorf("settlement: the payee was erased: %w", wechat.ErrAccount)

func (s *Service) call(ctx context.Context, x asked, to payee.Opened) (wechat.Bill, error) {
	switch {
	case x.did == actSend && to.OpenID == "":
		return wechat.Bill{}, errGone
	case x.did == actSend:
		return s.Bills.Teller.Send(ctx, s.Bills.transfer(x.Bill, to))
	case x.did == actCancel:
		// What became of it is asked in any case: it may have ended before.
		if _, err := s.Bills.Teller.Cancel(ctx, x.No); wechat.SortOf(err) == wechat.SortUnsure && err != nil {
			return wechat.Bill{}, err
		}
	}
	return s.Bills.Teller.Find(ctx, x.No)
}
