package campaign_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/money"
)

// TestAllMoneyBackIsAllGoodsBack: a mall need not say which part of a refund is
// of the goods. Once all that was paid went back, freight included, the order
// is refunded and its pieces are free; a fen before it is not.
func TestAllMoneyBackIsAllGoodsBack(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10, PerOrder: 2})
		m := w.Members(1)[0]
		order := func(name string) campaign.Order {
			o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Qty: 2})
			in := campaigntest.Payment(o, name)
			in.Freight, in.Amount = 1000, in.Amount+1000
			if err := w.Campaign.Pay(bg, o.ID, in); err != nil {
				t.Fatal(err)
			}
			return o
		}
		refund := func(o campaign.Order, no string, amount money.Amount, status campaign.RefundStatus) error {
			return w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: no, Amount: amount, Status: status})
		}
		says := func(o campaign.Order, left int64, want string) {
			t.Helper()
			now := w.Order(o.ID)
			if got := fmt.Sprintf("%s %s of %s, %d pieces", now.Status, now.RefundedGoods, now.Goods, now.RefundedQty); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if item := w.Item(c.ID); item.Left != left {
				t.Errorf("%d are left, want %d", item.Left, left)
			}
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		o := order("p1")
		must(refund(o, "a", 1000, campaign.RefundDone)) // freight alone
		must(refund(o, "b", 19799, campaign.RefundDone))
		must(refund(o, "c", 1, campaign.RefundFailed))
		says(o, 8, "paid 0.00 of 198.00, 0 pieces")
		if err := refund(o, "d", 2, campaign.RefundDone); !errors.Is(err, campaign.ErrRefundExceeds) || !strings.Contains(err.Error(), "at most 1 fen can still go back") {
			t.Errorf("a fen more than was paid: %v", err)
		}
		must(refund(o, "c", 1, campaign.RefundDone))
		says(o, 10, "refunded 198.00 of 198.00, 2 pieces")
		if err := refund(o, "e", 1, campaign.RefundDone); !errors.Is(err, campaign.ErrRefundExceeds) {
			t.Errorf("after all went back: %v", err)
		}

		// Money of a payment that bought nothing is no money of the order.
		o = order("p2")
		twice := campaigntest.Payment(o, "p3")
		must(w.Campaign.Pay(bg, o.ID, twice))
		back := w.Order(o.ID).Refunds[0]
		must(refund(o, back.RefundNo, back.Amount, campaign.RefundDone))
		must(refund(o, "f", 5000, campaign.RefundDone))
		says(o, 8, "paid 0.00 of 198.00, 0 pieces")
		if err := refund(o, "g", 15801, campaign.RefundDone); !errors.Is(err, campaign.ErrRefundExceeds) {
			t.Errorf("a fen more than is left: %v", err)
		}
		must(refund(o, "h", 15800, campaign.RefundDone))
		says(o, 10, "refunded 198.00 of 198.00, 2 pieces")
		w.Verify()
	})
}

// TestOnlySiyuNamesWhatBoughtNothing: a refund under a number of Siyu's own
// kind would leave goods and rewards as they are.
func TestOnlySiyuNamesWhatBoughtNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10})
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0]})
		in := campaign.RefundIn{RefundNo: "back_20260302", Amount: o.Amount, Goods: o.Amount}
		for _, paid := range []bool{false, true} {
			if paid {
				w.Pay(o.ID)
			}
			if err := w.Campaign.Refund(bg, o.ID, in); !errors.Is(err, fault.Invalid) {
				t.Errorf("paid %v: got %v", paid, err)
			}
		}
		if got := w.Order(o.ID); got.Status != campaign.OrderPaid || len(got.Refunds) != 0 {
			t.Errorf("got %+v", got)
		}
	})
}
