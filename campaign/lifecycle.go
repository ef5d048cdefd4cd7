package campaign

import (
	"context"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// Verb is what a person does to a campaign's state.
type Verb string

// The verbs of POST /v1/campaigns/{id}/{verb}.
const (
	Publish Verb = "publish"
	Pause   Verb = "pause"
	Resume  Verb = "resume"
	End     Verb = "end"
	Cancel  Verb = "cancel"
)

// turns is the state machine: from which states a verb leads where.
var turns = map[Verb]struct {
	from []Status
	to   Status
}{
	Publish: {[]Status{StatusDraft}, StatusScheduled},
	Pause:   {[]Status{StatusRunning}, StatusPaused},
	Resume:  {[]Status{StatusPaused}, StatusRunning},
	End:     {[]Status{StatusRunning, StatusPaused}, StatusEnded},
	Cancel:  {[]Status{StatusDraft, StatusScheduled}, StatusCancelled},
}

// Turn applies the verb. The campaign's items are locked too, so that no claim
// is granted after a pause or an end has been answered.
func (s *Service) Turn(ctx context.Context, cid id.Campaign, verb Verb) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := s.lockCampaign(tx, cid)
		if err != nil {
			return err
		}
		turn, phase := turns[verb], c.stage(tx.Now)
		if !slices.Contains(turn.from, phase) {
			return ErrTransition.With("state", phase)
		}
		to := turn.to
		if verb == Publish {
			if err := s.publishable(tx.DB, tx.Now, c); err != nil {
				return err
			}
			if to, err = s.schedule(tx, c); err != nil {
				return err
			}
			if err := keepReferences(tx, c); err != nil {
				return err
			}
		}
		if verb == Resume && tx.Now < c.StartsAt {
			to = StatusScheduled // only its early entries were stopped
		}
		tx.SetResult("campaign", int64(cid), 200)
		if err := setStatus(tx, c, to); err != nil {
			return err
		}
		if err := publishCampaign(tx, turned[verb], c, to); err != nil {
			return err
		}
		if verb == Publish && to == StatusRunning {
			if err := publishCampaign(tx, eventCampaignStarted, c, to); err != nil {
				return err
			}
		}
		if verb == Resume {
			if err := serveLaterTx(tx, cid); err != nil {
				return err
			}
		}
		return database.AuditTx(tx, "campaign."+string(verb), cid, map[string]any{"status": phase}, map[string]any{"status": to})
	})
}

// schedule enqueues the campaign's opening and closing and its first session,
// and opens at once what has already begun.
func (s *Service) schedule(tx *database.Tx, c Campaign) (Status, error) {
	if err := task.EnqueueTx(tx, closeCampaign{c.ID}, c.EndsAt); err != nil {
		return "", err
	}
	if err := s.scheduleSessions(tx, c); err != nil {
		return "", err
	}
	if c.StartsAt <= tx.Now {
		return StatusRunning, nil
	}
	return StatusScheduled, task.EnqueueTx(tx, openCampaign{c.ID}, c.StartsAt)
}

// openCampaign and closeCampaign are the tasks at a campaign's two ends.
type openCampaign struct {
	Campaign id.Campaign `json:"campaign"`
}

// Kind names the task.
func (openCampaign) Kind() string { return "campaign:open" }

type closeCampaign struct {
	Campaign id.Campaign `json:"campaign"`
}

// Kind names the task.
func (closeCampaign) Kind() string { return "campaign:close" }

func (s *Service) open(tx *database.Tx, a openCampaign) error {
	c, err := s.lockCampaign(tx, a.Campaign)
	if err != nil || c.Status != StatusScheduled || tx.Now < c.StartsAt {
		return err
	}
	if err := keepReferences(tx, c); err != nil {
		return err
	}
	if err := setStatus(tx, c, StatusRunning); err != nil {
		return err
	}
	return publishCampaign(tx, eventCampaignStarted, c, StatusRunning)
}

func (s *Service) close(tx *database.Tx, a closeCampaign) error {
	c, err := s.lockCampaign(tx, a.Campaign)
	if err != nil || c.Status == StatusEnded || c.Status == StatusCancelled {
		return err
	}
	if tx.Now < c.EndsAt { // the end was moved later: come back then
		return task.EnqueueTx(tx, a, c.EndsAt)
	}
	if err := setStatus(tx, c, StatusEnded); err != nil {
		return err
	}
	return publishCampaign(tx, eventCampaignEnded, c, StatusEnded)
}

func setStatus(tx *database.Tx, c Campaign, to Status) error {
	res := tx.Exec("UPDATE campaigns SET status = ?, version = version + 1 WHERE id = ? AND version = ?", to, c.ID, c.Version)
	return database.One(res, fault.Stale)
}

// lockCampaign locks the campaign and then its items, which it returns as they
// are.
func (s *Service) lockCampaign(tx *database.Tx, cid id.Campaign) (Campaign, error) {
	var c Campaign
	if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?"+tx.Dialect.ForUpdate, cid).Scan(&c).Error; err != nil {
		return c, err
	}
	if c.ID == 0 || !tx.Actor.Sees(c.UnitID) {
		return c, fault.NotFound
	}
	err := tx.Raw("SELECT * FROM items WHERE campaign_id = ? ORDER BY id"+tx.Dialect.ForUpdate, cid).Scan(&c.Items).Error
	if err != nil {
		return c, err
	}
	if s.kinds[c.Kind].Sizes != nil {
		if err := readTeamPrices(tx.DB, c.Items); err != nil {
			return c, err
		}
	}
	tx.AfterCommit(func() {
		for _, item := range c.Items {
			s.shelves.forget(item.ID)
		}
	})
	// Whoever locks a campaign is about to change it: what replicas remember
	// of it ends with this transaction.
	if err := tx.Exec("UPDATE items SET epoch = epoch + 1 WHERE campaign_id = ?", cid).Error; err != nil {
		return c, err
	}
	return c, c.unpack()
}
