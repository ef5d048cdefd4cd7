package campaign_test

import (
	"strings"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

// TestPaidAt: a payment is of a moment between its order's and now, five
// minutes more on either side, and may be reported days later. What is refused
// leaves nothing; what is on record is not judged again.
func TestPaidAt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 100, PerOrder: 1})
		made := clock.MilliOf(db.Clock.Now())
		var orders []campaign.Order
		for _, m := range w.Members(12) {
			orders = append(orders, w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Qty: 1}))
		}
		report := func(n int, at clock.Milli) error {
			o := orders[n]
			return w.Campaign.Pay(bg, o.ID, campaign.PaymentIn{Provider: "wechat", PaymentNo: "p" + o.ID.String(), Goods: o.Amount, Amount: o.Amount, PaidAt: at})
		}
		now := made.Add(5 * time.Minute)
		db.Clock.Jump(5 * time.Minute)
		for n, x := range []struct {
			at    clock.Milli
			wrong string
		}{
			{made, ""}, {now, ""}, {0, ""},
			{now.Add(5 * time.Minute), ""}, {now.Add(5*time.Minute) + 1, "ahead of now"}, {now.Add(7 * 24 * time.Hour), "ahead of now"},
			{made.Add(-5 * time.Minute), ""}, {made.Add(-5*time.Minute) - 1, "before the order"}, {made.Add(-8 * time.Hour), "before the order"}, {1, "before the order"},
		} {
			err := report(n, x.at)
			o := w.Order(orders[n].ID)
			switch f, ok := fault.As(err); {
			case x.wrong == "":
				want := x.at
				if want == 0 {
					want = now
				}
				if err != nil || o.PaidAt != want || len(o.Payments) != 1 {
					t.Errorf("%s: got %v, paid at %s in %d payments", x.at, err, o.PaidAt, len(o.Payments))
				}
			case !ok || len(f.Fields) != 1 || f.Fields[0].Name != "paid_at" || !strings.Contains(f.Fields[0].EN, x.wrong) || f.Fields[0].ZH == "":
				t.Errorf("%s: got %v, want paid_at refused as %s", x.at, err, x.wrong)
			case o.PaidAt != 0 || len(o.Payments) != 0:
				t.Errorf("%s: refused, yet paid at %s in %d payments", x.at, o.PaidAt, len(o.Payments))
			}
		}
		db.Clock.Jump(3 * 24 * time.Hour)
		if err := report(10, now); err != nil { // paid in time, reported when the order had long expired
			t.Errorf("reported three days later: %v", err)
		}
		if err := db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("UPDATE payments SET paid_at = 1 WHERE order_id = ?", orders[0].ID).Error // as an older release took it
		}); err != nil {
			t.Fatal(err)
		}
		if err := report(0, 1); err != nil {
			t.Errorf("what is on record was reported again: %v", err)
		}
	})
}
