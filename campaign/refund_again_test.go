package campaign_test

import (
	"fmt"
	"strings"
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

// A refund that failed at first is done after others that were reported later:
// its share of the reward goes all the same, before clearing and after it.
func TestFailedRefundDoneLaterTakesItsShare(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		program, err := w.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 1_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: ptr(false),
			Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		c := w.Run(campaigntest.Sale{Stock: 100, PerOrder: 2, Program: program, Hours: 24 * 60})
		m := w.Members(2)
		made, err := w.Referral.CreateCode(bg, referral.CodeIn{InviterID: m[0], ProgramID: program, CampaignID: c.ID})
		if err != nil {
			t.Fatal(err)
		}
		codes, err := w.Referral.CodesByID(bg, []id.Code{made})
		if err != nil {
			t.Fatal(err)
		}
		for _, cleared := range []bool{false, true} {
			t.Run(fmt.Sprintf("cleared %v", cleared), func(t *testing.T) {
				if _, err := w.Referral.Bind(bg, referral.Bind{Code: codes[0].Code, Invitee: m[1]}); err != nil {
					t.Fatal(err)
				}
				o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[1], Qty: 2})
				w.Pay(o.ID)
				if cleared {
					w.Drain(16 * 24 * time.Hour)
				}
				refund := func(no string, goods money.Amount, status campaign.RefundStatus) {
					t.Helper()
					in := campaign.RefundIn{RefundNo: no, Amount: goods, Goods: goods, Status: status}
					if err := w.Campaign.Refund(bg, o.ID, in); err != nil {
						t.Fatal(err)
					}
				}
				refund("first", 5000, campaign.RefundFailed)
				refund("second", 3000, campaign.RefundDone)
				refund("first", 5000, campaign.RefundDone)
				list, err := w.Referral.ListRewards(bg, referral.RewardFilter{Order: o.ID}, database.Page{})
				if err != nil || len(list.Items) != 1 {
					t.Fatalf("got %+v, %v", list.Items, err)
				}
				if r, want := list.Items[0], money.Amount(1980-800); r.Net != want || (r.ClearedAt != 0) != cleared {
					t.Errorf("of %s, with 80 yuan of %s refunded, %s are left, want %s; events %+v", r.Amount, r.Base, r.Net, want, r.Events)
				}
			})
		}
		w.Verify()

		// Verify knows it too: what a later refund took is taken out of the record.
		exec := func(by int) {
			t.Helper()
			err := db.Tx(bg, func(tx *database.Tx) error {
				return tx.Exec("UPDATE reward_events SET amount = amount + ? WHERE kind IN ('reduced', 'clawed_back')", by).Error
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		exec(1)
		proofs, err := campaign.VerifyRefunds(bg, db)
		if err != nil || len(proofs) != 1 || len(proofs[0].Broken) != 2 || !strings.Contains(proofs[0].Broken[0], "refunded of") {
			t.Errorf("two rewards kept too much: %+v, %v", proofs, err)
		}
		exec(-1)
		w.Verify()
	})
}
