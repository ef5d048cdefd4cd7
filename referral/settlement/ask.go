package settlement

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
	"siyu/referral/payee"
	"siyu/wallet"
)

// AskIn names the payer that a member wants to be paid by.
type AskIn struct {
	PayerID id.Payer `json:"payer_id"`
}

// Validate checks the form of the input.
func (in *AskIn) Validate() error {
	var c fault.Check
	c.That(in.PayerID != 0, "payer_id", "required", "请指定付款主体", "name the payer")
	return c.Err()
}

// looksAhead is how often a request looks for what is due before it takes its
// locks; when others took of it each time, it looks once more under them.
const looksAhead = 3

// Ask makes a request of what the payer owes the member now. What is due is
// looked for before any lock, because that may walk much of what he earned and every
// other request of the payer would wait for it; under the locks those rewards
// alone that the request covers are looked at again, and if one of them is not
// what it was the look is repeated.
//
// The payer's head is locked first, so that a closing has it before or after;
// then the member's holder, so that his requests go one after the other and no
// merge comes between; the counter of his day is raised under that lock, and
// the place it gives is a unique key, as is each reward.
func (s *Service) Ask(ctx context.Context, m id.Member, in AskIn) (id.Withdrawal, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	for n := 0; ; n++ {
		var seen *look
		if n < looksAhead {
			var err error
			if seen, err = lookFor(s.DB.Read(ctx), in.PayerID, m); err != nil {
				return 0, err
			}
		}
		var wid id.Withdrawal
		err := s.DB.Tx(ctx, func(tx *database.Tx) (err error) {
			wid, err = askTx(tx, m, in.PayerID, seen)
			return err
		})
		if !errors.Is(err, errSeenMoved) {
			return wid, err
		}
	}
}

// look is what was due to a member before anything was locked.
type look struct {
	member id.Member
	list   []payable
}

// errSeenMoved says that a reward of the look is not what it was.
var errSeenMoved = errors.New("settlement: what was due has changed since it was looked for")

func lookFor(q *database.Query, pid id.Payer, m id.Member) (*look, error) {
	live, err := today(q, []id.Member{m})
	if err != nil {
		return nil, err
	}
	list, err := payables(q, pid, live[m])
	return &look{live[m], list}, err
}

// askTx makes a request out of what was seen to be due; without a look it
// looks under its locks.
func askTx(tx *database.Tx, m id.Member, pid id.Payer, seen *look) (id.Withdrawal, error) {
	h, err := headTx(tx, pid)
	switch {
	case err != nil:
		return 0, err
	case h.TermsNo == 0:
		return 0, ErrByPeriod
	}
	if err := notClosing(tx, pid); err != nil {
		return 0, err
	}
	live, err := wallet.HoldTx(tx, m)
	if err != nil {
		return 0, err
	}
	o, err := offerTx(tx, h, live, seen)
	if err != nil {
		return 0, err
	}
	if o.Refusal != nil {
		return 0, o.Refusal
	}
	if err := canBePaid(tx, o, live); err != nil {
		return 0, err
	}
	w := Withdrawal{ID: id.Withdrawal(tx.Next()), PayerID: h.PayerID, No: h.LastNo + 1, MemberID: live, TermsNo: h.TermsNo, Status: WithdrawalAsked,
		RewardCount: o.RewardCount, Gross: o.Gross, Fee: o.Fee, DayNo: clock.Day(tx.Now.Time(), zone), AskedAt: tx.Now}
	if w.DaySeq, err = countTx(tx, w, o.Terms.PerDay); err != nil {
		return 0, err
	}
	if err := w.insertTx(tx, o.take); err != nil {
		return 0, err
	}
	tx.SetResult("withdrawal", int64(w.ID), 201)
	return w.ID, publishWithdrawal(tx, eventWithdrawalAsked, w)
}

// notClosing refuses while a settlement of the payer takes all that is due: it
// and a request could take the same reward.
func notClosing(tx *database.Tx, pid id.Payer) error {
	var closing int
	err := tx.Raw("SELECT COUNT(*) FROM settlements WHERE payer_id = ? AND status = ? AND on_request = 0", pid, StatusClosing).Scan(&closing).Error
	if err == nil && closing > 0 {
		err = ErrBusy
	}
	return err
}

// offerTx is what a request made now would be, under the locks: of what was
// seen before them, if all that it covers still stands as it was seen.
func offerTx(tx *database.Tx, h head, m id.Member, seen *look) (Offer, error) {
	t, err := termsOf(tx.DB, h.PayerID, h.TermsNo)
	if err != nil || t.Mode != ModeOnRequest {
		return Offer{Refusal: ErrByPeriod}, err
	}
	asked, err := askedOn(tx.DB, h.PayerID, m, clock.Day(tx.Now.Time(), zone))
	if err != nil {
		return Offer{}, err
	}
	if seen == nil {
		list, err := payables(tx.DB, h.PayerID, m)
		return offer(t, list, asked), err
	}
	if seen.member != m {
		return Offer{}, errSeenMoved
	}
	o := offer(t, seen.list, asked)
	for part := range slices.Chunk(o.take, lookAgain) {
		still, err := stillPayable(tx.DB, h.PayerID, m, part)
		if err != nil {
			return Offer{}, err
		}
		if !slices.Equal(part, still) {
			return Offer{}, errSeenMoved
		}
	}
	return o, nil
}

