package referral

import (
	"fmt"
	"math"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral/review"
)

// LookAtOrder asks whether the rewards of an order may be paid without a
// human. It is done when they are earned, so that people have time to look,
// and once more before they mature, when more is known.
type LookAtOrder struct {
	Order id.Order `json:"order"`
}

// Kind names the task.
func (LookAtOrder) Kind() string { return "referral:look_at_order" }

// lookAhead is how long before its maturity a reward is looked at for the last
// time.
const lookAhead = time.Hour

// Bounds of what a look reads of the invitations: of the inviter the latest,
// above him so many steps.
const (
	invitationsMost = 500
	invitationsFor  = 120 * 24 * time.Hour
	stepsAbove      = 8
)

// lookTx assesses what the order's invitation earned. The rewards' rows are
// locked, so no other look, clearing or word of a person comes between. Only
// the last look lets a reward pass; what comes late asks for clearing again.
func lookTx(tx *database.Tx, a LookAtOrder) error {
	list, err := lockRewards(tx, "order_id", int64(a.Order))
	if err != nil {
		return err
	}
	return weighTx(tx, list, func(at clock.Milli) error { return task.EnqueueTx(tx, a, at) })
}

// LookAtAct asks the same of the rewards of one act without an order.
type LookAtAct struct {
	Rewards []id.Reward `json:"rewards"`
}

// Kind names the task.
func (LookAtAct) Kind() string { return "referral:look_at_act" }

func lookActTx(tx *database.Tx, a LookAtAct) error {
	list, err := lockMany(tx, a.Rewards)
	if err != nil {
		return err
	}
	return weighTx(tx, list, func(at clock.Milli) error { return task.EnqueueTx(tx, a, at) })
}

// weighTx is one look at the rewards of one act: those that rest on its
// invitation together, and each that rests on none by itself.
func weighTx(tx *database.Tx, list []Reward, lookAgain func(clock.Milli) error) error {
	list = slices.DeleteFunc(list, func(r Reward) bool { return r.State != RewardPending || r.Review != ReviewDue })
	if len(list) == 0 {
		return nil
	}
	p, err := review.PolicyNow(tx.DB)
	if err != nil {
		return err
	}
	again := clock.Milli(math.MaxInt64)
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[0].BindingID != 0 && list[n].BindingID == list[0].BindingID {
			n++
		}
		soonest, err := weighOneTx(tx, p, list[:n])
		if err != nil {
			return err
		}
		again, list = min(again, soonest), list[n:]
	}
	if again == math.MaxInt64 {
		return nil
	}
	return lookAgain(again.Add(-lookAhead))
}

// weighOneTx says when the soonest of what it let wait matures.
func weighOneTx(tx *database.Tx, p review.Policy, list []Reward) (clock.Milli, error) {
	again := clock.Milli(math.MaxInt64)
	f, word, err := weigh(tx, p, list[0])
	if err != nil {
		return again, err
	}
	if word.Outcome == review.OutcomeRefuse {
		gone := make([]taken, len(list))
		for i, r := range list {
			gone[i] = taken{r, r.Net, ""}
		}
		if err := unstepTx(tx, gone); err != nil {
			return again, err
		}
	}
	for _, r := range list {
		switch {
		case word.Outcome != review.OutcomePass:
			err = r.stopTx(tx, f, word)
		case r.MaturesAt > tx.Now.Add(lookAhead):
			again = min(again, r.MaturesAt)
		default:
			err = r.passTx(tx)
		}
		if err != nil {
			return again, err
		}
	}
	return again, nil
}

// stopTx opens a case for the reward, or refuses it at once.
func (r Reward) stopTx(tx *database.Tx, f review.Facts, word review.Assessment) error {
	c := r.caseOf(f.Inviter, f.Invitee, word.Policy)
	c.Reasons = word.Reasons
	if word.Outcome == review.OutcomeReview {
		if err := review.OpenTx(tx, c); err != nil {
			return err
		}
		return r.reviewTx(tx, ReviewOpen)
	}
	c.State = review.StateRefused
	if err := review.OpenTx(tx, c); err != nil {
		return err
	}
	if err := r.reviewTx(tx, ReviewRefused); err != nil {
		return err
	}
	return r.takeBack(tx, r.Net, "review", "review")
}

