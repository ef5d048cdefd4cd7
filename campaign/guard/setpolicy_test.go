package guard_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

const week = 7 * 24 * time.Hour

// addUnits writes a store, unit 1, below a region, unit 2.
func addUnits(t testing.TB, db *database.DB) {
	t.Helper()
	err := db.Tx(bg, func(tx *database.Tx) error {
		above := id.Unit(2).String() + "/"
		if err := tx.Exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (2, 0, 'region', '华东', ?, 1, 0)", above).Error; err != nil {
			return err
		}
		return tx.Exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (1, 2, 'store', '西湖店', ?, 1, 0)", above+id.Unit(1).String()+"/").Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

func as(units ...id.Unit) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 5, Units: units})
}

func with(n int) *int { return &n }

// perDay is the group's cap per day now, and who set it.
func perDay(t testing.TB, s *guard.Service, g id.Group) (int, guard.Layer) {
	t.Helper()
	p, err := s.FindAdPolicy(bg, g)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range p.Numbers {
		if n.Name == "ads_per_day" {
			return *p.AdsPerDay, n.From
		}
	}
	t.Fatal("no number ads_per_day")
	return 0, ""
}

// TestLooserWaits: a group's looser policy counts after seven days' notice,
// what is stricter in it at once; the next word replaces what is coming.
func TestLooserWaits(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetBenefit) // 3 a day, 15 a week
		set := func(version, day, week int) guard.AdPolicy {
			t.Helper()
			in := guard.AdPolicyIn{Preset: guard.PresetBenefit, Mode: guard.ModeEnforce, SettingsIn: guard.SettingsIn{AdsPerDay: &day, AdsPerWeek: &week}}
			got, err := s.SetAdPolicy(bg, g, in, version)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		told := now(db)
		got := set(1, 5, 10) // looser by the day, stricter by the week
		if *got.AdsPerDay != 3 || *got.AdsPerWeek != 10 || got.Version != 3 || got.InForce != 2 {
			t.Fatalf("at once: got %+v", got)
		}
		if c := got.Coming; len(c) != 1 || c[0].EffectiveAt != told.Add(week) || *c[0].AdsPerDay != 5 {
			t.Fatalf("coming: got %+v", c)
		}
		a := reserve(t, s, 1, guard.Window{From: now(db), To: now(db).Add(time.Hour)}, g)[0]
		slot, err := s.FindSlot(bg, a.SlotID)
		if err != nil || slot.CapDay != 3 || slot.CapWeek != 10 || slot.PolicyVersion != 2 {
			t.Fatalf("slot: got %+v, %v", slot, err)
		}
		db.Clock.Jump(week - time.Millisecond)
		if day, _ := perDay(t, s, g); day != 3 {
			t.Errorf("a moment before: %d a day", day)
		}
		db.Clock.Jump(time.Millisecond)
		if day, from := perDay(t, s, g); day != 5 || from != guard.LayerGroup {
			t.Errorf("when the notice is over: %d a day by %s", day, from)
		}
		a = reserve(t, s, 2, guard.Window{From: now(db), To: now(db).Add(time.Hour)}, g)[0]
		if slot, err = s.FindSlot(bg, a.SlotID); err != nil || slot.CapDay != 5 || slot.PolicyVersion != 3 {
			t.Fatalf("slot under the new policy: got %+v, %v", slot, err)
		}
		if got = set(3, 6, 10); *got.AdsPerDay != 5 || got.InForce != 3 || len(got.Coming) != 1 {
			t.Fatalf("looser again: got %+v", got)
		}
		db.Clock.Jump(-time.Hour) // what is in force stays so when clocks are set back
		if got = set(4, 2, 10); *got.AdsPerDay != 2 || len(got.Coming) != 0 {
			t.Fatalf("stricter takes the place of what was coming: got %+v", got)
		}
		db.Clock.Jump(-2 * week)
		if day, _ := perDay(t, s, g); day != 2 {
			t.Errorf("with the clock set back: %d a day", day)
		}
		db.Clock.Jump(5 * week)
		if day, _ := perDay(t, s, g); day != 2 {
			t.Errorf("later: %d a day", day)
		}
		mustHold(t, db)
	})
}

