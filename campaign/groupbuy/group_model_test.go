package groupbuy_test

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
)

// groupBook is a group-buy of one item as its rules say it: teams of two at one
// price, and of three, of whom two are enough at the deadline, at another.
type groupBook struct {
	now, ends clock.Milli
	stock     int64
	price     money.Amount // of the item; nobody who claims now pays more
	perMember int
	choice    time.Duration
	teams     []*groupTeam
	orders    []*groupOrder
	people    []id.Member
	into      []int // who each became by a merge, or himself
	brought   []int // orders a merge brought in beyond the limit
	off       int   // the error planted in what forms a team
}

type groupTeam struct {
	id       id.Team
	size     int
	need     int
	price    money.Amount
	deadline clock.Milli
	status   groupbuy.Status
	why      string
	opener   *groupOrder
	again    *groupTeam
}

type groupOrder struct {
	id       id.Order
	who      int
	team     *groupTeam
	amount   money.Amount
	status   campaign.OrderStatus
	due      clock.Milli
	paid     bool
	refunded money.Amount
	refunds  map[string]*groupRefund
	payments []string
	backs    []string
	until    clock.Milli // of an open choice
}

type groupRefund struct {
	amount, goods money.Amount
	status        campaign.RefundStatus
}

// root is who the person is today.
func (b *groupBook) root(who int) int {
	for b.into[who] != who {
		who = b.into[who]
	}
	return who
}

func (o *groupOrder) live() bool {
	return o.status == campaign.OrderHeld || o.status == campaign.OrderPaid
}

// seats are the live orders of the team, in the order they were made.
func (b *groupBook) seats(t *groupTeam) []*groupOrder {
	return slices.DeleteFunc(slices.Clone(b.orders), func(o *groupOrder) bool { return o.team != t || !o.live() })
}

func (b *groupBook) paidIn(t *groupTeam) (n int) {
	for _, o := range b.seats(t) {
		if o.status == campaign.OrderPaid {
			n++
		}
	}
	return n
}

func (b *groupBook) count(of func(*groupOrder) bool) (n int64) {
	for _, o := range b.orders {
		if of(o) {
			n++
		}
	}
	return n
}

func (b *groupBook) mine(who int) int {
	return int(b.count(func(o *groupOrder) bool { return o.who == who && o.live() }))
}

// refusal is the answer to a claim before its seat, "" for none.
func (b *groupBook) refusal(who int) string {
	switch {
	case b.now >= b.ends:
		return campaign.ErrNotRunning.Code
	case b.perMember > 0 && b.mine(who)+1 > b.perMember+b.brought[who]:
		return campaign.ErrLimit.Code
	case b.count((*groupOrder).live) >= b.stock:
		return campaign.ErrSoldOut.Code
	}
	return ""
}

// joining is what a seat costs now: never more than when the team was opened.
func (b *groupBook) joining(t *groupTeam) money.Amount { return min(t.price, b.price) }

// seat is why the person gets no seat in the team.
func (b *groupBook) seat(t *groupTeam, who int) string {
	seats := b.seats(t)
	switch {
	case t.status != groupbuy.StatusOpen || b.now >= t.deadline:
		return groupbuy.ErrTeamGone.Code
	case slices.ContainsFunc(seats, func(o *groupOrder) bool { return o.who == who }):
		return groupbuy.ErrInTeam.Code
	case len(seats) >= t.size:
		return groupbuy.ErrTeamFull.Code
	}
	return ""
}

// open makes a team of that size with its opener's order.
func (b *groupBook) open(size int) *groupTeam {
	t := &groupTeam{size: size, need: 2, price: min(b.price, 3900), status: groupbuy.StatusOpen, deadline: min(b.now.Add(time.Hour), b.ends)}
	if size == 3 {
		t.price = min(b.price, 2900)
	}
	b.teams = append(b.teams, t)
	return t
}

