package campaign_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

// spree lets every claim be made at the same moment, spread over replicas, and
// says how many were granted; all others must be refused for the reason.
func spree(w []*campaigntest.World, claims []campaign.Claim, reason error) int64 {
	var granted atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, c := range claims {
		wg.Go(func() {
			<-start
			_, err := w[i%len(w)].Claim(c)
			switch {
			case err == nil:
				granted.Add(1)
			case reason != nil && !errors.Is(err, reason):
				w[0].T.Errorf("got %v, want %v", err, reason)
			}
		})
	}
	close(start)
	wg.Wait()
	return granted.Load()
}

// TestBudgetCap has 64 members use a coupon each against a budget for ten, over
// two items, and one coupon used by 64 claims.
func TestBudgetCap(t *testing.T) {
	everyone := func(w *campaigntest.World, p *purse, members []id.Member) (cid id.Campaign, claims []campaign.Claim) {
		c := w.Run(campaigntest.Sale{Stock: 1000, Coupons: true, Budget: 5_499})
		for _, m := range members {
			claims = append(claims, campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Coupon: p.coupon(m)})
		}
		return c.ID, claims
	}
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			p, members := newPurse(w[0]), w[0].Members(64)
			cid, claims := everyone(w[0], p, members)
			if got := spree(w, claims, campaign.ErrBudget); got != 10 {
				t.Errorf("granted %d, the budget is for 10", got)
			}
			budget(w[0], cid, 499, 5000, 0)
			if item := w[0].Item(cid); item.Held != 10 {
				t.Errorf("item %+v, want 10 held", item)
			}
			c := w[0].Run(campaigntest.Sale{Stock: 1000, Coupons: true})
			one := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: members[0], Coupon: p.coupon(members[0])}
			if got := spree(w, slices.Repeat([]campaign.Claim{one}, 64), wallet.ErrCouponRedeemed); got != 1 {
				t.Errorf("one coupon was good for %d orders", got)
			}
			w[0].Verify()
		})
		t.Run(engine+" without locks it breaks", func(t *testing.T) {
			db := dbtest.Unlocked(t, engine)
			var w []*campaigntest.World
			for range 4 {
				w = append(w, campaigntest.New(t, db))
			}
			p, members := newPurse(w[0]), w[0].Members(64)
			for range 100 {
				_, claims := everyone(w[0], p, members)
				spree(w, claims, nil)
				for _, proof := range w[0].Proofs() {
					if proof.ID == "V14" && len(proof.Broken) > 0 {
						return
					}
				}
			}
			t.Fatal("V14 held in 100 rounds without any lock")
		})
	}
}

func TestBudget(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		hear(t, db)
		p := newPurse(w)
		c := w.Run(campaigntest.Sale{Stock: 1000, Coupons: true, Budget: 2500})
		buy := func() (campaign.Order, error) {
			m := w.Members(1)[0]
			oid, err := w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Coupon: p.coupon(m)})
			if err != nil {
				return campaign.Order{}, err
			}
			return w.Order(oid), nil
		}
		events := func(want ...string) {
			t.Helper()
			if got := heard(t, db, "campaign.budget%"); !slices.Equal(got, want) {
				t.Errorf("events %v, want %v", got, want)
			}
		}
		var orders []campaign.Order
		for n := range 5 {
			o, err := buy()
			if err != nil {
				t.Fatal(err)
			}
			orders = append(orders, o)
			switch n {
			case 2:
				events()
			case 3:
				events("campaign.budget_low")
			}
		}
		events("campaign.budget_low", "campaign.budget_exhausted")
		for range 2 {
			if _, err := buy(); !errors.Is(err, campaign.ErrBudget) {
				t.Errorf("got %v, want the budget to be exhausted", err)
			}
		}
		events("campaign.budget_low", "campaign.budget_exhausted")
		if item := w.Item(c.ID); item.Held != 5 {
			t.Errorf("item %+v, want 5 held", item)
		}
		t.Run("what comes back can be used again", func(t *testing.T) {
			if err := w.Campaign.CancelOrder(bg, orders[0].ID); err != nil {
				t.Fatal(err)
			}
			o, err := buy()
			if err != nil {
				t.Fatal(err)
			}
			w.Pay(o.ID)
			budget(w, c.ID, 0, 2000, 500)
			events("campaign.budget_low", "campaign.budget_exhausted")
		})
		t.Run("it cannot be lowered below what is used, and is announced anew when raised", func(t *testing.T) {
			same(t, fields(t, edit(w, c.ID, campaign.CampaignEdit{Budget: ptr(money.Amount(2499))})), map[string]string{"budget_fen": "range"})
			if err := edit(w, c.ID, campaign.CampaignEdit{Budget: ptr(money.Amount(10_000))}); err != nil {
				t.Fatal(err)
			}
			if err := edit(w, c.ID, campaign.CampaignEdit{Budget: ptr(money.Amount(2999))}); err != nil {
				t.Fatal(err)
			}
			budget(w, c.ID, 499, 2000, 500)
			if _, err := buy(); !errors.Is(err, campaign.ErrBudget) {
				t.Errorf("got %v, want the budget to be exhausted", err)
			}
			events("campaign.budget_low", "campaign.budget_exhausted", "campaign.budget_exhausted")
		})
		t.Run("published, members keep their ways to pay", func(t *testing.T) {
			same(t, fields(t, edit(w, c.ID, campaign.CampaignEdit{AcceptsCoupons: ptr(false)})), map[string]string{"accepts_coupons": "tighter"})
			if err := edit(w, c.ID, campaign.CampaignEdit{AcceptsPoints: ptr(money.Bps(100))}); err != nil {
				t.Fatal(err)
			}
			same(t, fields(t, edit(w, c.ID, campaign.CampaignEdit{AcceptsPoints: ptr(money.Bps(99))})), map[string]string{"accepts_points_bp": "tighter"})
			same(t, fields(t, edit(w, c.ID, campaign.CampaignEdit{AcceptsPoints: ptr(money.Bps(10_001))})), map[string]string{"accepts_points_bp": "range"})
		})
		t.Run("a copy has a budget of its own", func(t *testing.T) {
			made, err := w.Campaign.Copy(bg, c.ID, campaign.CopyIn{})
			if err != nil {
				t.Fatal(err)
			}
			budget(w, made, 2999, 0, 0)
		})
		t.Run("the rate says when it is used up", func(t *testing.T) {
			db.Clock.Jump(time.Minute)
			s, err := w.Campaign.Stats(bg, c.ID)
			// 2,500 in the minute since it began.
			if now := s.At; err != nil || s.Budget.Rate != 150_000 || s.Budget.UsedUpAt <= now || s.Budget.UsedUpAt > now.Add(time.Minute) {
				t.Errorf("got %+v, %v", s.Budget, err)
			}
		})
		w.Verify()
	})
}

