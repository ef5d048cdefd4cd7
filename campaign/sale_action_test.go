package campaign_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"siyu/campaign"
	"siyu/internal/fault"
	"siyu/internal/money"

	"siyu/internal/database"
)

// actions are what people, mall and marketer may do at any time.
func (m *saleMachine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"claim": m.claim, "claim once more": m.claim, "pay": m.pay, "pay again": m.pay, "refund": m.refund, "ship": m.ship, "cancel": m.cancel,
		"merge": m.merge, "edit": m.edit, "turn": m.turn, "wait": m.wait, "wait too": m.wait, "leave": m.leave, "time": m.time, "": m.check,
	}
}

func (m *saleMachine) person(r *rapid.T) int {
	return rapid.IntRange(0, len(m.people)-1).Draw(r, "person")
}

// order is one of the orders; without any the action is none.
func (m *saleMachine) order(r *rapid.T) *saleOrder {
	if len(m.orders) == 0 {
		r.Skip("no order yet")
	}
	return m.orders[len(m.orders)-1-rapid.IntRange(0, len(m.orders)-1).Draw(r, "order, from the newest")]
}

func (m *saleMachine) claim(r *rapid.T) {
	by, qty := m.person(r), rapid.SampledFrom([]int{1, 1, 2, 3}).Draw(r, "qty")
	key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}).Draw(r, "key")
	coupon, points := -1, money.Amount(0)
	who := m.root(by)
	if m.discounts {
		points = rapid.SampledFrom([]money.Amount{0, 0, 700, 3000, 9000}).Draw(r, "points")
		if rapid.IntRange(0, 2).Draw(r, "with coupon") == 0 && !m.people[who].guest {
			coupon = who
		}
	}
	claim := campaign.Claim{Campaign: m.c.ID, Item: m.item, Member: m.people[by].id, Qty: qty, Points: points}
	if coupon >= 0 {
		claim.Coupon = m.people[coupon].coupon
	}
	oid, err := m.w.ClaimKeyed(claim, key)
	input := fmt.Sprint(qty, coupon, points)
	switch used, bound := m.people[by].keys[key]; {
	case bound && used != input:
		m.answered(r, err, database.ErrKeyReused.Code)
		return
	case bound:
		if m.answered(r, err, ""); oid != m.people[by].granted[key].id {
			r.Fatalf("the key gave %s, want %s", oid, m.people[by].granted[key].id)
		}
		return
	}
	code, memory := m.refusal(who, qty, false)
	if code == "" {
		code = m.discount(who, coupon, m.price.Times(qty), points)
		memory = code
	}
	if m.answered(r, err, code, memory); err != nil {
		return
	}
	m.holds++
	o := m.grant(who, qty, payWithin)
	if o.id, o.coupon, o.points = oid, coupon, points; coupon >= 0 {
		o.off = couponOff
	}
	m.people[by].keys[key], m.people[by].granted[key] = input, o
}

func (m *saleMachine) pay(r *rapid.T) {
	o := m.order(r)
	short := money.Amount(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(r, "short"))
	no := fmt.Sprintf("%s-%d", o.id, rapid.IntRange(0, 2).Draw(r, "number"))
	if short > 0 {
		no += "-short"
	}
	err := m.w.Campaign.Pay(bg, o.id, campaign.PaymentIn{
		Provider: "wechat", PaymentNo: no, Goods: o.amount - short, Discount: o.off, Points: o.points, Amount: o.net() - short,
	})
	m.answered(r, err, "")
	for _, before := range o.payments {
		if before == no {
			return
		}
	}
	m.saleBook.pay(o, no, o.amount-short)
}

func (m *saleMachine) refund(r *rapid.T) {
	o := m.order(r)
	if o.net() < 2 {
		r.Skip("too little")
	}
	no := rapid.SampledFrom([]string{"r1", "r2", "r3"}).Draw(r, "number")
	goods := rapid.SampledFrom([]money.Amount{o.net(), o.net() / 2, o.net() / 3, 0}).Draw(r, "goods")
	qty := rapid.IntRange(0, o.qty).Draw(r, "qty")
	status := rapid.SampledFrom([]campaign.RefundStatus{campaign.RefundDone, campaign.RefundDone, campaign.RefundFailed}).Draw(r, "status")
	in := campaign.RefundIn{RefundNo: no, Amount: max(goods, 1), Goods: goods, Qty: qty, Status: status}
	err := m.w.Campaign.Refund(bg, o.id, in)
	old := o.refunds[no]
	switch {
	case old != nil && old.amount != in.Amount:
		m.answered(r, err, campaign.ErrRefundDiffers.Code)
		return
	case old == nil && o.paid && (o.refunded+goods > o.net() || o.sentBack()+in.Amount > o.net()):
		m.answered(r, err, campaign.ErrRefundExceeds.Code)
		return
	case old == nil:
		o.refunds[no] = &saleRefund{amount: in.Amount, goods: goods, qty: qty, status: status}
	case old.status != campaign.RefundDone:
		old.status = status
	}
	m.answered(r, err, "")
	m.fold(o)
}

