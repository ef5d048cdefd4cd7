package invite

import (
	"context"
	"errors"
	"fmt"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// RunStatus says whether a campaign grants new steps.
type RunStatus string

// The statuses of a run.
const (
	RunOpen    RunStatus = "open"
	RunTripped RunStatus = "tripped"
)

// Run is how a campaign with steps stands. Its row is locked before anything
// is granted, and holds the caps of the campaign.
type Run struct {
	CampaignID  id.Campaign `json:"campaign_id"`
	UnitID      id.Unit     `json:"-"`
	Status      RunStatus   `json:"status"`
	JudgedAfter clock.Milli `json:"-"`
	TrippedAt   clock.Milli `json:"tripped_at"`
	Sample      int         `json:"sample" gorm:"column:sample_qty"`
	Kept        int         `json:"kept" gorm:"column:kept_qty"`
	Rewards     int64       `json:"rewards" gorm:"column:rewards_qty"`
	RewardsCap  int64       `json:"rewards_cap"`
	Points      int64       `json:"points" gorm:"column:points_qty"`
	PointsCap   int64       `json:"points_cap"`
	InviterCap  int64       `json:"per_inviter_cap"`
	DayCap      int64       `json:"per_inviter_day_cap"`
	MeasuredAt  clock.Milli `json:"measured_at"`
	EndedAt     clock.Milli `json:"ended_at"`
	FrozenAt    clock.Milli `json:"frozen_at"`
	ClosedAt    clock.Milli `json:"-"`
}

// Measure counts every campaign that still moves, lets breakers trip, grants
// the steps that were reached and gives what is due. Interrupted or run twice
// at the same time it ends the same.
func (s *Service) Measure(ctx context.Context, _ clock.Milli) error {
	var list []id.Campaign
	err := s.DB.Read(ctx).Raw(`SELECT c.id FROM campaigns c WHERE c.kind = ? AND c.rules <> '{}' AND c.status IN ?
		AND NOT EXISTS (SELECT 1 FROM invite_runs r WHERE r.campaign_id = c.id AND r.closed_at > 0) ORDER BY c.id`,
		Kind().Name, []campaign.Status{campaign.StatusScheduled, campaign.StatusRunning, campaign.StatusPaused, campaign.StatusEnded}).Scan(&list).Error
	if err != nil {
		return fmt.Errorf("invite: campaigns: %w", err)
	}
	var failed []error
	for _, cid := range list {
		if err := s.measure(ctx, cid); err != nil {
			failed = append(failed, fmt.Errorf("invite: measure %s: %w", cid, err))
		}
	}
	return errors.Join(append(failed, s.giveDue(ctx))...)
}

// measure is one campaign's turn.
func (s *Service) measure(ctx context.Context, cid id.Campaign) error {
	c, err := s.Campaign.FindCampaign(ctx, cid)
	if err != nil {
		return err
	}
	r, err := Terms(c)
	now := clock.MilliOf(s.DB.Clock.Now())
	if err != nil || !r.counts() || now < c.StartsAt {
		return err
	}
	if err := s.begin(ctx, c, r); err != nil {
		return err
	}
	if err := s.walk(ctx, c, r); err != nil {
		return err
	}
	if err := s.judgeRun(ctx, c, r, now); err != nil {
		return err
	}
	if c.Phase(now) == campaign.StatusPaused {
		return nil // what was reached meanwhile is granted once it goes on
	}
	return s.grantDue(ctx, c, r)
}

// begin makes the campaign's row, and writes the end once it has come: that of
// its window, or when it was first seen ended before.
func (s *Service) begin(ctx context.Context, c campaign.Campaign, r Rules) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		run, err := lockRun(tx, c.ID)
		if err != nil {
			return err
		}
		if run.CampaignID == 0 {
			err := tx.Exec(`INSERT INTO invite_runs (campaign_id, unit_id, status, judged_after, tripped_at, sample_qty, kept_qty,
					rewards_qty, rewards_cap, points_qty, points_cap, inviter_cap, day_cap, measured_at, ended_at, frozen_at, closed_at)
				VALUES (?, ?, ?, 0, 0, 0, 0, 0, ?, 0, ?, ?, ?, 0, 0, 0, 0)`,
				c.ID, c.UnitID, RunOpen, r.Caps.PerCampaign, r.Caps.Points, r.Caps.PerInviter, r.Caps.PerInviterDay).Error
			if err != nil && !database.IsDuplicate(err) {
				return err
			}
		}
		if run.EndedAt == 0 && c.Phase(tx.Now) == campaign.StatusEnded {
			return tx.Exec("UPDATE invite_runs SET ended_at = ? WHERE campaign_id = ?"+tx.Only("ended_at = 0"), min(c.EndsAt, tx.Now), c.ID).Error
		}
		return nil
	})
}

func lockRun(tx *database.Tx, c id.Campaign) (Run, error) {
	return findRun(tx.DB, c, tx.Dialect.ForUpdate)
}

func findRun(q *database.Query, c id.Campaign, lock string) (Run, error) {
	var run Run
	if err := q.Raw("SELECT * FROM invite_runs WHERE campaign_id = ?"+lock, c).Scan(&run).Error; err != nil {
		return run, fmt.Errorf("invite: run of %s: %w", c, err)
	}
	return run, nil
}

// end is up to when the campaign counts.
func (run Run) end(c campaign.Campaign) clock.Milli {
	if run.EndedAt != 0 {
		return run.EndedAt
	}
	return c.EndsAt
}

// FindRun is how the campaign stands, for staff.
func (s *Service) FindRun(ctx context.Context, cid id.Campaign) (Run, error) {
	if _, _, err := s.terms(ctx, cid); err != nil {
		return Run{}, err
	}
	run, err := findRun(s.DB.Read(ctx), cid, "")
	if err == nil && run.CampaignID == 0 {
		run = Run{CampaignID: cid, Status: RunOpen}
	}
	return run, err
}

// terms is a campaign the actor sees, with its rules.
func (s *Service) terms(ctx context.Context, cid id.Campaign) (campaign.Campaign, Rules, error) {
	c, err := s.Campaign.FindCampaign(ctx, cid)
	if err != nil {
		return c, Rules{}, err
	}
	r, err := Terms(c)
	if err == nil && !r.counts() {
		err = ErrNoSteps
	}
	return c, r, err
}
