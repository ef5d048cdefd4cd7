package guard_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

var bg = context.Background()

func now(db *database.DB) clock.Milli { return clock.MilliOf(db.Clock.Now()) }

// aDay is the window of the next 24 hours.
func aDay(db *database.DB) guard.Window {
	return guard.Window{From: now(db), To: now(db).Add(24 * time.Hour)}
}

func newGroup(t testing.TB, db *database.DB, preset community.Preset) id.Group {
	t.Helper()
	s := &community.Service{DB: db}
	g, err := s.CreateGroup(bg, community.GroupIn{
		UnitID: 1, Name: "三里屯福利群", OwnerID: 7, Preset: preset, BornAt: now(db).Add(-2 * 365 * 24 * time.Hour),
		Charter: &community.CharterIn{Purpose: "分享好物", AdsPerDay: 6, AdsPerWeek: 30, QuietFrom: 23 * 60, QuietTo: 6 * 60},
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func nothing(*database.Tx, []guard.Answer) error { return nil }

func reserve(t testing.TB, s *guard.Service, promotion id.Promotion, w guard.Window, groups ...id.Group) []guard.Answer {
	t.Helper()
	as, err := s.Reserve(bg, guard.Ask{Promotion: promotion, Window: w, Groups: groups}, nothing)
	if err != nil {
		t.Fatal(err)
	}
	return as
}

func mustHold(t testing.TB, db *database.DB) {
	t.Helper()
	proofs, err := guard.Verify(bg, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		for _, b := range p.Broken {
			t.Errorf("%s: %s", p.ID, b)
		}
	}
}

// TestImportedGroups is the acceptance of the presets: 300 groups that lived
// for two years before Siyu knew them.
func TestImportedGroups(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		c, s := &community.Service{DB: db}, &guard.Service{DB: db}
		rows := make([]community.GroupIn, 300)
		for i := range rows {
			rows[i] = community.GroupIn{
				UnitID: 1, ExternalID: fmt.Sprint("wr", i), Name: fmt.Sprintf("老客群 %d", i+1), OwnerID: 7,
				Preset: community.PresetRetail, BornAt: now(db).Add(-2 * 365 * 24 * time.Hour),
			}
		}
		var groups []id.Group
		for part := range slices.Chunk(rows, 150) {
			results, err := c.PutGroups(bg, part)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				groups = append(groups, r.Group)
			}
		}
		p, err := s.FindAdPolicy(bg, groups[0])
		if err != nil || p.Mode != guard.ModeAdvise || p.Preset != guard.PresetRetail {
			t.Fatalf("an imported group is observed first: got %s %s, %v", p.Mode, p.Preset, err)
		}
		for _, g := range groups {
			if _, err := s.SetAdPolicy(bg, g, guard.AdPolicyIn{Preset: guard.PresetRetail, Mode: guard.ModeEnforce}, 1); err != nil {
				t.Fatal(err)
			}
		}
		db.Clock.Jump(4*time.Hour + 37*time.Minute)
		first := now(db)
		for _, a := range reserve(t, s, 1, aDay(db), groups...) {
			if a.Outcome != guard.OutcomeAllow {
				t.Fatalf("first ad: got %s %v", a.Outcome, a.Reasons)
			}
			if len(a.Advice) != 4 || a.Advice[0].Rule != guard.RuleMoment || a.Advice[3].Rule != guard.RuleHealth {
				t.Fatalf("advice: got %v, want G8 to G11", a.Advice)
			}
			if _, err := s.Confirm(bg, a.SlotID, 0); err != nil {
				t.Fatal(err)
			}
		}
		db.Clock.Jump(5 * time.Hour)
		for _, a := range reserve(t, s, 2, aDay(db), groups...) {
			if want := first.Add(20 * time.Hour); a.Outcome != guard.OutcomeDefer || a.NotBefore != want {
				t.Fatalf("second ad: got %s not before %s, want %s", a.Outcome, a.NotBefore, want)
			}
		}
		db.Clock.Jump(15 * time.Hour)
		for _, a := range reserve(t, s, 2, aDay(db), groups...) {
			if a.Outcome != guard.OutcomeAllow {
				t.Fatalf("second ad when its minute has come: got %s %v", a.Outcome, a.Reasons)
			}
		}
		mustHold(t, db)
	})
}

