package groupbuy_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// actions are what people, mall and clock may do at any time.
func (m *groupMachine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"open": m.open, "join": m.join, "join another": m.join, "join too": m.join, "pay": m.pay, "pay again": m.pay, "pay too": m.pay, "cancel": m.cancel, "refund": m.refund,
		"refund of a team": m.teamRefund, "choose": m.choose, "open again": m.again, "merge": m.merge, "edit": m.edit, "time": m.time, "": m.check,
	}
}

func (m *groupMachine) person(r *rapid.T) int {
	return rapid.IntRange(0, len(m.people)-1).Draw(r, "person")
}

func (m *groupMachine) order(r *rapid.T) *groupOrder {
	if len(m.orders) == 0 {
		r.Skip("no order yet")
	}
	return m.orders[len(m.orders)-1-rapid.IntRange(0, len(m.orders)-1).Draw(r, "order, from the newest")]
}

func (m *groupMachine) team(r *rapid.T) *groupTeam {
	if len(m.teams) == 0 {
		r.Skip("no team yet")
	}
	return m.teams[len(m.teams)-1-rapid.IntRange(0, len(m.teams)-1).Draw(r, "team, from the newest")]
}

// claim is a claim of the item, and who got which order.
func (m *groupMachine) claim(c campaign.Claim, who int) (id.Order, error) {
	c.Campaign, c.Item, c.Member = m.c.ID, m.item, m.people[who]
	return m.w.Claim(c)
}

func (m *groupMachine) open(r *rapid.T) {
	who, size := m.person(r), rapid.SampledFrom([]int{2, 3, 2, 3, 2, 3, 0, 4}).Draw(r, "size")
	oid, err := m.claim(campaign.Claim{OpenTeam: true, TeamSize: size}, who)
	who = m.root(who)
	code := m.refusal(who)
	if code == "" && size != 2 && size != 3 {
		code = groupbuy.ErrSize.Code
	}
	if m.answered(r, err, code); err == nil {
		m.opened(oid, who, size)
	}
}

// opened notes a new team; who opens one of three pays less.
func (m *groupMachine) opened(oid id.Order, who, size int) *groupTeam {
	t := m.groupBook.open(size)
	price := t.price
	if size == 3 {
		price = min(price, 2500)
	}
	t.opener = m.grant(oid, who, t, price)
	t.id = m.w.Order(oid).TeamID
	return t
}

func (m *groupMachine) join(r *rapid.T) {
	who, t := m.person(r), m.team(r)
	oid, err := m.claim(campaign.Claim{Team: t.id}, who)
	who = m.root(who)
	if m.answered(r, err, cmp.Or(m.refusal(who), m.seat(t, who))); err == nil {
		m.grant(oid, who, t, m.joining(t))
	}
}

func (m *groupMachine) pay(r *rapid.T) {
	o := m.order(r)
	short := money.Amount(rapid.SampledFrom([]int{0, 0, 0, 0, 1}).Draw(r, "short"))
	no := fmt.Sprintf("%s-%d-%d", o.id, rapid.IntRange(0, 2).Draw(r, "number"), short)
	m.answered(r, m.w.Campaign.Pay(bg, o.id, campaign.PaymentIn{
		Provider: "wechat", PaymentNo: no, Goods: o.amount - short, Amount: o.amount - short,
	}), "")
	if !slices.Contains(o.payments, no) {
		o.payments = append(o.payments, no)
		m.groupBook.pay(o, o.amount-short)
	}
}

func (m *groupMachine) cancel(r *rapid.T) {
	o := m.order(r)
	err := m.w.Campaign.CancelOrder(bg, o.id)
	switch o.status {
	case campaign.OrderHeld:
		m.answered(r, err, "")
		m.letGo(o, campaign.OrderCancelled)
	case campaign.OrderPaid, campaign.OrderRefunded:
		m.answered(r, err, campaign.ErrOrderState.Code)
	default:
		m.answered(r, err, "")
	}
}

var outcomes = []campaign.RefundStatus{campaign.RefundDone, campaign.RefundDone, campaign.RefundFailed}

func (m *groupMachine) refund(r *rapid.T) {
	o := m.order(r)
	no := rapid.SampledFrom([]string{"r1", "r2"}).Draw(r, "number")
	goods := rapid.SampledFrom([]money.Amount{o.amount, o.amount / 2}).Draw(r, "goods")
	status := rapid.SampledFrom(outcomes).Draw(r, "status")
	err := m.w.Campaign.Refund(bg, o.id, campaign.RefundIn{RefundNo: no, Amount: goods, Goods: goods, Status: status})
	old := o.refunds[no]
	switch {
	case old != nil && old.amount != goods:
		m.answered(r, err, campaign.ErrRefundDiffers.Code)
		return
	case old == nil && o.paid && o.refunded+goods > o.amount:
		m.answered(r, err, campaign.ErrRefundExceeds.Code)
		return
	case old == nil:
		o.refunds[no] = &groupRefund{goods, goods, status}
	case old.status != campaign.RefundDone:
		old.status = status
	}
	m.answered(r, err, "")
	m.fold(o)
}

