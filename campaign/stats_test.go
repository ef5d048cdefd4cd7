package campaign_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// TestFigures plays a small sale: one inviter in a group, three buyers he
// brought and one who came alone; one order is given back, one expires.
func TestFigures(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		program, err := w.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 1_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: ptr(false), Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 500}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		group, err := w.Community.CreateGroup(bg, community.GroupIn{Name: "邻里群"})
		if err != nil {
			t.Fatal(err)
		}
		w.Run(campaigntest.Sale{}) // an order of another campaign is not counted
		c := w.Run(campaigntest.Sale{Stock: 10, Program: program})
		m := w.Members(5)
		inviter, alone := m[0], m[4]
		made, err := w.Referral.CreateCode(bg, referral.CodeIn{InviterID: inviter, ProgramID: program, CampaignID: c.ID, GroupID: group})
		if err != nil {
			t.Fatal(err)
		}
		codes, err := w.Referral.CodesByID(bg, []id.Code{made})
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range m[:4] {
			w.Referral.Touch(made, who)
		}
		if err := w.Referral.Flush(bg); err != nil {
			t.Fatal(err)
		}
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}
		var orders []id.Order
		for _, who := range m[1:4] {
			if _, err := w.Referral.Bind(bg, referral.Bind{Code: codes[0].Code, Invitee: who}); err != nil {
				t.Fatal(err)
			}
			claim.Member = who
			orders = append(orders, w.MustClaim(claim).ID)
		}
		db.Clock.Jump(time.Minute)
		claim.Member = alone
		orders = append(orders, w.MustClaim(claim).ID)
		w.Pay(orders[0])
		w.Pay(orders[1])
		w.Pay(orders[3])
		if err := w.Campaign.Refund(bg, orders[1], campaign.RefundIn{RefundNo: "r", Amount: 9900, Goods: 9900, Qty: 1}); err != nil {
			t.Fatal(err)
		}
		// What they bought is known as what their inviter brought, once for each order.
		w.Pay(orders[0])
		dealt, err := community.DealingsOf(db.Read(bg), []id.Member{inviter, alone}, 0)
		// Of the refunded one nothing was kept.
		if got := dealt[inviter]; err != nil || got.ReferredOrders != 1 || got.Referred != 9_900 || dealt[alone].ReferredOrders != 0 {
			t.Errorf("dealings: got %+v, %v", dealt, err)
		}
		if _, err := w.Campaign.Report(bg, c.ID); !errors.Is(err, campaign.ErrNotEnded) {
			t.Errorf("report of a running campaign: got %v", err)
		}
		w.Drain(16 * time.Minute)

		want := campaign.Figures{
			Orders: campaign.OrderCounts{Made: 4, Bought: 3, Paid: 2, Refunded: 1, Expired: 1},
			Gross:  3 * 9900, Refunded: 9900, RewardsPromised: 500, Conversion: new(money.Bps(7500)),
		}
		t.Run("stats", func(t *testing.T) {
			got, err := w.Campaign.Stats(bg, c.ID)
			if err != nil || !cmp.Equal(got.Total, want) || len(got.Items) != 1 || !cmp.Equal(got.Items[0].Figures, want) {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
			if i := got.Items[0]; i.Stock != 10 || i.Left != 8 || i.Sold != 2 || i.Held != 0 {
				t.Errorf("item %+v", i)
			}
		})
		t.Run("funnel", func(t *testing.T) {
			all := campaign.FunnelSteps{Touches: 4, Bindings: 3, Orders: 4, Paid: 3, Refunded: 1, Conversion: new(money.Bps(7500))}
			brought := campaign.FunnelSteps{Touches: 4, Bindings: 3, Orders: 3, Paid: 2, Refunded: 1, Conversion: new(money.Bps(5000))}
			rest := campaign.FunnelRow{FunnelSteps: campaign.FunnelSteps{Orders: 1, Paid: 1}}
			hour := c.StartsAt - c.StartsAt%clock.Milli(time.Hour.Milliseconds())
			for by, rows := range map[campaign.FunnelBy][]campaign.FunnelRow{
				campaign.FunnelByGroup: {{GroupID: group, FunnelSteps: brought}, rest},
				campaign.FunnelByCode:  {{CodeID: made, FunnelSteps: brought}, rest},
				campaign.FunnelByHour:  {{HourAt: hour, FunnelSteps: all}},
			} {
				got, err := w.Campaign.Funnel(bg, c.ID, by)
				if err != nil || !cmp.Equal(got.Total, all) || got.Truncated || len(got.Rows) != len(rows) {
					t.Errorf("by %s: got %+v, %v", by, got, err)
					continue
				}
				for i, r := range rows {
					if !cmp.Equal(got.Rows[i], r) {
						t.Errorf("by %s: got %+v, want %+v", by, got.Rows[i], r)
					}
				}
			}
			_, err := w.Campaign.Funnel(bg, c.ID, "day")
			same(t, fields(t, err), map[string]string{"by": "unknown_value"})
		})
		t.Run("report", func(t *testing.T) {
			if err := w.Campaign.Turn(bg, c.ID, campaign.End); err != nil {
				t.Fatal(err)
			}
			got, err := w.Campaign.Report(bg, c.ID)
			if err != nil || !cmp.Equal(got.Total, want) || got.Net != 2*9900 || got.Sold != 2 || got.Unsold != 8 || got.Margin != nil || got.Items[0].Cost != nil {
				t.Fatalf("got %+v, %v", got, err)
			}
			if got.BestGroup == nil || got.BestGroup.GroupID != group || got.BestGroup.Paid != 2 || got.BestGroup.Net != 9900 {
				t.Errorf("best group %+v", got.BestGroup)
			}
			if got.BestPromoter == nil || got.BestPromoter.MemberID != inviter || got.BestHour == nil || got.BestHour.Net != 2*9900 {
				t.Errorf("best promoter %+v, hour %+v", got.BestPromoter, got.BestHour)
			}
			var sku string
			db.Read(bg).Raw("SELECT sku FROM products WHERE id = ?", c.Items[0].ProductID).Scan(&sku)
			_, err = w.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: sku, Name: "有机苹果", ListPrice: 19_800, Cost: 4_000}}})
			if err != nil {
				t.Fatal(err)
			}
			if got, err = w.Campaign.Report(bg, c.ID); err != nil || got.Margin == nil || *got.Cost != 8_000 || *got.Margin != money.Amount(2*9900-8_000-500) {
				t.Errorf("with costs: got %+v, %v", got, err)
			}
		})
		t.Run("who does not see the campaign sees no figure", func(t *testing.T) {
			ctx := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Units: []id.Unit{7}})
			_, stats := w.Campaign.Stats(ctx, c.ID)
			_, funnel := w.Campaign.Funnel(ctx, c.ID, campaign.FunnelByCode)
			_, report := w.Campaign.Report(ctx, c.ID)
			for _, err := range []error{stats, funnel, report} {
				if !errors.Is(err, fault.NotFound) {
					t.Errorf("got %v, want not found", err)
				}
			}
		})
		w.Verify()
	})
}
