package promotion

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
)

// inGroup puts members into a group as if they had always been there.
func (h *house) inGroup(g id.Group, joined time.Duration, members ...id.Member) {
	h.T.Helper()
	for _, m := range members {
		_, err := h.Community.PutMemberships(bg, g, []community.MembershipIn{{MemberID: m, JoinedAt: h.now().Add(joined)}})
		h.check(err)
	}
}

// leave takes a member out of a group now.
func (h *house) leave(g id.Group, m id.Member) {
	h.T.Helper()
	_, err := h.Community.PutMemberships(bg, g, []community.MembershipIn{{MemberID: m, JoinedAt: h.now().Add(-72 * time.Hour), LeftAt: h.now()}})
	h.check(err)
}

// TestReport sends one ad into three groups and follows what happens: in the
// first people scan, buy and leave, the second is told late, the third is
// refused.
func TestReport(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		program, err := h.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 1_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 500}},
		}})
		h.check(err)
		h.offer = h.Run(campaigntest.Sale{Hours: 24 * 10, Program: program})
		first, second, third := h.group(community.PresetRetail), h.group(community.PresetRetail), h.group(community.PresetService)
		m := h.Members(8)
		h.inGroup(first, -48*time.Hour, m[:5]...)

		code := func(g id.Group) referral.Code {
			made, err := h.Referral.CreateCode(bg, referral.CodeIn{InviterID: m[0], ProgramID: program, CampaignID: h.offer.ID, GroupID: g})
			h.check(err)
			list, err := h.Referral.CodesByID(bg, []id.Code{made})
			h.check(err)
			return list[0]
		}
		scan := func(c referral.Code, who ...id.Member) {
			for _, w := range who {
				h.Referral.Touch(c.ID, w)
			}
			h.check(h.Referral.Flush(bg))
		}
		there := code(first)
		scan(there, m[1]) // before the ad

		p := h.plan("file", 4*time.Hour, first, second, third)
		h.approve(p)
		sent := h.sends(p)
		db.Clock.Jump(time.Hour)
		_, err = h.s.Guard.Confirm(bg, sent[first].SlotID, 0)
		h.check(err)
		shownAt := h.now()
		db.Clock.Jump(time.Minute)
		scan(there, m[5], m[6])
		claim := campaign.Claim{Campaign: h.offer.ID, Item: h.offer.Items[0].ID}
		for i, who := range []id.Member{m[5], m[6]} {
			_, err := h.Referral.Bind(bg, referral.Bind{Code: there.Code, Invitee: who})
			h.check(err)
			claim.Member = who
			o := h.MustClaim(claim)
			h.Pay(o.ID)
			if i == 1 {
				h.check(h.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "r", Amount: 900, Goods: 900}))
			}
		}
		h.inGroup(first, 0, m[7]) // after the ad
		db.Clock.Jump(time.Minute)
		h.leave(first, m[1])
		h.leave(first, m[2])
		db.Clock.Jump(3 * time.Hour)
		late, err := h.s.Guard.Confirm(bg, sent[second].SlotID, 0)
		h.check(err)
		h.Drain(0)

		want := Report{
			PromotionID: p, CampaignID: h.offer.ID, Status: StatusDone,
			Total: Outcome{Asked: 3, Sent: 1, Late: 1, Refused: 1},
			After: After{Scans: 2, Bindings: 2, Orders: 2, Paid: 2, Net: 2*9900 - 900, Members: 5, Left: 2},
			Windows: []WindowReport{{Window: Window{No: 1, From: h.windows(p)[0].From, To: h.windows(p)[0].To},
				Outcome: Outcome{Asked: 3, Sent: 1, Late: 1, Refused: 1}}},
			Variants:  []VariantReport{},
			RefusedBy: []RuleCount{{Rule: sent[third].Rule, Groups: 1}},
			MissedBy:  []RuleCount{},
			Reach:     exposure.Reach{Members: 6, Reached: 5, Most: 1},
			Digests:   []InDigest{},
			Shown: []Shown{
				{WindowNo: 1, GroupID: first, SlotID: sent[first].SlotID, At: shownAt,
					After: After{Scans: 2, Bindings: 2, Orders: 2, Paid: 2, Net: 2*9900 - 900, Members: 5, Left: 2}},
				{WindowNo: 1, GroupID: second, SlotID: sent[second].SlotID, At: late.ConfirmedAt, Late: true},
			},
		}
		h.reports(p, want)

		// Another ad of the campaign is shown: what follows is no longer this one's.
		_, err = h.s.Guard.PostByHand(bg, first, h.offer.ID, 0)
		h.check(err)
		db.Clock.Jump(time.Minute)
		scan(there, m[3], m[4])
		h.reports(p, want)

		// A day later nothing counts at all.
		db.Clock.Jump(25 * time.Hour)
		scan(there, m[3])
		h.leave(first, m[3])
		h.reports(p, want)
	})
}

func (h *house) windows(p id.Promotion) []Window {
	h.T.Helper()
	got, err := h.s.Find(bg, p)
	h.check(err)
	return got.Windows
}

func (h *house) reports(p id.Promotion, want Report) {
	h.T.Helper()
	got, err := h.s.Report(bg, p)
	h.check(err)
	if diff := cmp.Diff(want, got); diff != "" {
		h.T.Errorf("report (-want +got):\n%s", diff)
	}
}

// TestOutcome counts each way a send can stand.
func TestOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		status SendStatus
		slot   guard.Slot
		want   Outcome
	}{
		"has its slot":             {SendReserved, guard.Slot{ID: 1}, Outcome{Asked: 1, Waiting: 1}},
		"is with the channel":      {SendHanded, guard.Slot{ID: 1, StartedAt: 5}, Outcome{Asked: 1, Waiting: 1}},
		"was shown":                {SendHanded, guard.Slot{ID: 1, ConfirmedAt: 5}, Outcome{Asked: 1, Sent: 1}},
		"was shown late":           {SendClosed, guard.Slot{ID: 1, ConfirmedAt: 5, Late: true}, Outcome{Asked: 1, Late: 1}},
		"was taken back":           {SendClosed, guard.Slot{ID: 1, ReleasedAt: 5}, Outcome{Asked: 1, Unsent: 1}},
		"nobody said it was shown": {SendClosed, guard.Slot{ID: 1, StartedAt: 5}, Outcome{Asked: 1, Unsent: 1}},
		"waits for its hour":       {SendDeferred, guard.Slot{}, Outcome{Asked: 1, Deferred: 1}},
		"waited until the end":     {SendClosed, guard.Slot{}, Outcome{Asked: 1, Missed: 1}},
		"a rule refused it":        {SendRefused, guard.Slot{}, Outcome{Asked: 1, Refused: 1}},
	} {
		var got Outcome
		if got.add(sendRow{Status: c.status}, c.slot); got != c.want {
			t.Errorf("one that %s: got %+v, want %+v", name, got, c.want)
		}
	}
}
