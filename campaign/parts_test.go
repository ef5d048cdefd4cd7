package campaign_test

import (
	"errors"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/wallet"
)

// A coupon that goes back with a refund stays used while some of the goods are
// kept.
func TestCouponReturnsWithTheLastOfTheGoods(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		p := newPurse(w)
		c := w.Run(campaigntest.Sale{Coupons: true, Budget: 100_000})
		m := w.Members(1)[0]
		coupon := p.coupon(m)
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Coupon: coupon})
		w.Pay(o.ID)
		for _, step := range []struct {
			in   campaign.RefundIn
			want wallet.HoldStatus
		}{
			{campaign.RefundIn{RefundNo: "part", Amount: 9399, Goods: 9399}, wallet.HoldRedeemed},
			{campaign.RefundIn{RefundNo: "last fen", Amount: 1, Goods: 1}, wallet.HoldReturned},
		} {
			if err := w.Campaign.Refund(bg, o.ID, step.in); err != nil {
				t.Fatal(err)
			}
			p.has(coupon, step.want, m, 0, 0)
		}
		w.Verify()
	})
}

// A payment number says the same each time: of the same sum it may not be for
// other goods, which would be other rewards.
func TestPaymentReportedWithOtherParts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{})
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0]})
		in := campaigntest.Payment(o, "once")
		in.Freight, in.Amount = 1000, in.Amount+1000
		if err := w.Campaign.Pay(bg, o.ID, in); err != nil {
			t.Fatal(err)
		}
		other := in
		other.Goods, other.Freight = in.Goods+1000, 0
		if err := w.Campaign.Pay(bg, o.ID, other); !errors.Is(err, campaign.ErrPaymentReused) {
			t.Errorf("freight became goods: got %v", err)
		}
		if err := w.Campaign.Pay(bg, o.ID, in); err != nil {
			t.Errorf("the same again: %v", err)
		}
	})
}

// The sweep reads what is due before it locks it: an order that was had again
// meanwhile, with a deadline of its own, stays.
func TestSweepLeavesWhatIsNotDueAnyMore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{})
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0]})
		expire := func() {
			t.Helper()
			if err := db.Tx(bg, func(tx *database.Tx) error { return w.Campaign.ExpireTx(tx, []campaign.Order{o}) }); err != nil {
				t.Fatal(err)
			}
		}
		if expire(); w.Order(o.ID).Status != campaign.OrderHeld {
			t.Errorf("before its deadline: %s", w.Order(o.ID).Status)
		}
		db.Clock.Jump(16 * time.Minute)
		if expire(); w.Order(o.ID).Status != campaign.OrderExpired {
			t.Errorf("past it: %s", w.Order(o.ID).Status)
		}
		w.Verify()
	})
}