func TestBenefitTakesThreeADay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetBenefit)
		until := guard.Window{From: now(db), To: now(db).Add(13 * time.Hour)} // 23:00
		for n := range 3 {
			a := reserve(t, s, id.Promotion(n+1), until, g)[0]
			if a.Outcome != guard.OutcomeAllow {
				t.Fatalf("ad %d: got %s %v", n+1, a.Outcome, a.Reasons)
			}
			if _, err := s.Confirm(bg, a.SlotID, 0); err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(3 * time.Hour)
		}
		a := reserve(t, s, 4, until, g)[0]
		if a.Outcome != guard.OutcomeDeny || a.Rule != guard.RuleDay || a.Reasons[0] != (guard.Reason{Rule: guard.RuleDay, Observed: 3, Limit: 3}) {
			t.Fatalf("fourth ad: got %s %v", a.Outcome, a.Reasons)
		}
		mustHold(t, db)
	})
}

func TestObservedGroupsKeepTheirCharter(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetCore)
		if _, err := s.SetAdPolicy(bg, g, guard.AdPolicyIn{Preset: guard.PresetCore, Mode: guard.ModeAdvise}, 1); err != nil {
			t.Fatal(err)
		}
		db.Clock.Jump(week) // the notice
		hours := guard.Window{From: now(db), To: now(db).Add(10 * time.Hour)}
		for n := range 6 {
			if a := reserve(t, s, id.Promotion(n+1), hours, g)[0]; a.Outcome != guard.OutcomeAllow || n > 0 && len(a.Advice) < 5 {
				t.Fatalf("ad %d: got %s, advice %v", n+1, a.Outcome, a.Advice)
			}
		}
		if a := reserve(t, s, 7, hours, g)[0]; a.Outcome != guard.OutcomeDeny || a.Rule != guard.RuleCharterDay {
			t.Fatalf("over the charter: got %s %v", a.Outcome, a.Reasons)
		}
		mustHold(t, db)
	})
}

