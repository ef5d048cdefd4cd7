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

// TestShippedAt: goods are sent and received between the order and now, five
// minutes more on either side, and may be reported days later. What is refused
// leaves nothing, so that a receipt of the wrong year starts no days of
// maturity; what is on record is not judged again.
func TestShippedAt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 100, PerOrder: 1})
		made := clock.MilliOf(db.Clock.Now())
		var orders []campaign.Order
		for _, m := range w.Members(9) {
			o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Qty: 1})
			w.Pay(o.ID)
			orders = append(orders, o)
		}
		receive := func(n int, at clock.Milli) error {
			return w.Campaign.Ship(bg, orders[n].ID, campaign.Shipment{Stage: "received", ShipmentNo: "s1", At: at})
		}
		db.Clock.Jump(3 * 24 * time.Hour)
		now := made.Add(3 * 24 * time.Hour)
		for n, x := range []struct {
			at    clock.Milli
			wrong string
		}{
			{0, ""}, {now, ""}, {made.Add(24 * time.Hour), ""}, {now.Add(5 * time.Minute), ""}, {now.Add(5*time.Minute) + 1, "ahead of now"}, {now.Add(365 * 24 * time.Hour), "ahead of now"},
			{made.Add(-5 * time.Minute), ""}, {made.Add(-5*time.Minute) - 1, "before the order"}, {1, "before the order"},
		} {
			err := receive(n, x.at)
			o := w.Order(orders[n].ID)
			switch f, ok := fault.As(err); {
			case x.wrong == "":
				want := x.at
				if want == 0 {
					want = now
				}
				if err != nil || o.ReceivedAt != want {
					t.Errorf("%s: got %v, received at %s", x.at, err, o.ReceivedAt)
				}
			case !ok || len(f.Fields) != 1 || f.Fields[0].Name != "at" || !strings.Contains(f.Fields[0].EN, x.wrong) || f.Fields[0].ZH == "":
				t.Errorf("%s: got %v, want at refused as %s", x.at, err, x.wrong)
			case o.ReceivedAt != 0:
				t.Errorf("%s: refused, yet received at %s", x.at, o.ReceivedAt)
			}
		}
		if err := receive(8, 0); err != nil { // mended
			t.Errorf("reported anew: %v", err)
		}
		if err := receive(0, 1); err != nil {
			t.Errorf("what is on record was reported again: %v", err)
		}
	})
}
