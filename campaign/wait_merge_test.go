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

// Who waited twice, as two people, waits once, in the earlier place; the line
// moves up for whoever stood behind.
func TestMergedMembersWaitOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(4)
		l := newLine(w, m[:1], m[1:])
		if err := w.Campaign.MergeMembers(bg, m[1], m[2]); err != nil {
			t.Fatal(err)
		}
		for i, want := range []campaign.Wait{{Status: campaign.WaitWaiting, Place: 1}, {Status: campaign.WaitLeft, Reason: "member.merged"}} {
			got, err := w.Campaign.FindWait(as(m[2]), l.places[i])
			if err != nil || got.Status != want.Status || got.Place != want.Place || got.Reason != want.Reason {
				t.Errorf("place %d: got %+v, %v; want %s %d %s", i, got, err, want.Status, want.Place, want.Reason)
			}
		}
		if got, err := w.Campaign.FindWait(as(m[3]), l.places[2]); err != nil || got.Place != 2 {
			t.Errorf("who stood behind: got %+v, %v; want place 2", got, err)
		}
		l.letGo(0)
		if got, err := w.Campaign.FindWait(as(m[2]), l.places[0]); err != nil || got.Status != campaign.WaitGranted {
			t.Errorf("the piece that came free: got %+v, %v; want it granted to the merged member", got, err)
		}
		w.Verify()
	})
}