// TestBudgetPaysRewards has the budget of a campaign carry its rewards: they
// stop with it, and come back to it.
func TestBudgetPaysRewards(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		program, err := w.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 1_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: ptr(false), Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 400}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		c := w.Run(campaigntest.Sale{Stock: 100, Program: program, Budget: 1000})
		m := w.Members(4)
		made, err := w.Referral.CreateCode(bg, referral.CodeIn{InviterID: m[0], ProgramID: program, CampaignID: c.ID})
		if err != nil {
			t.Fatal(err)
		}
		codes, err := w.Referral.CodesByID(bg, []id.Code{made})
		if err != nil {
			t.Fatal(err)
		}
		var orders []campaign.Order
		for _, who := range m[1:] {
			if _, err := w.Referral.Bind(bg, referral.Bind{Code: codes[0].Code, Invitee: who}); err != nil {
				t.Fatal(err)
			}
			o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: who})
			w.Pay(o.ID)
			orders = append(orders, o)
		}
		budget(w, c.ID, 200, 0, 800) // the third reward would have exceeded it
		w.Verify()
		if err := w.Campaign.Refund(bg, orders[0].ID, campaign.RefundIn{RefundNo: "r", Amount: 9900, Goods: 9900}); err != nil {
			t.Fatal(err)
		}
		budget(w, c.ID, 600, 0, 400)
		got, err := w.Referral.FindProgram(bg, program)
		if err != nil || got.BudgetLeft != 1_000_000 {
			t.Errorf("the program's own budget has %d left (%v)", got.BudgetLeft, err)
		}
		w.Verify()
	})
}

// TestVerifyDiscounts changes one number after another behind the house's back.
func TestVerifyDiscounts(t *testing.T) {
	w := campaigntest.New(t, dbtest.Open(t, "sqlite"))
	p := newPurse(w)
	c := w.Run(campaigntest.Sale{Coupons: true, Points: 3000, Budget: 100_000})
	m := w.Members(1)[0]
	p.points(m, 100)
	o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Coupon: p.coupon(m), Points: 100})
	w.Verify()
	for _, change := range []struct{ do, undo string }{
		{"UPDATE orders SET discount_coupon = 499", "UPDATE orders SET discount_coupon = 500"},
		{"UPDATE orders SET status = 'expired'", "UPDATE orders SET status = 'held'"},
		{"UPDATE order_discounts SET status = 'released'", "UPDATE order_discounts SET status = 'reserved'"},
		{"UPDATE order_discounts SET order_id = order_id + 1", "UPDATE order_discounts SET order_id = order_id - 1"},
		{"UPDATE coupon_redemptions SET freed = id", "UPDATE coupon_redemptions SET freed = 0"},
		{"UPDATE point_orders SET status = 'released'", "UPDATE point_orders SET status = 'frozen'"},
		{"UPDATE point_orders SET order_ref = 'o'", fmt.Sprintf("UPDATE point_orders SET order_ref = '%s'", wallet.OwnRef(o.ID))},
		{"UPDATE campaigns SET budget = budget + 1", "UPDATE campaigns SET budget = budget - 1"},
	} {
		run := func(sql string) {
			if err := w.DB.Tx(bg, func(tx *database.Tx) error { return tx.Exec(sql).Error }); err != nil {
				t.Fatal(err)
			}
		}
		run(change.do)
		proofs, err := campaign.VerifyDiscounts(bg, w.DB)
		if err != nil || len(proofs[0].Broken) == 0 {
			t.Errorf("%s: not found, %v", change.do, err)
		}
		run(change.undo)
	}
	w.Verify()
}
