package groupbuy_test

import (
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// An invited member's order earns when its team forms, once, on what is not
// refunded by then, and a late seat of a formed team likewise.
func TestTeamFormedEarns(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(4)
		opener, inviter, buyer, lone := m[0], m[1], m[2], m[3]
		no := false
		prg, err := w.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 10_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerTeamFormed, InviterHasOrdered: &no,
			Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		c := w.Run(campaigntest.Sale{Kind: "group_buy", Rules: `{"size":2,"open_for_s":3600}`, Stock: 100, PerOrder: 2, Program: prg, Hours: 300})
		code, err := w.Referral.CreateCode(bg, referral.CodeIn{InviterID: inviter, ProgramID: prg})
		if err != nil {
			t.Fatal(err)
		}
		codes, err := w.Referral.CodesByID(bg, []id.Code{code})
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []id.Member{buyer, lone} {
			if _, err := w.Referral.Bind(bg, referral.Bind{Code: codes[0].Code, Invitee: who}); err != nil {
				t.Fatal(err)
			}
		}
		nets := func(o id.Order) (list []money.Amount) {
			t.Helper()
			rewards, err := w.Referral.ListRewards(bg, referral.RewardFilter{Order: o}, database.Page{})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rewards.Items {
				list = append(list, r.Net)
			}
			return list
		}
		is := func(what string, o id.Order, want ...money.Amount) {
			t.Helper()
			got := nets(o)
			if len(got) != len(want) || len(got) == 1 && got[0] != want[0] {
				t.Errorf("%s: got %v, want %v", what, got, want)
			}
		}

		first := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: buyer, Qty: 2, OpenTeam: true})
		w.Pay(first.ID)
		w.Drain(0)
		is("paid, the team open", first.ID)
		second := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: opener, Team: first.TeamID})
		w.Pay(second.ID) // forms it
		// Half of it comes back before the rewards are written.
		if err := w.Campaign.Refund(bg, first.ID, campaign.RefundIn{RefundNo: "r1", Amount: 9900, Goods: 9900, Qty: 1}); err != nil {
			t.Fatal(err)
		}
		w.Drain(0)
		is("formed, half refunded", first.ID, 990)
		is("not invited", second.ID)
		if err := w.Campaign.Refund(bg, first.ID, campaign.RefundIn{RefundNo: "r2", Amount: 4950, Goods: 4950}); err != nil {
			t.Fatal(err)
		}
		w.Drain(0)
		is("a quarter left", first.ID, 495)

		alone := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: lone, OpenTeam: true})
		w.Pay(alone.ID)
		w.Drain(2 * time.Hour)
		is("the team failed", alone.ID)
		w.Verify()
	})
}
