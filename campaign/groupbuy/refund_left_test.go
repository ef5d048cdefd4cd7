package groupbuy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
)

// TestAFailedTeamSendsBackWhatIsLeft: what the mall sent back before is not asked
// for again, neither its money nor its goods and pieces; a refund that failed
// is; and whoever had everything back is asked for nothing.
func TestAFailedTeamSendsBackWhatIsLeft(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, campaigntest.Sale{Rules: `{"size":5,"open_for_s":3600}`, Stock: 100, PerOrder: 3})
		m := r.Members(3)
		first := r.open(m[0])
		orders := []campaign.Order{first}
		for _, who := range m[1:] {
			orders = append(orders, r.MustClaim(campaign.Claim{Campaign: r.c.ID, Item: r.c.Items[0].ID, Member: who, Team: first.TeamID, Qty: 3}))
		}
		for i, o := range orders {
			in := campaigntest.Payment(o, fmt.Sprint("p", i))
			in.Freight, in.Amount = 1000, in.Amount+1000
			if err := r.Campaign.Pay(bg, o.ID, in); err != nil {
				t.Fatal(err)
			}
		}
		refund := func(o campaign.Order, no string, amount, goods money.Amount, qty int, status campaign.RefundStatus) {
			t.Helper()
			if err := r.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: no, Amount: amount, Goods: goods, Qty: qty, Status: status}); err != nil {
				t.Fatal(err)
			}
		}
		refund(orders[0], "all", orders[0].Amount+1000, orders[0].Amount, 1, campaign.RefundDone)
		refund(orders[1], "a piece", 9900, 9900, 1, campaign.RefundDone)
		refund(orders[1], "in vain", 5000, 5000, 1, campaign.RefundFailed)
		r.Drain(2 * time.Hour)

		whole := orders[2].Amount
		asks := func(when string, want []string) {
			t.Helper()
			var asked []string
			for i, o := range orders {
				for _, x := range r.Order(o.ID).Refunds {
					if x.ByWhom == "siyu" {
						asked = append(asked, fmt.Sprintf("%d: %s, goods %s, %d pieces, %s", i, x.Amount, x.Goods, x.Qty, x.Status))
					}
				}
			}
			if !slices.Equal(asked, want) {
				t.Errorf("%s: asked for %q, want %q", when, asked, want)
			}
		}
		want := []string{
			fmt.Sprintf("1: %s, goods %s, 2 pieces, requested", whole+1000-9900, whole-9900),
			fmt.Sprintf("2: %s, goods %s, 3 pieces, requested", whole+1000, whole),
		}
		asks("once", want)

		// Owed once more, as when the mall or another run was quicker.
		err := db.Tx(bg, func(tx *database.Tx) error {
			for _, o := range orders {
				err := tx.Exec(`INSERT INTO team_refunds (order_id, team_id, created_at, tries, next_at, alerted_at, last_error) VALUES (?, ?, ?, 0, ?, 0, '')`,
					o.ID, first.TeamID, tx.Now, tx.Now).Error
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Drain(time.Minute)
		asks("owed again", want)
		if n := r.count("SELECT COUNT(*) FROM team_refunds"); n != 0 {
			t.Errorf("%d are still owed", n)
		}
		for _, o := range orders[1:] {
			x := r.Order(o.ID).Refunds
			refund(o, x[len(x)-1].RefundNo, x[len(x)-1].Amount, 0, 0, campaign.RefundDone)
		}
		if item := r.Item(r.c.ID); item.Left != 100 || item.Sold != 0 {
			t.Errorf("in the end %d are left and %d sold", item.Left, item.Sold)
		}
		r.Verify()
	})
}
