package campaign_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

// hear makes every event a row, as if somebody listened.
func hear(t *testing.T, db *database.DB) {
	t.Helper()
	err := db.Tx(bg, func(tx *database.Tx) error {
		return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', '*', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

// heard lists the events of a type, oldest first.
func heard(t *testing.T, db *database.DB, like string) (types []string) {
	t.Helper()
	if err := db.Read(bg).Raw("SELECT type FROM events WHERE type LIKE ? ORDER BY id", like).Scan(&types).Error; err != nil {
		t.Fatal(err)
	}
	return types
}

func TestSessions(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		hear(t, db)
		shanghai, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			t.Fatal(err)
		}
		now := db.Clock.Now().In(shanghai)
		nine := time.Date(now.Year(), now.Month(), now.Day()+1, 9, 0, 0, 0, shanghai)
		db.Clock.Jump(nine.Sub(now))
		c := w.Run(campaigntest.Sale{Stock: 100, Hours: 24, Rules: `{"sessions":[{"from":"10:00","to":"12:00"},{"from":"12:00","to":"13:00"}]}`})
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0]}

		between := func(next time.Time) {
			t.Helper()
			for range 2 { // the second time from memory
				_, err := w.Claim(claim)
				f, ok := fault.As(err)
				if !ok || !errors.Is(err, campaign.ErrBetweenSessions) || f.Params["next_at"] != clock.MilliOf(next) {
					t.Errorf("got %v, want between sessions until %s", err, next)
				}
			}
		}
		between(nine.Add(time.Hour))
		w.Drain(time.Hour)
		w.MustClaim(claim)
		w.Drain(2 * time.Hour)
		w.MustClaim(claim) // one session follows the other
		w.Drain(time.Hour)
		if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrNotRunning) {
			t.Errorf("after the last session: got %v, want not running", err)
		}
		later := clock.MilliOf(nine.Add(48 * time.Hour))
		c, err = w.Campaign.FindCampaign(bg, c.ID)
		if err == nil {
			err = w.Campaign.Edit(bg, c.ID, c.Version, campaign.CampaignEdit{EndsAt: &later})
		}
		if err != nil {
			t.Fatal(err)
		}
		between(nine.Add(25 * time.Hour)) // its end moved: there is another day
		w.Drain(20 * time.Hour)           // the old end
		w.Drain(time.Hour)
		want := []string{
			"campaign.session_opened", "campaign.session_closed", "campaign.session_opened", "campaign.session_closed", "campaign.session_opened",
		}
		if got := heard(t, db, "campaign.session%"); !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		var ahead int
		if err := db.Read(bg).Raw("SELECT COUNT(*) FROM outbox WHERE kind = 'campaign:turn_session' AND done_at = 0").Scan(&ahead).Error; err != nil {
			t.Fatal(err)
		}
		if ahead != 1 {
			t.Errorf("%d edges ahead, want 1", ahead)
		}
		w.Verify()
	})
}

func TestSessionsOutsideTheWindow(t *testing.T) {
	w := campaigntest.New(t, dbtest.Open(t, "sqlite"))
	draft := w.Draft(campaigntest.Sale{Hours: 1, Rules: `{"zone":"UTC","sessions":[{"from":"` + w.DB.Clock.Now().Add(3*time.Hour).Format("15:04") + `","to":"` + w.DB.Clock.Now().Add(4*time.Hour).Format("15:04") + `"}]}`})
	if err := w.Campaign.Turn(bg, draft, campaign.Publish); !errors.Is(err, fault.Invalid) {
		t.Errorf("got %v, want a refusal: no session falls into the window", err)
	}
}
