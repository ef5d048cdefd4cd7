package health

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/internal/id"
	"siyu/internal/money"
)

// today is the day the crowds of these tests are asked about; what counts ends
// the day before.
const today = 20260501

// person did one thing of a kind on each of his last n days that are over.
func person(m id.Member, role community.Role, kind community.ActivityKind, n int) Person {
	p := Person{ID: m, Role: role, Joined: plus(today, -100), Days: map[int]map[community.ActivityKind]int{}}
	p.does(kind, n)
	return p
}

func (p Person) does(kind community.ActivityKind, n int) {
	for i := range n {
		d := plus(today, -1-i)
		if p.Days[d] == nil {
			p.Days[d] = map[community.ActivityKind]int{}
		}
		p.Days[d][kind]++
	}
}

func crowdOf(people ...Person) Crowd {
	c := Crowd{Today: today, People: people, Covered: map[int]bool{}}
	for i := range crowdDays {
		c.Covered[plus(today, -1-i)] = true
	}
	return c
}

// cover leaves the last n days covered.
func (c Crowd) cover(n int) Crowd {
	c.Covered = map[int]bool{}
	for i := range n {
		c.Covered[plus(today, -1-i)] = true
	}
	return c
}

// alike are n members who each did the same on so many days, from an id on.
func alike(from id.Member, n int, kind community.ActivityKind, days int) []Person {
	var out []Person
	for i := range n {
		out = append(out, person(from+id.Member(i), community.RoleMember, kind, days))
	}
	return out
}

