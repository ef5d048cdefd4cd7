package health

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/internal/id"
)

// days are so many alike, from a day on.
func days(from, n int, like Day) []Day {
	out := make([]Day, n)
	for i := range out {
		out[i] = like
		out[i].Day = plus(from, i)
	}
	return out
}

func TestCount(t *testing.T) {
	const a, b, host id.Member = 1, 2, 3
	people := roster{hosts: map[id.Member]bool{host: true}, stays: []stay{{20260301, 0}, {20260302, 20260303}}}
	got := count(7, []int{20260302, 20260303, 20260304}, []community.Tally{
		{Day: 20260302, Kind: community.ActivityPost, Member: a, N: 3},
		{Day: 20260302, Kind: community.ActivityPost, Member: a, N: 2}, // who was merged with a
		{Day: 20260302, Kind: community.ActivityPost, Member: host, N: 4},
		{Day: 20260302, Kind: community.ActivityTopic, Member: a, N: 1},
		{Day: 20260302, Kind: community.ActivityTopic, Member: b, N: 1},
		{Day: 20260302, Kind: community.ActivityGame, Member: b, N: 1},
		{Day: 20260302, Kind: community.ActivityCheckin, Member: b, N: 1},
		{Day: 20260302, Kind: community.ActivityIncentive, Member: b, N: 1},
		{Day: 20260304, Kind: community.ActivityViolation, Member: a, N: 2},
		{Day: 20260304, Kind: community.ActivityOffTopic, Member: a, N: 1},
	}, []community.TopicTally{
		{Day: 20260302, Topic: "", Member: a}, {Day: 20260302, Topic: "", Member: a}, // twice, once merged
		{Day: 20260302, Topic: "x", Member: a}, {Day: 20260302, Topic: "x", Member: b}, {Day: 20260302, Topic: "x", Member: host},
		{Day: 20260302, Topic: "y", Member: host}, {Day: 20260302, Topic: "z", Member: b},
		{Day: 20260303, Topic: "x", Member: b},
	}, map[int]bool{20260303: true}, people)
	want := []Day{
		{GroupID: 7, Day: 20260302, Covered: true, Size: 2, Joins: 1, People: 2, Events: 7, Points: 13, TopicPeople: 2, Drawn: 2, Content: 9, Said: 9, Talk: 5, Host: 4, Checkins: 1, Incentives: 1},
		{GroupID: 7, Day: 20260303, Covered: true, Complete: true, Size: 1, Leaves: 1, TopicPeople: 1, Drawn: 1, Content: 1},
		{GroupID: 7, Day: 20260304, Covered: true, Size: 1, Violations: 2, OffTopic: 1},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("days (-want +got):\n%s", d)
	}
	if size, _, _ := (roster{}).on(20260302); size != Unknown {
		t.Errorf("of a group nobody was reported in: size %d, want unknown", size)
	}
}

// young and old are a group's first week and its hundredth day.
const (
	born = 20260101
	late = 20260411
)

