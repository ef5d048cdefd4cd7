package promotion

import (
	"cmp"
	"context"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
)

// standstill is a channel in whose first delivery the process stands still,
// until meanwhile did what others do.
type standstill struct {
	meanwhile func(id.Slot)
	receipt   Receipt
	cancelled int
}

func (*standstill) Name() string { return "standstill" }

func (c *standstill) Deliver(_ context.Context, s Send) (Receipt, error) {
	if act := c.meanwhile; act != nil {
		c.meanwhile = nil
		act(s.SlotID)
	}
	return cmp.Or(c.receipt, ReceiptPending), nil
}

func (c *standstill) Cancel(context.Context, Send) (Receipt, error) {
	c.cancelled++
	return ReceiptCancelled, nil
}

func (*standstill) Remind(context.Context, Send) error { return nil }

// TestLateRunTakesNothingBack: a run that stood still while another handed the
// ad over comes late and leaves it; what was withdrawn meanwhile is taken back.
func TestLateRunTakesNothingBack(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(h *house, slot id.Slot) error
		want      int // times that the channel was told to take it back
	}{
		"another run hands it over": {func(h *house, slot id.Slot) error { return h.s.deliverOne(bg, slot) }, 0},
		"another run, and it is confirmed and over": {func(h *house, slot id.Slot) error {
			if err := h.s.deliverOne(bg, slot); err != nil {
				return err
			}
			if _, err := h.s.Guard.Confirm(bg, slot, h.now()); err != nil {
				return err
			}
			h.DB.Clock.Jump(3 * time.Hour)
			return h.s.closeWindow(bg, task.Job{}, closeWindow{h.promotionOf(slot), 1})
		}, 0},
		"it is cancelled": {func(h *house, slot id.Slot) error {
			p := h.promotionOf(slot)
			if err := h.s.Cancel(bg, p); err != nil {
				return err
			}
			return h.s.recall(bg, task.Job{}, recall{Slots: []id.Slot{slot}, Promotion: p})
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				h := newHouse(t, db)
				channel := &standstill{}
				h.s.Channels = append(h.s.Channels, channel)
				channel.meanwhile = func(slot id.Slot) { h.check(c.meanwhile(h, slot)) }
				p := h.plan("standstill", 2*time.Hour, h.group(community.PresetRetail))
				h.approve(p)
				if channel.meanwhile != nil || channel.cancelled != c.want {
					t.Errorf("the channel was told to take it back %d times, want %d", channel.cancelled, c.want)
				}
				for _, got := range h.sends(p) {
					if want := c.want > 0; want != (got.Slot == guard.StatusReleased) {
						t.Errorf("its slot is %s", got.Slot)
					}
				}
				h.mustHold()
			})
		})
	}
}

// TestSecondRunTakesNothingBack: a run that looked at an ad before another run
// of its task showed it does not have the channel take it back.
func TestSecondRunTakesNothingBack(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		channel := &standstill{receipt: ReceiptShown}
		h.s.Channels = append(h.s.Channels, channel)
		channel.meanwhile = func(slot id.Slot) {
			late, err := h.s.outgoing(bg, slot) // begun by this run, not yet shown
			h.check(err)
			h.check(h.s.deliverOne(bg, slot))
			h.check(h.s.handOver(bg, late))
		}
		p := h.plan("standstill", 2*time.Hour, h.group(community.PresetRetail))
		h.approve(p)
		if channel.meanwhile != nil || channel.cancelled != 0 {
			t.Errorf("the channel was told to take it back %d times", channel.cancelled)
		}
		for _, got := range h.sends(p) {
			if got.Send != SendHanded || got.Slot != guard.StatusConfirmed {
				t.Errorf("its send is %s, its slot %s", got.Send, got.Slot)
			}
		}
		h.mustHold()
	})
}

func (h *house) promotionOf(slot id.Slot) id.Promotion {
	h.T.Helper()
	s, err := h.s.Guard.FindSlot(bg, slot)
	h.check(err)
	return s.PromotionID
}
