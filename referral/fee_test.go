package referral_test

import (
	"fmt"
	"slices"
	"testing"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/review"
	"siyu/wallet"
)

// served pays the inviter 10 yuan an order, the group's owner 2 %, a KOC 50
// points, and who opened a team that formed 3 yuan.
func served() referral.RulesIn {
	in := everyOrder()
	in.Rewards = []referral.Promise{
		{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 1000},
		{Rule: "owner", To: referral.SideGroupOwner, Mode: referral.ModePercent, Rate: 200},
		{Rule: "koc", To: referral.SideKOC, Mode: referral.ModeFixed, Currency: money.PTS, Qty: 50, UnitCost: 2},
		{Rule: "opener", To: referral.SideOpener, Mode: referral.ModeFixed, Amount: 300},
	}
	return in
}

// paidFor lists who was paid by which rule for an order, and what is left of it.
func (h *house) paidFor(order id.Order) (list []string) {
	h.t.Helper()
	for _, r := range h.rewards(referral.RewardFilter{Order: order}) {
		list = append(list, fmt.Sprintf("%s %s %d%s", r.BeneficiaryID, r.Rule, r.Net, r.Note))
	}
	slices.Sort(list)
	return list
}

// A fee is for one's own work: the owner's for his group, a KOC's for his own
// code in it. One person may be several of them and is paid by each rule; for
// what he buys himself he is paid no fee.
func TestFees(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, served())
		anna, owen, bob := h.member(), h.member(), h.member()
		g, code := h.hall(anna)
		buys := func(order id.Order, code referral.Code, buyer id.Member, want ...string) {
			t.Helper()
			h.accepts(code, buyer)
			h.pay(order, buyer, 20_000)
			slices.Sort(want)
			h.is(fmt.Sprint("order ", order), fmt.Sprint(h.paidFor(order)), fmt.Sprint(want))
		}
		gets := func(m id.Member, what string) string { return m.String() + " " + what }

		buys(1, code, bob, gets(anna, "inviter 1000"))
		h.stands(g, community.MembershipIn{MemberID: owen, Role: community.RoleOwner})
		h.stands(g, community.MembershipIn{MemberID: anna, Role: community.RoleKOC})
		buys(2, code, h.member(), gets(anna, "inviter 1000"), gets(anna, "koc 50"), gets(owen, "owner 400"))
		buys(3, h.code(anna), h.member(), gets(anna, "inviter 1000")) // no group in this code
		buys(4, code, owen, gets(anna, "inviter 1000"), gets(anna, "koc 50"))
		own, err := h.CreateCode(bg, referral.CodeIn{InviterID: owen, ProgramID: h.program, GroupID: g})
		if err != nil {
			t.Fatal(err)
		}
		codes, err := h.CodesByID(bg, []id.Code{own})
		if err != nil {
			t.Fatal(err)
		}
		buys(5, codes[0], h.member(), gets(owen, "inviter 1000"), gets(owen, "owner 400"))

		// Half of it goes back, then all of it; the owner's fee and the KOC's go too.
		h.refund(2, 21, 10_000)
		h.is("half refunded", fmt.Sprint(h.paidFor(2)), fmt.Sprint(sorted(gets(anna, "inviter 500"), gets(anna, "koc 25"), gets(owen, "owner 200"))))
		h.mature()
		h.is("points", h.points(anna), money.Amount(75))
		h.is("the owner's money", h.balance(wallet.StagePayable, wallet.Member(owen)), money.Amount(200+1000+400))
		h.refund(2, 22, 20_000)
		h.is("all refunded", fmt.Sprint(h.paidFor(2)), fmt.Sprint(sorted(gets(anna, "inviter 0"), gets(anna, "koc 0"), gets(owen, "owner 0"))))
		h.proven()
	})
}

func sorted(list ...string) []string {
	slices.Sort(list)
	return list
}

// Who left the group or the role is paid no fee any more.
func TestFeesFollowRoles(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, served())
		anna, owen := h.member(), h.member()
		g, code := h.hall(anna)
		h.stands(g, community.MembershipIn{MemberID: owen, Role: community.RoleOwner})
		h.stands(g, community.MembershipIn{MemberID: anna, Role: community.RoleKOC})
		db.Clock.Jump(day)
		h.stands(g, community.MembershipIn{MemberID: owen, Role: community.RoleOwner, LeftAt: h.now()})
		h.stands(g, community.MembershipIn{MemberID: anna, Role: community.RoleMember})
		bob := h.member()
		h.accepts(code, bob)
		h.pay(1, bob, 20_000)
		h.is("paid", fmt.Sprint(h.paidFor(1)), fmt.Sprint([]string{anna.String() + " inviter 1000"}))
	})
}

// opened has a team formed that a member opened at a moment.
func (h *house) opened(team id.Team, order id.Order, opener id.Member, at clock.Milli, refunded money.Amount, peers ...id.Member) {
	h.t.Helper()
	h.tx(func(tx *database.Tx) error {
		v, err := referral.OpenerPromise(tx.DB, h.program, at)
		if err != nil || v == 0 {
			return err
		}
		return referral.OpenedTx(tx, referral.OpenedTeam{Team: team, OpenedAt: at, Refunded: refunded, Peers: peers, PaidOrder: referral.PaidOrder{
			Order: order, Campaign: 3, Invitee: opener, Goods: 20_000, PaidAt: tx.Now, Frozen: referral.Frozen{Program: h.program, Version: v},
		}})
	})
}

