package referral_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// programMachine is a program and its sale beside its book.
type programMachine struct {
	programBook
	*campaigntest.World
	program id.Program
	sale    campaign.Campaign
	owner   id.Member
}

// TestProgramMachine lets six people bring each other into a group, buy, be
// refunded in parts and merge in any order, writes new versions with other
// steps and caps, pauses, resumes and ends the program while time passes, and
// compares every reward with a book of the rules.
func TestProgramMachine(t *testing.T) {
	campaigntest.Machine(t, func(r *rapid.T, w *campaigntest.World) { newProgramMachine(r, w, 0).run(r) })
}

// TestProgramMachineFinds holds the machine to a book whose steps begin one
// too late.
func TestProgramMachineFinds(t *testing.T) {
	campaigntest.MustFind(t, func(r *rapid.T, w *campaigntest.World) { newProgramMachine(r, w, 1).run(r) })
}

func newProgramMachine(r *rapid.T, w *campaigntest.World, off int64) *programMachine {
	m := &programMachine{World: w}
	m.off, m.status = off, referral.ProgramActive
	m.budget = money.Amount(rapid.SampledFrom([]int{12_345, 1_000_000}).Draw(r, "budget"))
	m.versions = append(m.versions, anyRules(r))
	var err error
	m.program, err = m.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: m.budget, Rules: m.versions[0]})
	m.check(err)
	m.sale = w.Run(campaigntest.Sale{Stock: 100_000, Price: 10_000, Program: m.program, Hours: 24 * 300})
	group, err := w.Community.CreateGroup(bg, community.GroupIn{Name: "茶友群"})
	m.check(err)
	members := w.Members(7)
	m.owner = members[6]
	in := []community.MembershipIn{{MemberID: m.owner, Role: community.RoleOwner}}
	for i, who := range members[:6] {
		in = append(in, community.MembershipIn{MemberID: who, Role: community.RoleKOC})
		code, err := m.Referral.CreateCode(bg, referral.CodeIn{InviterID: who, ProgramID: m.program, GroupID: group})
		m.check(err)
		list, err := m.Referral.CodesByID(bg, []id.Code{code})
		m.check(err)
		m.people = append(m.people, person{id: who, code: list[0].Code, into: i})
	}
	_, err = w.Community.PutMemberships(bg, group, in)
	m.check(err)
	return m
}

// anyRules pays an inviter in steps, the group's owner a share and a KOC
// points, under at most two caps.
func anyRules(r *rapid.T) referral.RulesIn {
	pick := func(what string, of ...int) int { return rapid.SampledFrom(of).Draw(r, what) }
	in := everyOrder()
	days := 365
	in.AttributionDays = &days
	first := pick("from", 2, 3)
	in.Rewards = []referral.Promise{
		{
			Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 1000,
			StepWindow: rapid.SampledFrom([]referral.CapWindow{referral.CapDay, referral.CapMonth, referral.CapEver}).Draw(r, "window"),
			Steps:      []referral.Step{{From: int64(first), Amount: 1500}, {From: int64(first + 2), Amount: 2100}},
		},
		{Rule: "owner", To: referral.SideGroupOwner, Mode: referral.ModePercent, Rate: money.Bps(pick("owner", 150, 333))},
		{Rule: "koc", To: referral.SideKOC, Mode: referral.ModeFixed, Currency: money.PTS, Qty: 70, UnitCost: 2},
	}
	if rapid.Bool().Draw(r, "capped member") {
		in.Caps = append(in.Caps, referral.Cap{Per: referral.CapMember, Window: rapid.SampledFrom([]referral.CapWindow{referral.CapDay, referral.CapEver}).Draw(r, "cap"), Count: int64(pick("rewards", 3, 8))})
	}
	if rapid.Bool().Draw(r, "capped program") {
		in.Caps = append(in.Caps, referral.Cap{Per: referral.CapProgram, Window: referral.CapMonth, Cost: money.Amount(pick("cost", 4_321, 15_000)), WhenFull: referral.FullClamp})
	}
	if rapid.Bool().Draw(r, "clamp") {
		in.BudgetFull = referral.FullClamp
	}
	return in
}

func (m *programMachine) run(r *rapid.T) {
	r.Repeat(map[string]func(*rapid.T){
		"bind": m.bind, "bind another": m.bind, "buy": m.buy, "buy more": m.buy, "buy again": m.buy, "refund": m.refund, "refund more": m.refund,
		"merge": m.merge, "version": m.version, "turn": m.turn, "time": m.time, "": m.same,
	})
	m.Drain(40 * 24 * time.Hour)
	m.same(r)
	for _, x := range m.rewards(r) {
		if x.Net > 0 && x.State != referral.RewardCleared && x.Review != referral.ReviewOpen {
			r.Fatalf("reward %s is %s, in review %q", x.ID, x.State, x.Review)
		}
	}
	m.Verify()
}

func (m *programMachine) check(err error) {
	m.T.Helper()
	if err != nil {
		m.T.Fatal(err)
	}
}

func (m *programMachine) live(r *rapid.T) int {
	return m.root(rapid.IntRange(0, len(m.people)-1).Draw(r, "person"))
}

func (m *programMachine) bind(r *rapid.T) {
	inviter, who := rapid.IntRange(0, len(m.people)-1).Draw(r, "inviter"), m.live(r)
	_, err := m.Referral.Bind(bg, referral.Bind{Code: m.people[inviter].code, Invitee: m.people[who].id})
	want := map[string]*fault.Fault{"self": referral.ErrSelf, "bound": referral.ErrBound, "closed": referral.ErrNotTaking}[m.programBook.bind(inviter, who)]
	switch f, refused := fault.As(err); {
	case want == nil && err != nil, want != nil && (!refused || f.Code != want.Code):
		r.Fatalf("bound: %v, want %v", err, want)
	}
}

