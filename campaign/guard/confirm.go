package guard

import (
	"context"
	"fmt"

	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Release says why a slot no longer counts.
type Release string

// The reasons. Only the channel's word frees a slot: an ad that may still be
// shown goes on counting.
const (
	ReleaseCancelled Release = "cancelled"
	ReleaseNotSent   Release = "not_sent"

	// ReleaseTaken: no channel had it, and a promotion of higher priority took it.
	ReleaseTaken Release = "preempted"
)

// StartTx is the guard's last word before a delivery: it notes the start when
// now is a moment of the slot's window, nothing is silenced, and the charter,
// which may have become stricter since, calls it neither quiet nor over. A group
// that moved to another unit since is that one's from here on: its silences are
// what the delivery is held to. Starting again inside the window is the same start.
func (s *Service) StartTx(tx *database.Tx, slot id.Slot) (Slot, error) {
	row, _, err := lockSlot(tx, slot)
	if err != nil {
		return row, err
	}
	if row.Status() == StatusReleased || row.Status() == StatusConfirmed || tx.Now < row.FromAt || tx.Now >= row.ToAt {
		return row, notNow(RuleWindow)
	}
	all, err := s.load(tx.DB, question{groups: []id.Group{row.GroupID}, campaign: row.CampaignID, now: tx.Now})
	if err != nil {
		return row, err
	}
	k := all[row.GroupID]
	x := exam{policy: Policy{Mode: ModeOff}, state: k.state, zone: zone{loc: k.state.Zone}}
	c := k.state.Charter
	switch {
	case len(k.state.Silences) > 0:
		return row, notNow(RuleSilence)
	case !k.state.Open:
		return row, notNow(RuleClosed)
	case k.state.EndsAt != 0 && k.state.EndsAt <= tx.Now:
		return row, notNow(RuleEnd)
	case c.EndsAt != 0 && c.EndsAt <= tx.Now:
		return row, notNow(RuleCharterEnded)
	case c.Version > 0 && x.quiet(c.Quiet, tx.Now):
		return row, notNow(RuleCharterQuiet)
	}
	if row.StartedAt != 0 {
		return row, nil
	}
	row.StartedAt, row.StartedNo, row.UnitID = tx.Now, tx.Next(), k.group.UnitID
	return row, database.One(tx.Exec("UPDATE slots SET started_at = ?, started_no = ?, unit_id = ? WHERE id = ?"+
		tx.Only("started_at = 0 AND confirmed_at = 0 AND released_at = 0"), tx.Now, row.StartedNo, row.UnitID, slot), ErrNotNow)
}

// notNow is ErrNotNow with the rule that stops the delivery.
func notNow(rule Rule) error { return ErrNotNow.With("rule", rule) }

// WhyNotNow is the rule by which StartTx refused a delivery with ErrNotNow; a
// slot whose time was over before its turn came is RuleWindow.
func WhyNotNow(err error) Rule {
	if f, is := fault.As(err); is {
		if rule, said := f.Params["rule"].(Rule); said {
			return rule
		}
	}
	return RuleWindow
}

// Confirm notes that the ad was shown at a moment (0: now). Outside the slot's
// window it is marked late and counts where it was shown, over the cap or not.
// Confirming twice is once; the first moment stays.
func (s *Service) Confirm(ctx context.Context, slot id.Slot, at clock.Milli) (Slot, error) {
	var after Slot
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := findSlot(tx.DB, tx.Actor, slot)
		if err != nil {
			return err
		}
		if after, err = s.ConfirmTx(tx, slot, at); err != nil {
			return err
		}
		tx.SetResult("slot", int64(slot), 200)
		return database.AuditTx(tx, "slot.confirm", slot, before, after)
	})
	return after, err
}

// ConfirmTx is Confirm inside a transaction.
func (s *Service) ConfirmTx(tx *database.Tx, slot id.Slot, at clock.Milli) (Slot, error) {
	if at == 0 {
		at = tx.Now
	}
	row, guard, err := lockSlot(tx, slot)
	switch {
	case err != nil || row.Status() == StatusConfirmed:
		return row, err
	case row.Status() == StatusReleased:
		return row, ErrSlotReleased.With("status", row.ReleaseReason)
	case at > tx.Now || at < row.ReservedAt:
		return row, fault.Invalid.Field("at", "range", "应在预留之后、现在之前", "must lie between the reservation and now")
	}
	late := at < row.FromAt || at >= row.ToAt
	row.ConfirmedAt, row.ConfirmedSeq, row.FirstAt, row.LastAt, row.Late = at, guard.LastSeq+1, at, at, late
	err = database.One(tx.Exec(`UPDATE slots SET confirmed_at = ?, confirmed_seq = ?, first_at = ?, last_at = ?, late = ?
		WHERE id = ?`+tx.Only("confirmed_at = 0 AND released_at = 0"), at, row.ConfirmedSeq, at, at, late, slot), ErrSlotReleased.With("status", row.Status()))
	if err != nil {
		return row, err
	}
	if err := nextSeq(tx, guard); err != nil {
		return row, err
	}
	if err := health.AdShownTx(tx, row.GroupID, row.ID, at); err != nil {
		return row, err
	}
	if !late {
		return row, nil
	}
	return row, s.keepLate(tx, row)
}