func TestHead(t *testing.T) {
	const reply, host = community.ActivityReply, 99
	with := func(top int, others ...Person) Crowd {
		return crowdOf(append(others, person(1, community.RoleKOL, reply, top), person(host, community.RoleOwner, reply, 30))...)
	}
	for _, c := range []struct {
		name string
		c    Crowd
		want Head
	}{
		{"four tenths are not too much", with(20, alike(2, 5, reply, 6)...), Head{Top: 1, CR1: 4000, HHI: 2320, LOO: 6000}},
		{"more than four tenths", with(21, alike(2, 5, reply, 6)...), Head{Top: 1, CR1: 4117, HHI: 2387, LOO: 5882, High: true}},
		{"three alike are too few", with(10, alike(2, 2, reply, 10)...), Head{Top: 2, CR1: 3333, HHI: 3333, LOO: 6666, High: true}},
		{"four alike are enough", with(10, alike(2, 3, reply, 10)...), Head{Top: 2, CR1: 2500, HHI: 2500, LOO: 7500}},
		{"half of the talk is his, by days", with(30, append(alike(2, 10, community.ActivityPost, 2), alike(20, 10, reply, 1)...)...), Head{Top: 1, CR1: 3000, HHI: 1270, LOO: 5000}},
		{"nobody spoke", with(0), Head{CR1: Unknown, HHI: Unknown, LOO: Unknown}},
		{"14 days of 30 are too few to say", with(20, alike(2, 5, reply, 6)...).cover(14), Head{CR1: Unknown, HHI: Unknown, LOO: Unknown}},
		{"15 are enough", with(20, alike(2, 5, reply, 6)...).cover(15), Head{Top: 1, CR1: 4000, HHI: 2320, LOO: 6000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, c.c.head()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestPyramid(t *testing.T) {
	of := func(hosts, kols, kocs, rest int) Crowd {
		var c Crowd
		for role, n := range map[community.Role]int{community.RoleAdmin: hosts, community.RoleKOL: kols, community.RoleKOC: kocs, community.RoleMember: rest} {
			for range n {
				c.People = append(c.People, Person{Role: role})
			}
		}
		return c
	}
	for _, c := range []struct{ hosts, kols, kocs, rest, want int }{
		{1, 1, 1, 3, 10_000}, {0, 1, 1, 3, 7_500}, {1, 0, 1, 4, 7_500}, {1, 1, 0, 4, 5_000}, {1, 1, 2, 0, 5_000},
		{1, 1, 2, 7, 10_000}, {1, 1, 2, 6, 7_500}, {1, 3, 2, 20, 7_500},
		{3, 1, 1, 4, 10_000}, {4, 1, 1, 4, 7_500}, {4, 1, 1, 198, 10_000}, {4, 1, 1, 197, 7_500},
	} {
		if got := of(c.hosts, c.kols, c.kocs, c.rest).pyramid(); got.Index != c.want {
			t.Errorf("%+v: got %d", c, got.Index)
		}
	}
}

func TestIceBroken(t *testing.T) {
	people := alike(1, 4, community.ActivityReply, 1)
	people[0].Partners, people[1].Partners = 2, 1
	host := Person{Role: community.RoleOwner, Partners: 9}
	if got := crowdOf(append(people, host)...).iceBroken(); got != 2_500 {
		t.Errorf("got %d, want one of four", got)
	}
	if got := crowdOf(host).iceBroken(); got != Unknown {
		t.Errorf("without members: got %d", got)
	}
}

func TestMonologue(t *testing.T) {
	for hosts, want := range map[int]int{7: 7_000, 8: 7_273} {
		c := crowdOf(person(1, community.RoleOwner, community.ActivityMessage, hosts), person(2, community.RoleMember, community.ActivityMessage, 3))
		if got := c.hostPart(); got != want {
			t.Errorf("%d of a host: got %d, want %d", hosts, got, want)
		}
	}
}

func TestCore(t *testing.T) {
	old := func(m id.Member, days int) Person {
		p := person(m, community.RoleMember, community.ActivityReply, days)
		p.Joined = plus(today, -coreAge)
		return p
	}
	silentFor := func(m id.Member, days int) Person { // active before, silent since
		p := old(m, crowdDays)
		for i := range days {
			delete(p.Days, plus(today, -1-i))
		}
		return p
	}
	for _, c := range []struct {
		name string
		c    Crowd
		want Core
	}{
		{"nobody is long there or buys", crowdOf(alike(1, 3, community.ActivityReply, 5)...), Core{Silent: Unknown, Baseline: Unknown}},
		{"a day short of half a year is not long", crowdOf(func() Person { p := old(1, 9); p.Joined = plus(p.Joined, 1); return p }()), Core{Silent: Unknown, Baseline: Unknown}},
		{"all talk", crowdOf(old(1, crowdDays), old(2, crowdDays)), Core{Members: 2}},
		{"20 days are no silence", crowdOf(silentFor(1, 20), old(2, crowdDays)), Core{Members: 2}},
		{"21 are", crowdOf(silentFor(1, 21), old(2, crowdDays)), Core{Members: 2, Silent: 5_000, Alarm: true}},
		{"half more than ever", crowdOf(silentFor(1, 111), silentFor(2, 111), silentFor(3, 21), old(4, crowdDays), old(5, crowdDays)), Core{Members: 5, Silent: 6_000, Baseline: 4_000, Alarm: true}},
		{"a third more is usual", crowdOf(silentFor(1, 111), silentFor(2, 111), silentFor(3, 111), silentFor(4, 21), old(5, crowdDays)), Core{Members: 5, Silent: 8_000, Baseline: 6_000}},
		{"nothing was reported", crowdOf(old(1, 9)).cover(10), Core{Members: 1, Silent: Unknown, Baseline: Unknown}},
		{"half of 21 days", crowdOf(old(1, 9)).cover(11), Core{Members: 1, Baseline: Unknown}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, c.c.core()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	t.Run("the fifth who buy most", func(t *testing.T) {
		people := alike(1, 7, community.ActivityReply, 1)
		for i := range 6 {
			people[i].Bought = money.Amount(100 * (i + 1))
		}
		got := crowdOf(people...).corePeople()
		if len(got) != 2 || got[0].ID != 5 || got[1].ID != 6 {
			t.Errorf("got %+v, want the two best of six buyers", got)
		}
	})
}

func TestCandidates(t *testing.T) {
	best := func() Person { // first in everything
		p := person(1, community.RoleMember, community.ActivityReply, 12)
		p.does(community.ActivityPost, 1)
		p.Helped, p.Kept = 3, 1
		return p
	}
	others := alike(2, 10, community.ActivityReply, 2)
	for _, c := range []struct {
		name   string
		change func(p *Person)
		want   int // the score, 0: no candidate
	}{
		{"first in all but check-ins", func(p *Person) {}, 85},
		{"and check-ins on ten days", func(p *Person) { p.does(community.ActivityCheckin, 10) }, 90},
		{"eleven active days are too few", func(p *Person) { delete(p.Days, plus(today, -12)) }, 0},
		{"who broke a rule loses twenty", func(p *Person) { p.does(community.ActivityViolation, 1) }, 0},
		{"no posts, five fewer: 75", func(p *Person) { delete(p.Days[plus(today, -1)], community.ActivityPost) }, 75},
		{"brought nobody: 65", func(p *Person) { p.Kept = 0 }, 0},
		{"whoever has the title needs none", func(p *Person) { p.Role = community.RoleKOC }, 0},
		{"exactly 70", func(p *Person) {
			delete(p.Days[plus(today, -1)], community.ActivityPost)
			p.Helped = 3
			p.Kept = 0
			p.does(community.ActivityCheckin, 30) // 35 + 20 + 0 + 15 + 0
		}, 70},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := best()
			c.change(&p)
			list := crowdOf(append(others, p)...).candidates()
			switch {
			case c.want == 0 && len(list) > 0:
				t.Errorf("got %+v, want none", list)
			case c.want > 0 && (len(list) != 1 || list[0].Score != c.want || list[0].Member != 1):
				t.Errorf("got %+v, want a score of %d", list, c.want)
			}
		})
	}
	if got := crowdOf(append(others, best())...).cover(14).candidates(); len(got) > 0 {
		t.Errorf("14 known days: got %+v", got)
	}
}
