package ritual_test

import (
	"fmt"
	"sync"
	"testing"

	"siyu/community/ritual"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

var daily = ritual.Weekdays{1, 2, 3, 4, 5, 6, 7}

// dayRows are the rows of a ritual's days as day:hour:reminded:held.
func (w *world) dayRows(r id.Ritual, table, step string) string {
	w.t.Helper()
	var rows []struct {
		Day, Step             int
		DueAt, Reminded, Held int64
	}
	w.ok(w.DB.Read(bg).Raw("SELECT day, "+step+" AS step, due_at, CASE WHEN reminded_at <> 0 THEN 1 ELSE 0 END AS reminded, CASE WHEN held_at <> 0 THEN 1 ELSE 0 END AS held FROM "+table+
		" WHERE ritual_id = ? ORDER BY due_at, step", r).Scan(&rows).Error)
	out := ""
	for _, x := range rows {
		out += fmt.Sprintf("%d.%d@%d:%d%d ", x.Day%100, x.Step, (x.DueAt-w.at(1, 0, 0).UnixMilli())/3_600_000%24, x.Reminded, x.Held)
	}
	return out
}

// TestEdit: an edit leaves what was due before it, seen by a worker or not, held
// or not; what was announced for later moves with it, and is reminded of anew
// only if its time moved.
func TestEdit(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := open(t, db)
		w.tickAt(2, 10, 0) // a Monday
		r, err := w.Create(owner, w.group, ritual.In{Kind: ritual.KindTopic, Title: "话题", Weekdays: daily, MinuteOfDay: 20 * 60, RemindMinutes: 60})
		w.ok(err)
		version := 1
		edit := func(title string, days ritual.Weekdays, hour int) {
			t.Helper()
			w.ok(w.Edit(owner, r, version, ritual.EditIn{Title: title, Weekdays: days, MinuteOfDay: hour * 60, RemindMinutes: 60}))
			version++
		}
		days := func(want string) {
			t.Helper()
			if got := w.dayRows(r, "ritual_days", "0"); got != want {
				t.Errorf("days: got %s, want %s", got, want)
			}
		}
		told := func(want int) {
			t.Helper()
			if n := w.told("ritual.due"); n != want {
				t.Errorf("reminded %d times, want %d", n, want)
			}
		}
		edit("话题", daily, 20) // not announced yet: it will be
		w.tickAt(2, 19, 0)
		days("2.0@20:10 ")
		edit("晚间话题", daily, 20) // the same time: told already
		w.tickAt(2, 19, 1)
		days("2.0@20:10 ")
		told(1)
		edit("晚间话题", daily, 21)
		days("")
		w.tickAt(2, 20, 0)
		days("2.0@21:10 ")
		told(2)
		w.ok(w.Hold(owner, r, ritual.HoldIn{People: 5})) // early
		edit("晚间话题", daily, 22)
		days("2.0@21:11 ") // held is held
		w.tickAt(2, 22, 1)
		told(2)

		w.DB.Clock.Jump(w.at(4, 21, 0).Sub(w.DB.Clock.Now())) // no look at yesterday's yet
		edit("周五话题", ritual.Weekdays{5}, 9)
		days("2.0@21:11 3.0@22:00 ")
		list, err := w.ListDue(owner, []id.Group{w.group})
		if w.ok(err); len(list) != 1 || list[0].Day != 20260303 || list[0].HeldAt != 0 || list[0].Title != "周五话题" {
			t.Errorf("still to note: got %+v, want yesterday's", list)
		}
		got, err := w.Find(owner, r)
		if w.ok(err); got.Due != 2 || got.Held != 1 || len(got.Open) != 1 || got.Open[0].Day != 20260303 || got.Version != version || got.Title != "周五话题" {
			t.Errorf("got %+v, want two due, one held, yesterday's open", got)
		}
		w.refused(w.Hold(owner, r, ritual.HoldIn{}), ritual.ErrNotDue)
		w.ok(w.Hold(owner, r, ritual.HoldIn{Day: 20260303, People: 3}))
		days("2.0@21:11 3.0@22:01 ")

		// Friday: the old hour of today has passed, a new one lies ahead; it is
		// due once a day, and stays what it was.
		w.tickAt(6, 9, 0)
		edit("周五话题", ritual.Weekdays{5}, 20)
		for range 2 {
			w.tickAt(6, 20, 0)
		}
		days("2.0@21:11 3.0@22:01 6.0@9:10 ")
		told(3)

		in := ritual.EditIn{Title: "话题", Weekdays: daily, MinuteOfDay: 600}
		w.refused(w.Edit(owner, r, version-1, in), fault.Stale)
		w.refused(w.Edit(other, r, version, in), fault.NotFound)
		for _, bad := range []func(in *ritual.EditIn){
			func(in *ritual.EditIn) { in.Title = " " },
			func(in *ritual.EditIn) { in.Weekdays = nil },
			func(in *ritual.EditIn) { in.MinuteOfDay = 1440 },
			func(in *ritual.EditIn) { in.RemindMinutes = 121 },
			func(in *ritual.EditIn) {
				in.Steps = []ritual.StepEdit{{StepIn: ritual.StepIn{Title: "x", MinuteOfDay: 600}}}
			},
		} {
			wrong := in
			bad(&wrong)
			w.refused(w.Edit(owner, r, version, wrong), fault.Invalid)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for range 6 {
			all.Go(func() {
				if err := w.Edit(owner, r, version, in); err == nil {
					mu.Lock()
					done++
					mu.Unlock()
				} else {
					w.refused(err, fault.Stale)
				}
			})
		}
		if all.Wait(); done != 1 {
			t.Errorf("%d edits of one version, want 1", done)
		}
		other := in
		for kind, want := range map[ritual.Kind]string{ritual.KindTopic: "", ritual.KindGame: "frozen", "song": "frozen"} {
			got := ""
			other.Kind = kind
			f, refused := fault.As(w.Edit(owner, r, version+1, other))
			if refused {
				got = f.Fields[0].Code
			} else {
				version++
			}
			if got != want {
				t.Errorf("a topic edited into a %s: got %q, want %q", kind, got, want)
			}
		}
		w.ok(w.End(owner, r))
		w.refused(w.Edit(owner, r, version+1, in), ritual.ErrEnded)
	})
}

