package campaign_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestEarlyBeforeSessions: an early entry opens the campaign before its start,
// where no session is; from the start on its members keep to them as all do.
func TestEarlyBeforeSessions(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(1)
		vip := tagOf(t, w, "会员", m...)
		now := db.Clock.Now()
		clockOf := func(after time.Duration) string { return now.UTC().Add(after).Truncate(time.Hour).Format("15:04") }
		rules := fmt.Sprintf(`{"zone":"UTC","sessions":[{"from":%q,"to":%q}]}`, clockOf(6*time.Hour), clockOf(8*time.Hour))
		early := []campaign.Early{{Tags: []id.Tag{vip}, From: clock.MilliOf(now).Add(time.Hour)}}
		c := audienced(t, w, campaign.Audience{Early: early}, 3*time.Hour, rules)
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0]}
		db.Clock.Jump(time.Hour)
		for range 2 {
			w.MustClaim(claim)
		}
		w.Drain(2*time.Hour + time.Minute)
		for range 2 {
			if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrBetweenSessions) {
				t.Errorf("after the start: got %v, want between sessions", err)
			}
		}
		w.Verify()
	})
}

// TestEarlyLine: who may claim early may wait early, and is served early.
func TestEarlyLine(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(3)
		vip := tagOf(t, w, "会员", m[0], m[1])
		from := clock.MilliOf(db.Clock.Now()).Add(time.Hour)
		c := audienced(t, w, campaign.Audience{Early: []campaign.Early{{Tags: []id.Tag{vip}, From: from}}}, 3*time.Hour, "")
		db.Clock.Jump(time.Hour)
		held := make([]campaign.Order, 100) // all there is
		for i := range held {
			held[i] = w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0]})
		}
		ask := func(who id.Member) (id.Wait, error) {
			return w.Campaign.Wait(bg, campaign.WaitIn{Campaign: c.ID, Item: c.Items[0].ID, Member: who})
		}
		place, err := ask(m[1])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ask(m[2]); !errors.Is(err, campaign.ErrNotStarted) {
			t.Errorf("without the tag: got %v, want not started", err)
		}
		if err := w.Campaign.CancelOrder(bg, held[0].ID); err != nil {
			t.Fatal(err)
		}
		got, err := w.Campaign.FindWait(as(m[1]), place)
		if err != nil || got.Status != campaign.WaitGranted {
			t.Errorf("got %+v, %v, want it granted before the start", got, err)
		}
		w.Verify()
	})
}
