package invite

import (
	"context"
	"fmt"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// Trips says whether so many kept of so many judged invitees stop a campaign.
// Fewer judged than the sample never do.
func (b Breaker) Trips(kept, judged int) bool {
	return judged >= b.Sample && int64(kept)*10000 < b.KeepRate*int64(judged)
}

// judgeRun ends a measurement: the breaker looks at the last invitees judged,
// and an ended campaign's board freezes. When nobody who joined by the end can
// still become one who stayed, measuring is over; a day is left for groups that
// tell late.
func (s *Service) judgeRun(ctx context.Context, c campaign.Campaign, r Rules, began clock.Milli) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		run, err := lockRun(tx, c.ID)
		if err != nil {
			return err
		}
		if run.EndedAt != 0 && run.FrozenAt == 0 && began >= run.EndedAt {
			run.FrozenAt = tx.Now
		}
		if run.EndedAt != 0 && began >= run.EndedAt.Add(days(r.StayDays+1)) && run.Status == RunOpen {
			var due int
			if err := tx.Raw("SELECT COUNT(*) FROM invite_scores WHERE campaign_id = ? AND due = 1", c.ID).Scan(&due).Error; err != nil {
				return err
			}
			if due == 0 { // else the next measurement closes it
				run.ClosedAt = tx.Now
			}
		}
		run.MeasuredAt = tx.Now
		if r.Breaker != nil && run.Status == RunOpen {
			if err := run.sample(tx, *r.Breaker); err != nil {
				return err
			}
		}
		if run.Status == RunTripped {
			run.ClosedAt = 0
		}
		return tx.Exec(`UPDATE invite_runs SET status = ?, tripped_at = ?, sample_qty = ?, kept_qty = ?, measured_at = ?, frozen_at = ?, closed_at = ?
			WHERE campaign_id = ?`, run.Status, run.TrippedAt, run.Sample, run.Kept, run.MeasuredAt, run.FrozenAt, run.ClosedAt, c.ID).Error
	})
}

// sample looks at the last judged and trips.
func (run *Run) sample(tx *database.Tx, b Breaker) error {
	var last []Outcome
	err := tx.Raw("SELECT outcome FROM invitees WHERE campaign_id = ? AND judged_at > ? AND void = 0 ORDER BY judged_at DESC, id DESC LIMIT ?",
		run.CampaignID, run.JudgedAfter, b.Sample).Scan(&last).Error
	if err != nil {
		return fmt.Errorf("invite: sample of %s: %w", run.CampaignID, err)
	}
	run.Sample, run.Kept = len(last), 0
	for _, o := range last {
		if o == OutcomeKept {
			run.Kept++
		}
	}
	if !b.Trips(run.Kept, run.Sample) {
		return nil
	}
	run.Status, run.TrippedAt = RunTripped, tx.Now
	return webhook.PublishTx(tx, eventBreakerTripped, map[string]any{
		"campaign_id": run.CampaignID, "sample": run.Sample, "kept": run.Kept, "keep_bp": b.KeepRate, "tripped_at": run.TrippedAt,
	})
}

// Resume says why a tripped campaign goes on.
type Resume struct {
	Reason string `json:"reason"`
}

// Validate checks the input alone.
func (in Resume) Validate() error {
	var c fault.Check
	c.Required(in.Reason, "reason")
	c.Length(in.Reason, "reason", 200)
	return c.Err()
}

// Resume lets a tripped campaign grant steps again. Only invitees judged from
// now on count towards the next trip; the steps reached meanwhile are granted
// by the next measurement.
func (s *Service) Resume(ctx context.Context, cid id.Campaign, in Resume) error {
	if err := in.Validate(); err != nil {
		return err
	}
	if _, _, err := s.terms(ctx, cid); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		run, err := lockRun(tx, cid)
		if err != nil {
			return err
		}
		res := tx.Exec("UPDATE invite_runs SET status = ?, judged_after = ?, tripped_at = 0, sample_qty = 0, kept_qty = 0 WHERE campaign_id = ?"+tx.Only("status = ?"),
			RunOpen, tx.Now, cid, RunTripped)
		if err := database.One(res, ErrNotTripped); err != nil {
			return err
		}
		tx.SetResult("campaign", int64(cid), 200)
		return database.AuditTx(tx, "invite.resume", cid, run, in)
	})
}