// keepLate records a late slot: how far outside its window, and what it broke.
func (s *Service) keepLate(tx *database.Tx, row Slot) error {
	shown := Window{row.ConfirmedAt, row.ConfirmedAt + 1}
	all, err := s.load(tx.DB, question{groups: []id.Group{row.GroupID}, window: shown, now: row.ConfirmedAt, slot: row.ID, campaign: row.CampaignID})
	if err != nil {
		return err
	}
	k := all[row.GroupID]
	off := max(row.FromAt-row.ConfirmedAt, row.ConfirmedAt-row.ToAt)
	a := Answer{row.GroupID, row.ID, Decide(k.policy, k.state, shown)}
	a.Reasons = append([]Reason{{RuleWindow, int64(off) / minuteMilli, 0}}, a.Reasons...)
	a.Outcome, a.Rule, a.NotBefore, a.Window = OutcomeLate, RuleWindow, 0, shown
	ask := Ask{Campaign: row.CampaignID, Promotion: row.PromotionID, WindowNo: row.WindowNo, Window: Window{row.FromAt, row.ToAt}}
	_, err = keepDecisions(tx, []record{recordOf(tx, k, ask, a)}, nil)
	return err
}

// Release frees a slot whose ad the channel says was not and will not be
// shown; also, if given, goes on with what had it. Releasing twice is once.
func (s *Service) Release(ctx context.Context, slot id.Slot, why Release, also func(*database.Tx, Slot) error) (Slot, error) {
	var after Slot
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := findSlot(tx.DB, tx.Actor, slot)
		if err != nil {
			return err
		}
		if after, err = s.ReleaseTx(tx, slot, why); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx, after); err != nil {
				return err
			}
		}
		tx.SetResult("slot", int64(slot), 200)
		return database.AuditTx(tx, "slot.release", slot, before, after)
	})
	return after, err
}

// ReleaseTx is Release inside a transaction.
func (s *Service) ReleaseTx(tx *database.Tx, slot id.Slot, why Release) (Slot, error) {
	row, guard, err := lockSlot(tx, slot)
	switch {
	case err != nil || row.Status() == StatusReleased:
		return row, err
	case row.Status() == StatusConfirmed:
		return row, ErrSlotConfirmed
	}
	row.ReleasedAt, row.ReleasedSeq, row.ReleaseReason, row.Freed = tx.Now, guard.LastSeq+1, why, slot
	err = database.One(tx.Exec(`UPDATE slots SET released_at = ?, released_seq = ?, release_reason = ?, freed = id
		WHERE id = ?`+tx.Only("confirmed_at = 0 AND released_at = 0"), tx.Now, row.ReleasedSeq, why, slot), ErrSlotConfirmed)
	if err != nil {
		return row, err
	}
	return row, nextSeq(tx, guard)
}

// PostByHand counts an ad that somebody posted himself, now or earlier. Where
// the guard would have refused it, it is marked unplanned, and counts all the
// same, so that what it took too much is missing later.
func (s *Service) PostByHand(ctx context.Context, group id.Group, campaign id.Campaign, at clock.Milli) (id.Slot, error) {
	if _, err := s.FindAdPolicy(ctx, group); err != nil {
		return 0, err
	}
	if err := s.prepare(ctx, []id.Group{group}); err != nil {
		return 0, err
	}
	var slot id.Slot
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		row, err := s.postTx(tx, group, campaign, at)
		if err != nil {
			return err
		}
		slot = row.ID
		tx.SetResult("slot", int64(slot), 201)
		return database.AuditTx(tx, "slot.by_hand", slot, nil, row)
	})
	return slot, err
}

func (s *Service) postTx(tx *database.Tx, group id.Group, campaign id.Campaign, at clock.Milli) (Slot, error) {
	if at == 0 {
		at = tx.Now
	}
	if at > tx.Now {
		return Slot{}, fault.Invalid.Field("at", "range", "不能晚于现在", "cannot lie ahead")
	}
	guard, err := lockGuard(tx, group)
	if err != nil {
		return Slot{}, err
	}
	shown := Window{at, at + 1}
	all, err := s.load(tx.DB, question{groups: []id.Group{group}, window: shown, now: at, campaign: campaign})
	if err != nil {
		return Slot{}, err
	}
	k := all[group]
	k.state.Permits = nil // a permit is for ads that are asked for
	a := Answer{GroupID: group, Decision: Decide(k.policy, k.state, shown)}
	row := slotOf(k, Decision{Window: shown}, id.Slot(tx.Next()), tx.Now)
	row.CampaignID, row.Freed = campaign, row.ID // it holds no promotion's window
	row.ConfirmedAt, row.ConfirmedSeq = at, guard.LastSeq+1
	if a.Outcome != OutcomeAllow {
		row.Unplanned = true
		a.Outcome, a.NotBefore, a.Window = OutcomeUnplanned, 0, shown
	}
	a.SlotID = row.ID
	if err := insertSlots(tx, []Slot{row}); err != nil {
		return Slot{}, err
	}
	if err := health.AdShownTx(tx, group, row.ID, at); err != nil {
		return Slot{}, err
	}
	_, err = keepDecisions(tx, []record{recordOf(tx, k, Ask{Campaign: campaign, Window: shown}, a)}, nil)
	return row, err
}

// lockSlot locks the slot's group, whose row orders all events of its slots,
// and reads the slot.
func lockSlot(tx *database.Tx, slot id.Slot) (Slot, groupGuard, error) {
	row, err := findSlot(tx.DB, tx.Actor, slot)
	if err != nil {
		return row, groupGuard{}, err
	}
	guard, err := lockGuard(tx, row.GroupID)
	if err != nil {
		return row, guard, err
	}
	row, err = findSlot(tx.DB, tx.Actor, slot)
	return row, guard, err
}

func nextSeq(tx *database.Tx, guard groupGuard) error {
	err := tx.Exec("UPDATE group_guards SET last_seq = last_seq + 1 WHERE group_id = ?", guard.GroupID).Error
	if err != nil {
		return fmt.Errorf("guard: sequence of %s: %w", guard.GroupID, err)
	}
	return nil
}
