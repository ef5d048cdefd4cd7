package campaign_test

import (
	"fmt"
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// Refunds that came before their payment, or failed and were done after others,
// may come to more than was paid for the goods: then all of it is refunded, and
// every piece is free again.
func TestRefundsBeyondThePaymentAreAllOfIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10, PerOrder: 2})
		m := w.Members(1)[0]
		refund := func(o campaign.Order, no string, status campaign.RefundStatus) {
			t.Helper()
			in := campaign.RefundIn{RefundNo: no, Amount: 15000, Goods: 15000, Status: status}
			if err := w.Campaign.Refund(bg, o.ID, in); err != nil {
				t.Fatal(err)
			}
		}
		for name, story := range map[string]func(o campaign.Order){
			"before the payment": func(o campaign.Order) {
				refund(o, "a", campaign.RefundDone)
				refund(o, "b", campaign.RefundDone)
				w.Pay(o.ID)
			},
			"done after all": func(o campaign.Order) {
				w.Pay(o.ID)
				refund(o, "a", campaign.RefundFailed)
				refund(o, "b", campaign.RefundDone)
				refund(o, "a", campaign.RefundDone)
			},
		} {
			t.Run(name, func(t *testing.T) {
				o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Qty: 2})
				story(o)
				o = w.Order(o.ID)
				got := fmt.Sprintf("%s %s of %s, %d pieces", o.Status, o.RefundedGoods, o.Goods, o.RefundedQty)
				if want := "refunded 198.00 of 198.00, 2 pieces"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if item := w.Item(c.ID); item.Left != 10 {
					t.Errorf("%d of 10 are left", item.Left)
				}
			})
		}
		w.Verify()
	})
}