// An opener's fee is once for a team, by the version of when it was opened,
// looked at like any reward, and needs no invitation.
func TestOpenerFee(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.newProgram(100_000, served())
		opener, old, bad := h.member(), h.member(), h.member()
		before := h.now()
		db.Clock.Jump(day)
		if _, err := h.NewVersion(bg, p, everyOrder()); err != nil {
			t.Fatal(err)
		}
		h.opened(1, 101, opener, before, 0)
		h.opened(1, 101, opener, before, 0) // told again
		h.opened(2, 102, old, before, 5_000)
		h.opened(1, 105, bad, before, 0)     // a team is paid for once, whoever it was handed to
		h.opened(3, 103, opener, h.now(), 0) // promised nothing by then
		h.merge(old, opener)
		h.opened(2, 102, old, before, 5_000)
		h.is("the first", fmt.Sprint(h.paidFor(101)), fmt.Sprintf("[%s opener 300]", opener))
		h.is("a quarter refunded before", fmt.Sprint(h.paidFor(102)), fmt.Sprintf("[%s opener 225]", opener))
		h.is("of a later version", len(h.paidFor(103)), 0)
		h.is("of a team that was paid for", len(h.paidFor(105)), 0)
		r, err := h.FindReward(bg, h.rewards(referral.RewardFilter{Order: 101})[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		h.is("rests on", fmt.Sprintf("%q %d", r.Evidence.Code, r.Evidence.RulesVersion), `"" 1`)

		h.opened(4, 104, bad, before, 0)
		c := &community.Service{DB: db, Secrets: h.Secrets}
		if _, err := c.Block(bg, bad, community.BlockIn{Reason: "刷单"}); err != nil {
			t.Fatal(err)
		}
		h.mature()
		h.is("cleared", h.balance(wallet.StagePayable, wallet.Member(opener)), money.Amount(525))
		h.is("of somebody blocked", fmt.Sprint(h.paidFor(104)), fmt.Sprintf("[%s opener 0]", bad))
		h.refund(101, 11, 20_000)
		h.is("refunded after it cleared", h.balance(wallet.StagePayable, wallet.Member(opener)), money.Amount(225))
		h.proven()
	})
}

// Who fills a team with accounts seen on his own device is stopped by the
// review; who opens one with his inviter and a stranger on the blocklist is not.
func TestOpenerOfHisOwnAccounts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		desk := h.desk()
		h.newProgram(100_000, served())
		bad, puppet, honest, stranger, friend := h.member(), h.member(), h.member(), h.member(), h.member()
		h.sight(desk, review.Seen{Device: "one phone"}, bad, puppet)
		h.mustBind(friend, honest)
		c := &community.Service{DB: db, Secrets: h.Secrets}
		if _, err := c.Block(bg, stranger, community.BlockIn{Reason: "刷单"}); err != nil {
			t.Fatal(err)
		}
		h.opened(1, 101, bad, h.now(), 0, friend, puppet)
		h.opened(2, 102, honest, h.now(), 0, friend, stranger)
		h.mature()
		stopped := h.rewards(referral.RewardFilter{Order: 101})[0]
		h.is("with an account of his own", fmt.Sprint(stopped.Review, " ", stopped.State), "open pending")
		h.is("with others", h.rewards(referral.RewardFilter{Order: 102})[0].State, referral.RewardCleared)
		cases, err := desk.ListCases(bg, review.Filter{}, database.Page{})
		if err != nil || len(cases.Items) != 1 || cases.Items[0].InviteeID != puppet || cases.Items[0].Reasons[0].Rule != review.RuleSameDevice {
			t.Errorf("cases: %+v, %v", cases.Items, err)
		}
		h.proven()
	})
}

func TestFeeRules(t *testing.T) {
	for name, change := range map[string]func(*referral.RulesIn){
		"a share for opening": func(in *referral.RulesIn) {
			in.Rewards[3].Mode, in.Rewards[3].Amount, in.Rewards[3].Rate = referral.ModePercent, 0, 100
		},
		"without an order": func(in *referral.RulesIn) {
			in.Trigger, in.Terms.Days = referral.TriggerStayed, 7
			in.Rewards = in.Rewards[2:3]
		},
		"steps of a fee": func(in *referral.RulesIn) {
			in.Rewards[3].StepWindow, in.Rewards[3].Steps = referral.CapEver, []referral.Step{{From: 2, Amount: 400}}
		},
		"raises of a fee":   func(in *referral.RulesIn) { in.Rewards[3].Raises = []referral.Raise{{Level: 1, Amount: 400}} },
		"more than the sum": func(in *referral.RulesIn) { in.Rewards[1].Rate = 10_001 },
		"to a shop":         func(in *referral.RulesIn) { in.Rewards[1].To = "shop" },
	} {
		t.Run(name, func(t *testing.T) {
			in := served()
			change(&in)
			refused(t, in.Validate(), fault.Invalid)
		})
	}
	in := served()
	in.Depth = 2
	refused(t, in.Validate(), referral.ErrDepth)
}
