package invite_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/invite"
	"siyu/community"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
)

// stepsMachine is a campaign with steps beside its book.
type stepsMachine struct {
	stepsBook
	*house
	sold map[*bought]id.Order
}

// TestStepsMachine lets six people bring each other, join, leave, buy, be
// refunded and merge in any order, pauses, resumes and ends the campaign,
// measures at any time, also twice at once, and compares steps, rewards, caps and points with a book of the rules.
func TestStepsMachine(t *testing.T) {
	campaigntest.Machine(t, func(r *rapid.T, w *campaigntest.World) { newSteps(r, w, 0).run(r) })
}

// TestStepsMachineFinds holds the machine to a book whose cap per inviter is
// one off.
func TestStepsMachineFinds(t *testing.T) {
	campaigntest.MustFind(t, func(r *rapid.T, w *campaigntest.World) { newSteps(r, w, 1).run(r) })
}

func newSteps(r *rapid.T, w *campaigntest.World, off int64) *stepsMachine {
	m := &stepsMachine{sold: map[*bought]id.Order{}}
	m.days, m.off = map[dayOf]int{}, off
	m.caps = invite.Caps{
		PerInviterDay: int64(rapid.IntRange(1, 2).Draw(r, "per day")), PerInviter: int64(rapid.IntRange(1, 3).Draw(r, "per inviter")),
		PerCampaign: int64(rapid.IntRange(2, 5).Draw(r, "per campaign")), Points: int64(rapid.IntRange(60, 300).Draw(r, "points")),
	}
	m.house = houseIn(w, fmt.Sprintf(`{"stay_days":2,"steps":[
			{"kind":"stayed","count":1,"gift":{"kind":"points","points":50}},
			{"kind":"bought","count":1,"hold_days":1,"gift":{"kind":"points","points":30}},
			{"kind":"stayed","count":2,"gift":{"kind":"points","points":70}}],
		"caps":{"per_inviter_day":%d,"per_inviter":%d,"per_campaign":%d,"points":%d}}`,
		m.caps.PerInviterDay, m.caps.PerInviter, m.caps.PerCampaign, m.caps.Points))
	m.stepsBook.now, m.starts, m.ends = m.house.now(), m.house.run.StartsAt, m.house.run.EndsAt
	for i, who := range w.Members(6) {
		code, err := m.Referral.CreateCode(bg, referral.CodeIn{InviterID: who, ProgramID: m.program, CampaignID: m.house.run.ID})
		m.house.check(err)
		list, err := m.Referral.CodesByID(bg, []id.Code{code})
		m.house.check(err)
		m.people = append(m.people, guest{id: who, code: list[0].Code, into: i})
	}
	return m
}

func (m *stepsMachine) run(r *rapid.T) {
	r.Repeat(map[string]func(*rapid.T){
		"bind": m.bind, "bind another": m.bind, "join": m.join, "join more": m.join, "leave": m.leave, "buy": m.buy, "refund": m.refund,
		"merge": m.merge, "turn": m.turn, "time": m.time, "more time": m.time, "measure": m.measured, "measure twice at once": m.twice, "": func(*rapid.T) {},
	})
	for range 3 {
		m.pass(24 * time.Hour)
		m.measured(r)
	}
	m.Verify()
}

// live is a person nobody was merged away from.
func (m *stepsMachine) live(r *rapid.T) int {
	return m.root(rapid.IntRange(0, len(m.people)-1).Draw(r, "person"))
}

func (m *stepsMachine) bind(r *rapid.T) {
	inviter, who := rapid.IntRange(0, len(m.people)-1).Draw(r, "inviter"), m.live(r)
	_, err := m.Referral.Bind(bg, referral.Bind{Code: m.people[inviter].code, Invitee: m.people[who].id})
	want := map[string]*fault.Fault{"self": referral.ErrSelf, "bound": referral.ErrBound}[m.stepsBook.bind(m.root(inviter), who)]
	switch f, refused := fault.As(err); {
	case want == nil && err != nil, want != nil && (!refused || f.Code != want.Code):
		r.Fatalf("bound: %v, want %v", err, want)
	}
}

func (m *stepsMachine) join(r *rapid.T) {
	p := &m.people[m.live(r)]
	m.house.check(m.Community.Join(bg, community.Join{Group: m.group, Member: p.id}))
	if p.joined == 0 || p.left != 0 {
		p.joined, p.left = m.stepsBook.now, 0
	}
}

