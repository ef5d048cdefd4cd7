package promotion

import (
	"context"
	"fmt"
	"slices"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// hush takes back what a silence reaches; with slots those alone, else it
// looks for them.
type hush struct {
	Silence id.Silence `json:"silence"`
	Slots   []id.Slot  `json:"slots,omitempty"`
}

// Kind names the task.
func (hush) Kind() string { return "promotion:hush" }

// Silence stops all ads within a scope. From its commit on no delivery begins;
// what a channel has and is not shown yet is taken back, and asked for again
// when the silence lifts, if its window lasts that long.
func (s *Service) Silence(ctx context.Context, in guard.SilenceIn) (id.Silence, error) {
	var silence guard.Silence
	err := s.DB.Tx(ctx, func(tx *database.Tx) (err error) {
		if silence, err = s.Guard.SilenceTx(tx, in); err != nil {
			return err
		}
		return task.EnqueueTx(tx, hush{Silence: silence.ID}, silence.From)
	})
	return silence.ID, err
}

// Lift ends a silence before its time; what waited for its end is asked for
// now.
func (s *Service) Lift(ctx context.Context, silence id.Silence) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := s.Guard.LiftTx(tx, silence); err != nil {
			return err
		}
		var waiting []struct {
			Promotion id.Promotion
			Opened    int
		}
		err := tx.Raw(`SELECT DISTINCT s.promotion_id AS promotion, s.window_no AS opened FROM promotions p
			JOIN promotion_sends s ON s.promotion_id = p.id WHERE p.status = ? AND s.status = ? AND s.rule_name = ?
			ORDER BY s.promotion_id, s.window_no LIMIT 500`, StatusRunning, SendDeferred, guard.RuleSilence).Scan(&waiting).Error
		if err != nil {
			return fmt.Errorf("promotion: silenced: %w", err)
		}
		for _, w := range waiting {
			if err := task.EnqueueTx(tx, openWindow{Promotion: w.Promotion, Window: w.Opened, Lifted: true}, tx.Now); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) hush(ctx context.Context, _ task.Job, a hush) error {
	silence, err := s.Guard.FindSilence(ctx, a.Silence)
	if err != nil || silence.Until <= s.now() {
		return ignoreMissing(err)
	}
	if len(a.Slots) == 0 {
		return s.findHushed(ctx, silence)
	}
	return s.withdrawAll(ctx, a.Slots, putBack{guard.ReleaseCancelled, silence.Until, guard.RuleSilence})
}

// findHushed hands the slots that the silence reaches out to tasks of their
// own, so that all workers take them back.
func (s *Service) findHushed(ctx context.Context, silence guard.Silence) error {
	q := s.DB.Read(ctx)
	reached, err := s.Guard.Reach(q, silence)
	if err != nil {
		return err
	}
	return eachWaiting(q, func(slots []id.Slot, rows map[id.Slot]guard.Slot) error {
		slots = slices.DeleteFunc(slots, func(x id.Slot) bool { return !reached(rows[x]) })
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			for part := range slices.Chunk(slots, deliverMost) {
				if err := task.EnqueueTx(tx, hush{silence.ID, part}, tx.Now); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// eachWaiting hands over the slots of all running promotions whose ads may still
// be taken back, some at a time, each in the unit that its group is in now.
func eachWaiting(q *database.Query, each func([]id.Slot, map[id.Slot]guard.Slot) error) error {
	for after := id.Slot(0); ; {
		var slots []id.Slot
		err := q.Raw(`SELECT s.slot_id FROM promotions p JOIN promotion_sends s ON s.promotion_id = p.id
			WHERE p.status = ? AND s.status IN ? AND s.slot_id > ? ORDER BY s.slot_id LIMIT 1000`,
			StatusRunning, []SendStatus{SendReserved, SendHanded}, after).Scan(&slots).Error
		if err != nil {
			return fmt.Errorf("promotion: what may be taken back: %w", err)
		}
		if len(slots) == 0 {
			return nil
		}
		after = slots[len(slots)-1]
		rows, err := guard.SlotsIn(q, slots)
		if err != nil {
			return err
		}
		groups, err := community.GroupsIn(q, groupsIn(rows))
		if err != nil {
			return err
		}
		for slot, x := range rows {
			x.UnitID = groups[x.GroupID].UnitID
			rows[slot] = x
		}
		if err := each(slots, rows); err != nil {
			return err
		}
	}
}

// closedTx is what becomes of a send that was taken back: it is asked for again
// at a later moment of its window, if there is one, else it is over. Free says
// that it was not shown; where only its channel knows, it is asked for again
// once that says so (releasedTx).
func (o *outgoing) closedTx(tx *database.Tx, as putBack, free bool) error {
	again := as.again
	if o.row.digest.PromotionID != 0 {
		return o.digestOverTx(tx, again, free)
	}
	if again <= tx.Now || again >= o.window.To {
		return tx.Exec("UPDATE promotion_sends SET status = ? WHERE slot_id = ?", SendClosed, o.slot.ID).Error
	}
	if !free {
		return tx.Exec("UPDATE promotion_sends SET status = ?, rule_name = ?, not_before = ? WHERE slot_id = ?", SendClosed, as.rule, again, o.slot.ID).Error
	}
	err := tx.Exec("UPDATE promotion_sends SET status = ?, rule_name = ?, not_before = ?, slot_id = 0, handed_at = 0, published_at = 0 WHERE slot_id = ?",
		SendDeferred, as.rule, again, o.slot.ID).Error
	if err != nil {
		return err
	}
	return task.EnqueueTx(tx, openWindow{Promotion: o.row.PromotionID, Window: o.window.No}, again)
}
