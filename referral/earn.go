package referral

import "siyu/internal/money"

// OrderFact is what the rules look at when an invitee's order is paid. Goods
// is what was paid for goods after discounts, without freight, points and
// coupons.
type OrderFact struct {
	Goods             money.Amount
	First             bool // no other order of the invitee was paid before
	InviterHasOrdered bool
	InviterLevel      int  // as a promoter, when it was paid
	InviterFrozen     bool // a promoter who is suspended
	InviterStrong     bool // has an identity that can be paid
	InviteeStrong     bool
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
	switch {
	case f.Goods <= 0, r.Trigger == TriggerFirstPaidOrder && !f.First, r.Trigger == TriggerOrderAbove && f.Goods < r.OrderMin:
		return nil
	}
	var out []Earned
	for _, p := range r.Rewards {
		e := Earned{Rule: p.Rule, To: p.To, Amount: p.at(f.InviterLevel).of(f.Goods)}
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

func (r Rules) declines(to Side, f OrderFact) Note {
	switch {
	case to == SideInviter && f.InviterFrozen:
		return NotePromoterFrozen
	case to == SideInviter && r.InviterHasOrdered && !f.InviterHasOrdered:
		return NoteInviterNotBuyer
	case to == SideInviter && !f.InviterStrong, to == SideInvitee && !f.InviteeStrong:
		return NoteIdentityRequired
	}
	return ""
}
