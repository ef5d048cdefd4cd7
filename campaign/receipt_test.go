package campaign_test

import (
	"fmt"
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

// TestTheFirstReceiptCounts: of goods that came in two parcels the first receipt
// counts, in whatever order the two and the payment are reported, and the
// inviter's reward matures by it.
func TestTheFirstReceiptCounts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		program, err := w.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 1_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: ptr(false),
			Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		c := w.Run(campaigntest.Sale{Stock: 100, Program: program, Hours: 24 * 60})
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
		first := clock.MilliOf(db.Clock.Now()).Add(time.Hour)
		var orders []campaign.Order
		for range permutations(3) {
			orders = append(orders, w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[1]}))
		}
		for i, order := range permutations(3) {
			o := orders[i]
			calls := []func() error{
				func() error { return w.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, fmt.Sprint("p", i))) },
				func() error {
					return w.Campaign.Ship(bg, o.ID, campaign.Shipment{Stage: "received", ShipmentNo: "1", At: first})
				},
				func() error {
					return w.Campaign.Ship(bg, o.ID, campaign.Shipment{Stage: "received", ShipmentNo: "2", At: first.Add(time.Hour)})
				},
			}
			if i == 0 {
				db.Clock.Jump(3 * time.Hour)
			}
			for range 2 {
				for _, n := range order {
					if err := calls[n](); err != nil {
						t.Fatal(err)
					}
				}
			}
			list, err := w.Referral.ListRewards(bg, referral.RewardFilter{Order: o.ID}, database.Page{})
			if err != nil || len(list.Items) != 1 {
				t.Fatalf("got %+v, %v", list.Items, err)
			}
			if got, matures := w.Order(o.ID).ReceivedAt, list.Items[0].MaturesAt; got != first || matures != first.Add(7*24*time.Hour) {
				t.Errorf("reported in order %v: received at %d and matures %v after it, want %d and 168h", order, got, matures.Time().Sub(first.Time()), first)
			}
		}
		w.Verify()
	})
}