func TestSlotLife(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetChain)
		w := guard.Window{From: now(db), To: now(db).Add(2 * time.Hour)}

		t.Run("asking twice holds one slot", func(t *testing.T) {
			a, b := reserve(t, s, 1, w, g)[0], reserve(t, s, 1, w, g)[0]
			if a.SlotID == 0 || a.SlotID != b.SlotID {
				t.Fatalf("got %s and %s", a.SlotID, b.SlotID)
			}
			for range 2 {
				if _, err := s.Release(bg, a.SlotID, guard.ReleaseNotSent, nil); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Confirm(bg, a.SlotID, 0); !errors.Is(err, guard.ErrSlotReleased) {
				t.Errorf("confirm a released slot: got %v", err)
			}
			if c := reserve(t, s, 1, w, g)[0]; c.Outcome != guard.OutcomeAllow || c.SlotID == a.SlotID {
				t.Errorf("a released slot counts no longer: got %s %v", c.Outcome, c.Reasons)
			}
		})
		t.Run("a late one counts where it was shown", func(t *testing.T) {
			held, err := s.ListSlots(bg, guard.SlotFilter{Promotion: 1}, database.Page{})
			if err != nil {
				t.Fatal(err)
			}
			slot := held.Items[0].ID
			db.Clock.Jump(5 * time.Hour)
			for range 2 {
				got, err := s.Confirm(bg, slot, 0)
				if err != nil || !got.Late || got.ConfirmedAt != clock.MilliOf(dbtest.Start).Add(5*time.Hour) {
					t.Fatalf("confirm: got late %v at %s, %v", got.Late, got.ConfirmedAt, err)
				}
				db.Clock.Jump(time.Minute)
			}
			if _, err := s.Release(bg, slot, guard.ReleaseCancelled, nil); !errors.Is(err, guard.ErrSlotConfirmed) {
				t.Errorf("release a confirmed slot: got %v", err)
			}
			a := reserve(t, s, 2, guard.Window{From: now(db), To: now(db).Add(4 * time.Hour)}, g)[0]
			if want := clock.MilliOf(dbtest.Start).Add(7 * time.Hour); a.NotBefore != want {
				t.Errorf("gap from the late ad: got %s, want %s", a.NotBefore, want)
			}
			kept, err := s.ListDecisions(bg, guard.SlotFilter{Group: g}, database.Page{})
			if err != nil || kept.Items[1].Outcome != guard.OutcomeLate || kept.Items[1].SlotID != slot {
				t.Errorf("the late slot's record: got %+v, %v", kept.Items, err)
			}
		})
		t.Run("refusals are kept once and counted", func(t *testing.T) {
			for range 3 {
				reserve(t, s, 2, guard.Window{From: now(db), To: now(db).Add(time.Minute)}, g)
			}
			kept, err := s.ListDecisions(bg, guard.SlotFilter{Promotion: 2}, database.Page{})
			if err != nil || len(kept.Items) != 1 || kept.Items[0].Times != 4 || kept.Items[0].Rule != guard.RuleGap {
				t.Fatalf("got %+v, %v", kept.Items, err)
			}
			one, err := s.FindDecision(bg, kept.Items[0].ID)
			if err != nil || one.Reasons[0].Text("en") == "" {
				t.Errorf("find: got %+v, %v", one, err)
			}
		})
		t.Run("an ad posted by hand is counted and may be unplanned", func(t *testing.T) {
			first, err := s.PostByHand(bg, g, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			if row, _ := s.FindSlot(bg, first); !row.Unplanned || row.ConfirmedAt == 0 {
				t.Errorf("within the gap: got %+v", row)
			}
			db.Clock.Jump(2 * time.Hour)
			var told int
			if err := db.Read(bg).Raw("SELECT COUNT(*) FROM group_ads WHERE group_id = ? AND ref = ? AND at > 0", g, first).Scan(&told).Error; err != nil || told != 1 {
				t.Errorf("%d ads are told to the group's health (%v), want 1", told, err)
			}
			second, err := s.PostByHand(bg, g, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			if row, _ := s.FindSlot(bg, second); row.Unplanned {
				t.Errorf("after the gap: got %+v", row)
			}
			if a := reserve(t, s, 9, guard.Window{From: now(db), To: now(db).Add(time.Hour)}, g)[0]; a.Outcome == guard.OutcomeAllow {
				t.Error("ads posted by hand must count")
			}
		})
		t.Run("no delivery outside the window", func(t *testing.T) {
			db.Clock.Jump(24 * time.Hour)
			a := reserve(t, s, 10, guard.Window{From: now(db).Add(time.Hour), To: now(db).Add(2 * time.Hour)}, g)[0]
			start := func() error {
				return db.Tx(bg, func(tx *database.Tx) error { _, err := s.StartTx(tx, a.SlotID); return err })
			}
			if err := start(); !errors.Is(err, guard.ErrNotNow) {
				t.Errorf("before: got %v", err)
			}
			db.Clock.Jump(time.Hour)
			for range 2 {
				if err := start(); err != nil {
					t.Errorf("inside: got %v", err)
				}
			}
			db.Clock.Jump(time.Hour)
			if err := start(); !errors.Is(err, guard.ErrNotNow) {
				t.Errorf("after: got %v", err)
			}
		})
		mustHold(t, db)
	})
}

