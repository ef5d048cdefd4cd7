package campaign_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// saleMachine is a flash sale beside its book.
type saleMachine struct {
	saleBook
	w         *campaigntest.World
	p         *purse
	c         campaign.Campaign
	item      id.Item
	discounts bool
}

// TestSaleMachine lets four people and two guests, the mall, the marketer and
// the clock do anything in any order with one flash sale, and compares every
// answer and every counter with a book of its rules; at the end all rows, and
// what verify proves.
func TestSaleMachine(t *testing.T) {
	campaigntest.Machine(t, func(r *rapid.T, w *campaigntest.World) { newSale(r, w, 0).run(r) })
}

// TestSaleMachineFinds holds the machine to a book whose limit is one off.
func TestSaleMachineFinds(t *testing.T) {
	campaigntest.MustFind(t, func(r *rapid.T, w *campaigntest.World) { newSale(r, w, 1).run(r) })
}

// newSale opens a sale; off is what its book gets wrong of the limit.
func newSale(r *rapid.T, w *campaigntest.World, off int) *saleMachine {
	m := &saleMachine{w: w, p: newPurse(w)}
	m.now, m.off = clock.MilliOf(w.DB.Clock.Now()), off
	m.ends = m.now.Add(24 * time.Hour)
	m.price, m.perOrder = 2000, rapid.IntRange(1, 3).Draw(r, "per order")
	m.perMember = rapid.SampledFrom([]int{0, m.perOrder, m.perOrder + 1}).Draw(r, "per member")
	if off > 0 {
		m.perMember = m.perOrder
	}
	m.stock = int64(rapid.IntRange(1, 5).Draw(r, "stock"))
	s := campaigntest.Sale{Stock: m.stock, Price: m.price, PerMember: m.perMember, PerOrder: m.perOrder, Rules: `{"wait_pay_within_s":300}`}
	if m.sessions = rapid.Bool().Draw(r, "sessions"); m.sessions {
		var list []string
		for _, h := range []string{"00-01", "02-03", "04-05", "06-07", "08-09", "10-11", "12-13", "14-15", "16-17", "18-19", "20-21", "22-23"} {
			list = append(list, `{"from":"`+h[:2]+`:00","to":"`+h[3:]+`:00"}`)
		}
		s.Rules = `{"wait_pay_within_s":300,"sessions":[` + strings.Join(list, ",") + `]}`
		m.sessionStock = int64(rapid.IntRange(0, int(m.stock)).Draw(r, "session stock"))
		s.SessionStock = m.sessionStock
	}
	if m.discounts = rapid.Bool().Draw(r, "discounts"); m.discounts {
		m.budget = rapid.SampledFrom([]money.Amount{0, 2500, 10_000}).Draw(r, "budget")
		s.Coupons, s.Points, s.Budget = true, 5000, m.budget
	}
	for i, who := range w.Members(4) {
		m.people = append(m.people, buyer{id: who, into: i, coupon: m.p.coupon(who), earned: 4000})
		m.p.points(who, 4000)
	}
	for i := 4; i < 6; i++ {
		guest, err := w.Community.NewGuest(bg)
		if err != nil {
			r.Fatal(err)
		}
		m.people = append(m.people, buyer{id: guest, into: i, guest: true})
	}
	for i := range m.people {
		m.people[i].keys, m.people[i].granted = map[string]string{}, map[string]*saleOrder{}
	}
	m.c = w.Run(s)
	m.item = m.c.Items[0].ID
	return m
}

func (m *saleMachine) run(r *rapid.T) {
	r.Repeat(m.actions())
	m.drain(20 * time.Minute)
	m.settled(r)
	m.w.Verify()
}

// check compares what is cheap to read, after each action.
func (m *saleMachine) check(r *rapid.T) {
	m.meet(r)
	i := m.w.Item(m.c.ID)
	held := m.held()
	got := [...]int64{i.Stock, i.Left, i.Held, i.Sold, i.Waiting}
	want := [...]int64{m.stock, m.left(), held, m.stock - m.left() - held, int64(len(m.line()))}
	if got != want {
		r.Fatalf("stock, left, held, sold, waiting: got %v, want %v", got, want)
	}
	if m.sessions && m.sessionStock > 0 && i.SessionTaken != m.inSession() {
		r.Fatalf("the session sold %d, want %d", i.SessionTaken, m.inSession())
	}
}

// meet learns the orders that places in the line were granted.
func (m *saleMachine) meet(r *rapid.T) {
	for _, p := range m.places {
		if p.order != nil && p.order.id == 0 {
			w, err := m.w.Campaign.FindWait(as(m.people[m.root(p.who)].id), p.id)
			if err != nil || w.OrderID == 0 {
				r.Fatalf("place %s: %+v, %v; want an order", p.id, w, err)
			}
			p.order.id = w.OrderID
		}
	}
}

// settled compares everything.
func (m *saleMachine) settled(r *rapid.T) {
	m.check(r)
	for _, o := range m.orders {
		m.same(r, o)
	}
	for _, p := range m.places {
		want := p.status
		if want == campaign.WaitWaiting && (m.over || m.now >= m.ends) {
			want = campaign.WaitOver
		}
		got, err := m.w.Campaign.FindWait(as(m.people[m.root(p.who)].id), p.id)
		if err != nil || got.Status != want || got.Reason != p.reason {
			r.Errorf("place %s: %+v, %v; want %s %q", p.id, got, err, want, p.reason)
		}
	}
	for i, who := range m.people[:4] {
		status := wallet.HoldIssued
		switch {
		case m.used(i):
			status = wallet.HoldRedeemed
		case slices.ContainsFunc(m.orders, func(o *saleOrder) bool { return o.coupon == i }):
			status = wallet.HoldReturned
		}
		free, frozen := m.points(m.root(i))
		m.p.has(who.coupon, status, m.people[m.root(i)].id, free, frozen)
	}
	if m.budget > 0 {
		s, err := m.w.Campaign.Stats(bg, m.c.ID)
		if err != nil || s.Budget.Left != m.budgetLeft() {
			r.Errorf("budget %+v, %v; want %d left", s.Budget, err, m.budgetLeft())
		}
	}
}

func (m *saleMachine) same(r *rapid.T, o *saleOrder) {
	got := m.w.Order(o.id)
	var backs []string
	for _, x := range got.Refunds {
		if x.ByWhom == "siyu" {
			backs = append(backs, x.Reason)
		}
	}
	slices.Sort(backs)
	slices.Sort(o.backs)
	if got.Status != o.status || got.Qty != o.qty || got.Amount != o.amount || got.RefundedGoods != o.refunded || got.RefundedQty != o.refundedQty ||
		got.MemberID != m.people[m.root(o.who)].id || got.Payable() != o.net() || (got.ReceivedAt > 0) != (o.received && o.paid) || !slices.Equal(backs, o.backs) {
		r.Errorf("order %+v with refunds %v, want %+v", got, backs, *o)
	}
}
