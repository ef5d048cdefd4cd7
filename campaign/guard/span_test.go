package guard_test

import (
	"slices"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// A wave over groups that lie side by side reads them as a span; a group among
// them that was not asked for stays as it is.
func TestWaveOverNeighbours(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			db := dbtest.Open(t, engine)
			s := &guard.Service{DB: db}
			all := make([]id.Group, 6)
			for i := range all {
				all[i] = newGroup(t, db, community.PresetRetail)
			}
			slices.Sort(all)
			asked := slices.Delete(slices.Clone(all), 2, 3)
			for _, c := range []struct {
				groups []id.Group
				want   bool
			}{{asked, true}, {all, true}, {[]id.Group{all[0], all[5]}, false}, {all[:1], false}, {nil, false}} {
				if near, err := community.Neighbours(db.Read(bg), c.groups); err != nil || near != c.want {
					t.Fatalf("neighbours of %d groups: %v, want %v: %v", len(c.groups), near, c.want, err)
				}
			}
			for _, g := range all[1:4] { // each had its ad of the day
				if a := reserve(t, s, 1, aDay(db), g)[0]; a.Outcome != guard.OutcomeAllow {
					t.Fatalf("the first ad: %+v", a)
				}
			}
			first := reserve(t, s, 2, aDay(db), asked...)
			for i, want := range []guard.Outcome{guard.OutcomeAllow, guard.OutcomeDeny, guard.OutcomeDeny, guard.OutcomeAllow, guard.OutcomeAllow} {
				if a := first[i]; a.GroupID != asked[i] || a.Outcome != want {
					t.Errorf("group %d: %+v, want %s", i, a, want)
				}
			}
			for i, a := range reserve(t, s, 2, aDay(db), asked...) {
				if a.SlotID != first[i].SlotID || a.Outcome != first[i].Outcome {
					t.Errorf("asked again, group %d: %+v, was %+v", i, a, first[i])
				}
			}
			var kept, times, slots, seq int
			err := db.Read(bg).Raw(`SELECT COUNT(*), SUM(times), (SELECT COUNT(*) FROM slots WHERE group_id = ?), (SELECT last_seq FROM group_guards WHERE group_id = ?)
				FROM decisions WHERE promotion_id = 2`, all[2], all[2]).Row().Scan(&kept, &times, &slots, &seq)
			if err != nil {
				t.Fatal(err)
			}
			if kept != 5 || times != 7 || slots != 1 || seq != 1 {
				t.Errorf("%d decisions counted %d times, the group between has %d slots and sequence %d; want 5, 7, 1, 1", kept, times, slots, seq)
			}
			mustHold(t, db)
		})
	}
}

// A wave over more groups than one statement names: as many as lie side by side
// are reserved together, others some at a time, and each is answered once.
func TestWaveInStretches(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		all := make([]id.Group, 320)
		for i := range all {
			all[i] = newGroup(t, db, community.PresetChain)
		}
		slices.Sort(all)
		apart := slices.Concat(all[:100], all[220:]) // more than half as many again lie between
		for no, groups := range [][]id.Group{all, apart} {
			for range 2 { // the second time they hold their slots
				got := reserve(t, s, id.Promotion(no+1), guard.Window{From: now(db), To: now(db).Add(time.Hour)}, groups...)
				if len(got) != len(groups) {
					t.Fatalf("%d answers for %d groups", len(got), len(groups))
				}
				for i, a := range got {
					if a.GroupID != groups[i] || a.Outcome != guard.OutcomeAllow {
						t.Fatalf("group %d: got %+v", i, a)
					}
				}
			}
			db.Clock.Jump(4 * time.Hour)
		}
		var slots, kept int
		if err := db.Read(bg).Raw("SELECT (SELECT COUNT(*) FROM slots), (SELECT COUNT(*) FROM decisions)").Row().Scan(&slots, &kept); err != nil {
			t.Fatal(err)
		}
		if slots != len(all)+len(apart) || kept != slots {
			t.Errorf("%d slots and %d decisions, want %d of each", slots, kept, len(all)+len(apart))
		}
		mustHold(t, db)
	})
}
