package groupbuy_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// groupMachine is a group-buy beside its book.
type groupMachine struct {
	groupBook
	w    *campaigntest.World
	c    campaign.Campaign
	item id.Item
}

// TestGroupMachine lets five people, the mall and the clock do anything in any
// order with one group-buy, and compares every answer, every team and every
// order with a book of its rules, and at the end what verify proves.
func TestGroupMachine(t *testing.T) {
	campaigntest.Machine(t, func(r *rapid.T, w *campaigntest.World) { newGroup(r, w, 0).run(r) })
}

// TestGroupMachineFinds holds the machine to a book in which one person too
// few forms a team.
func TestGroupMachineFinds(t *testing.T) {
	campaigntest.MustFind(t, func(r *rapid.T, w *campaigntest.World) { newGroup(r, w, 1).run(r) })
}

func newGroup(r *rapid.T, w *campaigntest.World, off int) *groupMachine {
	m := &groupMachine{w: w}
	m.off, m.now = off, clock.MilliOf(w.DB.Clock.Now())
	m.ends = m.now.Add(24 * time.Hour)
	m.stock = int64(rapid.IntRange(3, 9).Draw(r, "stock"))
	m.perMember = rapid.SampledFrom([]int{0, 2}).Draw(r, "per member")
	rules := `{"sizes":[{"size":2},{"size":3,"min_size":2}],"open_for_s":3600}`
	if rapid.Bool().Draw(r, "late choice") {
		m.choice = 30 * time.Minute
		rules = `{"sizes":[{"size":2},{"size":3,"min_size":2}],"open_for_s":3600,"late_choice_minutes":30}`
	}
	m.people, m.into, m.brought, m.price = w.Members(5), []int{0, 1, 2, 3, 4}, make([]int, 5), 3900
	m.c = w.Run(campaigntest.Sale{Kind: "group_buy", Rules: rules, Stock: m.stock, PerMember: m.perMember, Price: 3900,
		Prices: []campaign.TeamPrice{{Size: 2, Price: 3900}, {Size: 3, Price: 2900, OpenerPrice: 2500}}})
	m.item = m.c.Items[0].ID
	return m
}

func (m *groupMachine) run(r *rapid.T) {
	r.Repeat(m.actions())
	m.drain(20 * time.Minute)
	m.check(r)
	m.drain(2 * time.Hour)
	m.check(r)
	for _, t := range m.teams {
		m.sameTeam(r, t)
	}
	for _, o := range m.orders {
		m.sameOrder(r, o)
	}
	m.w.Verify()
}

// check compares the counters and the newest team after each action.
func (m *groupMachine) check(r *rapid.T) {
	i := m.w.Item(m.c.ID)
	live := m.count((*groupOrder).live)
	held := m.count(func(o *groupOrder) bool { return o.status == campaign.OrderHeld })
	got, want := [...]int64{i.Left, i.Held, i.Sold}, [...]int64{m.stock - live, held, live - held}
	if got != want {
		r.Fatalf("left, held, sold: got %v, want %v", got, want)
	}
	for _, t := range m.teams[max(0, len(m.teams)-2):] {
		m.sameTeam(r, t)
	}
}

func (m *groupMachine) sameTeam(r *rapid.T, t *groupTeam) {
	got, err := m.w.GroupBuy.FindTeam(bg, t.id)
	if err != nil {
		r.Fatal(err)
	}
	seats := len(m.seats(t))
	if got.Status != t.status || got.EndReason != t.why || got.PaidSeats != m.paidIn(t) || got.Size != t.size ||
		t.status == groupbuy.StatusOpen && (got.LiveSeats != seats || got.OpenerID != m.people[t.opener.who]) || t.again != nil && got.AgainAs != t.again.id {
		r.Fatalf("team %+v, want %+v with %d seats, %d paid", got, *t, seats, m.paidIn(t))
	}
}

func (m *groupMachine) sameOrder(r *rapid.T, o *groupOrder) {
	got := m.w.Order(o.id)
	var backs []string
	var team campaign.RefundStatus
	for _, x := range got.Refunds {
		switch {
		case x.Reason == "team_failed":
			team = x.Status
		case x.ByWhom == "siyu":
			backs = append(backs, x.Reason)
		}
	}
	var asked campaign.RefundStatus
	if x := o.refunds["team"]; x != nil {
		asked = x.status
	}
	slices.Sort(backs)
	slices.Sort(o.backs)
	if got.Status != o.status || got.TeamID != o.team.id || got.Amount != o.amount || got.RefundedGoods != o.refunded || team != asked || !slices.Equal(backs, o.backs) {
		r.Errorf("order %+v with refunds %v and %q of its team, want %+v and %q", got, backs, team, *o, asked)
	}
}
