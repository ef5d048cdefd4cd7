package referral_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/fault"
	"siyu/internal/money"
	"siyu/referral"
)

func TestEarn(t *testing.T) {
	percent := referral.Promise{Rule: "pct", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 333, Cap: 1000}
	welcome := referral.Promise{Rule: "welcome", To: referral.SideInvitee, Mode: referral.ModeFixed, Amount: 500}
	every := referral.Rules{Trigger: referral.TriggerEveryPaidOrder, Rewards: []referral.Promise{percent, welcome}}
	first := referral.Rules{Trigger: referral.TriggerFirstPaidOrder, Rewards: []referral.Promise{welcome}}
	above := referral.Rules{Trigger: referral.TriggerOrderAbove, Terms: referral.Terms{Above: 10_000}, Rewards: []referral.Promise{welcome}}
	koc := referral.Rules{Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: true,
		Rewards: []referral.Promise{{Rule: "koc", To: referral.SideKOC, Mode: referral.ModeFixed, Amount: 50}}}
	buyer := every
	buyer.InviterHasOrdered = true
	fact := referral.OrderFact{Goods: 10_000, First: true, InviterStrong: true, InviteeStrong: true}
	with := func(change func(f *referral.OrderFact)) referral.OrderFact {
		f := fact
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		rules referral.Rules
		fact  referral.OrderFact
		want  []referral.Earned
	}{
		"both sides":             {every, fact, []referral.Earned{{"pct", referral.SideInviter, 333, ""}, {"welcome", referral.SideInvitee, 500, ""}}},
		"capped":                 {every, with(func(f *referral.OrderFact) { f.Goods = 1_000_000 }), []referral.Earned{{"pct", referral.SideInviter, 1000, ""}, {"welcome", referral.SideInvitee, 500, ""}}},
		"floored":                {every, with(func(f *referral.OrderFact) { f.Goods = 59 }), []referral.Earned{{"pct", referral.SideInviter, 1, ""}, {"welcome", referral.SideInvitee, 500, ""}}},
		"nothing below a fen":    {every, with(func(f *referral.OrderFact) { f.Goods = 30 }), []referral.Earned{{"welcome", referral.SideInvitee, 500, ""}}},
		"nothing paid":           {every, with(func(f *referral.OrderFact) { f.Goods = 0 }), nil},
		"first order":            {first, fact, []referral.Earned{{"welcome", referral.SideInvitee, 500, ""}}},
		"second order":           {first, with(func(f *referral.OrderFact) { f.First = false }), nil},
		"an order large enough":  {above, fact, []referral.Earned{{"welcome", referral.SideInvitee, 500, ""}}},
		"a fen short of it":      {above, with(func(f *referral.OrderFact) { f.Goods = 9_999 }), nil},
		"the next large one":     {above, with(func(f *referral.OrderFact) { f.First = false }), []referral.Earned{{"welcome", referral.SideInvitee, 500, ""}}},
		"inviter has not bought": {buyer, fact, []referral.Earned{{"pct", referral.SideInviter, 0, referral.NoteInviterNotBuyer}, {"welcome", referral.SideInvitee, 500, ""}}},
		"inviter has bought":     {buyer, with(func(f *referral.OrderFact) { f.InviterHasOrdered = true }), []referral.Earned{{"pct", referral.SideInviter, 333, ""}, {"welcome", referral.SideInvitee, 500, ""}}},
		"a KOC":                  {koc, with(func(f *referral.OrderFact) { f.InviterKOC, f.InviterHasOrdered = true, true }), []referral.Earned{{"koc", referral.SideKOC, 50, ""}}},
		"a KOC has not bought":   {koc, with(func(f *referral.OrderFact) { f.InviterKOC = true }), []referral.Earned{{"koc", referral.SideKOC, 0, referral.NoteInviterNotBuyer}}},
		"a KOC is suspended":     {koc, with(func(f *referral.OrderFact) { f.InviterKOC, f.InviterHasOrdered, f.InviterFrozen = true, true, true }), []referral.Earned{{"koc", referral.SideKOC, 0, referral.NotePromoterFrozen}}},
		"a KOC cannot be paid":   {koc, with(func(f *referral.OrderFact) { f.InviterKOC, f.InviterHasOrdered, f.InviterStrong = true, true, false }), []referral.Earned{{"koc", referral.SideKOC, 0, referral.NoteIdentityRequired}}},
		"invitee cannot be paid": {every, with(func(f *referral.OrderFact) { f.InviteeStrong = false }), []referral.Earned{{"pct", referral.SideInviter, 333, ""}, {"welcome", referral.SideInvitee, 0, referral.NoteIdentityRequired}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, referral.Earn(c.rules, c.fact)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRulesValidate(t *testing.T) {
	change := func(f func(in *referral.RulesIn)) referral.RulesIn {
		in := everyOrder()
		f(&in)
		return in
	}
	for name, c := range map[string]struct {
		in   referral.RulesIn
		want *fault.Fault
	}{
		"good":            {everyOrder(), nil},
		"paying a share":  {change(func(in *referral.RulesIn) { in.Trigger = "share" }), referral.ErrShareReward},
		"depth 2":         {change(func(in *referral.RulesIn) { in.Depth = 2 }), referral.ErrDepth},
		"above what":      {change(func(in *referral.RulesIn) { in.Trigger = referral.TriggerOrderAbove }), fault.Invalid},
		"above a sum":     {change(func(in *referral.RulesIn) { in.Trigger, in.Terms.Above = referral.TriggerOrderAbove, 10_000 }), nil},
		"a sum for all":   {change(func(in *referral.RulesIn) { in.Terms.Above = 10_000 }), fault.Invalid},
		"other trigger":   {change(func(in *referral.RulesIn) { in.Trigger = "signed_in" }), fault.NotYet},
		"points":          {change(func(in *referral.RulesIn) { in.Rewards[0].Mode = "points" }), fault.NotYet},
		"no trigger":      {change(func(in *referral.RulesIn) { in.Trigger = "" }), fault.Invalid},
		"no rewards":      {change(func(in *referral.RulesIn) { in.Rewards = nil }), fault.Invalid},
		"third side":      {change(func(in *referral.RulesIn) { in.Rewards[0].To = "upline" }), fault.Invalid},
		"same rule twice": {change(func(in *referral.RulesIn) { in.Rewards[1].Rule = "inviter" }), fault.Invalid},
		"more than all":   {change(func(in *referral.RulesIn) { in.Rewards[0].Rate = 10_001 }), fault.Invalid},
		"fixed with rate": {change(func(in *referral.RulesIn) { in.Rewards[1].Rate = 1 }), fault.Invalid},
		"days":            {change(func(in *referral.RulesIn) { d := 0; in.AttributionDays = &d }), fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.in.Validate()
			if c.want == nil {
				if err != nil {
					t.Errorf("got %v, want none", err)
				}
				return
			}
			refused(t, err, c.want)
		})
	}
}

func TestLost(t *testing.T) {
	for _, c := range []struct{ reward, base, refunded, want money.Amount }{
		{100, 1000, 0, 0}, {100, 1000, 1, 0}, {100, 1000, 10, 1}, {100, 1000, 999, 99}, {100, 1000, 1000, 100}, {100, 1000, 2000, 100}, {100, 0, 0, 100},
	} {
		if got := referral.Lost(c.reward, c.base, c.refunded); got != c.want {
			t.Errorf("Lost(%d, %d, %d): got %d, want %d", c.reward, c.base, c.refunded, got, c.want)
		}
	}
}
