package health

import (
	"slices"
	"testing"

	"siyu/community"
	"siyu/internal/id"
)

// TestJudgeEdges holds what a judgement rests on to the first and last day that
// count, and to what is counted of each.
func TestJudgeEdges(t *testing.T) {
	full := Day{Covered: true, Size: 1000}
	with := func(d Day, change func(*Day)) Day { change(&d); return d }
	active := func(people int) Day { return with(full, func(d *Day) { d.People, d.Talk = people, people }) }
	alone := with(full, func(d *Day) { d.People, d.Talk, d.Said, d.Host = 300, 300, 1, 99 })
	quiet := with(full, func(d *Day) { d.People, d.Said, d.Host = 300, 50, 50 })
	topical := with(full, func(d *Day) { d.People, d.Talk, d.TopicPeople = 30, 30, 30 })
	untold := with(topical, func(d *Day) { d.Covered = false })
	for _, c := range []struct {
		name string
		days []Day
		want State
	}{
		{"on its thirtieth day topics are not asked for", days(plus(born, 23), 7, topical), StateQuiet},
		{"on its thirty-first they are", days(plus(born, 24), 7, topical), StateHealthy},
		{"topics of days that nobody reported are none", append(days(plus(late, -6), 3, untold), days(plus(late, -3), 4, topical)...), StateQuiet},
		{"talk of eight days ago is over", append(days(born, 1, active(10)), days(plus(born, 1), 7, full)...), StateDead},
		{"what a host said fifteen days ago is over", append(days(born, 1, with(alone, func(d *Day) { d.Host = 9_999_999 })), days(plus(born, 1), 14, quiet)...), StateHealthy},
		{"of 14 days six are too few to say that the host talks alone", append(days(born, 8, Day{Size: 1000}), days(plus(born, 8), 6, alone)...), StateHealthy},
		{"a host who talks alone, and how many look on is not known", days(born, 14, with(alone, func(d *Day) { d.Size = Unknown })), StateDead},
	} {
		h := History{Born: born, Days: c.days}
		if got := h.judge(len(c.days) - 1); got.State != c.want {
			t.Errorf("%s: got %s (%+v), want %s", c.name, got.State, got, c.want)
		}
	}
	h := History{Born: born, Days: days(born, 2, with(full, func(d *Day) { d.Size, d.People = 10, 40 }))}
	if got := h.rate(1); got != whole {
		t.Errorf("more people than members, who left: a rate of %d", got)
	}
	h = History{Born: born, Days: append(days(born, 1, with(full, func(d *Day) { d.Drawn = 30 })), days(plus(born, 1), 14, full)...)}
	if got, before := h.held(14), h.held(13); got != 0 || before != born {
		t.Errorf("an interaction 14 days ago: got %d, and the day before %d", got, before)
	}
}

// TestOwnMeasure: a group is measured by its days 31 to 90, both included, and
// an even number of them by the mean of the middle two.
func TestOwnMeasure(t *testing.T) {
	h := History{Born: born, Days: days(born, 100, Day{Size: 1000})}
	tell := func(from, n, people int) {
		for i := from - 1; i < from-1+n; i++ {
			h.Days[i].Covered, h.Days[i].People = true, people
		}
	}
	tell(31, 7, 100)
	tell(84, 7, 300)
	tell(30, 1, 900)
	tell(91, 5, 900)
	if got := h.own(99); got != 2_000 {
		t.Errorf("got %d, want the mean of the middle two of fourteen", got)
	}
	for _, nth := range []int{31, 90} {
		h.Days[nth-1].Covered = false
		if got := h.own(99); got != Unknown {
			t.Errorf("without the day %d: got %d, want it unknown of thirteen", nth, got)
		}
		h.Days[nth-1].Covered = true
	}
}

