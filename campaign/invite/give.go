package invite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
	"siyu/wallet"
)

// sourceInvite is the source of a coupon that a step gave; its id is the
// reward's.
const sourceInvite wallet.SourceKind = "invite"

// giveDue gives what is due, a transaction each. One that fails does not hold
// up the others.
func (s *Service) giveDue(ctx context.Context) error {
	var failed []error
	now := clock.MilliOf(s.DB.Clock.Now())
	for after := id.StepReward(0); ; {
		var due []id.StepReward
		err := s.DB.Read(ctx).Raw("SELECT id FROM invite_rewards WHERE state IN ? AND next_at <= ? AND id > ? ORDER BY id LIMIT 200",
			[]RewardState{RewardMaturing, RewardWaiting}, now, after).Scan(&due).Error
		if err != nil {
			return fmt.Errorf("invite: due rewards: %w", err)
		}
		if len(due) == 0 {
			return errors.Join(failed...)
		}
		for _, rid := range due {
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return giveTx(tx, rid) }); err != nil {
				failed = append(failed, fmt.Errorf("invite: give %s: %w", rid, err))
			}
			after = rid
		}
	}
}

// giveTx gives one reward to the member as he is today: the coupon, the points
// or the right to the goods. What cannot be given now waits, with the reason.
func giveTx(tx *database.Tx, rid id.StepReward) error {
	w, err := findReward(tx.DB, database.Actor{}, rid, tx.Dialect.ForUpdate)
	if err != nil {
		return err
	}
	if w.State != RewardMaturing && w.State != RewardWaiting || w.NextAt > tx.Now {
		return nil
	}
	m, why, err := taker(tx, w.MemberID)
	if err != nil {
		return err
	}
	if why != "" {
		return w.wait(tx, why, tx.Now.Add(measureEvery))
	}
	doubted, err := doubtedTx(tx, w, m)
	if err != nil {
		return err
	}
	if doubted {
		return w.wait(tx, ReasonReview, tx.Now.Add(measureEvery))
	}
	day, err := lockDay(tx, w)
	if err != nil {
		return err
	}
	if day.full() {
		return w.wait(tx, ReasonInviterDayCap, day.next)
	}
	switch w.Kind {
	case GiftCoupon:
		w.MemberCouponID, err = wallet.IssueTx(tx, wallet.Issue{Coupon: w.CouponID, Member: m, SourceKind: sourceInvite, SourceID: w.ID.String()})
		if f, refused := fault.As(err); refused && (f.Kind == fault.KindConflict || f.Kind == fault.KindNotFound) {
			return w.wait(tx, Reason(f.Code), tx.Now.Add(measureEvery))
		}
	case GiftPoints:
		err = wallet.EarnPointsTx(tx, wallet.EarnPoints{
			Member: m, Reference: pointsRef(w.ID), Points: money.Amount(w.Points), ExpiresDay: clock.Day(tx.Now.Time().AddDate(0, 0, w.ValidDays), time.FixedZone(clock.Shanghai, 8*60*60)),
		})
	}
	if err != nil {
		return err
	}
	if err := day.take(tx); err != nil {
		return err
	}
	return w.give(tx, day.Day)
}

// pointsRef names the move of points that a reward gave.
func pointsRef(rid id.StepReward) string { return "invite:" + rid.String() }

// taker is whom the member has become, and why he cannot be given anything.
func taker(tx *database.Tx, m id.Member) (id.Member, Reason, error) {
	today, err := community.FollowMerges(tx.DB, []id.Member{m})
	if err != nil {
		return 0, "", err
	}
	m = today[m]
	strong, err := community.StrongIn(tx.DB, []id.Member{m})
	if err == nil && !strong[m] {
		return m, ReasonIdentity, nil
	}
	return m, "", err
}

func (w Reward) wait(tx *database.Tx, why Reason, until clock.Milli) error {
	return tx.Exec("UPDATE invite_rewards SET state = ?, reason = ?, next_at = ? WHERE id = ?", RewardWaiting, why, until, w.ID).Error
}

// give ends the reward; goods are ready and wait for the hand-over.
func (w Reward) give(tx *database.Tx, day int) error {
	w.State, w.GivenAt, w.GivenDay = RewardGiven, tx.Now, day
	if w.Kind == GiftGoods {
		w.State, w.GivenAt = RewardReady, 0
	}
	if w.Reason != ReasonPointsClamped {
		w.Reason = ""
	}
	res := tx.Exec("UPDATE invite_rewards SET state = ?, reason = ?, next_at = 0, given_at = ?, given_day = ?, member_coupon_id = ? WHERE id = ?"+tx.Only("state IN (?, ?)"),
		w.State, w.Reason, w.GivenAt, w.GivenDay, w.MemberCouponID, w.ID, RewardMaturing, RewardWaiting)
	if err := database.One(res, fmt.Errorf("invite: %s was given meanwhile", w.ID)); err != nil {
		return err
	}
	database.KillPoint("invite:given")
	if w.Kind == GiftGoods {
		return nil
	}
	return webhook.PublishTx(tx, eventRewardGiven, w)
}
