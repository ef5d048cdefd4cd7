package campaign_test

import (
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// Rewards count from what was paid in money for the goods: of an order with a
// coupon, points and freight that is goods less the coupon less the points.
func TestRewardBase(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		program, err := w.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 1_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: ptr(false),
			Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		p := newPurse(w)
		c := w.Run(campaigntest.Sale{Stock: 100, PerOrder: 2, Coupons: true, Points: 3000, Program: program})
		m := w.Members(2)
		made, err := w.Referral.CreateCode(bg, referral.CodeIn{InviterID: m[0], ProgramID: program, CampaignID: c.ID})
		if err != nil {
			t.Fatal(err)
		}
		codes, err := w.Referral.CodesByID(bg, []id.Code{made})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Referral.Bind(bg, referral.Bind{Code: codes[0].Code, Invitee: m[1]}); err != nil {
			t.Fatal(err)
		}
		p.points(m[1], 1000)
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[1], Qty: 2, Coupon: p.coupon(m[1]), Points: 1000})
		pay := campaigntest.Payment(o, "with-freight")
		pay.Freight, pay.Amount = 1200, pay.Amount+1200
		if err := w.Campaign.Pay(bg, o.ID, pay); err != nil {
			t.Fatal(err)
		}
		const base = money.Amount(2*9900 - 500 - 1000)
		rewards := func() referral.Reward {
			t.Helper()
			list, err := w.Referral.ListRewards(bg, referral.RewardFilter{Order: o.ID}, database.Page{})
			if err != nil || len(list.Items) != 1 {
				t.Fatalf("got %+v, %v", list.Items, err)
			}
			return list.Items[0]
		}
		if r := rewards(); r.Base != base || r.Amount != base/10 {
			t.Errorf("counted from %s: %s, want from %s", r.Base, r.Amount, base)
		}
		if err := w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "half", Amount: base / 2, Goods: base / 2}); err != nil {
			t.Fatal(err)
		}
		if r := rewards(); r.Net != base/10-base/20 {
			t.Errorf("half of the base refunded: %s left", r.Net)
		}
		w.Verify()
	})
}