// teamRefund is the mall's answer to the refund of a failed team.
func (m *groupMachine) teamRefund(r *rapid.T) {
	o := m.order(r)
	asked := o.refunds["team"]
	if asked == nil {
		r.Skip("nothing was asked for")
	}
	status := rapid.SampledFrom(outcomes).Draw(r, "status")
	m.answered(r, m.w.Campaign.Refund(bg, o.id, campaign.RefundIn{RefundNo: "team_" + o.team.id.String(), Amount: asked.amount, Status: status}), "")
	if asked.status != campaign.RefundDone {
		asked.status = status
	}
	m.fold(o)
}

func (m *groupMachine) choose(r *rapid.T) {
	o, t := m.order(r), m.team(r)
	var waits []*groupOrder
	for _, x := range m.orders {
		if x.until > 0 {
			waits = append(waits, x)
		}
	}
	if len(waits) > 0 && rapid.IntRange(0, 4).Draw(r, "any") > 0 {
		o = rapid.SampledFrom(waits).Draw(r, "waiting")
	}
	if rapid.IntRange(0, 3).Draw(r, "money") == 0 {
		err := m.w.Campaign.ChooseLate(bg, o.id, campaign.LateIn{Choice: "refund"})
		if o.until == 0 {
			m.answered(r, err, campaign.ErrNoChoice.Code)
			return
		}
		m.answered(r, err, "")
		o.until, o.backs = 0, append(o.backs, "late_refund_chosen")
		return
	}
	err := m.w.Campaign.ChooseLate(bg, o.id, campaign.LateIn{Choice: "move", Team: t.id})
	if o.until == 0 {
		m.answered(r, err, campaign.ErrNoChoice.Code)
		return
	}
	code := cmp.Or(m.refusal(o.who), m.seat(t, o.who))
	if code == "" && m.joining(t) != o.amount {
		code = groupbuy.ErrPrice.Code
	}
	if m.answered(r, err, code); err == nil {
		o.team = t
		m.bought(o)
	}
}

func (m *groupMachine) again(r *rapid.T) {
	who, t := m.person(r), m.team(r)
	c, err := m.w.GroupBuy.Again(bg, t.id)
	if err != nil {
		r.Fatal(err)
	}
	oid, err := m.claim(c, who)
	who = m.root(who)
	code := m.refusal(who)
	was := slices.ContainsFunc(m.orders, func(o *groupOrder) bool { return o.team == t && o.who == who })
	switch {
	case code != "":
	case !was:
		code = fault.NotFound.Code
	case t.status != groupbuy.StatusFailed:
		code = groupbuy.ErrNotOver.Code
	case t.again != nil && t.again.status == groupbuy.StatusOpen:
		code = groupbuy.ErrAgain.Code
	}
	if m.answered(r, err, code); err == nil {
		t.again = m.opened(oid, who, t.size)
	}
}

// merge makes one person of two; a seat each in one team stays a seat each.
func (m *groupMachine) merge(r *rapid.T) {
	from, into := m.person(r), m.person(r)
	if from == into || m.root(from) != from || m.root(into) != into || rapid.IntRange(0, 3).Draw(r, "rare") > 0 {
		r.Skip("not these two")
	}
	m.answered(r, m.w.Campaign.MergeMembers(bg, m.people[from], m.people[into]), "")
	m.into[from] = into
	m.brought[into] += m.mine(from)
	for _, o := range m.orders {
		if o.who == from {
			o.who = into
		}
	}
}

// edit makes the item better for members: more stock, a lower price for
// whoever claims from now on, or a higher limit.
func (m *groupMachine) edit(r *rapid.T) {
	e := campaign.ItemEdit{ID: m.item, AddStock: int64(rapid.IntRange(0, 2).Draw(r, "add"))}
	price, limit := m.price, m.perMember
	switch rapid.IntRange(0, 2).Draw(r, "what") {
	case 0:
		price = max(m.price-money.Amount(rapid.SampledFrom([]int{0, 100, 700}).Draw(r, "off")), 100)
		e.Price = &price
	case 1:
		if m.perMember > 0 {
			limit++
		}
		e.PerMember = &limit
	}
	c, err := m.w.Campaign.FindCampaign(bg, m.c.ID)
	if err != nil {
		r.Fatal(err)
	}
	err = m.w.Campaign.Edit(bg, m.c.ID, c.Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{e}})
	if m.now >= m.ends {
		m.answered(r, err, campaign.ErrTransition.Code)
		return
	}
	if m.answered(r, err, ""); err == nil {
		m.stock, m.price, m.perMember = m.stock+e.AddStock, price, limit
	}
}

func (m *groupMachine) time(r *rapid.T) {
	m.drain(time.Duration(rapid.SampledFrom([]int{1, 5, 14, 16, 40, 61, 300}).Draw(r, "minutes")) * time.Minute)
}

func (m *groupMachine) drain(d time.Duration) {
	m.w.Drain(d)
	m.pass(d)
}

// answered fails unless the answer is that code, "" being none. Who is at his
// limit may be told that all is sold out: memory forgets people before stock.
func (m *groupMachine) answered(r *rapid.T, err error, code string) {
	got := ""
	if f, ok := fault.As(err); ok {
		got = f.Code
	} else if err != nil {
		r.Fatalf("an error that is no fault: %v", err)
	}
	if both := code == campaign.ErrLimit.Code && m.count((*groupOrder).live) >= m.stock; both && got == campaign.ErrSoldOut.Code {
		return
	}
	if got != code {
		r.Fatalf("answered %q (%v), want %q", got, err, code)
	}
}
