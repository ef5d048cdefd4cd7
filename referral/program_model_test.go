package referral_test

import (
	"fmt"
	"slices"
	"time"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// programBook is a program as its page says it: who is bound to whom by which
// version, what was paid and refunded, and what each reward came to.
type programBook struct {
	people   []person
	bonds    []*bond
	orders   []*sale
	earned   []*earning // in the order in which they were earned
	versions []referral.RulesIn
	budget   money.Amount
	status   referral.ProgramStatus
	off      int64 // the error planted in the steps
}

// person knows whom he became.
type person struct {
	id   id.Member
	code string
	into int
}

type bond struct {
	inviter, invitee int
	version          int
	ended            bool
}

type sale struct {
	id       id.Order
	goods    money.Amount
	refunded money.Amount
	refunds  int
	failed   *campaign.RefundIn // not done yet
	at       clock.Milli
	earned   []*earning
}

type earning struct {
	who     int // -1: the owner of the group
	rule    string
	version int
	amount  money.Amount
	net     money.Amount
	cost    money.Amount // of one
	nth     int64
	step    int
	note    referral.Note
	at      clock.Milli
}

func (b *programBook) root(who int) int {
	for who >= 0 && b.people[who].into != who {
		who = b.people[who].into
	}
	return who
}

// rules are those of a version, from 1.
func (b *programBook) rules(version int) referral.RulesIn { return b.versions[version-1] }

// bondOf is the live bond of an invitee.
func (b *programBook) bondOf(who int) *bond {
	for _, x := range b.bonds {
		if !x.ended && b.root(x.invitee) == b.root(who) {
			return x
		}
	}
	return nil
}

// bind says what becomes of an invitation.
func (b *programBook) bind(inviter, invitee int) string {
	stands := b.bondOf(invitee)
	switch {
	case b.root(inviter) == b.root(invitee):
		return "self"
	case stands != nil && b.root(stands.inviter) == b.root(inviter):
		return ""
	case stands != nil:
		return "bound"
	case b.status != referral.ProgramActive:
		return "closed"
	}
	b.bonds = append(b.bonds, &bond{inviter: inviter, invitee: invitee, version: len(b.versions)})
	return ""
}

// merge leaves the two one bond, the older one, and none to oneself.
func (b *programBook) merge(from, into int) {
	older, other := b.bondOf(from), b.bondOf(into)
	if older != nil && other != nil {
		if slices.Index(b.bonds, older) > slices.Index(b.bonds, other) {
			older = other
		}
		for _, x := range b.bonds {
			if !x.ended && x != older && (b.root(x.invitee) == from || b.root(x.invitee) == into) {
				x.ended = true
			}
		}
	}
	b.people[from].into = into
	for _, x := range b.bonds {
		x.ended = x.ended || b.root(x.inviter) == b.root(x.invitee)
	}
}

// pay works out what an order earns, in the order of the rules.
func (b *programBook) pay(who int, o *sale) {
	b.orders = append(b.orders, o)
	x := b.bondOf(who)
	if x == nil {
		return
	}
	in := b.rules(x.version)
	var list []*earning
	for _, p := range in.Rewards {
		e := &earning{who: b.root(x.inviter), rule: p.Rule, version: x.version, amount: p.Amount + p.Qty, cost: max(p.UnitCost, 1), at: o.at}
		switch p.To {
		case referral.SideGroupOwner:
			e.who, e.amount = -1, o.goods*money.Amount(p.Rate)/10_000
		case referral.SideInviter:
			e.nth, e.step = b.kept(e.who, p.StepWindow, o.at)+1, 1
			for i, s := range p.Steps {
				if e.nth >= s.From+b.off {
					e.amount, e.step = s.Amount, i+2
				}
			}
		}
		b.fit(in.Caps, e, list)
		list = append(list, e)
	}
	for _, e := range list { // what the budget still carries
		if left := b.left(); e.amount*e.cost > left {
			e.amount, e.note = 0, referral.NoteBudgetExhausted
			if in.BudgetFull == referral.FullClamp {
				e.amount = left / e.cost
			}
		}
		if e.amount == 0 {
			e.nth, e.step = 0, 0
		}
		e.net = e.amount
		b.earned, o.earned = append(b.earned, e), append(o.earned, e)
	}
}

// kept counts an inviter's rewards of which something is left, within a window.
func (b *programBook) kept(who int, w referral.CapWindow, at clock.Milli) (n int64) {
	for _, e := range b.earned {
		if e.nth == 0 || e.net == 0 || b.root(e.who) != who {
			continue
		}
		if of := b.rules(e.version).Rewards[0].StepWindow; of == w && windowOf(w, e.at) == windowOf(w, at) {
			n++
		}
	}
	return n
}

// fit lowers a reward to its caps, in the order of the rules; those of the same
// act count already.
func (b *programBook) fit(caps []referral.Cap, e *earning, act []*earning) {
	for _, c := range caps {
		var n int64
		var cost money.Amount
		for _, x := range append(slices.Clone(b.earned), act...) {
			same := c.Per == referral.CapProgram || b.root(x.who) == b.root(e.who)
			counted := slices.ContainsFunc(b.rules(x.version).Caps, func(o referral.Cap) bool { return o.Per == c.Per && o.Window == c.Window })
			if x.amount > 0 && same && counted && windowOf(c.Window, x.at) == windowOf(c.Window, e.at) {
				n, cost = n+1, cost+x.amount*x.cost
			}
		}
		room := e.amount
		if c.Count > 0 && n >= c.Count {
			room = 0
		}
		if c.Cost > 0 {
			room = min(room, max(c.Cost-cost, 0)/e.cost)
		}
		if room == e.amount {
			continue
		}
		e.note, e.amount = referral.Note(fmt.Sprintf("%s_%s_cap", c.Per, c.Window)), room
		if c.WhenFull != referral.FullClamp {
			e.amount = 0
		}
		if e.amount == 0 {
			return
		}
	}
}

// left is what the budget has not promised.
func (b *programBook) left() money.Amount {
	n := b.budget
	for _, e := range b.earned {
		n -= e.net * e.cost
	}
	return n
}

// refund takes its share of everything the order earned.
func (b *programBook) refund(o *sale, goods money.Amount) {
	o.refunded, o.refunds = o.refunded+goods, o.refunds+1
	for _, e := range o.earned {
		e.net = e.amount - e.amount*o.refunded/o.goods
	}
}

// windowOf names the window a moment lies in.
func windowOf(w referral.CapWindow, at clock.Milli) string {
	t := at.Time().In(time.FixedZone(clock.Shanghai, 8*60*60))
	switch w {
	case referral.CapDay:
		return t.Format("2006-01-02")
	case referral.CapMonth:
		return t.Format("2006-01")
	}
	return ""
}

// shows is a reward as it is compared.
func (b *programBook) shows(e *earning) string {
	who := "owner"
	if e.who >= 0 {
		who = b.people[b.root(e.who)].id.String()
	}
	return fmt.Sprintf("%s %s %d of %d, place %d on %d %s", e.rule, who, e.net, e.amount, e.nth, e.step, e.note)
}