// TestEditSteps: a step keeps its days under its number whatever its time and
// name become, one taken out was due until then, and a new one is not taken for
// it; the day counts what was due of it and what still is.
func TestEditSteps(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := open(t, db)
		w.tickAt(2, 8, 0)
		step := func(number int, title string, hour int) ritual.StepEdit {
			return ritual.StepEdit{Step: number, StepIn: ritual.StepIn{Title: title, MinuteOfDay: hour * 60}}
		}
		r, err := w.Create(owner, w.group, ritual.In{Kind: ritual.KindSOP, Title: "日常", Weekdays: daily, MinuteOfDay: 9 * 60,
			Steps: []ritual.StepIn{{Title: "问早", MinuteOfDay: 9 * 60}, {Title: "午间", MinuteOfDay: 12 * 60}, {Title: "小结", MinuteOfDay: 21 * 60}}})
		w.ok(err)
		edited := func(version int, steps ...ritual.StepEdit) error {
			return w.Edit(owner, r, version, ritual.EditIn{Title: "日常", Weekdays: daily, MinuteOfDay: 9 * 60, Steps: steps})
		}
		w.ok(edited(1, step(1, "问早", 9), step(2, "午间", 12), step(3, "小结", 21)))
		w.tickAt(2, 9, 0)
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 1}))
		w.tickAt(2, 12, 0)
		w.DB.Clock.Jump(w.at(2, 14, 0).Sub(w.DB.Clock.Now()))
		for _, bad := range [][]ritual.StepEdit{{step(4, "x", 10)}, {step(1, "x", 10), step(1, "y", 11)}, {step(1, "x", 8)}, {step(-1, "x", 10)}} {
			w.refused(edited(2, bad...), fault.Invalid)
		}
		// The noon step goes, another comes, the last is earlier and called otherwise.
		w.ok(edited(2, step(1, "问早", 9), step(0, "答疑", 16), step(3, "晚安", 20)))
		is := func(due, held int, steps ...int) {
			t.Helper()
			got, err := w.Find(owner, r)
			w.ok(err)
			var have []int
			for _, s := range got.Steps {
				have = append(have, s.Step, s.Due, s.Held)
			}
			if got.Due != due || got.Held != held || fmt.Sprint(have) != fmt.Sprint(steps) {
				t.Errorf("got %d due, %d held, steps %v; want %d, %d, %v", got.Due, got.Held, have, due, held, steps)
			}
		}
		is(1, 0, 1, 1, 1, 4, 0, 0, 3, 0, 0)
		got, err := w.Find(owner, r)
		if w.ok(err); len(got.Open) != 1 || fmt.Sprint(got.Open[0].Steps) != "[1]" || len(got.Open[0].Left) != 3 ||
			got.Open[0].Left[0].Title != "午间" || got.Open[0].Left[1].Step != 4 || got.Open[0].Left[2].Title != "晚安" {
			t.Errorf("of today: got %+v", got.Open)
		}
		w.tickAt(2, 16, 0)
		w.tickAt(2, 20, 0)
		if got, want := w.dayRows(r, "ritual_step_days", "step"), "2.1@9:11 2.2@12:10 2.4@16:10 2.3@20:10 "; got != want {
			t.Errorf("steps: got %s, want %s", got, want)
		}
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 4}))
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 3}))
		is(1, 0, 1, 1, 1, 4, 1, 1, 3, 1, 1) // noon was due and is not done
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 2}))
		is(1, 1, 1, 1, 1, 4, 1, 1, 3, 1, 1)

		// Two more for the evening: the day was held, and one of them does not undo it.
		w.ok(edited(3, step(1, "问早", 9), step(4, "答疑", 16), step(3, "晚安", 20), step(0, "甲", 21), step(0, "乙", 22)))
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 5}))
		is(1, 1, 1, 1, 1, 4, 1, 1, 3, 1, 1, 5, 1, 1, 6, 0, 0)
		w.refused(edited(4, step(2, "午间", 12)), fault.Invalid) // taken out is out
		w.ok(edited(4, step(1, "问早", 9), step(0, "丙", 23)))
		w.tickAt(3, 9, 0)
		w.refused(w.Hold(owner, r, ritual.HoldIn{Step: 4}), fault.Invalid)
		if got, want := w.dayRows(r, "ritual_step_days", "step"), "2.1@9:11 2.2@12:11 2.4@16:11 2.3@20:11 2.5@21:01 2.7@23:00 3.1@9:10 "; got != want {
			t.Errorf("steps: got %s, want %s", got, want)
		}
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 1}))
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 7, Day: 20260302}))
		w.refused(w.Hold(owner, r, ritual.HoldIn{Step: 6, Day: 20260302}), fault.Invalid)
		is(2, 1, 1, 2, 2, 7, 1, 1)
	})
}

