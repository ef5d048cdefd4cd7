package referral

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/review"
)

// Finding is what a person found when he looked at a reward. Without a
// finding he asks for a review.
type Finding struct {
	Found review.Finding `json:"finding"`
	Note  string         `json:"reason"`
}

// Validate names everything wrong with the input.
func (in Finding) Validate() error {
	var c fault.Check
	if in.Found != "" {
		c.OneOf(string(in.Found), "finding", string(review.FindPass), string(review.FindRefuse))
	}
	c.Required(in.Note, "reason")
	c.Length(in.Note, "reason", noteMost)
	return c.Err()
}

// noteMost is the longest reason, in characters.
const noteMost = 200

// ReviewReward stops a pending reward for a human, or writes what the first
// person found about one that is stopped.
func (s *Service) ReviewReward(ctx context.Context, reward id.Reward, in Finding) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.stopped(ctx, reward, func(tx *database.Tx, r Reward) error {
		if tx.Actor.Staff == 0 {
			return review.ErrNotStaff
		}
		c, err := review.OfTx(tx, r.ID)
		if err != nil {
			return err
		}
		if c.ID == 0 {
			p, err := review.PolicyNow(tx.DB)
			if err != nil {
				return err
			}
			f, word, err := weigh(tx, p, r)
			if err != nil {
				return err
			}
			c = r.caseOf(f.Inviter, f.Invitee, p.Version)
			c.Reasons = append(word.Reasons, review.Reason{Rule: review.RuleByHand, Members: []id.Member{}})
			c.Note = in.Note
			if err := review.OpenTx(tx, c); err != nil {
				return err
			}
			if err := r.reviewTx(tx, ReviewOpen); err != nil {
				return err
			}
			if c, err = review.OfTx(tx, r.ID); err != nil {
				return err
			}
		} else if c.State != review.StateOpen || in.Found == "" {
			return review.ErrState.With("state", c.State)
		}
		if in.Found != "" {
			if err := c.FindTx(tx, in.Found, in.Note); err != nil {
				return err
			}
		}
		return database.AuditTx(tx, "reward.review", reward, r.Review, in)
	})
}

// ReleaseReward lets a reward in review go on to be paid, by the word of a
// second person.
func (s *Service) ReleaseReward(ctx context.Context, reward id.Reward, reason string) error {
	if err := (Finding{Note: reason}).Validate(); err != nil {
		return err
	}
	return s.stopped(ctx, reward, func(tx *database.Tx, r Reward) error {
		if r.Review != ReviewOpen {
			return review.ErrNone
		}
		if err := r.decideTx(tx, review.StatePassed, reason); err != nil {
			return err
		}
		if err := r.passTx(tx); err != nil {
			return err
		}
		return database.AuditTx(tx, "reward.release", reward, r.Review, reason)
	})
}

// stopped runs fn on a pending reward of the caller's units, its row locked.
func (s *Service) stopped(ctx context.Context, reward id.Reward, fn func(*database.Tx, Reward) error) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		list, err := lockRewards(tx, "id", int64(reward))
		if err != nil {
			return err
		}
		if len(list) == 0 || !tx.Actor.Sees(list[0].UnitID) {
			return fault.NotFound
		}
		if list[0].State != RewardPending {
			return ErrRewardState.With("state", list[0].State)
		}
		tx.SetResult("reward", int64(reward), 200)
		return fn(tx, list[0])
	})
}

// decideTx ends the case of the reward by a second person's word; refused, the
// reward never clears, and the caller takes it back.
func (r Reward) decideTx(tx *database.Tx, to review.State, reason string) error {
	c, err := review.OfTx(tx, r.ID)
	if err != nil {
		return err
	}
	if err := c.DecideTx(tx, to, reason); err != nil || to != review.StateRefused {
		return err
	}
	return r.reviewTx(tx, ReviewRefused)
}
