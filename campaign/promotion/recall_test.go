package promotion

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
)

// metered is a channel that notes when it is called for what.
type metered struct {
	now                        func() clock.Milli
	mu                         sync.Mutex
	delivers, cancels, reminds []clock.Milli
	sure                       bool // that what it takes back was not shown
}

func (*metered) Name() string { return "metered" }

func (m *metered) note(at *[]clock.Milli) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*at = append(*at, m.now())
}

func (m *metered) Deliver(context.Context, Send) (Receipt, error) {
	m.note(&m.delivers)
	return ReceiptPending, nil
}

func (m *metered) Cancel(context.Context, Send) (Receipt, error) {
	m.note(&m.cancels)
	if m.sure {
		return ReceiptCancelled, nil
	}
	return ReceiptPending, nil
}

func (m *metered) Remind(context.Context, Send) error { m.note(&m.reminds); return nil }

func (m *metered) calls() []clock.Milli {
	return slices.Sorted(slices.Values(slices.Concat(m.delivers, m.cancels, m.reminds)))
}

// TestPaceTakesBack: a channel that takes 6 calls a minute is told of 12 ads to
// be taken back at that pace too, whatever takes them back, also while others go
// out; what it never had is free at once.
func TestPaceTakesBack(t *testing.T) {
	for name, c := range map[string]struct {
		stop func(h *house, p id.Promotion)
		want Status
	}{
		"a silence": {func(h *house, _ id.Promotion) { h.silence(guard.SilenceIn{Scope: guard.ScopeHouse}) }, StatusRunning},
		"cancelled": {func(h *house, p id.Promotion) { h.check(h.s.Cancel(bg, p)) }, StatusCancelled},
		"its end":   {func(h *house, _ id.Promotion) { h.DB.Clock.Jump(4 * time.Hour) }, StatusDone},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				h := newHouse(t, db)
				channel := &metered{now: h.now, sure: true}
				h.s.Channels = append(h.s.Channels, channel)
				h.s.Paces = map[string]Pace{"metered": 6}
				var groups []id.Group
				for range 15 {
					groups = append(groups, h.group(community.PresetRetail))
				}
				p := h.plan("metered", 4*time.Hour, groups...)
				h.check(h.s.Approve(bg, p, 0))
				for len(channel.delivers) < 12 {
					h.Drain(10 * time.Second)
				}
				c.stop(h, p)
				h.Drain(0)
				if free := h.released(p); free < 3 || free > 5 {
					t.Errorf("%d are free at once, want the 3 that no channel has, and those of one turn", free)
				}
				for range 30 {
					h.Drain(10 * time.Second)
				}
				if free := h.released(p); free != 15 || len(channel.cancels) < 12 {
					t.Errorf("in the end: %d are free, %d were taken back", free, len(channel.cancels))
				}
				if n := most(channel.calls()); n > 6 {
					t.Errorf("%d calls in 60 seconds, want at most 6", n)
				}
				if got := h.status(p); got != c.want {
					t.Errorf("the promotion is %s, want %s", got, c.want)
				}
				h.mustHold()
			})
		})
	}
}

// released counts the promotion's slots that are free again.
func (h *house) released(p id.Promotion) (n int) {
	h.T.Helper()
	h.check(h.DB.Read(bg).Raw("SELECT COUNT(*) FROM slots WHERE promotion_id = ? AND released_at <> 0", p).Row().Scan(&n))
	return n
}

// TestPaceReminds: reminders are calls like others, and what was taken back
// while it was handed out counts though it cannot wait.
func TestPaceReminds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		channel := &metered{now: h.now}
		h.s.Channels = append(h.s.Channels, channel)
		h.s.Paces = map[string]Pace{"metered": 6}
		var groups []id.Group
		for range 12 {
			groups = append(groups, h.group(community.PresetRetail))
		}
		p := h.plan("metered", 4*time.Hour, groups...)
		h.check(h.s.Approve(bg, p, 0))
		for len(channel.delivers) < 12 {
			h.Drain(10 * time.Second)
		}
		h.DB.Clock.Jump(3 * time.Hour)
		for range 30 {
			h.Drain(10 * time.Second)
		}
		if n := most(channel.calls()); n > 6 || len(channel.reminds) != 12 {
			t.Errorf("%d were reminded of, %d calls in 60 seconds; want 12 and at most 6", len(channel.reminds), n)
		}
		db.Clock.Jump(time.Minute)
		h.check(h.s.owe(bg, "metered"))
		if wait, err := h.s.turn(bg, "metered", 1); err != nil || wait < Pace(6).every()-time.Millisecond || wait > Pace(6).every() {
			t.Errorf("after a call that could not wait the next waits %s, %v; want %s", wait, err, Pace(6).every())
		}
	})
}

