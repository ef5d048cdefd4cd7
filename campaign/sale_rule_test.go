package campaign_test

import (
	"cmp"
	"slices"
	"time"

	"siyu/campaign"
	"siyu/internal/money"
	"siyu/wallet"
)

// shut is why nobody may claim now, "" if one may. The line is served between
// sessions too.
func (b *saleBook) shut(fromLine bool) string {
	switch {
	case b.over || b.now >= b.ends || b.paused:
		return campaign.ErrNotRunning.Code
	case b.sessions && !fromLine && b.began() == 0 && b.now.Add(time.Hour) >= b.ends:
		return campaign.ErrNotRunning.Code // the last session is over
	case b.sessions && !fromLine && b.began() == 0:
		return campaign.ErrBetweenSessions.Code
	}
	return ""
}

// limited says whether that many pieces would be beyond the person's limit.
func (b *saleBook) limited(who, qty int) bool {
	return b.perMember > 0 && b.mine(who)+qty > b.perMember+b.off+b.people[who].brought
}

// scarce is the refusal by stock.
func (b *saleBook) scarce(qty int, fromLine bool) string {
	free := b.left()
	if !fromLine {
		free = max(free-int64(len(b.line())), 0)
	}
	taken := b.inSession()
	if b.began() > b.sessionAt {
		taken = 0
	}
	switch {
	case free < int64(qty):
		return campaign.ErrSoldOut.Code
	case b.sessions && !fromLine && b.sessionStock > 0 && taken+int64(qty) > b.sessionStock:
		return campaign.ErrSessionSoldOut.Code
	}
	return ""
}

// refusal is the answer to a claim, "" for a grant. Memory, which knows no
// identities and not everybody's limit, may give another one that is true too.
func (b *saleBook) refusal(who, qty int, fromLine bool) (code, orMemory string) {
	shut, scarce, limit := b.shut(fromLine), b.scarce(qty, fromLine), ""
	if b.limited(who, qty) {
		limit = campaign.ErrLimit.Code
	}
	switch {
	case shut != "":
		return shut, shut
	case qty > b.perOrder:
		return campaign.ErrQty.Code, campaign.ErrQty.Code
	case b.perMember > 0 && b.people[who].guest:
		return campaign.ErrIdentity.Code, cmp.Or(scarce, campaign.ErrIdentity.Code)
	}
	code = cmp.Or(limit, scarce)
	return code, cmp.Or(scarce, code)
}

// discount is the refusal of a coupon and points on an order of the amount.
func (b *saleBook) discount(who int, coupon int, amount, points money.Amount) string {
	if coupon < 0 && points == 0 {
		return ""
	}
	off := money.Amount(0)
	if coupon >= 0 {
		off = couponOff
	}
	free, _ := b.points(who)
	switch {
	case b.people[who].guest:
		return campaign.ErrIdentity.Code
	case coupon >= 0 && b.used(coupon):
		return wallet.ErrCouponRedeemed.Code
	case off >= amount:
		return campaign.ErrNothingToPay.Code
	case points > amount/2:
		return campaign.ErrPointsLimit.Code
	case off+points >= amount:
		return campaign.ErrNothingToPay.Code
	case points > free:
		return wallet.ErrPointsShort.Code
	case b.budget > 0 && off+points > b.budgetLeft():
		return campaign.ErrBudget.Code
	}
	return ""
}

// grant makes an order.
func (b *saleBook) grant(who, qty int, wait time.Duration) *saleOrder {
	o := &saleOrder{
		who: who, coupon: -1, qty: qty, amount: b.price.Times(qty), status: campaign.OrderHeld, refunds: map[string]*saleRefund{},
		created: b.now, due: b.now.Add(wait), hold: b.holds,
	}
	if b.sessions && b.sessionStock > 0 && b.began() > b.sessionAt {
		b.sessionAt = b.began()
	}
	b.orders = append(b.orders, o)
	return o
}

// serve gives what is left to the head of the line.
func (b *saleBook) serve() {
	for b.shut(true) == "" {
		line := b.line()
		n := int(min(b.left(), int64(len(line))))
		if n <= 0 {
			return
		}
		b.holds++
		for _, p := range line[:n] {
			who := b.root(p.who)
			p.status = campaign.WaitSkipped
			if p.reason, _ = b.refusal(who, 1, true); p.reason == "" {
				p.status, p.order = campaign.WaitGranted, b.grant(who, 1, waitWithin)
			}
		}
	}
}

// letGo ends unpaid orders.
func (b *saleBook) letGo(to campaign.OrderStatus, orders ...*saleOrder) {
	for _, o := range orders {
		o.status = to
	}
	b.serve()
}

// pass moves the time and expires what is due, one commit's holds at a time.
func (b *saleBook) pass(d time.Duration) {
	b.now = b.now.Add(d)
	for {
		due := slices.DeleteFunc(slices.Clone(b.orders), func(o *saleOrder) bool { return o.status != campaign.OrderHeld || o.due > b.now })
		if len(due) == 0 {
			return
		}
		first := slices.MinFunc(due, func(x, y *saleOrder) int { return cmp.Or(cmp.Compare(x.due, y.due), cmp.Compare(x.hold, y.hold)) })
		due = slices.DeleteFunc(due, func(o *saleOrder) bool { return o.hold != first.hold })
		b.letGo(campaign.OrderExpired, due...)
	}
}

// pay is a payment of that sum for the goods, beside the order's discount.
func (b *saleBook) pay(o *saleOrder, no string, goods money.Amount) {
	o.payments = append(o.payments, no)
	if reason := b.accept(o, goods); reason != "" {
		o.backs = append(o.backs, reason)
		return
	}
	o.status, o.paid = campaign.OrderPaid, true
	b.fold(o)
}

func (b *saleBook) accept(o *saleOrder, goods money.Amount) string {
	switch {
	case o.paid:
		return "paid_twice"
	case goods != o.amount:
		return "amount_differs"
	case o.status == campaign.OrderHeld:
		return ""
	case o.off+o.points > 0:
		return "late_discount"
	}
	who := b.root(o.who)
	code, _ := b.refusal(who, o.qty, false)
	if code == "" {
		if b.sessions && b.sessionStock > 0 && o.created >= b.sessionAt {
			b.sessionAt = max(b.sessionAt, b.began())
		}
		return ""
	}
	return "late_" + reasonOf(code)
}

// fold applies the refunds that are done to a paid order.
func (b *saleBook) fold(o *saleOrder) {
	if !o.paid {
		return
	}
	goods, qty, any := money.Amount(0), 0, false
	for _, r := range o.refunds {
		if r.status == campaign.RefundDone {
			goods, qty, any = goods+r.goods, qty+r.qty, true
		}
	}
	if o.sentBack() >= o.net() {
		goods = o.net()
	}
	if goods = min(goods, o.net()); any && goods == o.net() {
		qty = o.qty
	}
	if o.refunded, o.refundedQty = goods, min(qty, o.qty); o.refundedQty == o.qty && goods == o.net() {
		o.status = campaign.OrderRefunded
	}
	b.serve()
}

// merge makes one person of two.
func (b *saleBook) merge(from, into int) {
	b.people[into].brought += b.mine(from)
	b.people[into].earned += b.people[from].earned
	b.people[from].into = into
}
