package guard_test

import (
	"errors"
	"fmt"
	"strings"
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

// TestObservedRules: the report before the switch counts what the switch would
// make refuse, as the group's own policy has it: a course's first days, a rule
// the policy enforces, and none that it only advises on or whose facts are
// missing.
func TestObservedRules(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db, Moments: func(*database.Query, int, int) ([]guard.Moment, bool, error) {
			mourning := clock.Day(db.Clock.Now(), time.FixedZone("", 8*3600))
			return []guard.Moment{{FromDay: mourning, ToDay: mourning, Avoid: true}}, true, nil
		}}
		c := &community.Service{DB: db}
		made := 0
		group := func(preset community.Preset, ends clock.Milli, rules map[guard.Rule]guard.Mode) id.Group {
			made++
			put, err := c.PutGroups(bg, []community.GroupIn{{
				UnitID: 1, ExternalID: fmt.Sprint("wr", made), Name: "群", OwnerID: 7, Preset: preset, BornAt: now(db).Add(-100 * 24 * time.Hour),
				Charter: &community.CharterIn{Purpose: "好价", AdsPerDay: 6, AdsPerWeek: 30, QuietFrom: 22 * 60, QuietTo: 8 * 60, EndsAt: ends},
			}})
			if err != nil {
				t.Fatal(err)
			}
			is, err := s.FindAdPolicy(bg, put[0].Group)
			if err == nil {
				_, err = s.SetAdPolicy(bg, put[0].Group, guard.AdPolicyIn{Preset: guard.Preset(preset), Mode: guard.ModeAdvise, SettingsIn: guard.SettingsIn{Rules: rules}}, is.Version)
			}
			if err != nil {
				t.Fatal(err)
			}
			return put[0].Group
		}
		ends := now(db).Add(300 * 24 * time.Hour)
		cases := map[string]struct {
			group id.Group
			want  string
		}{
			"a course in its first days":        {group(community.PresetCourse, ends, nil), "G8.course G6"},
			"a course whose end nobody said":    {group(community.PresetCourse, 0, nil), "G6"},
			"the gap is only advised on":        {group(community.PresetBenefit, 0, map[guard.Rule]guard.Mode{"G6": guard.ModeAdvise}), ""},
			"days of mourning are kept free":    {group(community.PresetBenefit, 0, map[guard.Rule]guard.Mode{"M": guard.ModeEnforce}), "M G6"},
			"days of mourning are advised on":   {group(community.PresetBenefit, ends, nil), "G6"},
			"both, and the gap is switched off": {group(community.PresetBenefit, ends, map[guard.Rule]guard.Mode{"M": guard.ModeEnforce, "G6": guard.ModeOff}), "M"},
		}
		db.Clock.Jump(7 * 24 * time.Hour) // what is looser has its notice
		for name, c := range cases {
			for n := range 2 {
				w := guard.Window{From: now(db), To: now(db).Add(time.Minute)}
				if a := reserve(t, s, id.Promotion(n+1), w, c.group)[0]; a.Outcome != guard.OutcomeAllow {
					t.Fatalf("%s: got %s %v", name, a.Outcome, a.Reasons)
				}
			}
			got, err := s.Observe(bg, c.group)
			if err != nil {
				t.Fatal(err)
			}
			var rules []string
			for _, r := range got.Rules {
				rules = append(rules, string(r.Rule))
			}
			if says := strings.Join(rules, " "); says != c.want || (got.Kept > 0) != (c.want != "") {
				t.Errorf("%s: %d kept by %q, want %q", name, got.Kept, says, c.want)
			}
		}
	})
}