func (m *programMachine) buy(r *rapid.T) {
	who := m.live(r)
	o := m.MustClaim(campaign.Claim{Campaign: m.sale.ID, Item: m.sale.Items[0].ID, Member: m.people[who].id})
	m.Pay(o.ID)
	m.pay(who, &sale{id: o.ID, goods: o.Amount, at: clock.MilliOf(m.DB.Clock.Now())})
}

func (m *programMachine) refund(r *rapid.T) {
	var open []*sale
	for _, o := range m.orders {
		if o.refunded < o.goods {
			open = append(open, o)
		}
	}
	if len(open) == 0 {
		r.Skip("nothing to refund")
	}
	o := rapid.SampledFrom(open).Draw(r, "order")
	goods, qty := o.goods-o.refunded, 1
	if part := money.Amount(rapid.SampledFrom([]int{0, 0, 1, 3_333}).Draw(r, "part")); part > 0 && part < goods {
		goods, qty = part, 0
	}
	in := campaign.RefundIn{RefundNo: fmt.Sprint(o.id, o.refunds), Amount: goods, Goods: goods, Qty: qty}
	switch { // one that fails is done after others, or never
	case o.failed == nil && rapid.IntRange(0, 3).Draw(r, "fails") == 0:
		failed := in
		failed.Status, o.failed = campaign.RefundFailed, &in
		o.refunds++
		m.check(m.Campaign.Refund(bg, o.id, failed))
		return
	case o.failed != nil && o.refunded+o.failed.Goods <= o.goods && rapid.Bool().Draw(r, "the failed one"):
		in, o.failed = *o.failed, nil
		goods = in.Goods
	}
	for range 1 + rapid.IntRange(0, 1).Draw(r, "told again") {
		m.check(m.Campaign.Refund(bg, o.id, in))
	}
	m.programBook.refund(o, goods)
}

func (m *programMachine) merge(r *rapid.T) {
	from, into := m.live(r), m.live(r)
	if from == into {
		r.Skip("one person")
	}
	m.check(m.Campaign.MergeMembers(bg, m.people[from].id, m.people[into].id))
	m.programBook.merge(from, into)
}

func (m *programMachine) version(r *rapid.T) {
	in := anyRules(r)
	number, err := m.Referral.NewVersion(bg, m.program, in)
	switch {
	case m.status == referral.ProgramEnded:
		if f, _ := fault.As(err); f == nil || f.Code != referral.ErrProgramState.Code {
			r.Fatalf("a version of an ended program: %v", err)
		}
	case err != nil:
		r.Fatal(err)
	case number > len(m.versions): // else it says the same
		m.versions = append(m.versions, in)
	}
}

// turn pauses the program, lets it go on, or seldom ends it.
func (m *programMachine) turn(r *rapid.T) {
	to := rapid.SampledFrom([]referral.ProgramStatus{referral.ProgramPaused, referral.ProgramActive, referral.ProgramActive, referral.ProgramEnded}).Draw(r, "status")
	if to == referral.ProgramEnded && rapid.IntRange(0, 5).Draw(r, "rare") > 0 {
		r.Skip("not yet")
	}
	move := map[referral.ProgramStatus]func() error{
		referral.ProgramPaused: func() error { return m.Referral.PauseProgram(bg, m.program) },
		referral.ProgramActive: func() error { return m.Referral.ResumeProgram(bg, m.program) },
		referral.ProgramEnded:  func() error { return m.Referral.EndProgram(bg, m.program) },
	}[to]
	can := m.status != referral.ProgramEnded && m.status != to
	if err := move(); (err == nil) != can {
		r.Fatalf("%s from %s: %v", to, m.status, err)
	}
	if can {
		m.status = to
	}
}

func (m *programMachine) time(r *rapid.T) {
	m.Drain(time.Duration(rapid.SampledFrom([]int{1, 10, 24, 24 * 4, 24 * 16}).Draw(r, "hours")) * time.Hour)
}

func (m *programMachine) rewards(r *rapid.T) (all []referral.Reward) {
	page := database.Page{Limit: 200}
	list, err := m.Referral.ListRewards(bg, referral.RewardFilter{Program: m.program}, page)
	if err != nil {
		r.Fatal(err)
	}
	if list.NextCursor != "" {
		r.Skip("more than a page")
	}
	return list.Items
}

// same compares every reward, and the budget, with the book.
func (m *programMachine) same(r *rapid.T) {
	var got, want []string
	for _, x := range m.rewards(r) {
		who := x.BeneficiaryID.String()
		if x.BeneficiaryID == m.owner {
			who = "owner"
		}
		got = append(got, fmt.Sprintf("%s %s %s %d of %d, place %d on %d %s", x.OrderID, x.Rule, who, x.Net, x.Amount, x.Nth, x.Step, x.Note))
	}
	for _, o := range m.orders {
		for _, e := range o.earned {
			want = append(want, o.id.String()+" "+m.shows(e))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.Fatalf("rewards:\n got %q\nwant %q", got, want)
	}
	p, err := m.Referral.FindProgram(bg, m.program)
	if err != nil || p.BudgetLeft != m.left() {
		r.Fatalf("the budget has %d left, want %d (%v)", p.BudgetLeft, m.left(), err)
	}
}
