package guard

import (
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// The room's events.
const (
	EventSilenceBegun  webhook.Type = "guard.silence_begun"
	EventSilenceEnded  webhook.Type = "guard.silence_ended"
	EventPermitAsked   webhook.Type = "guard.permit_asked"
	EventPermitGiven   webhook.Type = "guard.permit_approved"
	EventGroupsPaused  webhook.Type = "guard.groups_paused"
	EventObserveOver   webhook.Type = "guard.observe_over"
	EventGroupsEnforce webhook.Type = "guard.enforced"
)

// Register adds the room's tasks.
func (s *Service) Register(r *task.Registry) {
	task.Handle(r, s.tellSilence)
	task.Handle(r, s.tellObserved)
}

// tellSilence tells that a silence begins, or that its time is up.
type tellSilence struct {
	Silence id.Silence `json:"silence"`
	Over    bool       `json:"over"`
}

// Kind names the task.
func (tellSilence) Kind() string { return "guard:tell_silence" }

// silenceTold is a silence as its events tell it: without its reason, which is
// free text.
type silenceTold struct {
	SilenceID  id.Silence  `json:"silence_id"`
	Scope      Scope       `json:"scope"`
	UnitID     id.Unit     `json:"unit_id"`
	GroupID    id.Group    `json:"group_id"`
	CampaignID id.Campaign `json:"campaign_id"`
	From       clock.Milli `json:"from_at"`
	Until      clock.Milli `json:"until_at"`
	Lifted     bool        `json:"lifted"`
}

func (s Silence) told() silenceTold {
	return silenceTold{s.ID, s.Scope, s.UnitID, s.GroupID, s.CampaignID, s.From, s.Until, s.LiftedAt != 0}
}

// tellSilence tells that a silence has begun or ended. It says nothing of one
// that was lifted before it began. The end of a lifted one was told when it was
// lifted.
func (s *Service) tellSilence(tx *database.Tx, a tellSilence) error {
	row, err := findSilence(tx.DB, database.Actor{}, a.Silence)
	switch {
	case err != nil:
		return err
	case a.Over && row.LiftedAt == 0:
		return webhook.PublishTx(tx, EventSilenceEnded, row.told())
	case !a.Over && (row.LiftedAt == 0 || row.LiftedAt > row.From):
		return webhook.PublishTx(tx, EventSilenceBegun, row.told())
	}
	return nil
}

// permitTold is a permit as its events tell it, without its reason.
type permitTold struct {
	PermitID    id.Permit    `json:"permit_id"`
	Kind        PermitKind   `json:"kind"`
	PromotionID id.Promotion `json:"promotion_id"`
	From        clock.Milli  `json:"from_at"`
	To          clock.Milli  `json:"to_at"`
	AskedBy     id.Staff     `json:"asked_by"`
	ApprovedBy  id.Staff     `json:"approved_by"`
	Groups      []id.Group   `json:"group_ids"`
}

func (p Permit) told() permitTold {
	return permitTold{p.ID, p.Kind, p.PromotionID, p.From, p.To, p.CreatedBy, p.ApprovedBy, p.Groups}
}

// pausedGroup is a group whose ads wait because it is tired.
type pausedGroup struct {
	GroupID id.Group    `json:"group_id"`
	OwnerID id.Staff    `json:"owner_id"`
	Until   clock.Milli `json:"until_at"`
}

// tellPaused tells of groups that are so tired that the guard leaves them
// alone for a week, when a promotion first asks for them.
func tellPaused(tx *database.Tx, promotion id.Promotion, fresh []record, all map[id.Group]*known) error {
	var paused []pausedGroup
	for _, r := range fresh {
		k := all[r.GroupID]
		if r.Kept != 0 || r.RuleName != RuleFatigue || k.state.Condition.Fatigue < exhausted {
			continue
		}
		ads := k.state.Ads.last
		until := ads[before(ads, max(r.AskedFrom, tx.Now)+1)-1].Add(pauseFor)
		paused = append(paused, pausedGroup{r.GroupID, k.group.OwnerID, until})
	}
	if len(paused) == 0 {
		return nil
	}
	return webhook.PublishTx(tx, EventGroupsPaused, struct {
		PromotionID id.Promotion  `json:"promotion_id"`
		Groups      []pausedGroup `json:"groups"`
	}{promotion, paused})
}

// tellObserved tells that the days of observing imported groups are over.
type tellObserved struct {
	Groups []id.Group `json:"groups"`
}

// Kind names the task.
func (tellObserved) Kind() string { return "guard:tell_observed" }

// groupsTold names groups.
type groupsTold struct {
	Groups []id.Group `json:"group_ids"`
}

// tellObserved names those that are still only observed.
func (s *Service) tellObserved(tx *database.Tx, a tellObserved) error {
	var groups []id.Group
	err := tx.Raw("SELECT group_id FROM group_guards WHERE group_id IN ? AND mode = ? AND observe_until > 0 AND observe_until <= ? ORDER BY group_id",
		a.Groups, ModeAdvise, tx.Now).Scan(&groups).Error
	if err != nil {
		return fmt.Errorf("guard: observed: %w", err)
	}
	if len(groups) == 0 {
		return nil
	}
	return webhook.PublishTx(tx, EventObserveOver, groupsTold{groups})
}

// observed are those of new rows whose groups are only observed, in parts for
// one task each, with the moment their days are over.
func observed(rows []groupGuard) (parts [][]id.Group, until clock.Milli) {
	var groups []id.Group
	for _, r := range rows {
		if r.ObserveUntil != 0 {
			groups, until = append(groups, r.GroupID), r.ObserveUntil
		}
	}
	return slices.Collect(slices.Chunk(groups, chunk)), until
}