func TestAdPolicy(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetChain)
		eleven := 11
		in := guard.AdPolicyIn{Preset: guard.PresetBenefit, Mode: guard.ModeEnforce, SettingsIn: guard.SettingsIn{GapHours: &eleven}}
		got, err := s.SetAdPolicy(bg, g, in, 1)
		if err != nil || got.GapHours != 11 || got.Version != 2 || *got.AdsPerDay != 3 {
			t.Fatalf("set: got %+v, %v", got, err)
		}
		if _, err := s.SetAdPolicy(bg, g, in, 1); !errors.Is(err, fault.Stale) {
			t.Errorf("an old version: got %v", err)
		}
		seven := 7
		if err := (guard.AdPolicyIn{Preset: "x", Mode: "y", SettingsIn: guard.SettingsIn{AdsPerDay: &seven, QuietFrom: &seven}}).Validate(); err == nil {
			t.Error("bounds: accepted")
		}
		other := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Units: []id.Unit{99}})
		if _, err := s.FindAdPolicy(other, g); !errors.Is(err, fault.NotFound) {
			t.Errorf("another unit's group: got %v", err)
		}
	})
}

func TestCheckKeepsNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetRetail)
		first := guard.Window{From: now(db), To: now(db).Add(time.Hour)}
		second := guard.Window{From: now(db).Add(2 * time.Hour), To: now(db).Add(3 * time.Hour)}
		got, err := s.Check(bg, guard.Trial{Groups: []id.Group{g}, Windows: []guard.Window{first, second}})
		if err != nil || got[0][0].Outcome != guard.OutcomeAllow || got[1][0].Outcome != guard.OutcomeDeny {
			t.Fatalf("got %+v, %v", got, err)
		}
		var n int
		if err := db.Read(bg).Raw("SELECT (SELECT COUNT(*) FROM slots) + (SELECT COUNT(*) FROM decisions)").Scan(&n).Error; err != nil || n != 0 {
			t.Errorf("a dry run kept %d rows, %v", n, err)
		}
	})
}

// storm reserves on one group from 20 goroutines over two handles.
func storm(t *testing.T, a, b *database.DB) (live int, broken []string) {
	t.Helper()
	g := newGroup(t, a, community.PresetChain)
	both := []*guard.Service{{DB: a}, {DB: b}}
	noGap := 1
	if _, err := both[0].SetAdPolicy(bg, g, guard.AdPolicyIn{Preset: guard.PresetBenefit, Mode: guard.ModeEnforce, SettingsIn: guard.SettingsIn{GapHours: &noGap}}, 1); err != nil {
		t.Fatal(err)
	}
	a.Clock.Jump(7 * 24 * time.Hour) // the notice
	if b != a {
		b.Clock.Jump(7 * 24 * time.Hour)
	}
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for n := range 20 {
		wg.Go(func() {
			<-begin
			// Eleven hours of day, in single-hour windows two hours apart.
			from := now(a).Add(time.Duration(n%6) * 2 * time.Hour)
			w := guard.Window{From: from, To: from.Add(time.Hour)}
			_, err := both[n%2].Reserve(bg, guard.Ask{Promotion: id.Promotion(n + 1), Window: w, Groups: []id.Group{g}}, nothing)
			if err != nil && !errors.Is(err, fault.Unavailable) {
				t.Errorf("reserve: %v", err)
			}
		})
	}
	close(begin)
	wg.Wait()
	if err := a.Read(bg).Raw("SELECT COUNT(*) FROM slots WHERE group_id = ? AND released_at = 0", g).Scan(&live).Error; err != nil {
		t.Fatal(err)
	}
	proofs, err := guard.Verify(bg, a)
	if err != nil {
		t.Fatal(err)
	}
	return live, proofs[0].Broken
}

func TestParallelReservations(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			a := dbtest.At(t, url)
			live, broken := storm(t, a, dbtest.Twin(t, a, url, 2))
			if live != 3 || len(broken) > 0 {
				t.Errorf("three a day: got %d, %v", live, broken)
			}
		})
		t.Run(engine+" without locks the cap breaks", func(t *testing.T) {
			for range 20 {
				db := dbtest.Unlocked(t, engine, "slots.slots_seq")
				if live, broken := storm(t, db, db); live > 3 && len(broken) > 0 {
					return
				}
			}
			t.Error("twenty storms on an unlocked store kept the cap: the test proves nothing")
		})
	}
}
