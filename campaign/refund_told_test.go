package campaign_test

import (
	"slices"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestRefundsAreToldOnce: however often the mall repeats itself, each end of a
// refund is told once, its member hears of money that went back and of no other,
// one that failed is overdue like one that is open, from the moment of its bound
// on, and done is final.
func TestRefundsAreToldOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		hear(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10, Hours: 100})
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0]})
		w.Pay(o.ID)
		err := db.Tx(bg, func(tx *database.Tx) error {
			return campaign.RequestRefundTx(tx, campaign.Refund{OrderID: o.ID, RefundNo: "asked", Amount: 100, Goods: 100, Reason: "test"})
		})
		if err != nil {
			t.Fatal(err)
		}
		report := func(status campaign.RefundStatus) {
			t.Helper()
			for range 2 {
				if err := w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "asked", Amount: 100, Status: status}); err != nil {
					t.Fatal(err)
				}
			}
		}
		look := func() {
			t.Helper()
			if err := w.Campaign.AlertRefunds(bg); err != nil {
				t.Fatal(err)
			}
		}
		says := func(want ...string) {
			t.Helper()
			if got := append(heard(t, db, "refund.%"), heard(t, db, "notice.%")...); !slices.Equal(got, want) {
				t.Errorf("told %v, want %v", got, want)
			}
		}
		asked := clock.MilliOf(db.Clock.Now())
		report(campaign.RefundFailed)
		db.Clock.Jump(24*time.Hour - time.Millisecond)
		look()
		says("refund.requested", "refund.failed")
		db.Clock.Jump(time.Millisecond)
		if now := clock.MilliOf(db.Clock.Now()); now != asked.Add(24*time.Hour) {
			t.Fatalf("the clock stands at %d, %d after the request", now, now-asked)
		}
		look()
		look()
		says("refund.requested", "refund.failed", "refund.overdue")
		report(campaign.RefundDone)
		report(campaign.RefundFailed)
		says("refund.requested", "refund.failed", "refund.overdue", "refund.done", "notice.due")
		if got := w.Order(o.ID).Refunds[0]; got.Status != campaign.RefundDone || got.DoneAt == 0 {
			t.Errorf("in the end: %+v", got)
		}
		w.Verify()
	})
}
