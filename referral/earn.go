package referral

import "siyu/internal/money"

// OrderFact is what the rules look at when an invitee's order is paid. Goods
// is what was paid for goods after discounts, without freight, points and
// coupons.
type OrderFact struct {
	Goods             money.Amount
	First             bool // no other order of the invitee was paid before
	Formed            bool // it is not paid this moment: its team has formed
	InviterHasOrdered bool
	InviterLevel      int  // as a promoter, when it was paid
	InviterFrozen     bool // a promoter who is suspended
	InviterStrong     bool // has an identity that can be paid
	InviteeStrong     bool
	InviterKOC        bool // in the group of the code
	Owned             bool // somebody else than the invitee owns that group
	OwnerStrong       bool
}

// Earned is one reward the rules grant. A note says why its amount is zero.
type Earned struct {
	Rule   string
	To     Side
	Amount money.Amount
	Note   Note
}

// Note is why a reward came to nothing.
type Note string

// The notes.
const (
	NoteBudgetExhausted  Note = "budget_exhausted"
	NoteIdentityRequired Note = "identity_required"
	NoteInviterNotBuyer  Note = "inviter_not_buyer"
	NotePromoterFrozen   Note = "promoter_frozen"
)

// Earn decides what a paid order earns: a pure function of rules and fact.
func Earn(r Rules, f OrderFact) []Earned {
	if f.Goods <= 0 || !r.earnsBy(f) {
		return nil
	}
	return r.earned(f)
}

// earnsBy says whether the order is the act that the rules pay for.
func (r Rules) earnsBy(f OrderFact) bool {
	switch r.Trigger {
	case TriggerEveryPaidOrder:
		return !f.Formed
	case TriggerFirstPaidOrder:
		return !f.Formed && f.First
	case TriggerOrderAbove:
		return !f.Formed && f.Goods >= r.Terms.Above
	case TriggerTeamFormed:
		return f.Formed
	}
	return false
}

// earned is what the rules give for the act they pay for.
func (r Rules) earned(f OrderFact) []Earned {
	var out []Earned
	for _, p := range r.Rewards {
		if p.To == SideOpener || p.To == SideKOC && !f.InviterKOC || p.To == SideGroupOwner && !f.Owned {
			continue
		}
		p = p.at(f.InviterLevel)
		e := Earned{Rule: p.Rule, To: p.To, Amount: p.of(f.Goods)}
		if len(p.Steps) > 0 { // which step it is, is decided under the lock of its count
			p, _ = p.onStep(stepFar)
			e.Amount = max(e.Amount, p.of(f.Goods))
		}
		if e.Amount == 0 {
			continue
		}
		if e.Note = r.declines(p.To, f); e.Note != "" {
			e.Amount = 0
		}
		out = append(out, e)
	}
	return out
}

// ownWork is what the rules give to a side for work that no invitation earned.
func (r Rules) ownWork(side Side, goods money.Amount, strong bool) []Earned {
	var out []Earned
	for _, p := range r.Rewards {
		switch {
		case p.To != side:
		case strong:
			out = append(out, Earned{Rule: p.Rule, To: p.To, Amount: p.of(goods)})
		default:
			out = append(out, Earned{Rule: p.Rule, To: p.To, Note: NoteIdentityRequired})
		}
	}
	return out
}

func (r Rules) declines(to Side, f OrderFact) Note {
	inviter := to == SideInviter || to == SideKOC
	switch {
	case inviter && f.InviterFrozen:
		return NotePromoterFrozen
	case inviter && r.InviterHasOrdered && !f.InviterHasOrdered:
		return NoteInviterNotBuyer
	case inviter && !f.InviterStrong, to == SideInvitee && !f.InviteeStrong, to == SideGroupOwner && !f.OwnerStrong:
		return NoteIdentityRequired
	}
	return ""
}
