package campaign_test

import (
	"slices"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestEvents follows one piece through everything a mall wants to hear of.
func TestEvents(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		hear(t, db)
		cid := w.Draft(campaigntest.Sale{Stock: 1, Hours: 48})
		begins := clock.MilliOf(db.Clock.Now()).Add(time.Hour)
		turn := func(v campaign.Verb) {
			t.Helper()
			if err := w.Campaign.Turn(bg, cid, v); err != nil {
				t.Fatal(err)
			}
		}
		if err := edit(w, cid, campaign.CampaignEdit{StartsAt: &begins}); err != nil {
			t.Fatal(err)
		}
		turn(campaign.Publish)
		w.Drain(time.Hour)
		turn(campaign.Pause)
		turn(campaign.Resume)
		m := w.Members(3)
		claim := campaign.Claim{Campaign: cid, Item: w.Item(cid).ID, Member: m[0]}
		w.MustClaim(claim)
		w.Drain(16 * time.Minute) // expires, and is free again
		claim.Member = m[1]
		let := w.MustClaim(claim)
		if err := w.Campaign.CancelOrder(bg, let.ID); err != nil {
			t.Fatal(err)
		}
		claim.Member = m[2]
		o := w.MustClaim(claim)
		w.Pay(o.ID)
		for _, s := range []campaign.Shipment{{Stage: "shipped", ShipmentNo: "1"}, {Stage: "received", ShipmentNo: "1"}, {Stage: "received", ShipmentNo: "1"}} {
			if err := w.Campaign.Ship(bg, o.ID, s); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "r", Amount: 9900, Goods: 9900, Status: campaign.RefundFailed}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "r", Amount: 9900, Goods: 9900}); err != nil {
				t.Fatal(err)
			}
		}
		item := w.Item(cid)
		for _, by := range []int64{-1, 1, 1, -1} { // sold out, restocked, and twice nothing of the kind
			if err := edit(w, cid, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: item.ID, AddStock: by}}}); err != nil {
				t.Fatal(err)
			}
		}
		w.Drain(time.Minute)
		turn(campaign.End)
		got := map[string]int{}
		for _, e := range heard(t, db, "%") {
			got[e]++
		}
		for event, want := range map[string]int{
			"campaign.published": 1, "campaign.started": 1, "campaign.paused": 1, "campaign.resumed": 1, "campaign.ended": 1,
			"campaign.sold_out": 4, "campaign.restocked": 4,
			"order.held": 3, "order.expired": 1, "order.cancelled": 1, "order.paid": 1, "order.to_ship": 1, "order.shipped": 1, "order.received": 1, "order.refunded": 1,
			"refund.failed": 1, "refund.done": 1, "notice.due": 1,
		} {
			if got[event] != want {
				t.Errorf("%s was published %d times, want %d", event, got[event], want)
			}
			delete(got, event)
		}
		if len(got) > 0 {
			t.Errorf("and %v, which nothing here makes", got)
		}
		w.Verify()
	})
}

// Whoever asked is reminded ten minutes before the start, once, unless he has
// refused marketing or thought better of it.
func TestReminders(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		hear(t, db)
		cid := w.Draft(campaigntest.Sale{Hours: 48})
		begins := clock.MilliOf(db.Clock.Now()).Add(2 * time.Hour)
		if err := edit(w, cid, campaign.CampaignEdit{StartsAt: &begins}); err != nil {
			t.Fatal(err)
		}
		m := w.Members(103)
		if err := w.Campaign.Remind(bg, cid, m[0]); err == nil {
			t.Error("a draft can be asked for")
		}
		if err := w.Campaign.Turn(bg, cid, campaign.Publish); err != nil {
			t.Fatal(err)
		}
		for _, who := range slices.Concat(m, m[:2]) {
			if err := w.Campaign.Remind(bg, cid, who); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Campaign.Forget(bg, cid, m[1]); err != nil {
			t.Fatal(err)
		}
		refuse(t, w, m[2])
		w.Drain(105 * time.Minute)
		if got := heard(t, db, "notice.due"); len(got) != 0 {
			t.Errorf("%d reminders came early", len(got))
		}
		w.Drain(6 * time.Minute)
		w.Drain(time.Hour)
		if got := heard(t, db, "notice.due"); len(got) != 101 {
			t.Errorf("%d reminders, want 101", len(got))
		}
		if err := w.Campaign.Remind(bg, cid, m[0]); err == nil {
			t.Error("a running campaign can be asked for")
		}
	})
}

// refuse has the member withdraw his consent to marketing.
func refuse(t *testing.T, w *campaigntest.World, m id.Member) {
	t.Helper()
	no := false
	err := w.Community.SetConsents(bg, m, []community.ConsentIn{{Purpose: community.PurposeMarketing, Granted: &no, TextVersion: "v1"}})
	if err != nil {
		t.Fatal(err)
	}
}
