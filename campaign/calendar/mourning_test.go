package calendar_test

import (
	"testing"
	"time"

	"siyu/campaign/calendar"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestMourningDays: the guard knows the preloaded days of mourning. On Qingming
// an ad is advised against, and where the brand enforces it, waits for the next
// day; the forecast shows the day as closed.
func TestMourningDays(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db, Moments: calendar.Moments}
		shanghai, err := time.LoadLocation(clock.Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		day := time.Date(2026, 4, 5, 10, 0, 0, 0, shanghai) // Qingming
		db.Clock.Jump(day.Sub(db.Clock.Now()))
		now := clock.MilliOf(day)
		people := &community.Service{DB: db}
		group := func() id.Group {
			g, err := people.CreateGroup(bg, community.GroupIn{UnitID: 1, Name: "群", OwnerID: 7, Preset: community.PresetChain, BornAt: now.Add(-365 * 24 * time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		ask := func(g id.Group) guard.Answer {
			t.Helper()
			w := guard.Window{From: now, To: now.Add(24 * time.Hour)}
			got, err := s.Reserve(bg, guard.Ask{Promotion: 1, WindowNo: 1, Window: w, Groups: []id.Group{g}}, func(*database.Tx, []guard.Answer) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			return got[0]
		}
		if a := ask(group()); a.Outcome != guard.OutcomeAllow || len(a.Advice) == 0 || a.Advice[len(a.Advice)-1] != (guard.Reason{Rule: guard.RuleMourning, Observed: 14 * 60}) {
			t.Errorf("as it comes: got %+v", a)
		}
		in := guard.SettingsIn{Rules: map[guard.Rule]guard.Mode{guard.RuleMourning: guard.ModeEnforce}}
		if _, err := s.SetLayerPolicy(bg, 0, guard.PresetChain, in, 0); err != nil {
			t.Fatal(err)
		}
		g := group()
		if a := ask(g); a.Outcome != guard.OutcomeDefer || a.Rule != guard.RuleMourning || a.NotBefore != clock.MilliOf(time.Date(2026, 4, 6, 6, 30, 0, 0, shanghai)) {
			t.Errorf("enforced: got %+v", a)
		}
		f, err := s.Forecast(bg, g)
		if err != nil {
			t.Fatal(err)
		}
		if today, next := f.Days[0], f.Days[1]; today.Open || today.Reasons[0].Rule != guard.RuleMourning || !next.Open {
			t.Errorf("the forecast: got %+v and %+v", today, next)
		}
	})
}