func (r Reward) caseOf(inviter, invitee id.Member, policy int) review.Case {
	return review.Case{RewardID: r.ID, UnitID: r.UnitID, OrderID: r.OrderID, BeneficiaryID: r.BeneficiaryID,
		InviterID: inviter, InviteeID: invitee, State: review.StateOpen, PolicyNo: policy, Reasons: review.Reasons{}}
}

// passTx lets the reward clear. What was stopped, or is looked at when its day
// is over, has lost its row and gets it again.
func (r Reward) passTx(tx *database.Tx) error {
	if err := r.reviewTx(tx, ReviewPassed); err != nil {
		return err
	}
	if r.MaturesAt > tx.Now && (r.Currency != money.CNY || !r.Review.stopped()) {
		return nil
	}
	r.Review = ReviewPassed
	return r.ripenTx(tx)
}

func (r Reward) reviewTx(tx *database.Tx, to Review) error {
	if err := tx.Exec("UPDATE rewards SET review = ? WHERE id = ?", to, r.ID).Error; err != nil {
		return fmt.Errorf("referral: review of %s: %w", r.ID, err)
	}
	if to.stopped() && !r.Review.stopped() {
		return r.restTx(tx)
	}
	return nil
}

// mootTx ends the case of a reward that came to nothing.
func (r Reward) mootTx(tx *database.Tx) error {
	c, err := review.OfTx(tx, r.ID)
	if err != nil {
		return err
	}
	if err := c.MootTx(tx); err != nil {
		return err
	}
	return r.reviewTx(tx, ReviewClosed)
}

// factsOf gathers what is known around the invitation of a reward; of one that
// rests on none, around who is paid, as if he had invited.
func factsOf(tx *database.Tx, r Reward) (review.Facts, error) {
	own := binding{InviterID: r.BeneficiaryID, BoundAt: r.EarnedAt}
	if r.BindingID != 0 {
		if err := tx.Raw("SELECT "+bindingColumns+" FROM bindings WHERE id = ?", r.BindingID).Take(&own).Error; err != nil {
			return review.Facts{}, fmt.Errorf("referral: %s: %w", r.BindingID, err)
		}
	}
	f := review.Facts{Now: tx.Now, BoundAt: own.BoundAt, Inviter: own.InviterID, Invitee: own.InviteeID}
	err := tx.Raw(`SELECT inviter_id AS inviter, invitee_id AS invitee, bound_at AS at FROM bindings
		WHERE inviter_id = ? AND bound_at > ? ORDER BY id DESC LIMIT ?`, f.Inviter, tx.Now.Add(-invitationsFor), invitationsMost).Scan(&f.Invitations).Error
	if err != nil {
		return f, fmt.Errorf("referral: invitations of %s: %w", f.Inviter, err)
	}
	above, err := linesAbove(tx.DB, f.Inviter)
	if err != nil {
		return f, err
	}
	f.Invitations = append(f.Invitations, above...)
	return review.Around(tx.DB, f)
}

// linesAbove are the invitations that lead to a member, in every scope and
// also those that have ended, some steps up.
func linesAbove(q *database.Query, m id.Member) ([]review.Invitation, error) {
	var out []review.Invitation
	seen := map[id.Member]bool{m: true}
	line := []id.Member{m}
	for range stepsAbove {
		var rows []review.Invitation
		err := q.Raw(`SELECT inviter_id AS inviter, invitee_id AS invitee, bound_at AS at FROM bindings
			WHERE invitee_id IN ? ORDER BY id DESC LIMIT ?`, line, invitationsMost).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("referral: invitations above %s: %w", m, err)
		}
		line = nil
		for _, v := range rows {
			if !seen[v.Inviter] && len(line) < mostInviters {
				seen[v.Inviter] = true
				line = append(line, v.Inviter)
			}
		}
		out = append(out, rows...)
		if len(line) == 0 {
			break
		}
	}
	return out, nil
}
