package referral

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/review"
	"siyu/wallet"
)

// RefundedTx takes back what an order's rewards lose by a refund.
// refundedGoods is everything refunded of the order's goods so far, this
// refund included; the share lost is computed from it each time, so refunds in
// any number, size and order end at the same sum. Before clearing the reward
// is voided or reduced, afterwards it is clawed back and may leave a debt.
func RefundedTx(tx *database.Tx, order id.Order, refund id.Refund, refundedGoods money.Amount) error {
	return lostTx(tx, order, refund.String(), refundedGoods)
}

// lostTx takes back what the order's rewards lose for all goods refunded so
// far; ref is the cause.
func lostTx(tx *database.Tx, order id.Order, ref string, refundedGoods money.Amount) error {
	list, err := lockRewards(tx, "order_id", int64(order))
	if err != nil {
		return err
	}
	byHolder(list)
	var left []taken
	for _, r := range list {
		lost := Lost(r.Amount, r.Base, refundedGoods) - (r.Amount - r.Net)
		if lost <= 0 {
			continue
		}
		cause := r.cause(ref, refundedGoods)
		n, err := r.leftTx(tx, lost, cause)
		if err != nil {
			return err
		}
		left = append(left, taken{r, n, cause})
	}
	if err := unstepTx(tx, left); err != nil {
		return err
	}
	for _, l := range left {
		if err := l.takeBack(tx, l.n, l.ref, ""); err != nil {
			return err
		}
	}
	return nil
}

// taken is a reward of which something is to be taken back, and how much.
// Holders come before accounts in the order of locks, so points and coupons of
// all rewards are taken back before anything is booked on accounts.
type taken struct {
	Reward
	n   money.Amount
	ref string
}

// cause is the unique reference of what a reward loses now: the refund that was
// reported last. The same refund may come up twice, because several were
// reported in the same millisecond or because another one's sum was noted late.
// Then the sum refunded so far is added, so that the new loss is not taken for
// one that is booked already.
func (r Reward) cause(ref string, refundedGoods money.Amount) string {
	for _, e := range r.Events {
		if e.Amount < 0 && e.Ref == ref {
			return fmt.Sprintf("%s:%d", ref, refundedGoods)
		}
	}
	return ref
}

// Lost is the part of a reward that goes with refunded goods: the floored
// cumulative share, all of it once all goods are refunded.
func Lost(reward, base, refunded money.Amount) money.Amount {
	if base <= 0 || refunded >= base {
		return reward
	}
	return reward.Share(max(refunded, 0), base)
}

// takeBack books that part of a reward returns to the budget; ref makes it
// happen once. Nothing is written of what was gone already.
func (r Reward) takeBack(tx *database.Tx, lost money.Amount, ref, reason string) error {
	kind, from := EventReduced, wallet.StageReserved
	switch {
	case r.ClearedAt != 0:
		kind, from = EventClawedBack, wallet.StagePayable
	case lost == r.Net:
		kind = EventVoided
	}
	if lost == 0 || r.did(kind, ref) {
		return nil
	}
	transfer, err := wallet.PostTx(tx, r.move(string(kind)+":"+ref, "reward_"+string(kind), lost,
		r.at(from), wallet.At(wallet.StageBudget, r.payer())))
	if err != nil {
		return err
	}
	if err := r.event(tx, RewardEvent{Kind: kind, Ref: ref, Amount: -lost, Reason: reason}, transfer); err != nil {
		return err
	}
	switch {
	case kind != EventVoided:
		return nil
	case r.Review == ReviewOpen:
		return r.mootTx(tx)
	}
	return r.restTx(tx)
}

// VoidReward takes a whole reward back, with a reason on record. A cleared one
// is clawed back and may leave a debt. One in review is refused by it, which
// takes a second person.
func (s *Service) VoidReward(ctx context.Context, reward id.Reward, reason string) error {
	var c fault.Check
	c.Required(reason, "reason")
	c.Length(reason, "reason", 200)
	if err := c.Err(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		list, err := lockRewards(tx, "id", int64(reward))
		if err != nil {
			return err
		}
		if len(list) == 0 || !tx.Actor.Sees(list[0].UnitID) {
			return fault.NotFound
		}
		r := list[0]
		if r.State != RewardPending && r.State != RewardCleared {
			return ErrRewardState.With("state", r.State)
		}
		if r.Review == ReviewOpen {
			if err := r.decideTx(tx, review.StateRefused, reason); err != nil {
				return err
			}
			r.Review = ReviewRefused
		}
		left, err := r.leftTx(tx, r.Net, "void")
		switch {
		case err != nil:
			return err
		case left == 0:
			return ErrNothingLeft
		}
		if err := unstepTx(tx, []taken{{r, left, "void"}}); err != nil {
			return err
		}
		if err := r.takeBack(tx, left, "void", reason); err != nil {
			return err
		}
		tx.SetResult("reward", int64(reward), 200)
		return database.AuditTx(tx, "reward.void", reward, r.State, reason)
	})
}
