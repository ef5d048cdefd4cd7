package promotion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// recall takes back sends that are over or whose promotion was cancelled. Once
// none of their window is left, the window is closed.
type recall struct {
	Slots     []id.Slot    `json:"slots"`
	Promotion id.Promotion `json:"promotion"`
	Window    int          `json:"window"`
}

func (recall) Kind() string { return "promotion:recall" }

// recallsAtOnce is how many slots one transaction hands out to tasks: each may
// be a task of its own.
const recallsAtOnce = 500

// recallAll hands what is to be taken back of a window out to tasks of a wave
// each, and says whether there was any.
func (s *Service) recallAll(ctx context.Context, p Promotion, window int) (any bool, err error) {
	slots, err := s.dueBack(ctx, p, window)
	if err != nil {
		return false, err
	}
	for part := range slices.Chunk(slots, recallsAtOnce) {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			for wave := range slices.Chunk(part, s.Paces[p.Channel].wave()) {
				if err := task.EnqueueTx(tx, recall{wave, p.ID, window}, tx.Now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return len(slots) > 0, nil
}

// dueBack are a window's slots that are to be taken back: those past their end,
// or all of them once the promotion is cancelled.
func (s *Service) dueBack(ctx context.Context, p Promotion, window int) ([]id.Slot, error) {
	q := s.DB.Read(ctx)
	var slots []id.Slot
	err := q.Raw("SELECT slot_id FROM promotion_sends WHERE promotion_id = ? AND (? = 0 OR window_no = ?) AND status IN ? ORDER BY slot_id",
		p.ID, window, window, []SendStatus{SendReserved, SendHanded}).Scan(&slots).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: sends of %s: %w", p.ID, err)
	}
	if p.Status == StatusCancelled {
		return slots, nil
	}
	rows, err := guard.SlotsIn(q, slots)
	if err != nil {
		return nil, err
	}
	now := s.now()
	return slices.DeleteFunc(slots, func(x id.Slot) bool { return rows[x].ToAt > now }), nil
}

func (s *Service) recall(ctx context.Context, _ task.Job, a recall) error {
	p, err := find(s.DB.Read(ctx), database.Actor{}, a.Promotion)
	if err != nil {
		return ignoreMissing(err)
	}
	why := guard.ReleaseNotSent
	if p.Status == StatusCancelled {
		why = guard.ReleaseCancelled
	}
	if err := s.withdrawAll(ctx, a.Slots, putBack{why: why}); err != nil {
		return err
	}
	// Two that end together may both find nothing left: to close a window twice
	// changes nothing.
	left, err := s.dueBack(ctx, p, a.Window)
	if err != nil || len(left) > 0 {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		return task.EnqueueTx(tx, closeWindow{a.Promotion, a.Window}, tx.Now)
	})
}

// putBack is why a slot is freed, and when its ad, if ever, may be asked for
// once more, by which rule.
type putBack struct {
	why   guard.Release
	again clock.Milli
	rule  guard.Rule
}

// errBegun puts off taking back what was handed out since it was looked at.
var errBegun = errors.New("its delivery has just begun")

// withdrawAll takes back those of the slots that are still to be: what no
// channel has at once, the rest at its channel's pace, in the line in which
// deliveries stand. One that fails does not hold up the others.
func (s *Service) withdrawAll(ctx context.Context, slots []id.Slot, as putBack) error {
	loose, asked, err := s.held(ctx, slots)
	if err != nil {
		return err
	}
	var failed []error
	back := func(slot id.Slot, turn bool) {
		o, err := s.outgoing(ctx, slot)
		if err == nil && o.row.Status != SendReserved && o.row.Status != SendHanded {
			return
		}
		if err == nil && !turn && o.asks() {
			err = errBegun
		}
		if err == nil {
			err = s.withdraw(ctx, o, as)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("promotion: take back %s: %w", slot, err))
		}
	}
	for _, slot := range loose {
		back(slot, false)
	}
	var later time.Duration
	for _, channel := range slices.Sorted(maps.Keys(asked)) {
		for wave := range slices.Chunk(asked[channel], s.Paces[channel].wave()) {
			wait, err := s.turn(ctx, channel, len(wave))
			if err != nil {
				return err
			}
			if wait > 0 {
				later = min(wait, cmp.Or(later, wait))
				break
			}
			for _, slot := range wave {
				back(slot, true)
			}
		}
	}
	if later > 0 && len(failed) == 0 {
		return task.Snooze(later)
	}
	return errors.Join(failed...)
}

