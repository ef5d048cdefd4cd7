package promotion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// deliver hands out one slot after the other at the channel's pace; those
// handed out by an earlier run are passed over. One that fails does not hold
// up the others.
func (s *Service) deliver(ctx context.Context, _ task.Job, a deliver) error {
	channel, left, err := s.unsent(ctx, a.Slots)
	if err != nil {
		return err
	}
	var failed []error
	// A task made when the pace was higher has more than one wave.
	for wave := range slices.Chunk(left, s.Paces[channel].wave()) {
		wait, err := s.turn(ctx, channel, len(wave))
		if err != nil {
			return err
		}
		if wait > 0 {
			return cmp.Or(errors.Join(failed...), task.Snooze(wait))
		}
		for _, slot := range wave {
			if err := s.deliverOne(ctx, slot); err != nil {
				failed = append(failed, fmt.Errorf("promotion: deliver %s: %w", slot, err))
			}
		}
	}
	return errors.Join(failed...)
}

func (s *Service) deliverOne(ctx context.Context, slot id.Slot) error {
	o, err := s.outgoing(ctx, slot)
	if err != nil || o.row.Status != SendReserved {
		return err
	}
	return s.handOver(ctx, o)
}

// handOver starts a send, has its channel take it and says so.
func (s *Service) handOver(ctx context.Context, o outgoing) error {
	slot := o.slot.ID
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := s.Guard.StartTx(tx, slot); err != nil {
			return err
		}
		if err := mustRun(tx, o.row.PromotionID, o.send.MaterialID); err != nil {
			return err
		}
		return o.linesTx(tx)
	})
	switch {
	case errors.Is(err, guard.ErrNotNow):
		// Stopped inside its window, by a silence or a stricter charter, or its
		// slot was over before its turn came: the guard is asked again.
		return s.drop(ctx, slot, putBack{guard.ReleaseNotSent, s.now().Add(time.Minute), guard.WhyNotNow(err)})
	case errors.Is(err, errStopped):
		return s.drop(ctx, slot, putBack{why: guard.ReleaseCancelled})
	case err != nil:
		return err
	}
	receipt, err := o.channel.Deliver(ctx, o.send)
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		if receipt == ReceiptShown {
			if _, err := s.Guard.ConfirmTx(tx, slot, tx.Now); err != nil {
				return err
			}
		} else if err := remindTx(tx, o.slot); err != nil {
			return err
		}
		for _, l := range o.send.Lines {
			err := tx.Exec("UPDATE promotion_sends SET variant_no = ? WHERE promotion_id = ? AND window_no = ? AND group_id = ?", l.VariantNo, l.row.PromotionID, l.row.WindowNo, l.row.GroupID).Error
			if err != nil {
				return err
			}
		}
		return database.One(tx.Exec("UPDATE promotion_sends SET status = ?, handed_at = ?, variant_no = ? WHERE slot_id = ?"+tx.Only("status = ?"),
			SendHanded, tx.Now, o.send.VariantNo, slot, SendReserved), errStopped)
	})
	if errors.Is(err, errStopped) || errors.Is(err, guard.ErrSlotReleased) {
		return s.takeBack(ctx, o)
	}
	return err
}

// drop withdraws what could not start. It looks again first: another run of the
// task may have handed it over since this one looked, and that stands.
func (s *Service) drop(ctx context.Context, slot id.Slot, as putBack) error {
	o, err := s.outgoing(ctx, slot)
	if err != nil || o.row.Status != SendReserved {
		return err
	}
	return s.withdraw(ctx, o, as)
}

// takeBack cancels once more what was withdrawn while the channel took it. What
// another run of the task handed over stands: this one stood still meanwhile
// and comes late. It waits for no turn, which nobody would take for it later;
// whoever comes next does.
func (s *Service) takeBack(ctx context.Context, o outgoing) error {
	now, err := s.outgoing(ctx, o.slot.ID)
	if err != nil || now.row.Status == SendHanded || now.slot.Status() == guard.StatusConfirmed {
		return err
	}
	if err := s.owe(ctx, o.channel.Name()); err != nil {
		return err
	}
	_, err = o.channel.Cancel(ctx, o.send)
	return err
}

// mustRun refuses a delivery whose promotion was stopped or whose material was
// withdrawn.
func mustRun(tx *database.Tx, promotion id.Promotion, shown id.Material) error {
	p, err := share(tx, promotion)
	switch {
	case err != nil:
		return err
	case p.Status != StatusRunning:
		return errStopped
	case shown == 0:
		return nil
	}
	if err = material.LiveTx(tx, shown); errors.Is(err, material.ErrStatus) {
		return errStopped
	}
	return err
}

// outgoing is a send with all its channel needs.
type outgoing struct {
	row     sendRow
	slot    guard.Slot
	window  Window
	send    Send
	channel Channel
}

func (s *Service) outgoing(ctx context.Context, slot id.Slot) (outgoing, error) {
	var o outgoing
	q := s.DB.Read(ctx)
	if err := q.Raw("SELECT "+sendColumns+" FROM promotion_sends WHERE slot_id = ?", slot).Scan(&o.row).Error; err != nil || o.row.SlotID == 0 {
		return o, err
	}
	p, err := find(q, database.Actor{}, o.row.PromotionID)
	if err != nil {
		return o, err
	}
	o.window = p.Windows[o.row.WindowNo-1]
	if o.slot, err = s.Guard.FindSlot(ctx, slot); err != nil {
		return o, err
	}
	groups, err := community.GroupsIn(q, []id.Group{o.row.GroupID})
	if err != nil {
		return o, err
	}
	g := groups[o.row.GroupID]
	o.send = Send{
		SlotID: slot, PromotionID: p.ID, CampaignID: p.CampaignID, GroupID: g.ID, ExternalID: g.ExternalID, GroupName: g.Name, OwnerID: g.OwnerID,
		Window: guard.Window{From: o.slot.FromAt, To: o.slot.ToAt}, Label: Label, RefuseZH: RefuseZH, RefuseEN: RefuseEN, Priority: p.Priority,
	}
	if o.send.Shows, o.send.Sponsor, err = shows(q, p, g.ID); err != nil {
		return o, err
	}
	if o.row.digest, err = digestOf(q, slot); err != nil {
		return o, err
	}
	if o.send.Lines, err = s.lines(ctx, o.row.digest, g.ID); err != nil {
		return o, err
	}
	var known bool
	if o.channel, known = s.channel(p.Channel); !known {
		return o, task.Dead(fmt.Errorf("channel %s is not set up", p.Channel))
	}
	return o, nil
}

// closeWindow has the sends taken back that are over, and where none is left
// ends what waits and, after its last window, the promotion.
func (s *Service) closeWindow(ctx context.Context, _ task.Job, a closeWindow) error {
	p, err := find(s.DB.Read(ctx), database.Actor{}, a.Promotion)
	if err != nil {
		return ignoreMissing(err)
	}
	if back, err := s.recallAll(ctx, p, a.Window); err != nil || back {
		return err // the last one taken back closes the window
	}
	if p.OnNoSlot == OnNoSlotDigest && p.Status == StatusRunning {
		for _, w := range p.Windows {
			if a.Window != allWindows && a.Window != w.No || w.To > s.now() {
				continue
			}
			if err := s.toDigest(ctx, p, w); err != nil {
				return err
			}
		}
	}
	if p.Status == StatusCancelled {
		if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return planAgainTx(tx, p.ID) }); err != nil {
			return err
		}
	}
	return s.end(ctx, p, a.Window)
}