func (m *saleMachine) ship(r *rapid.T) {
	o := m.order(r)
	stage := rapid.SampledFrom([]string{"shipped", "received"}).Draw(r, "stage")
	m.answered(r, m.w.Campaign.Ship(bg, o.id, campaign.Shipment{Stage: stage, ShipmentNo: "s"}), "")
	o.received = o.received || stage == "received"
}

func (m *saleMachine) cancel(r *rapid.T) {
	o := m.order(r)
	err := m.w.Campaign.CancelOrder(bg, o.id)
	switch o.status {
	case campaign.OrderHeld:
		m.answered(r, err, "")
		m.letGo(campaign.OrderCancelled, o)
	case campaign.OrderPaid, campaign.OrderRefunded:
		m.answered(r, err, campaign.ErrOrderState.Code)
	default:
		m.answered(r, err, "")
	}
}

func (m *saleMachine) merge(r *rapid.T) {
	from, into := m.person(r), m.person(r)
	if m.root(from) != from || m.root(into) != into || from == into || m.people[into].guest || !m.people[from].guest && rapid.IntRange(0, 3).Draw(r, "rare") > 0 {
		r.Skip("not these two")
	}
	m.answered(r, m.w.Campaign.MergeMembers(bg, m.people[from].id, m.people[into].id), "")
	m.saleBook.merge(from, into)
}

func (m *saleMachine) turn(r *rapid.T) {
	verb := rapid.SampledFrom([]campaign.Verb{campaign.Pause, campaign.Resume, campaign.Resume, campaign.Cancel}).Draw(r, "verb")
	if verb == campaign.Cancel && rapid.IntRange(0, 5).Draw(r, "rare") == 0 {
		verb = campaign.End
	}
	err := m.w.Campaign.Turn(bg, m.c.ID, verb)
	want := campaign.ErrTransition.Code
	switch ended := m.over || m.now >= m.ends; {
	case verb == campaign.End && !ended:
		m.over, want = true, ""
	case verb == campaign.Pause && !ended && !m.paused:
		m.paused, want = true, ""
	case verb == campaign.Resume && !ended && m.paused:
		m.paused, want = false, ""
	}
	m.answered(r, err, want)
	m.drain(0)
}

func (m *saleMachine) wait(r *rapid.T) {
	by := m.person(r)
	who := m.root(by)
	wid, err := m.w.Campaign.Wait(bg, campaign.WaitIn{Campaign: m.c.ID, Item: m.item, Member: m.people[by].id})
	code := m.shut(true)
	switch {
	case code != "":
	case m.perMember > 0 && m.people[who].guest:
		code = campaign.ErrIdentity.Code
	case m.limited(who, 1):
		code = campaign.ErrLimit.Code
	case m.left() > int64(len(m.line())):
		code = campaign.ErrInStock.Code
	}
	if m.answered(r, err, code); err != nil {
		return
	}
	for _, p := range m.line() {
		if m.root(p.who) == who {
			if p.id != wid {
				r.Fatalf("%s has the place %s and was given %s", m.people[who].id, p.id, wid)
			}
			return
		}
	}
	m.lastPlace++
	for _, p := range m.places {
		if p.id == wid {
			p.seq, p.status, p.reason, p.order = m.lastPlace, campaign.WaitWaiting, "", nil
			return
		}
	}
	m.places = append(m.places, &salePlace{id: wid, who: who, seq: m.lastPlace, status: campaign.WaitWaiting})
}

func (m *saleMachine) leave(r *rapid.T) {
	if len(m.places) == 0 {
		r.Skip("no place yet")
	}
	p := rapid.SampledFrom(m.places).Draw(r, "place")
	err := m.w.Campaign.LeaveLine(as(m.people[m.root(p.who)].id), p.id)
	switch p.status {
	case campaign.WaitWaiting:
		p.status = campaign.WaitLeft
		fallthrough
	case campaign.WaitLeft:
		m.answered(r, err, "")
	default:
		m.answered(r, err, campaign.ErrWaited.Code)
	}
}

func (m *saleMachine) time(r *rapid.T) {
	m.drain(time.Duration(rapid.SampledFrom([]int{1, 4, 6, 16, 45, 75, 150}).Draw(r, "minutes")) * time.Minute)
}

// drain moves both times and does what is due.
func (m *saleMachine) drain(d time.Duration) {
	m.w.Drain(d)
	m.pass(d)
	m.serve()
}

// answered fails unless the answer is one of the codes, "" being none.
func (m *saleMachine) answered(r *rapid.T, err error, codes ...string) {
	got := ""
	if f, ok := fault.As(err); ok {
		got = f.Code
	} else if err != nil {
		r.Fatalf("an error that is no fault: %v", err)
	}
	for _, c := range codes {
		if c == got {
			return
		}
	}
	r.Fatalf("answered %q (%v), want %q", got, err, codes)
}
