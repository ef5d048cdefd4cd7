package exposure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestJudge: of five groups of the same people as many are let in as the people
// can take; a sixth of fresh people comes first.
func TestJudge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		same, fresh := w.people(10), w.people(3)
		long := w.now().Add(-100 * 24 * hour)
		var groups []id.Group
		for range 5 {
			g := w.group()
			w.join(g, long, same...)
			w.show(g)
			groups = append(groups, g)
		}
		new, unknown := w.group(), w.group()
		w.join(new, long, fresh...)
		all := append(groups, new, unknown)
		judge := func() map[id.Group]Verdict {
			t.Helper()
			got, err := w.s.Judge(bg, all)
			w.check(err)
			return got
		}
		refused := func(got map[id.Group]Verdict) (n int) {
			for _, v := range got {
				if v.Refuses() {
					n++
				}
			}
			return n
		}

		w.set(guard.ModeEnforce, 7, 7, 5_000)
		if got := judge(); refused(got) != 0 || got[groups[0]].Known {
			t.Errorf("before any count: got %+v", got)
		}
		db.Clock.Jump(hour)
		w.check(w.s.Count(bg))
		got := judge()
		// 5 of 7 seen: two more go in, the first two by id.
		for i, g := range groups {
			if v := got[g]; v.Refuses() != (i > 1) || v.Members != 10 || v.Over != map[bool]int{true: 10}[i > 1] {
				t.Errorf("group %d of the same people: got %+v", i, v)
			}
		}
		if v := got[new]; v.Refuses() || v.Over != 0 {
			t.Errorf("fresh people: got %+v", v)
		}
		if v := got[unknown]; v.Known || v.Refuses() || v.Reasons()[0].Observed != guard.Unknown {
			t.Errorf("where nobody reported the members: got %+v", v)
		}

		// Two more reserved since the count are known at once, and fresh people
		// come first now.
		db.Clock.Jump(2 * hour)
		w.reserve(groups[0])
		w.reserve(groups[1])
		got = judge()
		if refused(got) != 5 || got[new].Place > 1 || got[groups[0]].Place < 2 {
			t.Errorf("with two more: got %+v", got)
		}

		w.set(guard.ModeAdvise, 7, 7, 5_000)
		if got := judge(); refused(got) != 0 || !got[groups[2]].Above() || len(got[groups[2]].Reasons()) != 2 {
			t.Errorf("advice only: got %+v", got)
		}
		w.set(guard.ModeEnforce, 8, 7, 5_000)
		if got := judge(); refused(got) != 4 {
			t.Errorf("with one more for each: %d are left out, want 4", refused(got))
		}
		w.set(guard.ModeOff, 7, 7, 5_000)
		if got := judge(); len(got) != 0 {
			t.Errorf("switched off: got %+v", got)
		}
		before, err := newest(db.Read(bg))
		w.check(err)
		w.check(w.s.Count(bg))
		if after, err := newest(db.Read(bg)); err != nil || after.ID != before.ID {
			t.Errorf("switched off it counted: %+v", after)
		}
		w.set(guard.ModeEnforce, 7, 7, 5_000)
		db.Clock.Jump(staleAfter)
		if got := judge(); refused(got) != 0 || got[groups[0]].Known {
			t.Errorf("by a count too old: got %+v", got)
		}
	})
}

// TestJudge_one_group_alone: what a group alone showed its members is its own
// policy's matter; another group is left out by it.
func TestJudge_one_group_alone(t *testing.T) {
	w := &weighing{people: []id.Member{1, 2}, total: []int{15, 15}, groups: []candidate{
		{group: 1, who: []int32{0, 1}, own: []uint8{15, 15}}, {group: 2, who: []int32{0, 1}, own: []uint8{0, 0}}}}
	p := Policy{Mode: guard.ModeEnforce, Ceiling: 7, WindowDays: 7, ShareBP: 5_000}
	got := w.judge(map[id.Group]Policy{1: p, 2: p})
	if got[1].Refuses() || !got[2].Refuses() {
		t.Errorf("got %+v", got)
	}
}

// TestAbove is the bound at its edge.
func TestAbove(t *testing.T) {
	at := func(over, members int) bool {
		return Verdict{Policy: Policy{ShareBP: 5_000, Mode: guard.ModeEnforce}, Known: true, Over: over, Members: members}.Refuses()
	}
	if at(5, 10) || !at(6, 10) || at(1, 2) || !at(2, 3) || at(0, 0) {
		t.Error("a half is not above a half, and more is")
	}
}

// TestReach: people are counted once, with all they see; who left saw what he
// was there for.
func TestReach(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		a, b, c := w.group(), w.group(), w.group()
		p := w.people(6)
		start := w.now()
		w.join(a, start.Add(-hour), p[0], p[1], p[2])
		w.join(b, start.Add(-hour), p[1], p[2], p[3])
		w.join(c, start.Add(-hour), p[2], p[4])
		ad := func(at clock.Milli) guard.Window { return guard.Window{From: at, To: at + 1} }
		db.Clock.Jump(10 * hour)
		w.join(a, start.Add(5*hour), p[5])
		got, err := ReachOf(db.Read(bg), map[id.Group][]guard.Window{a: {ad(start), ad(start.Add(6 * hour))}, b: {ad(start)}, c: nil}, w.now())
		w.check(err)
		// 0: 2, 1: 3, 2: 3, 3: 1, 4: 0, 5: the second one.
		if diff := cmp.Diff(Reach{Members: 6, Reached: 5, Repeated: 3, Most: 3}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
