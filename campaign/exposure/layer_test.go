package exposure

import (
	"errors"
	"testing"

	"siyu/campaign/guard"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TestLooser: which changes let more through, and what holds until they count.
func TestLooser(t *testing.T) {
	was := Policy{guard.ModeAdvise, 7, 7, 5_000}
	for name, c := range map[string]struct {
		becomes Policy
		looser  bool
		until   Policy
	}{
		"nothing":                     {was, false, was},
		"enforced":                    {Policy{guard.ModeEnforce, 7, 7, 5_000}, false, Policy{guard.ModeEnforce, 7, 7, 5_000}},
		"switched off":                {Policy{guard.ModeOff, 7, 7, 5_000}, true, was},
		"a lower ceiling":             {Policy{guard.ModeAdvise, 6, 7, 5_000}, false, Policy{guard.ModeAdvise, 6, 7, 5_000}},
		"a higher ceiling":            {Policy{guard.ModeAdvise, 8, 7, 5_000}, true, was},
		"a longer window":             {Policy{guard.ModeAdvise, 7, 8, 5_000}, false, Policy{guard.ModeAdvise, 7, 8, 5_000}},
		"a shorter window":            {Policy{guard.ModeAdvise, 7, 6, 5_000}, true, was},
		"before fewer of the members": {Policy{guard.ModeAdvise, 7, 7, 4_999}, false, Policy{guard.ModeAdvise, 7, 7, 4_999}},
		"before more of the members":  {Policy{guard.ModeAdvise, 7, 7, 5_001}, true, was},
		"both":                        {Policy{guard.ModeEnforce, 9, 9, 6_000}, true, Policy{guard.ModeEnforce, 7, 9, 5_000}},
	} {
		if got := c.becomes.looserThan(was); got != c.looser {
			t.Errorf("%s: looser %v", name, got)
		}
		if got := was.stricter(was, c.becomes); got != c.until {
			t.Errorf("%s: until then %+v, want %+v", name, got, c.until)
		}
	}
}

// place makes a unit below another by its path.
func (w *world) place(u id.Unit, path string) {
	w.t.Helper()
	w.check(w.db.Tx(bg, func(tx *database.Tx) error {
		return tx.Exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (?, 0, 'store', ?, ?, 1, 0)", u, path, path).Error
	}))
}

// TestUnits: the nearest unit that sets anything decides, what it leaves out is
// the brand's, and what is looser waits for seven days.
func TestUnits(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		const brand, region, shop = id.Unit(3), id.Unit(1), id.Unit(2)
		w.place(brand, "/3/")
		w.place(region, "/3/1/")
		w.place(shop, "/3/1/2/")
		n := func(v int) *int { return &v }
		set := func(u id.Unit, in In) Shown {
			t.Helper()
			is, err := w.s.Find(bg, u)
			w.check(err)
			got, err := w.s.Set(bg, u, in, is.Version)
			w.check(err)
			read, err := w.s.Find(bg, u)
			w.check(err)
			if len(read.Coming) != len(got.Coming) || read.Version != got.Version || read.InForce != got.InForce || read.Mode != got.Mode {
				t.Errorf("told %+v, reads %+v", got, read)
			}
			return got
		}
		holds := func(u id.Unit, want Policy) {
			t.Helper()
			got, err := w.s.Find(bg, u)
			w.check(err)
			if is := (Policy{got.Mode, got.Numbers[0].Value, got.Numbers[1].Value, got.Numbers[2].Value}); is != want {
				t.Errorf("%s: got %+v, want %+v", u, is, want)
			}
		}
		set(0, In{Mode: guard.ModeAdvise, Ceiling: n(6)})
		got := set(region, In{Mode: guard.ModeEnforce, Ceiling: n(4)})
		if got.ModeFrom != LayerUnit || got.Numbers[0].From != LayerUnit || got.Numbers[0].UnitID != region || got.Numbers[2].From != LayerShipped || got.Version != 1 || len(got.Coming) != 0 {
			t.Errorf("stricter holds at once: got %+v", got)
		}
		holds(shop, Policy{guard.ModeEnforce, 4, 7, 5_000})
		holds(0, Policy{guard.ModeAdvise, 6, 7, 5_000})

		// The shop asks for more than its region lets it have: the whole waits,
		// and until then it follows the region but for what is stricter.
		got = set(shop, In{Ceiling: n(9), ShareBP: n(4_000)})
		if len(got.Coming) != 1 || got.Version != 2 || got.InForce != 1 {
			t.Errorf("looser waits: got %+v", got)
		}
		holds(shop, Policy{guard.ModeEnforce, 4, 7, 4_000})
		db.Clock.Jump(noticeFor - hour)
		holds(shop, Policy{guard.ModeEnforce, 4, 7, 4_000})
		set(shop, In{Mode: guard.ModeOff}) // takes the place of what was coming
		db.Clock.Jump(hour)
		holds(shop, Policy{guard.ModeEnforce, 4, 7, 4_000})
		db.Clock.Jump(noticeFor - hour)
		holds(shop, Policy{guard.ModeOff, 6, 7, 5_000})
		set(shop, In{Ceiling: n(9), ShareBP: n(4_000)})
		holds(shop, Policy{guard.ModeAdvise, 6, 7, 4_000}) // the mode it leaves out is the brand's
		db.Clock.Jump(noticeFor)
		holds(shop, Policy{guard.ModeAdvise, 9, 7, 4_000})
		set(shop, In{}) // follows its region again, whose share is looser
		db.Clock.Jump(noticeFor)
		holds(shop, Policy{guard.ModeEnforce, 4, 7, 5_000})

		in := func(u id.Unit, staff In, actor database.Actor, version int) error {
			_, err := w.s.Set(database.WithActor(bg, actor), u, staff, version)
			return err
		}
		at := database.Actor{Kind: database.ActorStaff, Staff: 9, Units: []id.Unit{shop}}
		for name, c := range map[string]struct {
			got  error
			want error
		}{
			"the brand's by a unit's colleague":  {in(0, In{Mode: guard.ModeOff}, at, 1), ErrHouse},
			"another unit's":                     {in(region, In{}, at, 1), fault.NotFound},
			"a window of its own":                {in(shop, In{WindowDays: n(3)}, at, 6), fault.Invalid},
			"by who read the version before":     {in(shop, In{}, at, 3), fault.Stale},
			"the brand's without a mode":         {in(0, In{}, database.Actor{}, 1), fault.Invalid},
			"a unit that does not exist":         {in(99, In{}, database.Actor{}, 0), fault.NotFound},
			"a ceiling that would never be told": {in(shop, In{Ceiling: n(61)}, at, 6), fault.Invalid},
		} {
			if !errors.Is(c.got, c.want) {
				t.Errorf("%s: got %v, want %v", name, c.got, c.want)
			}
		}
	})
}