func (m *stepsMachine) leave(r *rapid.T) {
	p := &m.people[m.live(r)]
	if p.joined == 0 || p.left != 0 {
		r.Skip("he is not in")
	}
	m.house.leave(p.id)
	p.left = m.stepsBook.now
}

func (m *stepsMachine) buy(r *rapid.T) {
	who := m.live(r)
	o := &bought{who: who, at: m.stepsBook.now}
	m.orders, m.sold[o] = append(m.orders, o), m.house.buy(m.people[who].id)
}

func (m *stepsMachine) refund(r *rapid.T) {
	if len(m.orders) == 0 {
		r.Skip("no order yet")
	}
	o := rapid.SampledFrom(m.orders).Draw(r, "order")
	m.house.refund(m.sold[o])
	o.refunded = true
}

func (m *stepsMachine) merge(r *rapid.T) {
	from, into := m.live(r), m.live(r)
	if from == into || len(m.people[from].bonds) > 0 && len(m.people[into].bonds) > 0 {
		r.Skip("not these two")
	}
	m.house.check(m.Campaign.MergeMembers(bg, m.people[from].id, m.people[into].id))
	m.stepsBook.merge(from, into)
}

// turn pauses the campaign, lets it go on, or ends it early.
func (m *stepsMachine) turn(r *rapid.T) {
	verb := rapid.SampledFrom([]campaign.Verb{campaign.Pause, campaign.Resume, campaign.Resume, campaign.End}).Draw(r, "verb")
	if verb == campaign.End && rapid.IntRange(0, 3).Draw(r, "rare") > 0 {
		verb = campaign.Pause
	}
	over := m.ended || m.stepsBook.now >= m.ends
	can := !over && (verb == campaign.End || m.paused == (verb == campaign.Resume))
	switch err := m.Campaign.Turn(bg, m.house.run.ID, verb); {
	case can && err != nil, !can && err == nil:
		r.Fatalf("%s: %v; paused %v, over %v", verb, err, m.paused, over)
	case !can:
	case verb == campaign.End:
		m.ended = true
	default:
		m.paused = verb == campaign.Pause
	}
}

func (m *stepsMachine) time(r *rapid.T) {
	if m.stepsBook.now > m.starts.Add(50*24*time.Hour) {
		r.Skip("the shop closes after 60 days")
	}
	m.pass(time.Duration(rapid.SampledFrom([]int{1, 7, 24, 47, 49, 72}).Draw(r, "hours")) * time.Hour)
}

func (m *stepsMachine) pass(d time.Duration) {
	m.DB.Clock.Jump(d)
	m.stepsBook.now = m.stepsBook.now.Add(d)
}

func (m *stepsMachine) measured(r *rapid.T) {
	m.house.measure()
	m.stepsBook.measure()
	m.same(r)
}

// twice measures in two replicas at the same moment, which is one measurement.
func (m *stepsMachine) twice(r *rapid.T) {
	var both sync.WaitGroup
	failed := make([]error, 2)
	for i := range failed {
		both.Go(func() { failed[i] = m.Invite.Measure(bg, 0) })
	}
	both.Wait()
	for _, err := range failed {
		m.house.check(err)
	}
	m.stepsBook.measure()
	m.same(r)
}

// same compares counts, rewards and points.
func (m *stepsMachine) same(r *rapid.T) {
	for who, p := range m.people {
		if p.into != who {
			continue
		}
		var got, want []string
		for _, w := range m.house.rewards(p.id) {
			got = append(got, fmt.Sprint(w.Step, w.State, w.Reason, w.Points, w.State == invite.RewardWaiting && w.NextAt > 0))
		}
		for i := len(m.stepsBook.rewards) - 1; i >= 0; i-- {
			if w := m.stepsBook.rewards[i]; m.root(w.who) == who {
				want = append(want, fmt.Sprint(w.step, w.state, w.reason, w.points, w.state == invite.RewardWaiting && w.next > 0))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			r.Fatalf("rewards of %s, newest first: got %q, want %q", p.id, got, want)
		}
		if have := int64(m.house.points(p.id)); have != p.points {
			r.Fatalf("points of %s: got %d, want %d", p.id, have, p.points)
		}
		if m.closed {
			continue
		}
		stayed, buyers := m.counts(who)
		if x := m.progress(p.id); int(x.Stayed) != stayed || int(x.Bought) != buyers {
			r.Fatalf("%s counts %d who stayed and %d who bought, want %d and %d", p.id, x.Stayed, x.Bought, stayed, buyers)
		}
	}
}
