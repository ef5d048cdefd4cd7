package campaign_test

import (
	"errors"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TestRefundDay: a refund is of the moment the mall says, between payment and
// now, and of the one at which it was reported if the mall says none; when it
// was reported is kept beside it.
func TestRefundDay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10, PerOrder: 3})
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0], Qty: 3})
		paid := clock.MilliOf(db.Clock.Now())
		w.Pay(o.ID)
		asked := campaign.Refund{OrderID: o.ID, RefundNo: "asked", Amount: 100, Reason: "test"}
		if err := db.Tx(bg, func(tx *database.Tx) error { return campaign.RequestRefundTx(tx, asked) }); err != nil {
			t.Fatal(err)
		}
		db.Clock.Jump(50 * time.Hour)
		now, yesterday := clock.MilliOf(db.Clock.Now()), paid.Add(24*time.Hour)
		report := func(no string, at clock.Milli, status campaign.RefundStatus) error {
			return w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: no, Amount: 100, Goods: 100, Status: status, DoneAt: at})
		}
		for name, err := range map[string]error{
			"in the future":          report("1", now.Add(5*time.Minute)+1, campaign.RefundDone),
			"before the payment":     report("1", paid-1, campaign.RefundDone),
			"of one that failed":     report("1", yesterday, campaign.RefundFailed),
			"asked, in the future":   report("asked", now.Add(5*time.Minute)+1, campaign.RefundDone),
			"asked, before its cost": report("asked", paid-1, campaign.RefundDone),
		} {
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		for _, no := range []string{"1", "asked"} {
			for range 2 {
				if err := report(no, yesterday, campaign.RefundDone); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := report("2", 0, campaign.RefundDone); err != nil {
			t.Fatal(err)
		}
		want := map[string]clock.Milli{"1": yesterday, "asked": yesterday, "2": now}
		for _, r := range w.Order(o.ID).Refunds {
			if r.DoneAt != want[r.RefundNo] || r.ReportedAt != now {
				t.Errorf("refund %s was done at %d and reported at %d", r.RefundNo, r.DoneAt, r.ReportedAt)
			}
		}
		day, err := campaign.RefundedBetween(db.Read(bg), []id.Payer{0}, campaign.Moved{At: paid}, yesterday+1, 10)
		if err != nil || len(day) != 2 {
			t.Errorf("of the mall's day are %v, %v", day, err)
		}
		took, err := w.Campaign.RefundTimes(bg, paid, now)
		if err != nil || took.Done != 1 || took.Median != 24*time.Hour {
			t.Errorf("refunds took %+v, %v", took, err)
		}
	})
}