func (b *groupBook) grant(oid id.Order, who int, t *groupTeam, amount money.Amount) *groupOrder {
	o := &groupOrder{id: oid, who: who, team: t, amount: amount, status: campaign.OrderHeld, due: b.now.Add(15 * time.Minute), refunds: map[string]*groupRefund{}}
	b.orders = append(b.orders, o)
	return o
}

// turn is what becomes of a team one of whose orders was paid or let go.
func (b *groupBook) turn(t *groupTeam) {
	if t.status != groupbuy.StatusOpen {
		return
	}
	seats := b.seats(t)
	switch {
	case b.paidIn(t) >= t.size-b.off:
		t.status = groupbuy.StatusFormed
	case len(seats) == 0:
		t.status, t.why = groupbuy.StatusFailed, groupbuy.EndEmpty
	case !t.opener.live() || t.opener.team != t:
		t.opener = seats[0]
	}
}

func (b *groupBook) letGo(o *groupOrder, to campaign.OrderStatus) {
	o.status = to
	b.turn(o.team)
}

// pass moves the time: what is unpaid expires, choices and teams end.
func (b *groupBook) pass(d time.Duration) {
	b.now = b.now.Add(d)
	due := slices.DeleteFunc(slices.Clone(b.orders), func(o *groupOrder) bool { return o.status != campaign.OrderHeld || o.due > b.now })
	slices.SortStableFunc(due, func(x, y *groupOrder) int { return cmp.Compare(x.due, y.due) })
	for _, o := range due {
		b.letGo(o, campaign.OrderExpired)
	}
	for _, o := range b.orders {
		if o.until > 0 && o.until <= b.now {
			o.until, o.backs = 0, append(o.backs, "late_not_chosen")
		}
	}
	for _, t := range b.teams {
		if t.status != groupbuy.StatusOpen || t.deadline > b.now {
			continue
		}
		if b.paidIn(t) >= t.need {
			t.status = groupbuy.StatusFormed
			continue
		}
		t.status, t.why = groupbuy.StatusFailed, groupbuy.EndTooFew
		for _, o := range b.seats(t) {
			if o.status == campaign.OrderHeld {
				o.status = campaign.OrderCancelled
				continue
			}
			back := o.amount
			for _, r := range o.refunds {
				if r.status != campaign.RefundFailed {
					back -= r.amount
				}
			}
			o.refunds["team"] = &groupRefund{back, o.amount - o.refunded, campaign.RefundRequested}
		}
	}
}

// pay is a payment of that sum.
func (b *groupBook) pay(o *groupOrder, sum money.Amount) {
	reason := b.accept(o, sum)
	switch {
	case reason == "":
		b.bought(o)
	case strings.HasPrefix(reason, "late_groupbuy.") && b.choice > 0:
		o.until = b.now.Add(b.choice)
	default:
		o.backs = append(o.backs, reason)
	}
}

func (b *groupBook) accept(o *groupOrder, sum money.Amount) string {
	switch {
	case o.paid || o.until > 0:
		return "paid_twice"
	case sum != o.amount:
		return "amount_differs"
	case o.status == campaign.OrderHeld:
		return ""
	}
	if code := cmp.Or(b.refusal(o.who), b.seat(o.team, o.who)); code != "" {
		return "late_" + strings.TrimPrefix(code, "campaign.")
	}
	return ""
}

func (b *groupBook) bought(o *groupOrder) {
	o.status, o.paid, o.until = campaign.OrderPaid, true, 0
	b.turn(o.team)
	b.fold(o)
}

// fold applies the refunds that are done to a paid order.
func (b *groupBook) fold(o *groupOrder) {
	if !o.paid {
		return
	}
	o.refunded = 0
	for _, r := range o.refunds {
		if r.status == campaign.RefundDone {
			o.refunded = min(o.refunded+r.goods, o.amount)
		}
	}
	if o.status == campaign.OrderPaid && o.refunded == o.amount {
		b.letGo(o, campaign.OrderRefunded)
	}
}
