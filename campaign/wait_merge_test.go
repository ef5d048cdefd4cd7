package campaign_test

import (
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// Two who became one person have the place either of them has.
func TestMergedMemberHasOnePlace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(3)
		l := newLine(w, m[:1], m[1:2])
		if err := w.Campaign.MergeMembers(bg, m[1], m[2]); err != nil {
			t.Fatal(err)
		}
		for _, who := range []id.Member{m[1], m[2]} {
			if got, err := w.Campaign.Wait(bg, l.ask(who)); err != nil || got != l.places[0] {
				t.Errorf("%s asked: got %s, %v; want the place there is, %s", who, got, err, l.places[0])
			}
		}
		l.letGo(0)
		place, err := w.Campaign.FindWait(as(m[2]), l.places[0])
		if err != nil || place.Status != campaign.WaitGranted {
			t.Errorf("place %+v, %v; want granted", place, err)
		}
		again, err := w.Campaign.Wait(bg, l.ask(m[1]))
		if err == nil {
			t.Errorf("at his limit: got %s", again)
		}
		w.Verify()
	})
}