// TestEditMeetsLook: a look that began before an edit announces nothing of the
// times the edit took away.
func TestEditMeetsLook(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := open(t, db)
		w.tickAt(2, 10, 0)
		var all []id.Ritual
		for range 12 {
			r, err := w.Create(owner, w.group, ritual.In{Kind: ritual.KindTopic, Title: "话题", Weekdays: daily, MinuteOfDay: 20 * 60, RemindMinutes: 60})
			w.ok(err)
			all = append(all, r)
		}
		for round := range 3 {
			w.DB.Clock.Jump(w.at(2+round, 19, 30).Sub(w.DB.Clock.Now()))
			var both sync.WaitGroup
			both.Go(func() {
				if err := task.Tick(bg, db, w.reg); err != nil {
					t.Error(err)
				}
			})
			for i := range all {
				r := all[len(all)-1-i] // towards the look, which goes by id
				if err := w.Edit(owner, r, 1+round, ritual.EditIn{Title: "话题", Weekdays: daily, MinuteOfDay: (21 + round) * 60, RemindMinutes: 60}); err != nil {
					t.Error(err)
				}
			}
			both.Wait()
			for _, r := range all {
				got, err := w.Find(owner, r)
				w.ok(err)
				for _, d := range got.Open {
					if at := d.DueAt.Time(); d.Day == 20260302+round && !at.Equal(w.at(2+round, 21+round, 0)) {
						t.Errorf("round %d: %s is due at %s", round, r, at)
					}
				}
			}
			w.tickAt(2+round, 23, 30)
		}
	})
}