func TestState(t *testing.T) {
	full := Day{Covered: true, Size: 1000}
	with := func(change func(*Day)) Day { d := full; change(&d); return d }
	active := func(people int) Day { return with(func(d *Day) { d.People, d.Talk = people, people }) }
	for _, c := range []struct {
		name string
		h    History
		want State
	}{
		{"nothing was reported", History{Born: born, Days: days(born, 7, Day{Size: 1000})}, StateUnknown},
		{"nobody was reported to be in it", History{Born: born, Days: days(born, 7, Day{Covered: true, Size: Unknown})}, StateUnknown},
		{"three of seven days are too few", History{Born: born, Days: append(days(born, 4, Day{Size: 1000}), days(20260105, 3, active(300))...)}, StateUnknown},
		{"four of seven are enough", History{Born: born, Days: append(days(born, 3, Day{Size: 1000}), days(20260104, 4, active(300))...)}, StateHealthy},
		{"on its second day two are asked for", History{Born: born, Days: days(born, 2, active(200))}, StateHealthy},
		{"a fifth in the first month", History{Born: born, Days: days(born, 7, active(200))}, StateHealthy},
		{"less than a fifth", History{Born: born, Days: days(born, 7, active(199))}, StateWarm},
		{"a tenth", History{Born: born, Days: days(born, 7, active(100))}, StateWarm},
		{"less than a tenth", History{Born: born, Days: days(born, 7, active(99))}, StateCooling},
		{"a twentieth", History{Born: born, Days: days(born, 7, active(50))}, StateCooling},
		{"less than a twentieth", History{Born: born, Days: days(born, 7, active(49))}, StateQuiet},
		{"a fiftieth", History{Born: born, Days: days(born, 7, with(func(d *Day) { d.People = 20 }))}, StateQuiet},
		{"less, and somebody talks", History{Born: born, Days: days(born, 7, active(19))}, StateQuiet},
		{"less, and nobody talks", History{Born: born, Days: days(born, 7, with(func(d *Day) { d.People = 19 }))}, StateDead},
		{"all is known to be silent", History{Born: born, Days: days(born, 7, full)}, StateDead},
		{"the host says nine tenths", History{Born: born, Days: days(born, 14, with(func(d *Day) { d.People, d.Talk, d.Said, d.Host = 300, 300, 100, 900 }))}, StateHealthy},
		{"the host says more", History{Born: born, Days: days(born, 14, with(func(d *Day) { d.People, d.Talk, d.Said, d.Host = 300, 300, 100, 901 }))}, StateDead},

		{"old, a topic on five days of seven", History{Born: born, Days: append(days(plus(late, -6), 2, active(10)), days(plus(late, -4), 5, with(func(d *Day) { d.People, d.TopicPeople = 30, 30 }))...)}, StateHealthy},
		{"old, a topic on four days", History{Born: born, Days: append(days(plus(late, -6), 3, active(30)), days(plus(late, -3), 4, with(func(d *Day) { d.People, d.Talk, d.TopicPeople = 30, 30, 30 }))...)}, StateQuiet},
		{"old, topics of one too few", History{Born: born, Days: days(plus(late, -6), 7, with(func(d *Day) { d.People, d.Talk, d.TopicPeople = 29, 29, 29 }))}, StateQuiet},
		{"old, a fifth and nothing to measure it by", History{Born: born, Days: days(plus(late, -6), 7, active(200))}, StateHealthy},
		{"old, seven tenths of what it was", History{Born: born, Days: append(days(plus(born, 30), 60, active(100)), days(plus(born, 90), 11, active(70))...)}, StateHealthy},
		{"old, less of what it was", History{Born: born, Days: append(days(plus(born, 30), 60, active(100)), days(plus(born, 90), 11, active(69))...)}, StateCooling},
		{"old, a fifth is little for what it was", History{Born: born, Days: append(days(plus(born, 30), 60, active(500)), days(plus(born, 90), 11, active(200))...)}, StateWarm},
		{"old, thirteen days are no measure", History{Born: born, Days: append(append(days(plus(born, 30), 13, active(500)), days(plus(born, 43), 50, Day{Size: 1000})...), days(plus(born, 93), 8, active(200))...)}, StateHealthy},
	} {
		t.Run(c.name, func(t *testing.T) {
			last := len(c.h.Days) - 1
			if got := c.h.judge(last); got.State != c.want {
				t.Errorf("got %s (%+v), want %s", got.State, got, c.want)
			}
		})
	}
}

func TestRate(t *testing.T) {
	h := History{Born: born, Days: []Day{
		{Day: born, Covered: true, Size: 10, People: 5},
		{Day: plus(born, 1), Covered: true, Size: 30, People: 5}, // over the mean of 10 and 30
		{Day: plus(born, 2), Size: 30},
		{Day: plus(born, 3), Covered: true, Size: 0, People: 1},
		{Day: plus(born, 4), Covered: true, Size: 0, People: 1},
	}}
	var got []int
	for i := range h.Days {
		got = append(got, h.rate(i))
	}
	if d := cmp.Diff([]int{5000, 2500, Unknown, 666, Unknown}, got); d != "" {
		t.Errorf("rates (-want +got):\n%s", d)
	}
}

func TestEnough(t *testing.T) {
	for size, want := range map[int]int{0: 5, 166: 5, 167: 6, 200: 6, 201: 7, 500: 15} {
		if got := enough(size); got != want {
			t.Errorf("of %d: got %d, want %d", size, got, want)
		}
	}
}

func TestContentAndAds(t *testing.T) {
	h := History{Born: born, Days: days(born, 8, Day{Covered: true, Size: 100, Content: 2, Drawn: 5}), Ads: []Ad{{Day: born}, {Day: plus(born, 1)}, {Day: plus(born, 7)}, {Day: plus(born, 7)}}}
	if content, ads := h.content(7); content != 14 || ads != 3 {
		t.Errorf("got %d and %d ads, want 14 and 3 of the last seven days", content, ads)
	}
	for i := range 4 {
		h.Days[1+i].Covered = false
	}
	if content, _ := h.content(7); content != Unknown {
		t.Errorf("of three known days: got %d, want unknown", content)
	}
	if got := h.held(7); got != plus(born, 7) {
		t.Errorf("held: got %d", got)
	}
	for i := range h.Days {
		h.Days[i].Drawn = 4
	}
	if got := h.held(7); got != 0 {
		t.Errorf("four people are no interaction of the group: got %d", got)
	}
}
