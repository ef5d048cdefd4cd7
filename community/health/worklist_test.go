package health

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// morning is the moment these lists are asked for.
var morning = clock.MilliOf(noon(today))

func TestSwapOut(t *testing.T) {
	full := func(n int, one Person) Crowd {
		c := crowdOf(alike(1000, n-1, community.ActivityReply, 1)...)
		c.People = append(c.People, one)
		return c
	}
	idle := func() Person {
		return Person{ID: 1, Role: community.RoleMember, Joined: plus(today, -swapJoined), Days: map[int]map[community.ActivityKind]int{}}
	}
	for _, c := range []struct {
		name   string
		size   int
		change func(p *Person)
		want   bool
	}{
		{"a month there and silent", 475, func(p *Person) {}, true},
		{"the group is not full", 474, func(p *Person) {}, false},
		{"a day less than a month", 475, func(p *Person) { p.Joined = plus(p.Joined, 1) }, false},
		{"spoke 60 days ago", 475, func(p *Person) {
			p.Days[plus(today, -60)] = map[community.ActivityKind]int{community.ActivityReply: 1}
		}, false},
		{"spoke 61 days ago", 475, func(p *Person) {
			p.Days[plus(today, -61)] = map[community.ActivityKind]int{community.ActivityReply: 1}
		}, true},
		{"bought within 90 days", 475, func(p *Person) { p.OrderedAt = morning.Add(-swapOrder) + 1 }, false},
		{"bought 90 days ago", 475, func(p *Person) { p.OrderedAt = morning.Add(-swapOrder) }, true},
		{"a reward of this month", 475, func(p *Person) { p.RewardedAt = morning.Add(-24 * time.Hour) }, false},
		{"a KOC", 475, func(p *Person) { p.Role = community.RoleKOC }, false},
		{"a KOL", 475, func(p *Person) { p.Role = community.RoleKOL }, false},
		{"a host", 475, func(p *Person) { p.Role = community.RoleAdmin }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := idle()
			c.change(&p)
			crowd := full(c.size, p)
			if got := crowd.swapOut(morning, Unknown); (len(got) == 1) != c.want {
				t.Errorf("got %+v, want %v", got, c.want)
			}
			if got := crowd.cover(29).swapOut(morning, Unknown); len(got) > 0 {
				t.Errorf("nobody is silent in a group nobody reports: got %+v", got)
			}
		})
	}
	t.Run("the longest silent first", func(t *testing.T) {
		c := full(480, idle())
		longer, never := idle(), idle()
		longer.ID, never.ID, never.Joined = 2, 3, plus(today, -200)
		longer.Days[plus(today, -90)] = map[community.ActivityKind]int{community.ActivityReply: 1}
		c.People = append(c.People, longer, never)
		var got []id.Member
		for _, p := range c.swapOut(morning, Unknown) {
			got = append(got, p.Member)
		}
		if d := cmp.Diff([]id.Member{3, 1, 2}, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		for waiting, want := range []int{0, 1, 2, 3, 3} {
			if got := c.swapOut(morning, Figure(waiting)); len(got) != want || want > 0 && got[0].Member != 3 {
				t.Errorf("%d wait: got %+v, want one out for each", waiting, got)
			}
		}
	})
}

func TestPraises(t *testing.T) {
	did := func(m id.Member, kind community.ActivityKind, ago time.Duration) community.Deed {
		return community.Deed{MemberID: m, Kind: kind, At: morning.Add(-ago)}
	}
	streak := func(m id.Member, days int) Person {
		return person(m, community.RoleMember, community.ActivityCheckin, days)
	}
	first := person(4, community.RoleMember, community.ActivityReply, 1)
	c := crowdOf(streak(1, 7), streak(2, 8), person(3, community.RoleMember, community.ActivityAnswer, 9), first,
		person(5, community.RoleMember, community.ActivityPost, 9), person(6, community.RoleMember, community.ActivityPost, 9), person(9, community.RoleOwner, community.ActivityPost, 9))
	deeds := []community.Deed{
		did(6, community.ActivityPost, 47*time.Hour), did(6, community.ActivityIncentive, 46*time.Hour), // thanked already
		did(5, community.ActivityIncentive, 40*time.Hour), did(5, community.ActivityPost, 30*time.Hour), did(5, community.ActivityPost, 20*time.Hour),
		did(9, community.ActivityPost, 9*time.Hour), did(3, community.ActivityAnswer, 48*time.Hour), did(3, community.ActivityPost, time.Hour),
	}
	got := c.praises(deeds, morning)
	want := []Praise{
		{Member: 3, Deed: DeedAnswers, Times: 1, At: morning.Add(-48 * time.Hour)},
		{Member: 5, Deed: DeedPosts, Times: 2, At: morning.Add(-20 * time.Hour)},
		{Member: 4, Deed: DeedFirst, Times: 1},
		{Member: 1, Deed: DeedCheckins, Times: 7},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, p := range got {
		if p.say("小李"); p.Zh == "" || p.En == "" || p.Name != "小李" {
			t.Errorf("no words for %s", p.Deed)
		}
	}
	for i := range id.Member(9) {
		c.People = append(c.People, streak(100+i, 14))
	}
	if got := c.praises(deeds, morning); len(got) != 5 {
		t.Errorf("got %d, want five a day at most", len(got))
	}
}

func TestFeedback(t *testing.T) {
	did := func(m id.Member, kind community.ActivityKind, hours int) community.Deed {
		return community.Deed{MemberID: m, Kind: kind, At: morning.Add(time.Duration(hours) * time.Hour)}
	}
	got := feedback([]community.Deed{
		did(1, community.ActivityPost, 0), did(2, community.ActivityAnswer, 1), did(1, community.ActivityAnswer, 2),
		did(1, community.ActivityIncentive, 4), // 4 and 2 hours
		did(1, community.ActivityIncentive, 5), // for nothing new
		did(2, community.ActivityIncentive, 1+7*24),
		did(3, community.ActivityPost, 200), did(3, community.ActivityIncentive, 201+7*24), // an hour too late
		did(4, community.ActivityPost, 300),
	})
	if d := cmp.Diff(Feedback{Deeds: 5, Thanked: 3, Minutes: 240}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := feedback(nil); got.Minutes != Unknown {
		t.Errorf("of no deeds: got %+v", got)
	}
}
