package referral_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

func TestTriggers(t *testing.T) {
	fee := referral.Promise{Rule: "fee", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 100}
	fact := referral.OrderFact{Goods: 10_000, First: true, InviterStrong: true, InviteeStrong: true}
	formed := fact
	formed.Formed = true
	later := fact
	later.First = false
	for name, c := range map[string]struct {
		trigger referral.Trigger
		above   money.Amount
		fact    referral.OrderFact
		earns   bool
	}{
		"every order":                  {referral.TriggerEveryPaidOrder, 0, later, true},
		"every order, its team formed": {referral.TriggerEveryPaidOrder, 0, formed, false},
		"the first":                    {referral.TriggerFirstPaidOrder, 0, fact, true},
		"the second":                   {referral.TriggerFirstPaidOrder, 0, later, false},
		"just enough":                  {referral.TriggerOrderAbove, 10_000, fact, true},
		"a fen too little":             {referral.TriggerOrderAbove, 10_001, fact, false},
		"enough, its team formed":      {referral.TriggerOrderAbove, 10_000, formed, false},
		"paid, its team open":          {referral.TriggerTeamFormed, 0, fact, false},
		"its team formed":              {referral.TriggerTeamFormed, 0, formed, true},
		"staying is no order":          {referral.TriggerStayed, 0, fact, false},
		"activity is no order":         {referral.TriggerActivity, 0, fact, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := referral.Earn(referral.Rules{Trigger: c.trigger, Terms: referral.Terms{Above: c.above}, Rewards: []referral.Promise{fee}}, c.fact)
			if (len(got) == 1) != c.earns {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// stays gives both sides 50 points once the invitee has stayed three days.
func stays() referral.RulesIn {
	in := everyOrder()
	in.Trigger, in.Terms = referral.TriggerStayed, referral.Terms{Days: 3}
	in.Rewards = []referral.Promise{
		{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Currency: money.PTS, Qty: 50, UnitCost: 1},
		{Rule: "invitee", To: referral.SideInvitee, Mode: referral.ModeFixed, Currency: money.PTS, Qty: 50, UnitCost: 1},
	}
	return in
}

func chats(kind community.ActivityKind, n int) referral.RulesIn {
	in := stays()
	in.Trigger, in.Terms = referral.TriggerActivity, referral.Terms{Days: 3, Count: n, Kind: kind}
	return in
}

func TestTriggerRules(t *testing.T) {
	with := func(in referral.RulesIn, change func(*referral.RulesIn)) referral.RulesIn {
		in.Rewards = append([]referral.Promise{}, in.Rewards...)
		change(&in)
		return in
	}
	for name, in := range map[string]referral.RulesIn{
		"no amount above":           with(everyOrder(), func(in *referral.RulesIn) { in.Trigger = referral.TriggerOrderAbove }),
		"an amount elsewhere":       with(everyOrder(), func(in *referral.RulesIn) { in.Terms.Above = 1 }),
		"days of an order":          with(everyOrder(), func(in *referral.RulesIn) { in.Terms.Days = 1 }),
		"no days":                   with(stays(), func(in *referral.RulesIn) { in.Terms.Days = 0 }),
		"longer than an invitation": with(stays(), func(in *referral.RulesIn) { in.Terms.Days = 31 }),
		"money for heads": with(stays(), func(in *referral.RulesIn) {
			in.Rewards[0] = referral.Promise{Rule: "a", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 1}
		}),
		"a share of nothing": with(stays(), func(in *referral.RulesIn) {
			in.Rewards[0].Mode, in.Rewards[0].Qty, in.Rewards[0].Rate = referral.ModePercent, 0, 5
		}),
		"replies":  chats(community.ActivityReply, 3),
		"no count": chats(community.ActivityCheckin, 0),
	} {
		t.Run(name, func(t *testing.T) { refused(t, in.Validate(), fault.Invalid) })
	}
	for name, in := range map[string]referral.RulesIn{"stays": stays(), "chats": chats(community.ActivityCheckin, 3)} {
		if err := in.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// hall is a group with a code of the inviter's that leads to it.
func (h *house) hall(inviter id.Member) (id.Group, referral.Code) {
	h.t.Helper()
	c := &community.Service{DB: h.DB, Secrets: h.Secrets}
	g, err := c.CreateGroup(bg, community.GroupIn{Name: "茶友群"})
	if err != nil {
		h.t.Fatal(err)
	}
	code, err := h.CreateCode(bg, referral.CodeIn{InviterID: inviter, ProgramID: h.program, GroupID: g})
	if err != nil {
		h.t.Fatal(err)
	}
	list, err := h.CodesByID(bg, []id.Code{code})
	if err != nil {
		h.t.Fatal(err)
	}
	return g, list[0]
}

// stands says how a member stands in a group.
func (h *house) stands(g id.Group, in community.MembershipIn) {
	h.t.Helper()
	c := &community.Service{DB: h.DB, Secrets: h.Secrets}
	if _, err := c.PutMemberships(bg, g, []community.MembershipIn{in}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) accepts(code referral.Code, m id.Member) {
	h.t.Helper()
	if _, err := h.Bind(bg, referral.Bind{Code: code.Code, Invitee: m}); err != nil {
		h.t.Fatal(err)
	}
}

// The days count from joining; who leaves before they are over earns nothing,
// and who comes back begins anew.
func TestStayed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, stays())
		anna := h.member()
		g, code := h.hall(anna)
		stayed, late, left, back, there, never := h.member(), h.member(), h.member(), h.member(), h.member(), h.member()
		join := func(m id.Member) { h.stands(g, community.MembershipIn{MemberID: m, JoinedAt: h.now()}) }
		leave := func(m id.Member) { h.stands(g, community.MembershipIn{MemberID: m, LeftAt: h.now()}) }
		join(there)
		db.Clock.Jump(day)
		for _, m := range []id.Member{stayed, late, left, back, there, never} {
			h.accepts(code, m)
		}
		join(stayed)
		join(left)
		join(back)
		db.Clock.Jump(day)
		join(late)
		leave(left)
		leave(back)
		db.Clock.Jump(day)
		join(back)
		h.drain()
		h.is("before anybody's third day", len(h.everyReward()), 0)
		db.Clock.Jump(day)
		h.drain()
		earned := func() (who []id.Member) {
			for _, r := range h.everyReward() {
				if r.Side == referral.SideInvitee {
					who = append([]id.Member{r.BeneficiaryID}, who...)
				}
			}
			return who
		}
		if diff := cmp.Diff([]id.Member{stayed}, earned()); diff != "" {
			t.Errorf("on the third day: %s", diff)
		}
		for range 5 {
			db.Clock.Jump(day)
			h.drain()
		}
		if diff := cmp.Diff([]id.Member{stayed, late, back}, earned()); diff != "" {
			t.Errorf("in the end: %s", diff)
		}
		h.mature()
		h.is("points of the inviter", h.points(anna), money.Amount(150))
		h.is("points of one who stayed", h.points(late), money.Amount(50))
		h.is("points of one who left", h.points(left), money.Amount(0))
		h.proven()

		t.Run("once for each person", func(t *testing.T) {
			db.Clock.Jump(40 * day)
			ben := h.member()
			_, err := h.NewVersion(bg, h.program, chats(community.ActivityCheckin, 1))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.NewVersion(bg, h.program, stays()); err != nil {
				t.Fatal(err)
			}
			g2, other := h.hall(ben)
			h.accepts(other, stayed)
			h.stands(g2, community.MembershipIn{MemberID: stayed, JoinedAt: h.now()})
			db.Clock.Jump(4 * day)
			h.drain()
			h.is("points of the second inviter", len(h.rewards(referral.RewardFilter{Member: ben})), 0)
		})
	})
}

// At most three of a day count, and only those of the kind within the days.
func TestActivityReached(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, chats(community.ActivityCheckin, 5))
		anna := h.member()
		g, code := h.hall(anna)
		keen, loud, other := h.member(), h.member(), h.member()
		n := 0
		does := func(m id.Member, kind community.ActivityKind, times int) {
			t.Helper()
			var batch community.ActivityBatch
			for range times {
				n++
				batch.Events = append(batch.Events, community.ActivityIn{EventID: fmt.Sprint("e", n), MemberID: m, Kind: kind, At: h.now()})
			}
			c := &community.Service{DB: h.DB, Secrets: h.Secrets}
			if _, err := c.PutActivity(bg, g, batch); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range []id.Member{keen, loud, other} {
			h.accepts(code, m)
			h.stands(g, community.MembershipIn{MemberID: m, JoinedAt: h.now()})
		}
		does(keen, community.ActivityCheckin, 3)
		does(loud, community.ActivityCheckin, 9)
		does(other, community.ActivityMessage, 3)
		db.Clock.Jump(day)
		does(keen, community.ActivityCheckin, 2)
		does(other, community.ActivityMessage, 3)
		db.Clock.Jump(2 * day)
		does(loud, community.ActivityCheckin, 3) // a moment too late
		h.drain()
		var who []id.Member
		for _, r := range h.everyReward() {
			if r.Side == referral.SideInvitee {
				who = append(who, r.BeneficiaryID)
			}
		}
		if diff := cmp.Diff([]id.Member{keen}, who); diff != "" {
			t.Error(diff)
		}
		h.proven()
	})
}