// slow is a channel that an ad reaches after it was taken back.
type slow struct {
	metered
	during func() // while the ad is on its way
	down   bool   // for the next call to take one back
}

func (s *slow) Deliver(ctx context.Context, x Send) (Receipt, error) {
	if during := s.during; during != nil {
		s.during = nil
		during()
	}
	return s.metered.Deliver(ctx, x)
}

func (s *slow) Cancel(ctx context.Context, x Send) (Receipt, error) {
	if s.down {
		s.down = false
		return "", errors.New("the channel is down")
	}
	return s.metered.Cancel(ctx, x)
}

// TestTakenBackOnItsWay: an ad that is withdrawn while it is on its way is taken
// back again once it must have arrived, though whoever sent it could not.
func TestTakenBackOnItsWay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		channel := &slow{metered: metered{now: h.now, sure: true}}
		channel.during = func() {
			h.silence(guard.SilenceIn{Scope: guard.ScopeHouse})
			db.Clock.Jump(time.Second)
			channel.down = true
		}
		h.s.Channels = append(h.s.Channels, channel)
		p := h.plan("metered", 4*time.Hour, h.group(community.PresetRetail))
		h.check(h.s.Approve(bg, p, 0))
		if err := task.Drain(bg, db, h.Registry); err == nil {
			t.Error("the channel that was down took it back")
		}
		if len(channel.delivers) != 1 || len(channel.cancels) != 1 || channel.down {
			t.Fatalf("handed over %d times, taken back %d times", len(channel.delivers), len(channel.cancels))
		}
		h.Drain(2 * unsayAfter)
		if len(channel.cancels) != 2 || channel.cancels[1] <= channel.delivers[0] {
			t.Errorf("arrived at %s, taken back at %v", channel.delivers[0], channel.cancels)
		}
		h.mustHold()
	})
}

// TestBegunWhileTakenBack: an ad that begins between the look at it and its
// taking back is not freed behind its channel's back; the next try asks the
// channel.
func TestBegunWhileTakenBack(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		channel := &metered{now: h.now, sure: true}
		h.s.Channels = append(h.s.Channels, channel)
		g := h.group(community.PresetRetail)
		p := h.plan("metered", 4*time.Hour, g)
		h.check(h.s.Approve(bg, p, 0))
		h.check(h.s.openWindow(bg, task.Job{}, openWindow{Promotion: p, Window: 1}))
		slot := h.sends(p)[g].SlotID
		looked, err := h.s.outgoing(bg, slot)
		h.check(err)
		if slot == 0 || looked.asks() {
			t.Fatalf("slot %s, asks %v; want one that no channel has", slot, looked.asks())
		}
		h.check(db.Tx(bg, func(tx *database.Tx) error { _, err := h.s.Guard.StartTx(tx, slot); return err }))
		as := putBack{why: guard.ReleaseCancelled}
		if err := h.s.withdraw(bg, looked, as); !errors.Is(err, errBegun) {
			t.Errorf("taken back as it was looked at: got %v", err)
		}
		if got := h.sends(p)[g]; got.Slot != guard.StatusStarted || got.Send != SendReserved || len(channel.cancels) != 0 {
			t.Errorf("its delivery has begun: got %+v, the channel was asked %d times", got, len(channel.cancels))
		}
		h.check(h.s.withdrawAll(bg, []id.Slot{slot}, as))
		if got := h.sends(p)[g]; got.Slot != guard.StatusReleased || got.Send != SendClosed || len(channel.cancels) != 1 {
			t.Errorf("tried again: got %+v, the channel was asked %d times, want once", got, len(channel.cancels))
		}
		h.mustHold()
	})
}
