package groupbuy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
)

// serving runs a group-buy of two whose program pays 2 yuan for a formed team
// and an inviter 5 % of the order.
func serving(t *testing.T, db *database.DB, rules string) (story, id.Program) {
	t.Helper()
	w := campaigntest.New(t, db)
	no := false
	prg, err := w.Referral.CreateProgram(bg, referral.ProgramIn{Name: "开团服务费", Budget: 10_000_000, Rules: referral.RulesIn{
		Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: &no,
		Rewards: []referral.Promise{
			{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 500},
			{Rule: "opener", To: referral.SideOpener, Mode: referral.ModeFixed, Amount: 200},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return story{w, t, w.Run(campaigntest.Sale{Kind: "group_buy", Rules: rules, Stock: 100, Program: prg, Hours: 300}), w.Members(6)}, prg
}

// earned lists the rules by which a member was paid, with what is left of each.
func (s story) earned(m id.Member) (list []string) {
	s.t.Helper()
	rewards, err := s.Referral.ListRewards(bg, referral.RewardFilter{Member: m}, database.Page{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range rewards.Items {
		list = append(list, fmt.Sprintf("%s %d", r.Rule, r.Net))
	}
	slices.Sort(list)
	return list
}

func (s story) gets(what string, m id.Member, want ...string) {
	s.t.Helper()
	if got := s.earned(m); !slices.Equal(got, want) {
		s.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Who opened a team is paid for it when it forms, once, though nobody invited
// him; whom he invited into it earns him that reward beside it. His own refunds
// take their share back, those of others do not.
func TestOpenerIsPaid(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s, prg := serving(t, db, `{"size":2,"open_for_s":3600}`)
		anna, bob := s.m[0], s.m[1]
		cid, err := s.Referral.CreateCode(bg, referral.CodeIn{InviterID: anna, ProgramID: prg})
		if err != nil {
			t.Fatal(err)
		}
		codes, err := s.Referral.CodesByID(bg, []id.Code{cid})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Referral.Bind(bg, referral.Bind{Code: codes[0].Code, Invitee: bob}); err != nil {
			t.Fatal(err)
		}
		first := s.open(anna, 0)
		s.Pay(first.ID)
		s.Drain(0)
		s.gets("while it is open", anna)
		second := s.join(first.TeamID, bob)
		s.Pay(second.ID)
		s.Drain(0)
		s.gets("formed", anna, "inviter 495", "opener 200")
		s.gets("the other", bob)
		if err := s.Campaign.Refund(bg, second.ID, campaign.RefundIn{RefundNo: "r1", Amount: 9900, Goods: 9900, Qty: 1}); err != nil {
			t.Fatal(err)
		}
		s.gets("the other has his money back", anna, "inviter 0", "opener 200")
		if err := s.Campaign.Refund(bg, first.ID, campaign.RefundIn{RefundNo: "r2", Amount: 4950, Goods: 4950}); err != nil {
			t.Fatal(err)
		}
		s.gets("half of his own", anna, "inviter 0", "opener 100")
		s.Drain(30 * 24 * time.Hour)
		if err := s.Campaign.Refund(bg, first.ID, campaign.RefundIn{RefundNo: "r3", Amount: 4950, Goods: 4950, Qty: 1}); err != nil {
			t.Fatal(err)
		}
		s.gets("all of his own, after it cleared", anna, "inviter 0", "opener 0")
		s.Verify()
	})
}

// Who took a team over is paid for it, a failed team pays nobody, and who pays
// after his team has formed is paid then.
func TestOpenerFeeFollowsTheTeam(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s, _ := serving(t, db, `{"size":3,"min_size":2,"open_for_s":600}`)
		left := s.open(s.m[0], 0)
		heir := s.join(left.TeamID, s.m[1])
		s.Pay(heir.ID)
		if err := s.Campaign.CancelOrder(bg, left.ID); err != nil {
			t.Fatal(err)
		}
		s.Pay(s.join(left.TeamID, s.m[2]).ID)
		s.Pay(s.join(left.TeamID, s.m[3]).ID)
		failed := s.open(s.m[4], 0)
		s.Pay(failed.ID)
		late := s.open(s.m[5], 0)
		s.Pay(s.join(late.TeamID, s.m[0]).ID)
		s.Pay(s.join(late.TeamID, s.m[2]).ID)
		s.sweep(11 * time.Minute)
		s.Drain(0)
		if got := s.team(late.TeamID).Status; got != groupbuy.StatusFormed {
			t.Fatalf("the last team is %s", got)
		}
		s.gets("who has not paid", s.m[5])
		s.Pay(late.ID)
		s.Drain(0)
		s.gets("who paid late", s.m[5], "opener 200")
		s.gets("who left", s.m[0])
		s.gets("who took over", s.m[1], "opener 200")
		s.gets("of a failed team", s.m[4])
		s.Verify()
		err := db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("UPDATE rewards SET fact = 'team:x' WHERE side = 'opener'").Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if !broken(s, "V22") {
			t.Error("V22 held for a fee of no team")
		}
	})
}