// canBePaid refuses who could not be paid now, so that he mends it first.
func canBePaid(tx *database.Tx, o Offer, m id.Member) error {
	ready, err := payee.ForPaymentTx(tx, o.PayerID, []payee.Owed{{Member: m, Amount: o.Net}})
	if err == nil && ready[m].Blocked != "" {
		err = ErrCannotPay.With("reason", ready[m].Blocked)
	}
	return err
}

// countTx raises the counter of the member's day and gives the place in it.
func countTx(tx *database.Tx, w Withdrawal, most int) (int, error) {
	var n []int
	const of = " WHERE member_id = ? AND payer_id = ? AND day_no = ?"
	if err := tx.Raw("SELECT qty FROM withdrawal_days"+of, w.MemberID, w.PayerID, w.DayNo).Scan(&n).Error; err != nil {
		return 0, err
	}
	if len(n) == 0 {
		err := tx.Exec("INSERT INTO withdrawal_days (member_id, payer_id, day_no, qty) VALUES (?, ?, ?, 1)", w.MemberID, w.PayerID, w.DayNo).Error
		if !database.IsDuplicate(err) {
			return 1, err
		}
		n = []int{0}
	}
	err := database.One(tx.Exec("UPDATE withdrawal_days SET qty = qty + 1"+of+tx.Only("qty < ?"), w.MemberID, w.PayerID, w.DayNo, most), ErrPerDay.With("limit", most))
	return n[0] + 1, err
}

// insertTx writes the request and what it covers, and takes its number.
func (w Withdrawal) insertTx(tx *database.Tx, take []payable) error {
	unit, err := payerUnit(tx.DB, tx.Actor, w.PayerID)
	if err != nil {
		return err
	}
	err = tx.Exec(`INSERT INTO withdrawals (id, payer_id, unit_id, no, member_id, terms_no, status, reward_count, gross, fee, day_no, day_seq, asked_at, reopened_at,
			settlement_id, ended_at, ended_by, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, '')`,
		w.ID, w.PayerID, unit, w.No, w.MemberID, w.TermsNo, w.Status, w.RewardCount, w.Gross, w.Fee, w.DayNo, w.DaySeq, w.AskedAt).Error
	if err != nil {
		return fmt.Errorf("settlement: withdrawal of %s: %w", w.MemberID, err)
	}
	rows := make([]any, len(take))
	for i, r := range take {
		rows[i] = []any{w.ID, r.RewardID, 0, r.Amount}
	}
	err = tx.Exec("INSERT INTO withdrawal_rewards (withdrawal_id, reward_id, live, amount) VALUES "+strings.Repeat("?,", len(rows)-1)+"?", rows...).Error
	if err != nil {
		return fmt.Errorf("settlement: rewards of %s: %w", w.ID, err)
	}
	return tx.Exec("UPDATE withdrawal_heads SET last_no = ? WHERE payer_id = ?", w.No, w.PayerID).Error
}

// CancelWithdrawal ends a request that no settlement has taken, on its
// member's word. Its place in the day stays used.
func (s *Service) CancelWithdrawal(ctx context.Context, wid id.Withdrawal) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		w, err := withdrawalOf(tx.DB, tx.Actor, wid, tx.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		tx.SetResult("withdrawal", int64(wid), 200)
		return w.endTx(tx, WithdrawalCancelled, "", eventWithdrawalCancelled)
	})
}

// RefuseIn says why a request is refused.
type RefuseIn struct {
	Reason string `json:"reason"`
}

// Validate wants a reason, which its member reads.
func (in *RefuseIn) Validate() error {
	var c fault.Check
	c.Required(in.Reason, "reason")
	c.Length(in.Reason, "reason", 200)
	return c.Err()
}

// RefuseWithdrawal ends a request that no settlement has taken, with the
// reason. Its rewards may be asked for again.
func (s *Service) RefuseWithdrawal(ctx context.Context, wid id.Withdrawal, in RefuseIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := staff(tx); err != nil {
			return err
		}
		w, err := withdrawalOf(tx.DB, tx.Actor, wid, tx.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		if err := w.endTx(tx, WithdrawalRefused, in.Reason, eventWithdrawalRefused); err != nil {
			return err
		}
		return database.AuditTx(tx, "withdrawal.refuse", wid, WithdrawalAsked, in)
	})
}

// endTx ends a request whose row is locked and lets its rewards go.
func (w Withdrawal) endTx(tx *database.Tx, to WithdrawalStatus, reason string, event webhook.Type) error {
	err := database.One(tx.Exec("UPDATE withdrawals SET status = ?, reason = ?, ended_at = ?, ended_by = ? WHERE id = ?"+tx.Only("status = ?"),
		to, reason, tx.Now, tx.Actor.Staff, w.ID, WithdrawalAsked), ErrNotAsked.With("state", w.Status))
	if err != nil {
		return err
	}
	if err := tx.Exec("UPDATE withdrawal_rewards SET live = ? WHERE withdrawal_id = ?", w.ID, w.ID).Error; err != nil {
		return err
	}
	w.Reason = reason
	return publishWithdrawal(tx, event, w)
}

func publishWithdrawal(tx *database.Tx, event webhook.Type, w Withdrawal) error {
	return webhook.PublishTx(tx, event, map[string]any{"id": w.ID, "payer_id": w.PayerID, "member_id": w.MemberID, "gross_fen": w.Gross, "fee_fen": w.Fee, "reason": w.Reason})
}
