package ritual_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/ritual"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

var (
	bg    = context.Background()
	owner = database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 9, Role: "group_owner", Unit: 7, Units: []id.Unit{7}, Own: true})
	other = database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 8, Role: "group_owner", Unit: 7, Units: []id.Unit{7}, Own: true})
)

func TestDueOn(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	r := ritual.Ritual{Weekdays: ritual.Weekdays{1, 7}, MinuteOfDay: 20 * 60, CreatedAt: clock.MilliOf(time.Date(2026, 3, 2, 20, 30, 0, 0, zone))}
	for day, want := range map[int]bool{1: false, 2: false, 8: true, 9: true, 10: false} { // March 2 is a Monday
		due, is := r.DueOn(time.Date(2026, 3, day, 1, 0, 0, 0, zone).UTC(), zone)
		if is != want || is && !due.Equal(time.Date(2026, 3, day, 20, 0, 0, 0, zone)) {
			t.Errorf("March %d: due %v at %s, want %v", day, is, due, want)
		}
	}
}

// TestRitual follows one over three weeks: reminded in time, held, held late,
// missed; and a day no worker saw is counted all the same.
func TestRitual(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s, people := &ritual.Service{DB: db}, &community.Service{DB: db}
		group, err := people.CreateGroup(owner, community.GroupIn{Name: "群"})
		if err != nil {
			t.Fatal(err)
		}
		in := ritual.In{Kind: ritual.KindTopic, Title: "周一话题", Weekdays: ritual.Weekdays{1}, MinuteOfDay: 20 * 60, RemindMinutes: 30}
		r, err := s.Create(owner, group, in)
		if err != nil {
			t.Fatal(err)
		}
		reg := task.NewRegistry()
		s.Register(reg)
		tickAt := func(day, hour, minute int) { // of March, in Shanghai
			t.Helper()
			db.Clock.Jump(time.Date(2026, 3, day, hour-8, minute, 0, 0, time.UTC).Sub(db.Clock.Now()))
			if err := task.Tick(bg, db, reg); err != nil {
				t.Fatal(err)
			}
		}
		is := func(due, held int) {
			t.Helper()
			got, err := s.Find(owner, r)
			if err != nil || got.Due != due || got.Held != held {
				t.Errorf("got %+v, %v; want %d due, %d held", got, err, due, held)
			}
		}
		rows := func(cond string) (n int) {
			t.Helper()
			if err := db.Read(bg).Raw("SELECT COUNT(*) FROM ritual_days WHERE " + cond).Row().Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		tickAt(2, 19, 29)
		if rows("1 = 1") != 0 {
			t.Error("reminded too early")
		}
		tickAt(2, 19, 30)
		tickAt(2, 19, 31)
		if rows("reminded_at <> 0") != 1 {
			t.Error("not reminded once, half an hour before")
		}
		is(0, 0)                                          // not over yet
		todo := func(ctx context.Context, want ...bool) { // of each day that is due, whether it was held
			t.Helper()
			list, err := s.ListDue(ctx, []id.Group{group, 404})
			held := []bool{}
			for _, d := range list {
				held = append(held, d.HeldAt != 0)
			}
			if err != nil || !slices.Equal(held, want) {
				t.Errorf("to do: got %v, %v; want %v", list, err, want)
			}
		}
		todo(owner, false)
		todo(other)
		for range 2 {
			if err := s.Hold(owner, r, ritual.HoldIn{People: 12}); err != nil {
				t.Fatal(err)
			}
		}
		is(1, 1)
		todo(owner, true)
		tickAt(9, 20, 31)
		is(2, 1)
		todo(owner, false)
		if rows("reminded_at = 0") != 1 {
			t.Error("reminded of what was over")
		}
		tickAt(10, 9, 0)
		todo(owner, false) // yesterday's
		if err := s.Hold(owner, r, ritual.HoldIn{Day: 20260309, People: 8}); err != nil {
			t.Fatal(err)
		}
		is(2, 2)
		if met, err := community.Gatherings(db.Read(bg), group, []int{20260302, 20260309}); err != nil || met[20260302] != 12 || met[20260309] != 8 {
			t.Errorf("who met: got %v, %v", met, err)
		}
		tickAt(17, 8, 0) // nobody worked on the 16th
		is(3, 2)
		refused := func(err error, want *fault.Fault) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %s", err, want.Code)
			}
		}
		refused(s.Hold(owner, r, ritual.HoldIn{}), ritual.ErrNotDue)
		refused(s.Hold(owner, r, ritual.HoldIn{Day: 20260309}), ritual.ErrNotDue)
		refused(s.Hold(other, r, ritual.HoldIn{}), fault.NotFound)
		_, err = s.Create(other, group, in)
		refused(err, fault.NotFound)
		_, err = s.List(other, group)
		refused(err, fault.NotFound)
		for _, bad := range []ritual.Weekdays{nil, {0}, {8}, {1, 1}} {
			in.Weekdays = bad
			_, err = s.Create(owner, group, in)
			refused(err, fault.Invalid)
		}
		in.Weekdays = ritual.Weekdays{1, 2, 3, 4, 5, 6, 7}
		for range 19 {
			if _, err := s.Create(owner, group, in); err != nil {
				t.Fatal(err)
			}
		}
		_, err = s.Create(owner, group, in)
		refused(err, ritual.ErrFull)
		for range 2 {
			if err := s.End(owner, r); err != nil {
				t.Fatal(err)
			}
		}
		refused(s.Hold(owner, r, ritual.HoldIn{Day: 20260316}), ritual.ErrEnded)
		if list, err := s.List(owner, group); err != nil || len(list) != 19 {
			t.Errorf("%d last, want 19 (%v)", len(list), err)
		}
	})
}
