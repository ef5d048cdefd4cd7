package gathering_test

import (
	"testing"
	"time"

	"siyu/community/gathering"
	"siyu/internal/clock"
	"siyu/internal/task"
)

// TestHours goes to the very moments at which signing up ends, a code runs out
// and checking in begins and is over.
func TestHours(t *testing.T) {
	on(t, 9, func(h *house) {
		early, first, last := h.member(), h.member(), h.member()
		h.sign(early, gathering.SeatIn)
		h.sign(first, gathering.SeatIn)
		h.sign(last, gathering.SeatIn)
		start := h.DB.Clock.Now().Add(24 * time.Hour)
		at := func(m time.Time) {
			t.Helper()
			h.DB.Clock.Jump(m.Sub(h.DB.Clock.Now()))
		}
		door := func() string { d, err := h.DoorCode(owner, h.event); h.ok(err); return d }
		at(start.Add(-time.Hour - time.Millisecond))
		h.refused(h.CheckIn(bg, h.event, early, door()), gathering.ErrHours)
		at(start.Add(-time.Hour))
		old := door()
		h.ok(h.CheckIn(bg, h.event, early, old))
		at(start.Add(-time.Hour + 3*time.Minute - time.Millisecond))
		h.ok(h.CheckIn(bg, h.event, first, old))
		at(start.Add(-time.Hour + 3*time.Minute))
		h.refused(h.CheckIn(bg, h.event, first, old), gathering.ErrCode)
		at(start.Add(-time.Millisecond))
		h.sign(h.member(), gathering.SeatIn)
		at(start)
		_, err := h.SignUp(bg, h.event, h.member())
		h.refused(err, gathering.ErrBegun)
		at(start.Add(3 * time.Hour))
		h.ok(h.CheckIn(bg, h.event, last, door()))
		there := h.is(last, gathering.SeatIn).CheckedAt
		for since, want := range map[clock.Milli]int{there: 1, there + 1: 0} {
			was, err := gathering.AttendedIn(h.DB.Read(bg), h.group, since)
			h.ok(err)
			met, err := gathering.GuestsIn(h.DB.Read(bg), h.group, since)
			if h.ok(err); len(was) != want || len(met[h.event]) != want {
				t.Errorf("since %s: %v attended, %v were guests; want %d", since, was, met, want)
			}
		}
		at(start.Add(3*time.Hour + time.Millisecond))
		h.refused(h.CheckIn(bg, h.event, last, door()), gathering.ErrHours)
	})
}

// TestRemindOfWhatStands: the reminder of a start that was moved says nothing,
// nor does one that no worker came to before the event began.
func TestRemindOfWhatStands(t *testing.T) {
	on(t, 9, func(h *house) {
		reg := task.NewRegistry()
		h.Register(reg)
		work := func(d time.Duration) {
			t.Helper()
			h.DB.Clock.Jump(d)
			h.ok(task.Drain(bg, h.DB, reg))
		}
		in := h.in(9)
		in.StartsAt, in.EndsAt = in.StartsAt.Add(48*time.Hour), in.EndsAt.Add(48*time.Hour)
		event, err := h.Create(owner, h.group, in)
		h.ok(err)
		_, err = h.SignUp(bg, event, h.member())
		h.ok(err)
		in.StartsAt, in.EndsAt = in.StartsAt.Add(2*time.Hour), in.EndsAt.Add(2*time.Hour)
		h.ok(h.Edit(owner, event, 1, in))
		work(49 * time.Hour)
		if n := h.told("gathering.due", ""); n != 0 {
			t.Errorf("told %d times at the time of the start that was moved", n)
		}
		work(time.Hour)
		if n := h.told("gathering.due", ""); n != 1 {
			t.Errorf("told %d times a day before, want 1", n)
		}
		late := h.in(9)
		late.StartsAt, late.EndsAt = late.StartsAt.Add(48*time.Hour), late.EndsAt.Add(48*time.Hour)
		event, err = h.Create(owner, h.group, late)
		h.ok(err)
		_, err = h.SignUp(bg, event, h.member())
		h.ok(err)
		work(72 * time.Hour) // it begins now
		if n := h.told("gathering.due", ""); n != 1 {
			t.Errorf("told %d times of what has begun", n-1)
		}
	})
}
