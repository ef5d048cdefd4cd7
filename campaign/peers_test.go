package campaign_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
)

// The defects that other campaign systems are known to have, each as a test
// that shows we do not have it. docs/defects.md lists them all.

func TestEarlyClaimsBurnNoStock(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		cid := w.Draft(campaigntest.Sale{Stock: 64, PerMember: 1})
		begins := clock.MilliOf(db.Clock.Now()).Add(time.Hour)
		if err := edit(w, cid, campaign.CampaignEdit{StartsAt: &begins}); err != nil {
			t.Fatal(err)
		}
		if err := w.Campaign.Turn(bg, cid, campaign.Publish); err != nil {
			t.Fatal(err)
		}
		buyers := w.Members(64)
		claim := campaign.Claim{Campaign: cid, Item: w.Item(cid).ID}
		if got := rush([]*campaigntest.World{w}, claim, buyers); got != 0 {
			t.Fatalf("%d claims were granted an hour early", got)
		}
		if item := w.Item(cid); item.Left != 64 {
			t.Errorf("early claims took stock: %+v", item)
		}
		w.Drain(61 * time.Minute)
		if got := rush([]*campaigntest.World{w}, claim, buyers); got != 64 {
			t.Errorf("%d of 64 pieces were sold to 64 buyers", got)
		}
		w.Verify()
	})
}

// Versions compared at the write refuse buyers whom the stock would serve;
// here everybody gets his piece however many ask at once.
func TestNoBuyerIsLostWhileStockIsLeft(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			buyers := w[0].Members(200)
			for range 5 {
				c := w[0].Run(campaigntest.Sale{Stock: 200, PerMember: 1})
				if got := rush(w, campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}, buyers); got != 200 {
					t.Fatalf("%d of 200 buyers got one of 200 pieces", got)
				}
			}
			w[0].Verify()
		})
	}
}

// TestPaymentBesideExpiryIsNeverLost lets the payment, the sweep of unpaid
// orders and the member's own cancellation meet at the same order: stock is
// left, so whoever comes first, what was paid is bought and nothing is stuck.
func TestPaymentBesideExpiryIsNeverLost(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			c := w[0].Run(campaigntest.Sale{Stock: 1000, Hours: 300})
			var orders []campaign.Order
			for _, m := range w[0].Members(64) {
				orders = append(orders, w[0].MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m}))
			}
			w[0].DB.Clock.Jump(16 * time.Minute)
			last := w[len(w)-1]
			if last != w[0] && clock.MilliOf(last.DB.Clock.Now()) < orders[0].DeadlineAt {
				last.DB.Clock.Jump(16 * time.Minute)
			}
			var wg sync.WaitGroup
			start := make(chan struct{})
			wg.Go(func() {
				<-start
				if err := w[0].Campaign.Sweep(bg); err != nil {
					t.Errorf("sweep: %v", err)
				}
			})
			for i, o := range orders {
				wg.Go(func() {
					<-start
					if err := last.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, "p"+o.ID.String())); err != nil {
						t.Errorf("payment: %v", err)
					}
				})
				if i%2 == 0 {
					wg.Go(func() {
						<-start
						if err := w[0].Campaign.CancelOrder(bg, o.ID); err != nil && !errors.Is(err, campaign.ErrOrderState) {
							t.Errorf("cancel: %v", err)
						}
					})
				}
			}
			close(start)
			wg.Wait()
			for _, o := range orders {
				if now := w[0].Order(o.ID); now.Status != campaign.OrderPaid || len(now.Refunds) != 0 {
					t.Errorf("order %+v, want paid", now)
				}
			}
			if item := w[0].Item(c.ID); item.Sold != 64 || item.Held != 0 {
				t.Errorf("item %+v, want 64 sold and none held", item)
			}
			w[0].Verify()
		})
	}
}

// Refunds reported at once neither give back more pieces than were sold nor
// more money than was paid.
func TestRefundsAtOnceGiveBackWhatWasPaid(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10, PerOrder: 4})
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0], Qty: 4})
		w.Pay(o.ID)
		var done atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for n := range 64 {
			wg.Go(func() {
				<-start
				err := w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: id.Refund(n + 1).String(), Amount: 9900, Goods: 9900, Qty: 1})
				switch {
				case err == nil:
					done.Add(1)
				case !errors.Is(err, campaign.ErrRefundExceeds):
					t.Errorf("refund: %v", err)
				}
			})
		}
		close(start)
		wg.Wait()
		now, item := w.Order(o.ID), w.Item(c.ID)
		if done.Load() != 4 || now.Status != campaign.OrderRefunded || now.RefundedGoods != o.Amount || item.Left != 10 {
			t.Errorf("%d of 4 refunds, order %+v, item %+v", done.Load(), now, item)
		}
		w.Verify()
	})
}

// A reward goes to the inviter whose binding stood when the order was claimed,
// whoever is bound to the buyer when he pays.
func TestRewardGoesToTheInviterFrozenOnTheOrder(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(3)
		first, second, buyer := m[0], m[1], m[2]
		no, day := false, 1
		prg, err := w.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 1_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: &no, AttributionDays: &day,
			Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		bind := func(inviter id.Member) {
			t.Helper()
			code, err := w.Referral.CreateCode(bg, referral.CodeIn{InviterID: inviter, ProgramID: prg})
			if err != nil {
				t.Fatal(err)
			}
			list, err := w.Referral.CodesByID(bg, []id.Code{code})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Referral.Bind(bg, referral.Bind{Code: list[0].Code, Invitee: buyer}); err != nil {
				t.Fatal(err)
			}
		}
		c := w.Run(campaigntest.Sale{Stock: 10, Program: prg, Hours: 72})
		bind(first)
		db.Clock.Jump(24*time.Hour - 5*time.Minute)
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: buyer})
		db.Clock.Jump(6 * time.Minute) // the binding has lapsed, the order waits for payment
		bind(second)
		w.Pay(o.ID)
		list, err := w.Referral.ListRewards(bg, referral.RewardFilter{Order: o.ID}, database.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) != 1 || list.Items[0].BeneficiaryID != first || list.Items[0].Amount != 990 {
			t.Errorf("rewards %+v, want 990 fen for %s", list.Items, first)
		}
		w.Verify()
	})
}
