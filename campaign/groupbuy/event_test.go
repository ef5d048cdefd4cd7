package groupbuy_test

import (
	"maps"
	"testing"
	"time"

	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestTeamEvents forms one team and fails another, with everybody listening.
func TestTeamEvents(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		err := db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', 'team.*,notice.*', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, db, campaigntest.Sale{Rules: `{"size":2,"open_for_s":3600}`, Stock: 10})
		m := r.Members(3)
		first := r.open(m[0])
		second := r.join(first.TeamID, m[1])
		r.Pay(first.ID)
		r.Pay(second.ID)
		alone := r.open(m[2])
		r.Pay(alone.ID)
		r.Drain(2 * time.Hour)
		var types []string
		if err := db.Read(bg).Raw("SELECT type FROM events").Scan(&types).Error; err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, e := range types {
			got[e]++
		}
		// Two payers hear that their team formed, one that his failed.
		want := map[string]int{"team.opened": 2, "team.joined": 1, "team.formed": 1, "team.failed": 1, "notice.due": 3}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		r.Verify()
	})
}
