package invite

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Progress is how far a member has come in a campaign, as of MeasuredAt.
type Progress struct {
	CampaignID id.Campaign    `json:"campaign_id"`
	StayDays   int            `json:"stay_days"`
	MeasuredAt clock.Milli    `json:"measured_at"`
	Paused     bool           `json:"paused"` // the breaker stopped new steps
	Stayed     int64          `json:"stayed"`
	Bought     int64          `json:"bought"`
	Maturing   int64          `json:"maturing"`     // in a group, not yet long enough
	NextStayAt clock.Milli    `json:"next_stay_at"` // when the next of them is
	Steps      []StepProgress `json:"steps"`
}

// StepProgress is one step: how many of how many count, and what became of its
// reward once it was reached.
type StepProgress struct {
	Step   int      `json:"step"`
	Kind   StepKind `json:"kind"`
	Count  int      `json:"count"`
	Have   int64    `json:"have"`
	Gift   Gift     `json:"gift"`
	Reward *Reward  `json:"reward"`
}

// FindProgress is a member's own view of a campaign.
func (s *Service) FindProgress(ctx context.Context, cid id.Campaign, m id.Member) (Progress, error) {
	_, r, err := s.terms(ctx, cid)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{CampaignID: cid, StayDays: r.StayDays, Steps: []StepProgress{}}
	err = s.DB.Snapshot(ctx, func(q *database.Query) error {
		run, err := findRun(q, cid, "")
		if err != nil {
			return err
		}
		p.MeasuredAt, p.Paused = run.MeasuredAt, run.Status == RunTripped
		var x score
		if err := q.Raw("SELECT * FROM invite_scores WHERE campaign_id = ? AND member_id = ?", cid, m).Scan(&x).Error; err != nil {
			return fmt.Errorf("invite: score of %s: %w", m, err)
		}
		p.Stayed, p.Bought = x.Stayed, x.Bought
		var soon struct {
			Qty     int64
			Soonest clock.Milli
		}
		err = q.Raw(`SELECT COUNT(*) AS qty, COALESCE(MIN(stays_at), 0) AS soonest FROM invitees
			WHERE campaign_id = ? AND inviter_id = ? AND void = 0 AND stayed = 0 AND stays_at > 0`, cid, m).Scan(&soon).Error
		if err != nil {
			return fmt.Errorf("invite: invitees of %s: %w", m, err)
		}
		p.Maturing, p.NextStayAt = soon.Qty, soon.Soonest
		rewards, err := rewardsOf(q, cid, m)
		if err != nil {
			return err
		}
		for i, step := range r.Steps {
			p.Steps = append(p.Steps, StepProgress{i + 1, step.Kind, step.Count, min(x.of(step.Kind), int64(step.Count)), step.Gift, rewards[i+1]})
		}
		return nil
	})
	return p, err
}

// rewardsOf are the member's rewards by step, those of whoever was merged into
// him too.
func rewardsOf(q *database.Query, cid id.Campaign, m id.Member) (map[int]*Reward, error) {
	merged, err := community.MergedInto(q, []id.Member{m})
	if err != nil {
		return nil, err
	}
	var rows []Reward
	err = q.Raw("SELECT * FROM invite_rewards WHERE campaign_id = ? AND member_id IN ? ORDER BY id DESC", cid, append(merged[m], m)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("invite: rewards of %s: %w", m, err)
	}
	out := map[int]*Reward{}
	for i := range rows {
		out[rows[i].Step] = &rows[i]
	}
	return out, nil
}
