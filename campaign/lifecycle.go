package campaign

import (
	"context"
	"encoding/json"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
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
		now := tx.Now
		turn, phase := turns[verb], c.Phase(now)
		if !slices.Contains(turn.from, phase) {
			return ErrTransition.With("state", phase)
		}
		to := turn.to
		if verb == Publish {
			if err := publishable(c, now); err != nil {
				return err
			}
			if to, err = s.schedule(tx, c); err != nil {
				return err
			}
		}
		tx.SetResult("campaign", int64(cid), 200)
		if err := setStatus(tx, c, to); err != nil {
			return err
		}
		if verb == Resume {
			if err := serveLaterTx(tx, cid); err != nil {
				return err
			}
		}
		return database.AuditTx(tx, "campaign."+string(verb), cid, map[string]any{"status": phase}, map[string]any{"status": to})
	})
}

// publishable refuses what could not be kept.
func publishable(c Campaign, now clock.Milli) error {
	var check fault.Check
	check.That(c.EndsAt > now, "ends_at", "past", "结束时间已过", "lies in the past; move it")
	return check.Err()
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
	return setStatus(tx, c, StatusRunning)
}

func (s *Service) close(tx *database.Tx, a closeCampaign) error {
	c, err := s.lockCampaign(tx, a.Campaign)
	if err != nil || c.Status == StatusEnded || c.Status == StatusCancelled {
		return err
	}
	if tx.Now < c.EndsAt { // the end was moved later: come back then
		return task.EnqueueTx(tx, a, c.EndsAt)
	}
	return setStatus(tx, c, StatusEnded)
}

func setStatus(tx *database.Tx, c Campaign, to Status) error {
	res := tx.Exec("UPDATE campaigns SET status = ?, version = version + 1 WHERE id = ? AND version = ?", to, c.ID, c.Version)
	if err := database.One(res, fault.Stale); err != nil {
		return err
	}
	return webhook.PublishTx(tx, "campaign."+string(to), map[string]any{"id": c.ID, "kind": c.Kind, "name": c.Name, "status": to})
}

// lockCampaign locks the campaign and then its items.
func (s *Service) lockCampaign(tx *database.Tx, cid id.Campaign) (Campaign, error) {
	var c Campaign
	if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?"+tx.Dialect.ForUpdate, cid).Scan(&c).Error; err != nil {
		return c, err
	}
	if c.ID == 0 || !tx.Actor.Sees(c.UnitID) {
		return c, fault.NotFound
	}
	var ids []id.Item
	err := tx.Raw("SELECT id FROM items WHERE campaign_id = ? ORDER BY id"+tx.Dialect.ForUpdate, cid).Scan(&ids).Error
	if err != nil {
		return c, err
	}
	tx.AfterCommit(func() {
		for _, item := range ids {
			s.shelves.forget(item)
		}
	})
	// Whoever locks a campaign is about to change it: what replicas remember
	// of it ends with this transaction.
	if err := tx.Exec("UPDATE items SET epoch = epoch + 1 WHERE campaign_id = ?", cid).Error; err != nil {
		return c, err
	}
	return c, c.unpack()
}

// CampaignEdit changes a campaign; nil leaves a field as it is. Stock moves by
// deltas only, so that an edit never overwrites a live counter.
type CampaignEdit struct {
	Name   *string         `json:"name"`
	EndsAt *clock.Milli    `json:"ends_at"`
	Rules  json.RawMessage `json:"rules"` // drafts only
	Items  []ItemEdit      `json:"items"`
}

// ItemEdit adds to an item's stock, or with a negative delta takes from what
// is left.
type ItemEdit struct {
	ID         id.Item `json:"id"`
	StockDelta int64   `json:"stock_delta"`
}

// Edit applies the edit to the version the caller read.
func (s *Service) Edit(ctx context.Context, cid id.Campaign, version int, in CampaignEdit) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := s.lockCampaign(tx, cid)
		if err != nil {
			return err
		}
		if c.Version != version {
			return fault.Stale
		}
		next, err := s.edited(tx, c, in)
		if err != nil {
			return err
		}
		for _, item := range in.Items {
			if err := addStock(tx, cid, item); err != nil {
				return err
			}
		}
		if err := serveLaterTx(tx, cid); err != nil {
			return err
		}
		err = tx.Exec("UPDATE campaigns SET name = ?, ends_at = ?, rules = ?, rules_digest = ?, version = version + 1 WHERE id = ?",
			next.Name, next.EndsAt, next.RulesText, digest(next), cid).Error
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "campaign.edit", cid, c, in)
	})
}

func (s *Service) edited(tx *database.Tx, c Campaign, in CampaignEdit) (Campaign, error) {
	phase := c.Phase(tx.Now)
	if phase == StatusEnded || phase == StatusCancelled {
		return c, ErrTransition.With("state", phase)
	}
	var check fault.Check
	if in.Name != nil {
		check.Required(*in.Name, "name")
		check.Length(*in.Name, "name", 100)
		c.Name = *in.Name
	}
	if in.EndsAt != nil {
		check.That(phase == StatusDraft || *in.EndsAt >= c.EndsAt, "ends_at", "earlier", "已发布的活动只能延后结束", "a published campaign can only end later")
		check.That(*in.EndsAt > c.StartsAt, "ends_at", "range", "结束时间应晚于开始时间", "must be after starts_at")
		c.EndsAt = *in.EndsAt
	}
	if in.Rules != nil {
		if phase != StatusDraft {
			return c, ErrFrozen
		}
		rules, err := s.kinds[c.Kind].Rules(in.Rules)
		if err != nil {
			return c, err
		}
		c.RulesText = string(rules)
	}
	return c, check.Err()
}

func addStock(tx *database.Tx, cid id.Campaign, in ItemEdit) error {
	res := tx.Exec(`UPDATE items SET stock = stock + ?, left_qty = left_qty + ?, version = version + 1
		WHERE id = ? AND campaign_id = ?`+tx.Only("left_qty + ? >= 0"), in.StockDelta, in.StockDelta, in.ID, cid, in.StockDelta)
	return database.One(res, fault.Invalid.Field("items.stock_delta", "range", "剩余库存不足以减少", "less is left than this takes away"))
}
