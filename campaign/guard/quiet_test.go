package guard_test

import (
	"errors"
	"testing"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

// TestSetQuiet: longer quiet hours hold at once and shorter ones after seven
// days, and whatever else the group set, in force or coming, stays.
func TestSetQuiet(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetBenefit) // 3 a day, quiet 21:30 to 7:00
		set := func(version, from, to int) guard.AdPolicy {
			t.Helper()
			got, err := s.SetQuiet(bg, g, guard.QuietIn{From: from, To: to}, version)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		five := guard.AdPolicyIn{Preset: guard.PresetBenefit, Mode: guard.ModeEnforce, SettingsIn: guard.SettingsIn{AdsPerDay: with(5), AdsPerWeek: with(9),
			Rules: map[guard.Rule]guard.Mode{guard.RuleFatigue: guard.ModeAdvise}}}
		before, err := s.SetAdPolicy(bg, g, five, 1) // looser by the day: it is announced
		if err != nil {
			t.Fatal(err)
		}
		got := set(before.Version, 20*60, 8*60)
		if got.QuietFrom != 20*60 || got.QuietTo != 8*60 || *got.AdsPerWeek != 9 || *got.AdsPerDay != 3 {
			t.Errorf("longer: got %+v", got.Limits)
		}
		if c := got.Coming; len(c) != 1 || *c[0].AdsPerDay != 5 || c[0].QuietFrom != 20*60 || c[0].Rules[guard.RuleFatigue] != guard.ModeAdvise {
			t.Errorf("what was announced before: got %+v", c)
		}
		got = set(got.Version, 22*60, 6*60)
		if got.QuietFrom != 20*60 || got.QuietTo != 8*60 || len(got.Coming) != 1 || got.Coming[0].QuietFrom != 22*60 || *got.Coming[0].AdsPerDay != 5 {
			t.Errorf("shorter: got %+v", got)
		}
		if _, err := s.SetQuiet(bg, g, guard.QuietIn{From: 22 * 60, To: 6 * 60}, 1); !errors.Is(err, fault.Stale) {
			t.Errorf("an old version: got %v", err)
		}
		if _, err := s.SetQuiet(bg, g, guard.QuietIn{From: 23 * 60, To: 5 * 60}, got.Version); !errors.Is(err, fault.Invalid) {
			t.Errorf("six hours: got %v", err)
		}
		if _, err := s.SetQuiet(as(9), g, guard.QuietIn{From: 20 * 60, To: 8 * 60}, got.Version); !errors.Is(err, fault.NotFound) {
			t.Errorf("of another unit: got %v", err)
		}
		db.Clock.Jump(week)
		if p, err := s.FindAdPolicy(bg, g); err != nil || p.QuietFrom != 22*60 || *p.AdsPerDay != 5 || *p.AdsPerWeek != 9 {
			t.Errorf("in seven days: got %+v, %v", p.Limits, err)
		}
		mustHold(t, db)
	})
}
