package guard_test

import (
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestTrialOfPermits: a dry run over several windows comes to what reserving them
// one by one does: a permit for one ad lets one through, and what an advance
// takes is missing in the week after.
func TestTrialOfPermits(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		permit := func(in guard.PermitIn) {
			t.Helper()
			in.Reason, in.From, in.To = "开业", now(db), now(db).Add(24*time.Hour)
			made, err := s.AskPermit(asks, in)
			if err == nil {
				err = s.ApprovePermit(approves, made)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		hours := func(n int) guard.Window {
			from := now(db).Add(time.Duration(n) * time.Hour)
			return guard.Window{From: from, To: from.Add(time.Minute)}
		}
		same := func(name string, g id.Group, allowed int, windows ...guard.Window) {
			t.Helper()
			tried, err := s.Check(bg, guard.Trial{Groups: []id.Group{g}, Windows: windows, Promotion: 2})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for i, w := range windows {
				as, err := s.Reserve(bg, guard.Ask{Promotion: 2, WindowNo: i + 1, Window: w, Groups: []id.Group{g}}, func(*database.Tx, []guard.Answer) error { return nil })
				if err != nil {
					t.Fatal(err)
				}
				if tried[i][0].Outcome != as[0].Outcome || tried[i][0].By != as[0].By {
					t.Errorf("%s, window %d: tried %s by %q, reserved %s by %q %v", name, i+1, tried[i][0].Outcome, tried[i][0].By, as[0].Outcome, as[0].By, as[0].Reasons)
				}
				if as[0].Outcome == guard.OutcomeAllow {
					n++
				}
			}
			if n != allowed {
				t.Errorf("%s: %d were allowed, want %d", name, n, allowed)
			}
		}
		once := newGroup(t, db, community.PresetRetail)
		permit(guard.PermitIn{Kind: guard.PermitOverride, Groups: []id.Group{once}, PromotionID: 2})
		same("an override", once, 2, hours(0), hours(1), hours(2))

		early := newGroup(t, db, community.PresetRetail) // four a week, 20 hours apart
		for n := range 4 {
			reserve(t, s, id.Promotion(11+n), hours(0), early)
			db.Clock.Jump(24 * time.Hour)
		}
		permit(guard.PermitIn{Kind: guard.PermitAdvance, Groups: []id.Group{early}})
		same("an advance", early, 4, hours(1), hours(25), hours(98), hours(122), hours(146), hours(170))
		mustHold(t, db)
	})
}