// TestNearestWins: group, else the nearest unit that sets anything, else the
// brand, else the preset; the slot names the versions that decided.
func TestNearestWins(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		addUnits(t, db)
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetChain) // 3 a day, of unit 1
		set := func(unit id.Unit, version int, in guard.SettingsIn) guard.LayerPolicy {
			t.Helper()
			got, err := s.SetLayerPolicy(bg, unit, guard.PresetChain, in, version)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		is := func(day int, layer guard.Layer) {
			t.Helper()
			if got, from := perDay(t, s, g); got != day || from != layer {
				t.Errorf("got %d a day by %s, want %d by %s", got, from, day, layer)
			}
		}
		is(3, guard.LayerPreset)
		set(0, 0, guard.SettingsIn{AdsPerDay: with(2)})
		is(2, guard.LayerHouse)
		set(2, 0, guard.SettingsIn{AdsPerDay: with(1), GapHours: with(5)})
		is(1, guard.LayerUnit)
		// The store's own takes the place of the region's: looser, so the region's stays for a week.
		got := set(1, 0, guard.SettingsIn{AdsPerDay: with(2), AdsPerWeek: with(9)})
		if is(1, guard.LayerUnit); got.InForce != 1 || got.Version != 2 || len(got.Coming) != 1 {
			t.Errorf("coming of the store: got %+v", got)
		}
		slot := func(p id.Promotion) guard.Slot {
			t.Helper()
			a := reserve(t, s, p, guard.Window{From: now(db), To: now(db).Add(time.Hour)}, g)[0]
			x, err := s.FindSlot(bg, a.SlotID)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		if x := slot(1); x.CapDay != 1 || x.CapWeek != 9 || x.GapMinutes != 300 || x.HouseVersion != 1 || x.PolicyUnitID != 1 || x.UnitVersion != 1 {
			t.Errorf("slot: got %+v", x)
		}
		db.Clock.Jump(week)
		is(2, guard.LayerUnit)
		if x := slot(2); x.CapDay != 2 || x.GapMinutes != 120 || x.UnitVersion != 2 {
			t.Errorf("slot after the notice: got %+v", x)
		}
		set(1, 2, guard.SettingsIn{}) // hands back to the region, which is stricter by the day, looser by the week
		db.Clock.Jump(week)
		is(1, guard.LayerUnit)
		if x := slot(3); x.CapDay != 1 || x.CapWeek != 15 || x.PolicyUnitID != 2 {
			t.Errorf("slot by the region: got %+v", x)
		}
		mustHold(t, db)

		// Whoever works elsewhere, and an old version.
		if _, err := s.FindLayerPolicy(as(9), 1, guard.PresetChain); !errors.Is(err, fault.NotFound) {
			t.Errorf("another unit's: got %v", err)
		}
		if _, err := s.SetLayerPolicy(as(9), 1, guard.PresetChain, guard.SettingsIn{}, 4); !errors.Is(err, fault.NotFound) {
			t.Errorf("sets another unit's: got %v", err)
		}
		if _, err := s.SetLayerPolicy(as(1, 2), 0, guard.PresetChain, guard.SettingsIn{}, 1); !errors.Is(err, guard.ErrHousePolicy) {
			t.Errorf("a unit's colleague sets the brand's: got %v", err)
		}
		if _, err := s.SetLayerPolicy(bg, 0, guard.PresetChain, guard.SettingsIn{}, 7); !errors.Is(err, fault.Stale) {
			t.Errorf("an old version: got %v", err)
		}
		if _, err := s.SetLayerPolicy(bg, 0, guard.PresetService, guard.SettingsIn{}, 0); !errors.Is(err, guard.ErrServicePolicy) {
			t.Errorf("service: got %v", err)
		}
		if _, err := s.FindLayerPolicy(bg, 0, "x"); !errors.Is(err, fault.NotFound) {
			t.Errorf("no such preset: got %v", err)
		}
	})
}

// TestOneEditorWins: of many who edit the version they read one is heard.
func TestOneEditorWins(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		var heard, stale int
		var mu sync.Mutex
		var work sync.WaitGroup
		for n := range 12 {
			work.Go(func() {
				_, err := s.SetLayerPolicy(bg, 0, guard.PresetChain, guard.SettingsIn{AdsPerDay: with(n % 7)}, 0)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					heard++
				case errors.Is(err, fault.Stale):
					stale++
				default:
					t.Error(err)
				}
			})
		}
		work.Wait()
		if heard != 1 || stale != 11 {
			t.Errorf("%d were heard, %d told to read again", heard, stale)
		}
	})
}

// TestForecastKnowsThePolicy: a day is judged by the policy that is in force
// on it, a dry run too.
func TestForecastKnowsThePolicy(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetBenefit)
		if _, err := s.SetLayerPolicy(bg, 0, guard.PresetBenefit, guard.SettingsIn{AdsPerDay: with(0)}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetLayerPolicy(bg, 0, guard.PresetBenefit, guard.SettingsIn{AdsPerDay: with(1)}, 1); err != nil {
			t.Fatal(err)
		}
		f, err := s.Forecast(bg, g)
		if err != nil || f.Days[0].Open || f.Days[6].Open || !f.Days[8].Open {
			t.Errorf("forecast: got %+v, %v", f.Days, err)
		}
		at := func(days int) guard.Window {
			from := now(db).Add(time.Duration(days) * 24 * time.Hour)
			return guard.Window{From: from, To: from.Add(time.Hour)}
		}
		got, err := s.Check(bg, guard.Trial{Groups: []id.Group{g}, Windows: []guard.Window{at(1), at(8)}})
		if err != nil || got[0][0].Rule != guard.RuleDay || got[1][0].Outcome != guard.OutcomeAllow {
			t.Errorf("dry run: got %+v, %v", got, err)
		}
		known, err := s.Known(bg, []id.Group{g}, guard.Window{From: now(db), To: now(db).Add(2 * week)})
		if k := known[g]; err != nil || k.Policy.Day != 0 || len(k.Turns) != 1 || k.Turns[0].Policy.Day != 1 || k.Turns[0].From != now(db).Add(week) {
			t.Errorf("known: got %+v, %v", k, err)
		}
	})
}
