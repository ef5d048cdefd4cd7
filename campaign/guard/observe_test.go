package guard_test

import (
	"errors"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func TestObserveThenEnforce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		c := &community.Service{DB: db}
		put, err := c.PutGroups(bg, []community.GroupIn{{
			UnitID: 1, ExternalID: "wr1", Name: "老客群", OwnerID: 7, Preset: community.PresetRetail, BornAt: now(db).Add(-2 * 365 * 24 * time.Hour),
			Charter: &community.CharterIn{Purpose: "好价", AdsPerDay: 3, AdsPerWeek: 9, QuietFrom: 22 * 60, QuietTo: 8 * 60},
		}})
		if err != nil {
			t.Fatal(err)
		}
		g, free := put[0].Group, newGroup(t, db, community.PresetRetail)
		hours := func() guard.Window { return guard.Window{From: now(db), To: now(db).Add(time.Hour)} }
		for n := range 3 {
			if a := reserve(t, s, id.Promotion(n+1), hours(), g)[0]; a.Outcome != guard.OutcomeAllow {
				t.Fatalf("ad %d of an observed group: got %s %v", n+1, a.Outcome, a.Reasons)
			}
			db.Clock.Jump(2 * time.Hour)
		}
		got, err := s.Observe(bg, g)
		if err != nil || got.Mode != guard.ModeAdvise || got.Ads != 3 || got.Kept != 2 {
			t.Fatalf("got %+v, %v", got, err)
		}
		for _, r := range got.Rules {
			if r.Ads != 2 && r.Rule == guard.RuleGap || r.Rule == guard.RuleHealth {
				t.Errorf("got %+v: the gap kept two, and what nothing measures keeps none", r)
			}
		}
		if n, err := s.Enforce(approves, guard.EnforceIn{Groups: []id.Group{g, free}}); err != nil || n != 1 {
			t.Fatalf("the switch: got %d, %v; one was only advised", n, err)
		}
		if n, err := s.Enforce(approves, guard.EnforceIn{Groups: []id.Group{g}}); err != nil || n != 0 {
			t.Errorf("twice: got %d, %v", n, err)
		}
		if _, err := s.Enforce(approves, guard.EnforceIn{Groups: []id.Group{g, 12345}}); !errors.Is(err, fault.NotFound) {
			t.Errorf("a group that does not exist: got %v", err)
		}
		if a := reserve(t, s, 9, hours(), g)[0]; a.Outcome == guard.OutcomeAllow {
			t.Error("enforced, and one more ad passed")
		}
		ways, err := s.FindWays(bg, g, []id.Group{g, free})
		if err != nil || ways.Now.Outcome == guard.OutcomeAllow || ways.NextAt <= now(db) || len(ways.Free) != 1 || ways.Free[0] != free || ways.ContentZH == "" {
			t.Errorf("three ways on: got %+v, %v", ways, err)
		}
		mustHold(t, db)
	})
}