// TestJudge_by_unit: each group is held to its own unit's policy; ads in groups
// of a unit that has the rule off count for people of the others.
func TestJudge_by_unit(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.place(1, "/1/")
		w.place(2, "/1/2/")
		long, people := w.now().Add(-100*24*hour), w.people(4)
		strict, off, house := w.group(), w.group(), w.group()
		w.check(db.Tx(bg, func(tx *database.Tx) error {
			if err := tx.Exec("UPDATE chat_groups SET unit_id = CASE WHEN id = ? THEN 2 ELSE 1 END WHERE id IN ?", off, []id.Group{strict, off}).Error; err != nil {
				return err
			}
			return tx.Exec("UPDATE chat_groups SET unit_id = 7 WHERE id = ?", house).Error
		}))
		for _, g := range []id.Group{strict, off, house} {
			w.join(g, long, people...)
			w.show(g)
		}
		db.Clock.Jump(hour)
		two, three := 3, 5
		w.set(guard.ModeEnforce, three, 7, 5_000)
		for u, in := range map[id.Unit]In{1: {Mode: guard.ModeEnforce, Ceiling: &two}} {
			_, err := w.s.Set(bg, u, in, 0)
			w.check(err)
		}
		w.check(db.Tx(bg, func(tx *database.Tx) error {
			return announce(tx, 2, 0, layers{{UnitID: 2, Version: 1, Policy: Policy{Mode: guard.ModeOff}}})
		}))
		w.check(w.s.Count(bg))
		all := []id.Group{strict, off, house}
		got, err := w.s.Judge(bg, all)
		w.check(err)
		_, said := got[off]
		if !got[strict].Refuses() || said || got[house].Refuses() || got[strict].Policy.Ceiling != two || got[house].Policy.Ceiling != three {
			t.Errorf("got %+v", got)
		}
		out, err := w.s.LeftOut(bg, all)
		w.check(err)
		if !out[strict] || out[off] || out[house] {
			t.Errorf("left out: %v", out)
		}
		if s := w.standing(strict); s.Ceiling != two || s.ShareBP != 10_000 || len(s.Reasons) != 2 {
			t.Errorf("got %+v", s)
		}

		list := func(actor database.Actor, page database.Page) []id.Group {
			t.Helper()
			got, err := w.s.ListGroups(database.WithActor(bg, actor), page)
			w.check(err)
			var out []id.Group
			for _, g := range got.Items {
				out = append(out, g.GroupID)
				if g.Name == "" || !g.Known {
					t.Errorf("got %+v", g)
				}
			}
			return out
		}
		if got := list(database.Actor{}, database.Page{}); len(got) != 1 || got[0] != strict {
			t.Errorf("the groups at the ceiling: got %v, want %s", got, strict)
		}
		if got := list(database.Actor{Kind: database.ActorStaff, Units: []id.Unit{7}}, database.Page{}); len(got) != 0 {
			t.Errorf("of another unit: got %v", got)
		}
		w.set(guard.ModeOff, three, 7, 5_000)
		before, err := newest(db.Read(bg))
		w.check(err)
		db.Clock.Jump(hour)
		w.check(w.s.Count(bg))
		if after, err := newest(db.Read(bg)); err != nil || after.ID == before.ID {
			t.Errorf("a unit that asks for it is not counted for: %v", err)
		}
	})
}

// TestListGroups_pages: the largest share first, each group once.
func TestListGroups_pages(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.set(guard.ModeAdvise, 2, 7, 5_000)
		long := w.now().Add(-100 * 24 * hour)
		var both, one = w.people(2), w.people(2)
		a, b, c := w.group(), w.group(), w.group()
		w.join(a, long, both...)
		w.join(b, long, both...)
		w.join(c, long, append(one, both[0])...)
		for _, g := range []id.Group{a, b, c} {
			w.show(g)
		}
		db.Clock.Jump(hour)
		w.check(w.s.Count(bg))
		var got []id.Group
		for before := int64(0); ; {
			page, err := w.s.ListGroups(bg, database.Page{Before: before, Limit: 1})
			w.check(err)
			got = append(got, page.Items[0].GroupID)
			if page.NextCursor == "" {
				break
			}
			before, err = database.ParseCursor(page.NextCursor)
			w.check(err)
		}
		if len(got) != 3 || got[0] != max(a, b) || got[1] != min(a, b) || got[2] != c {
			t.Errorf("got %v, want %s, %s and %s", got, max(a, b), min(a, b), c)
		}
	})
}
