package guard_test

import (
	"context"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestPastAds: what was sent before Siyu knew the group counts for gap and
// caps like an ad of its own.
func TestPastAds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		people := &community.Service{DB: db}
		now := clock.MilliOf(db.Clock.Now())
		group, err := people.CreateGroup(ctx, community.GroupIn{Name: "老群", Preset: community.PresetRetail, OwnerID: 1, BornAt: now.Add(-700 * 24 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		s := &guard.Service{DB: db}
		outcome := func() guard.Decision {
			t.Helper()
			answers, err := s.Check(ctx, guard.Trial{Groups: []id.Group{group}, Windows: []guard.Window{{From: now, To: now.Add(time.Hour)}}})
			if err != nil {
				t.Fatal(err)
			}
			return answers[0][0].Decision
		}
		if d := outcome(); d.Outcome != guard.OutcomeAllow {
			t.Fatalf("before: got %+v", d)
		}
		err = db.Tx(ctx, func(tx *database.Tx) error {
			_, err := community.PutPastAdsTx(tx, []community.PastAd{{GroupID: group, At: now.Add(-2 * time.Hour), N: 1}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := outcome(); d.Outcome == guard.OutcomeAllow || d.Rule != guard.RuleGap {
			t.Errorf("two hours after a past ad: got %+v, want the gap of 20 hours", d)
		}
		week, err := s.ThisWeek(ctx, []id.Group{group})
		if err != nil || week[group].Used != 1 {
			t.Errorf("this week: got %+v, %v", week, err)
		}
	})
}
