package campaign_test

import (
	"fmt"
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
)

// TestPiecesAndMoneyOfRefunds: pieces and money of refunds need not go together.
// Never more pieces come back than were sold, an order whose pieces are all back
// stays paid until its money is, and the session counts each piece once.
func TestPiecesAndMoneyOfRefunds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10, SessionStock: 5, PerOrder: 3, Rules: `{"sessions":[{"from":"00:00","to":"23:59"}]}`})
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0], Qty: 3})
		w.Pay(o.ID)
		for _, step := range []struct {
			no    string
			goods money.Amount
			qty   int
			want  string
		}{
			{"two pieces, little money", 5000, 2, "paid 50.00, 2 pieces back; left 9, sold 1, in the session 1"},
			{"two more", 5000, 2, "paid 100.00, 3 pieces back; left 10, sold 0, in the session 0"},
			{"the money", 19700, 0, "refunded 297.00, 3 pieces back; left 10, sold 0, in the session 0"},
		} {
			if err := w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: step.no, Amount: step.goods, Goods: step.goods, Qty: step.qty}); err != nil {
				t.Fatal(err)
			}
			now, item := w.Order(o.ID), w.Item(c.ID)
			got := fmt.Sprintf("%s %s, %d pieces back; left %d, sold %d, in the session %d", now.Status, now.RefundedGoods, now.RefundedQty, item.Left, item.Sold, item.SessionTaken)
			if got != step.want || (now.ClosedAt != 0) != (now.Status == campaign.OrderRefunded) {
				t.Errorf("%s: got %s, closed at %d, want %s", step.no, got, now.ClosedAt, step.want)
			}
			w.Verify()
		}
	})
}
