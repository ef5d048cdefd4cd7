package groupbuy_test

import (
	"slices"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

// ending is what one order of a team leaves behind everywhere: on the order,
// on the team, in stock, in the rewards and in the ledger.
type ending struct {
	Status      campaign.OrderStatus
	Goods       money.Amount
	Refunded    money.Amount
	RefundedQty int
	ReceivedAt  clock.Milli
	Backs       int
	Team        groupbuy.Status
	Sold        int64
	Rewards     int
	Net         money.Amount
	State       referral.RewardState
	MaturesAt   clock.Milli
	Reserved    money.Amount
}

// TestTeamCallbacksInAnyOrder reports the payment, a second payment, a partial
// refund, the shipment and the receipt of a seat whose buyer was invited, in
// all 120 orders, each of them twice: order, team, stock, rewards and ledger
// end the same.
func TestTeamCallbacksInAnyOrder(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(3)
		opener, inviter, buyer := m[0], m[1], m[2]
		no := false
		prg, err := w.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 10_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: &no,
			Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		c := w.Run(campaigntest.Sale{Kind: "group_buy", Rules: `{"size":2,"open_for_s":86400}`, Stock: 1000, PerOrder: 2, Program: prg, Hours: 300})
		code, err := w.Referral.CreateCode(bg, referral.CodeIn{InviterID: inviter, ProgramID: prg})
		if err != nil {
			t.Fatal(err)
		}
		codes, err := w.Referral.CodesByID(bg, []id.Code{code})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Referral.Bind(bg, referral.Bind{Code: codes[0].Code, Invitee: buyer}); err != nil {
			t.Fatal(err)
		}
		received := clock.MilliOf(db.Clock.Now()).Add(time.Minute)
		reserved := func() money.Amount {
			n, err := wallet.Balance(db.Read(bg), wallet.StageReserved, wallet.Member(inviter), money.CNY)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		var want ending
		for i, order := range orders(5) {
			sold, owed := w.Item(c.ID).Sold, reserved()
			first := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: opener, OpenTeam: true})
			w.Pay(first.ID)
			o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: buyer, Qty: 2, Team: first.TeamID})
			calls := []func() error{
				func() error { return w.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, "a"+o.ID.String())) },
				func() error { return w.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, "b"+o.ID.String())) },
				func() error {
					return w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "r1", Amount: 9900, Goods: 9900, Qty: 1})
				},
				func() error {
					return w.Campaign.Ship(bg, o.ID, campaign.Shipment{Stage: "shipped", ShipmentNo: "s1", At: received - 1000})
				},
				func() error {
					return w.Campaign.Ship(bg, o.ID, campaign.Shipment{Stage: "received", ShipmentNo: "s1", At: received})
				},
			}
			for range 2 {
				for _, n := range order {
					if err := calls[n](); err != nil {
						t.Fatalf("order %d %v: %v", i, order, err)
					}
				}
			}
			got := endOf(w, o, referral.RewardFilter{Order: o.ID})
			got.Sold, got.Reserved = w.Item(c.ID).Sold-sold, reserved()-owed
			if i == 0 {
				want = got
				full := ending{
					Status: campaign.OrderPaid, Goods: 19800, Refunded: 9900, RefundedQty: 1, ReceivedAt: received, Backs: 1,
					Team: groupbuy.StatusFormed, Sold: 2, Rewards: 1, Net: 990, State: referral.RewardPending, MaturesAt: got.MaturesAt, Reserved: 990,
				}
				if got != full {
					t.Fatalf("order %v: got %+v, want %+v", order, got, full)
				}
			}
			if got != want {
				t.Fatalf("order %v: got %+v, want %+v", order, got, want)
			}
		}
		w.Verify()
		proofs, err := wallet.Verify(bg, db)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range proofs {
			for _, b := range p.Broken {
				t.Errorf("%s: %s", p.ID, b)
			}
		}
	})
}

// endOf reads what an order has come to.
func endOf(w *campaigntest.World, o campaign.Order, f referral.RewardFilter) (e ending) {
	w.T.Helper()
	now := w.Order(o.ID)
	team, err := w.GroupBuy.FindTeam(bg, o.TeamID)
	if err != nil {
		w.T.Fatal(err)
	}
	list, err := w.Referral.ListRewards(bg, f, database.Page{})
	if err != nil {
		w.T.Fatal(err)
	}
	e = ending{
		Status: now.Status, Goods: now.Goods, Refunded: now.RefundedGoods, RefundedQty: now.RefundedQty,
		ReceivedAt: now.ReceivedAt, Team: team.Status, Rewards: len(list.Items),
	}
	for _, r := range now.Refunds {
		if r.ByWhom == "siyu" {
			e.Backs++
		}
	}
	for _, r := range list.Items {
		e.Net, e.State, e.MaturesAt = r.Net, r.State, r.MaturesAt
	}
	return e
}

// orders are all orders of n things.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, p := range orders(n - 1) {
		for at := 0; at <= len(p); at++ {
			out = append(out, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return out
}