// TestFatigueEdges: which days are usual, what came before an ad and what after.
func TestFatigueEdges(t *testing.T) {
	const ad, now = 15, 19
	for _, c := range []struct {
		name   string
		change func(h *History)
		want   int
	}{
		{"the week before has seven days: 6/7 of 2,000 and 1/7 of none", func(h *History) {
			h.Days[ad-7].People = 0
			for i := ad + 1; i <= now; i++ {
				h.Days[i].People = 160
			}
		}, 399}, // (1,714 − 1,600) of 1,714 is 665 of 10,000, and of that three fifths
		{"the ad's own day is not before it", func(h *History) {
			h.Days[ad].People = 1000
		}, 0},
		{"days with an ad are not usual", func(h *History) {
			h.Days[10].Leaves, h.Days[9].Leaves = 15, 1
			h.Ads = []Ad{adOn(10), adOn(ad)}
			h.Leaves = times(11, at(ad)+1)
		}, 2_787},
		{"what was usual before 14 days is forgotten", func(h *History) {
			h.Days[0].Leaves = 15
			h.Leaves = times(11, at(ad)+1)
		}, 5_000},
		{"days whose size is not known are not usual", func(h *History) {
			h.Days[14].Size, h.Days[14].Leaves = Unknown, 14
			h.Leaves = times(11, at(ad)+1)
			h.Days[14].Covered = false
		}, 5_000},
	} {
		h := calm()
		h.Ads = []Ad{adOn(ad)}
		c.change(&h)
		if got, _ := h.fatigue(now); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
	h := calm()
	h.Ads = []Ad{adOn(18)}
	halve(&h, 19, 19)
	if got, known := h.fatigue(18 + 1); got != 3_000 || known != whole {
		t.Errorf("the day after: got %d of %d", got, known)
	}
	h.Days[19].Covered = false
	if got, known := h.fatigue(19); got != 0 || known != 7_000 {
		t.Errorf("a day after that nobody reported is no fall: got %d of %d", got, known)
	}
}

// TestFallEdges: the worst of several ads tells, each by the week before it.
func TestFallEdges(t *testing.T) {
	h := calm()
	h.Days[13].People, h.Days[15].People = 20, 100
	h.Ads = []Ad{adOn(12), adOn(14)}
	if got := h.fall(15); got != 5_000 {
		t.Errorf("after two ads: got %d, want the worse", got)
	}
	h = calm()
	h.Days[12].People, h.Days[5].People, h.Days[15].People = 1000, 0, 100
	h.Ads = []Ad{adOn(12)}
	if got := h.fall(15); got != 4_165 {
		t.Errorf("the week before has seven days and not the ad's: got %d", got)
	}
	if got := calm().fall(0); got != Unknown {
		t.Errorf("the first day fell below itself: got %d", got)
	}
	h = calm()
	for i := range h.Days {
		h.Days[i].Covered = false
	}
	h.Days[10].Drawn = 30
	if got := h.week(10); got != 1 {
		t.Errorf("what the owner held is known where nobody reports: got %d", got)
	}
}

// TestIncubationEdges holds the first 90 days to their edges.
func TestIncubationEdges(t *testing.T) {
	retail := community.Group{Preset: community.PresetRetail}
	named := func(h History, c Crowd, day int, name string) Criterion {
		list := incubation(retail, h, c, day).Criteria
		return list[slices.IndexFunc(list, func(k Criterion) bool { return k.Name == name })]
	}
	passed := func(k Criterion) bool { return k.Passed != nil && *k.Passed }
	h, c := hatched()
	for i := 60; i < 90; i++ {
		h.Days[i].Size = 299
	}
	h.Days[60].Violations = 3
	if k := named(h, c, 91, "violations_a_month"); passed(k) || *k.Observed != 101 {
		t.Errorf("3 of 299 are more than one in a hundred: got %+v", k)
	}
	h, c = hatched()
	for i := range h.Days {
		h.Days[i].Complete = i < 44
	}
	if k := named(h, c, 91, "incentives_a_month"); !passed(k) {
		t.Errorf("an incentive is proof of itself where little is reported: got %+v", k)
	}
	h.Days[44].Complete = true
	if k := named(h, c, 91, "violations_a_month"); !passed(k) {
		t.Errorf("45 whole days are half of 90: got %+v", k)
	}
	for i := range h.Days {
		h.Days[i].OffTopic = 200
	}
	if k := named(h, c, 91, "on_topic"); k.Observed == nil || *k.Observed != 0 {
		t.Errorf("more off topic than was said: got %+v", k)
	}
	h, c = hatched()
	if k := named(h, c.cover(14), 91, "checkin_share"); k.Passed != nil {
		t.Errorf("of 14 days nobody knows who persists: got %+v", k)
	}
	for i := 30; i < 60; i++ {
		h.Days[i].Covered, h.Days[i].TopicPeople = false, 0
	}
	if k := named(h, c, 91, "topic_days"); k.Coverage != 5_000 || *k.Observed != 6_000 {
		t.Errorf("of half the days nothing is known: got %+v", k)
	}
	young := History{Born: born, Days: days(born, 30, Day{Covered: true, Size: 200})}
	if k := named(young, c, 31, "topic_days"); k.Unknown != ReasonYoung {
		t.Errorf("on day 31 none of the later days is over: got %+v", k)
	}
	h, c = hatched()
	for i := 60; i < 90; i++ {
		h.Days[i].Size = 0
	}
	if k := named(h, c, 91, "violations_a_month"); !passed(k) {
		t.Errorf("a month without members has none: got %+v", k)
	}
}

// TestMeritEdges: a candidate with more merit comes first, half a month that is
// known is enough, and of one day three of a kind count.
func TestMeritEdges(t *testing.T) {
	c := crowdOf(alike(2, 10, community.ActivityReply, 2)...)
	for i, posts := range []int{0, 1} {
		p := person(id.Member(100+i), community.RoleMember, community.ActivityReply, 12+i)
		p.does(community.ActivityCheckin, 30*posts)
		p.Helped, p.Kept = 3, 3
		p.does(community.ActivityPost, 3)
		c.People = append(c.People, p)
	}
	if got := c.candidates(); len(got) != 2 || got[0].Member != 101 || got[0].Score <= got[1].Score {
		t.Errorf("got %+v, want the one who checks in first", got)
	}
	if got := c.cover(15).candidates(); len(got) != 2 {
		t.Errorf("15 days of 30 are enough: got %+v", got)
	}
	loud := person(1, community.RoleMember, community.ActivityReply, 1)
	loud.Days[plus(today, -1)][community.ActivityReply] = 9
	even := person(2, community.RoleMember, community.ActivityReply, 3)
	if got := crowdOf(loud, even).head(); got.CR1 != 5_000 {
		t.Errorf("of a day three of a kind count: got %+v", got)
	}
}

// TestCountKinds: an answer is content, a reply is talk, a quiz draws people.
func TestCountKinds(t *testing.T) {
	got := count(7, []int{born}, []community.Tally{
		{Day: born, Kind: community.ActivityAnswer, Member: 1, N: 1}, {Day: born, Kind: community.ActivityReply, Member: 2, N: 1},
		{Day: born, Kind: community.ActivityQuiz, Member: 1, N: 1}, {Day: born, Kind: community.ActivityQuiz, Member: 2, N: 1},
	}, nil, nil, roster{})[0]
	if got.Content != 1 || got.Talk != 2 || got.Drawn != 2 {
		t.Errorf("got %+v", got)
	}
}