// held parts the slots that are still to be taken back into those that no
// channel has and those that their channel must be asked for.
func (s *Service) held(ctx context.Context, slots []id.Slot) (loose []id.Slot, asked map[string][]id.Slot, err error) {
	q := s.DB.Read(ctx)
	var rows []struct {
		SlotID  id.Slot
		Channel string
	}
	err = q.Raw(`SELECT s.slot_id, p.channel FROM promotion_sends s JOIN promotions p ON p.id = s.promotion_id
		WHERE s.slot_id IN ? AND s.status IN ? ORDER BY s.slot_id`, slots, []SendStatus{SendReserved, SendHanded}).Scan(&rows).Error
	if err != nil {
		return nil, nil, fmt.Errorf("promotion: held: %w", err)
	}
	known, err := guard.SlotsIn(q, slots)
	asked = map[string][]id.Slot{}
	for _, r := range rows {
		if started(known[r.SlotID]) {
			asked[r.Channel] = append(asked[r.Channel], r.SlotID)
		} else {
			loose = append(loose, r.SlotID)
		}
	}
	return loose, asked, err
}

// started says that only the channel knows what became of the slot.
func started(x guard.Slot) bool { return x.StartedAt != 0 && x.Status() == guard.StatusStarted }

func (o outgoing) asks() bool { return started(o.slot) }

// withdraw takes a send back. An ad that no channel has is freed at once; of
// one that was handed out only the channel can say that it was not shown, and
// until somebody does, its slot counts.
func (s *Service) withdraw(ctx context.Context, o outgoing, as putBack) error {
	free := o.slot.StartedAt == 0
	if o.asks() {
		receipt, err := o.channel.Cancel(ctx, o.send)
		if err != nil {
			return err
		}
		free = receipt == ReceiptCancelled
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if free {
			row, err := s.Guard.ReleaseTx(tx, o.slot.ID, as.why)
			switch {
			case errors.Is(err, guard.ErrSlotConfirmed):
				as.again = 0
			case err != nil:
				return err
			case row.StartedAt != o.slot.StartedAt:
				return errBegun // tried again, with the channel
			}
		}
		if free && o.asks() && o.row.Status == SendReserved {
			if err := task.EnqueueTx(tx, unsay{o.channel.Name(), o.send}, tx.Now.Add(unsayAfter)); err != nil {
				return err
			}
		}
		return o.closedTx(tx, as, free)
	})
}

// unsay takes an ad back once more that was on its way to the channel when it
// was taken back: had it arrived after the first call, it would stand in the
// group while its slot is free.
type unsay struct {
	Channel string `json:"channel"`
	Send    Send   `json:"send"`
}

func (unsay) Kind() string { return "promotion:unsay" }

// unsayAfter is longer than an ad is on its way.
const unsayAfter = time.Minute

func (s *Service) unsay(ctx context.Context, _ task.Job, a unsay) error {
	slot, err := s.Guard.FindSlot(ctx, a.Send.SlotID)
	channel, known := s.channel(a.Channel)
	switch {
	case err != nil:
		return err
	case slot.Status() != guard.StatusReleased:
		return nil // its owner said meanwhile that it was shown
	case !known:
		return task.Dead(fmt.Errorf("channel %s is not set up", a.Channel))
	}
	if wait, err := s.turn(ctx, a.Channel, 1); err != nil || wait > 0 {
		return cmp.Or(err, task.Snooze(wait))
	}
	_, err = channel.Cancel(ctx, a.Send)
	return err
}
