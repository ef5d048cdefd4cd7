package invite

import (
	"context"
	"fmt"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// grantDue grants the steps that were reached, an inviter at a time.
func (s *Service) grantDue(ctx context.Context, c campaign.Campaign, r Rules) error {
	for after := int64(0); ; {
		var due []score
		err := s.DB.Read(ctx).Raw("SELECT * FROM invite_scores WHERE campaign_id = ? AND due = 1 AND id > ? ORDER BY id LIMIT 100", c.ID, after).Scan(&due).Error
		if err != nil {
			return fmt.Errorf("invite: due steps: %w", err)
		}
		if len(due) == 0 {
			return nil
		}
		for _, x := range due {
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return grantTx(tx, c, r, x.MemberID) }); err != nil {
				return err
			}
			after = x.ID
		}
	}
}

// grantTx writes a reward for each step the inviter has newly reached. The
// run's row is locked first, so that caps and the breaker hold; a step that
// anybody merged into him had reached is not granted again.
func grantTx(tx *database.Tx, c campaign.Campaign, r Rules, m id.Member) error {
	run, err := lockRun(tx, c.ID)
	if err != nil || run.Status != RunOpen {
		return err
	}
	own, done, err := standing(tx, c.ID, m)
	if err != nil || own.ID == 0 {
		return err
	}
	fresh := own.reached(r) &^ done.Mask
	for i, step := range r.Steps {
		if fresh&(1<<i) == 0 {
			continue
		}
		w := newReward(tx, c, m, i, step)
		w.take(&run, done.Rewards)
		if w.State != RewardSkipped {
			if err := takeCaps(tx, w); err != nil {
				return err
			}
			done.Rewards++
			own.Rewards++
		}
		if err := tx.Create(&w).Error; err != nil {
			return fmt.Errorf("invite: step %d of %s: %w", w.Step, m, err)
		}
		own.Mask |= 1 << i
		if err := webhook.PublishTx(tx, eventStepReached, w); err != nil {
			return err
		}
	}
	database.KillPoint("invite:granted")
	return tx.Exec("UPDATE invite_scores SET reached_mask = ?, rewards_qty = ?, due = 0 WHERE id = ?", own.Mask|fresh|done.Mask, own.Rewards, own.ID).Error
}

// standing is the inviter's score, locked, and what he and those merged into
// him had together.
func standing(tx *database.Tx, c id.Campaign, m id.Member) (own, all score, err error) {
	merged, err := community.MergedInto(tx.DB, []id.Member{m})
	if err != nil {
		return own, all, err
	}
	var rows []score
	err = tx.Raw("SELECT * FROM invite_scores WHERE campaign_id = ? AND member_id IN ? ORDER BY id"+tx.Dialect.ForUpdate, c, append(merged[m], m)).Scan(&rows).Error
	for _, x := range rows {
		all.Mask |= x.Mask
		all.Rewards += x.Rewards
		if x.MemberID == m {
			own = x
		}
	}
	return own, all, err
}

// take fits the reward into the caps: the last points are clamped to what is
// left, what does not fit at all is skipped with its reason.
func (w *Reward) take(run *Run, had int64) {
	switch {
	case run.InviterCap > 0 && had >= run.InviterCap:
		w.skip(ReasonInviterCap)
		return
	case run.RewardsCap > 0 && run.Rewards >= run.RewardsCap:
		w.skip(ReasonCampaignCap)
		return
	}
	if w.Kind == GiftPoints && run.PointsCap > 0 {
		left := run.PointsCap - run.Points
		if left <= 0 {
			w.skip(ReasonPointsCap)
			return
		}
		if w.Points > left {
			w.Points, w.Reason = left, ReasonPointsClamped
		}
	}
	run.Rewards++
	run.Points += w.Points
}

func (w *Reward) skip(why Reason) {
	w.State, w.Reason, w.NextAt, w.AvailableAt = RewardSkipped, why, 0, 0
}

// takeCaps counts the reward; the conditions are the second lock.
func takeCaps(tx *database.Tx, w Reward) error {
	res := tx.Exec("UPDATE invite_runs SET rewards_qty = rewards_qty + 1, points_qty = points_qty + ? WHERE campaign_id = ?"+
		tx.Only("(rewards_cap = 0 OR rewards_qty < rewards_cap) AND (points_cap = 0 OR points_qty + ? <= points_cap)"), w.Points, w.CampaignID, w.Points)
	return database.One(res, fmt.Errorf("invite: %s is beyond the caps of %s", w.ID, w.CampaignID))
}
