package promotion

import (
	"context"
	"errors"
	"testing"
	"time"

	"siyu/campaign/calendar"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// groupOf is a group of a unit.
func (h *house) groupOf(unit id.Unit) id.Group {
	h.T.Helper()
	g, err := h.Community.CreateGroup(bg, community.GroupIn{Name: "群", UnitID: unit, OwnerID: 7, Preset: community.PresetBenefit, BornAt: h.now().Add(-400 * 24 * time.Hour)})
	h.check(err)
	return g
}

// regions are two units, 41 with 42 below it, and 43.
func (h *house) regions() {
	h.T.Helper()
	h.check(h.DB.Tx(bg, func(tx *database.Tx) error {
		for _, u := range []struct {
			id   id.Unit
			path string
		}{{41, "/" + id.Unit(41).String() + "/"}, {42, "/" + id.Unit(41).String() + "/" + id.Unit(42).String() + "/"}, {43, "/" + id.Unit(43).String() + "/"}} {
			if err := tx.Exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (?, 0, 'region', ?, ?, 1, 0)", u.id, u.path, u.path).Error; err != nil {
				return err
			}
		}
		return nil
	}))
}

// TestRecallDay: ads that have a slot on a day which a unit adds to avoid are
// counted and taken back, handed out or not; what was shown stays, another
// unit's group is not reached, and what has a window left is asked for after it.
func TestRecallDay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.regions()
		unit := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 3, Unit: 41, Units: []id.Unit{41, 42}, Role: "marketer"})
		handed, shown, long, elsewhere := h.groupOf(41), h.groupOf(41), h.groupOf(42), h.groupOf(43)
		p, over := h.plan("file", 8*time.Hour, handed, shown, elsewhere), h.plan("file", 20*time.Hour, long)
		h.approve(p)
		h.approve(over)
		_, err := h.s.Guard.Confirm(bg, h.sends(p)[shown].SlotID, 0)
		h.check(err)

		today := clock.Day(db.Clock.Now(), time.FixedZone("", 8*3600))
		open, err := h.s.Dates.AddDay(unit, calendar.DayIn{FromDay: today, NameZH: "店庆"})
		h.check(err)
		if err := h.s.RecallDay(unit, open); !errors.Is(err, ErrOpenDay) {
			t.Errorf("a day on which ads are in place: got %v", err)
		}
		tomorrow, err := h.s.Dates.AddDay(unit, calendar.DayIn{FromDay: today + 2, NameZH: "公祭", Avoid: true})
		h.check(err)
		day, err := h.s.Dates.AddDay(unit, calendar.DayIn{FromDay: today, NameZH: "公祭", Avoid: true})
		h.check(err)
		on := func(day id.CalendarDay, want int) {
			t.Helper()
			if n, err := h.s.OnDay(unit, day); err != nil || n != want {
				t.Errorf("%d ads lie on the day, %v; want %d", n, err, want)
			}
		}
		on(open, 0)
		on(tomorrow, 0)
		on(day, 2)
		later := func(by time.Duration) {
			h.check(db.Tx(bg, func(tx *database.Tx) error {
				return tx.Exec("UPDATE slots SET from_at = from_at + ?, to_at = to_at + ? WHERE group_id = ?", by.Milliseconds(), by.Milliseconds(), handed).Error
			}))
		}
		later(14 * time.Hour) // from midnight on
		on(day, 1)
		later(-14 * time.Hour)
		other := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 4, Unit: 43, Units: []id.Unit{43}})
		if err := h.s.RecallDay(other, day); !errors.Is(err, fault.NotFound) {
			t.Errorf("another unit's day: got %v", err)
		}
		for range 2 {
			h.check(h.s.RecallDay(unit, day))
			h.Drain(0)
		}
		on(day, 0)
		got := h.sends(p)
		if got[handed].Send != SendClosed || got[handed].Slot != guard.StatusReleased || got[shown].Slot != guard.StatusConfirmed || got[elsewhere].Send != SendHanded {
			t.Errorf("taken back: got %+v", got)
		}
		midnight := clock.MilliOf(time.Date(2026, 3, 3, 0, 0, 0, 0, time.FixedZone("", 8*3600)))
		if g := h.sends(over)[long]; g.Send != SendDeferred || g.Rule != guard.RuleMourning || g.NotBefore != midnight {
			t.Errorf("what has a window left: got %+v, want it to wait for midnight", g)
		}
		h.mustHold()
	})
}

// TestRecallDayAbove: a day that a unit above added is kept by those below for
// their own groups, all of them at once; the day itself they cannot change, and
// it stays another region's affair there.
func TestRecallDayAbove(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.regions()
		above := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 3, Unit: 41, Units: []id.Unit{41, 42}, Role: "marketer"})
		below := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 4, Unit: 42, Units: []id.Unit{42}, Role: "marketer"})
		beside := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 5, Unit: 43, Units: []id.Unit{43}, Role: "marketer"})
		theirs, mine, also := h.groupOf(41), h.groupOf(42), h.groupOf(42)
		p := h.plan("file", 8*time.Hour, theirs, mine, also)
		h.approve(p)
		day, err := h.s.Dates.AddDay(above, calendar.DayIn{FromDay: clock.Day(db.Clock.Now(), time.FixedZone("", 8*3600)), NameZH: "公祭", Avoid: true})
		h.check(err)
		on := func(ctx context.Context, want int) {
			t.Helper()
			if n, err := h.s.OnDay(ctx, day); err != nil || n != want {
				t.Errorf("%d ads lie on the day, %v; want %d", n, err, want)
			}
		}
		on(above, 3)
		on(below, 2)
		if _, err := h.s.OnDay(beside, day); !errors.Is(err, fault.NotFound) {
			t.Errorf("counted beside: got %v", err)
		}
		if err := h.s.RecallDay(beside, day); !errors.Is(err, fault.NotFound) {
			t.Errorf("taken back beside: got %v", err)
		}
		if err := h.s.Dates.RemoveDay(below, day); !errors.Is(err, fault.NotFound) {
			t.Errorf("removed from below: got %v", err)
		}
		if err := h.s.Dates.EditDay(below, day, 1, calendar.DayEdit{}); !errors.Is(err, fault.NotFound) {
			t.Errorf("edited from below: got %v", err)
		}
		h.check(h.s.RecallDay(below, day))
		h.Drain(0)
		on(below, 0)
		on(above, 1)
		if got := h.sends(p); got[theirs].Slot != guard.StatusStarted || got[mine].Slot != guard.StatusReleased || got[also].Slot != guard.StatusReleased {
			t.Errorf("taken back from below: got %+v", got)
		}
		h.mustHold()
	})
}
