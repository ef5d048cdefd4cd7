package invite_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/invite"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

var bg = context.Background()

// house is a world with one referral campaign and a sale to buy from.
type house struct {
	*campaigntest.World
	t       testing.TB
	program id.Program
	run     campaign.Campaign
	sale    campaign.Campaign
	group   id.Group
}

func newHouse(t testing.TB, db *database.DB, rules string) *house {
	t.Helper()
	return houseIn(campaigntest.New(t, db), rules)
}

// houseIn is a house in a world there is.
func houseIn(w *campaigntest.World, rules string) *house {
	h := &house{World: w, t: w.T}
	no := false
	var err error
	h.program, err = h.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 1_000_000, Rules: referral.RulesIn{
		Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: &no,
		Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 100}},
	}})
	h.check(err)
	h.run = h.Run(campaigntest.Sale{Kind: "referral", Rules: rules, Program: h.program, Hours: 240})
	h.sale = h.Run(campaigntest.Sale{Stock: 1000, Hours: 24 * 60})
	h.group, err = h.Community.CreateGroup(bg, community.GroupIn{Name: "望京邻里群"})
	h.check(err)
	return h
}

func (h *house) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// bring binds n new people through the inviter's code of the campaign.
func (h *house) bring(inviter id.Member, n int) []id.Member {
	h.t.Helper()
	code, err := h.Referral.CreateCode(bg, referral.CodeIn{InviterID: inviter, ProgramID: h.program, CampaignID: h.run.ID})
	h.check(err)
	list, err := h.Referral.CodesByID(bg, []id.Code{code})
	h.check(err)
	people := h.Members(n)
	for _, m := range people {
		_, err := h.Referral.Bind(bg, referral.Bind{Code: list[0].Code, Invitee: m})
		h.check(err)
	}
	return people
}

func (h *house) join(people ...id.Member) {
	h.t.Helper()
	for _, m := range people {
		h.check(h.Community.Join(bg, community.Join{Group: h.group, Member: m}))
	}
}

func (h *house) leave(m id.Member) {
	h.t.Helper()
	_, err := h.Community.PutMemberships(bg, h.group, []community.MembershipIn{{MemberID: m, LeftAt: h.now()}})
	h.check(err)
}

func (h *house) now() clock.Milli { return clock.MilliOf(h.DB.Clock.Now()) }

func (h *house) buy(m id.Member) id.Order {
	h.t.Helper()
	o := h.MustClaim(campaign.Claim{Campaign: h.sale.ID, Item: h.sale.Items[0].ID, Member: m, Qty: 1})
	h.Pay(o.ID)
	return o.ID
}

func (h *house) refund(o id.Order) {
	h.t.Helper()
	h.check(h.Campaign.Refund(bg, o, campaign.RefundIn{RefundNo: "r-" + o.String(), Amount: 9900, Goods: 9900, Qty: 1}))
}

func (h *house) measure() {
	h.t.Helper()
	h.check(h.Invite.Measure(bg, 0))
}

// after moves the clock and measures.
func (h *house) after(d time.Duration) {
	h.t.Helper()
	h.DB.Clock.Jump(d)
	h.measure()
}

func (h *house) rewards(m id.Member) []invite.Reward {
	h.t.Helper()
	list, err := h.Invite.ListRewards(bg, invite.RewardFilter{Member: m}, database.Page{})
	h.check(err)
	return list.Items
}

// reward is the member's only reward.
func (h *house) reward(m id.Member) invite.Reward {
	h.t.Helper()
	list := h.rewards(m)
	if len(list) != 1 {
		h.t.Fatalf("got %d rewards, want 1: %+v", len(list), list)
	}
	return list[0]
}

func (h *house) stands(m id.Member, state invite.RewardState, why invite.Reason) invite.Reward {
	h.t.Helper()
	w := h.reward(m)
	if w.State != state || w.Reason != why {
		h.t.Errorf("got %s %q, want %s %q", w.State, w.Reason, state, why)
	}
	return w
}

func (h *house) progress(m id.Member) invite.Progress {
	h.t.Helper()
	p, err := h.Invite.FindProgress(bg, h.run.ID, m)
	h.check(err)
	return p
}

func (h *house) points(m id.Member) money.Amount {
	h.t.Helper()
	p, err := (&wallet.Service{DB: h.DB}).MemberPoints(bg, m)
	h.check(err)
	return p.Available
}

func coupon(t testing.TB, db *database.DB, total int64) id.Coupon {
	t.Helper()
	c, err := (&wallet.Service{DB: db}).CreateCoupon(bg, wallet.CouponIn{
		NameZH: "满减券", NameEN: "5 off", Kind: wallet.DiscountAmount, Amount: 500, ValidDays: 7, Total: total,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func couponStep(kind string, n int, c id.Coupon) string {
	return fmt.Sprintf(`{"steps":[{"kind":%q,"count":%d,"gift":{"kind":"coupon","coupon_id":%q}}]}`, kind, n, c)
}

func pointsStep(kind string, n, points int, rest string) string {
	return fmt.Sprintf(`{"steps":[{"kind":%q,"count":%d,"gift":{"kind":"points","points":%d}}]%s}`, kind, n, points, rest)
}

func refused(t testing.TB, err error, want *fault.Fault) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %s", err, want.Code)
	}
}
