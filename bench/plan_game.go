package main

import (
	"cmp"
	"math/bits"
	"slices"

	"siyu/campaign/guard"
	"siyu/campaign/planner"
	"siyu/internal/clock"
)

// game is the search for one group's best sequence of slots under prices.
type game struct {
	*line
	spans *spans
	gap   int   // cells from one start to the next, at least
	first int   // cells before it are closed
	days  []int // what each day and week takes
	weeks []int
	cap   int // of a day
	slide int // most in seven days
	most  int // most in all

	wants  []int // heaviest first
	weight []int64
	price  []int64 // of each offer
	each   int64   // of each slot

	past    int   // with one ad a day: the six days before the first and itself, as bits
	surely  []int // of each day: bits of the days that lie within seven times 24 hours with it
	earlier []int // of each day: how many days of its week lie before it

	gain  []int64 // per cell: the best offer's worth less its price
	best  []int   // per cell: that offer
	worth []int64 // per cell and state: of what begins there or later
	used  []int   // of the best sequence: how often each offer, and all
	slots int
}

// onesDay is the number of states where a day takes one ad: which of the last
// seven days had one.
const onesDay = 1 << 7

// manyWeek tells the counts of a week apart, up to one below it.
const manyWeek = 16

func (b *gapBound) begin(g planner.Group) *game {
	s := b.spansOf(g)
	d, wk, m, life := limitsOf(g)
	x := &game{line: b.lineOf(g, s), spans: s, cap: min(d, planner.Days), slide: wk, wants: byWeight(b.w, g)}
	x.days, x.weeks = left(g, s.days, d), left(g, s.weeks, wk)
	x.most = min(life, inAll(g, s, m))
	origin, slot := s.days[0].From, planner.SlotFor.Milliseconds()
	ready := g.State.BornAt.Add(g.Policy.WarmUp)
	g.State.Ads.Each(func(_, last clock.Milli) { ready = max(ready, last.Add(g.Policy.Gap)) })
	x.first = max(0, int((ready-origin)/halfHour))
	for _, o := range x.wants {
		x.weight = append(x.weight, b.w.offers[o].Weight)
		if x.short[o] {
			slot = planner.SlotFor.Milliseconds() - int64(halfHour) - 1
		}
	}
	x.gap = max(1, int((g.Policy.Gap.Milliseconds()+slot)/int64(halfHour)))
	x.week7(g)
	cells := len(x.day)
	x.price, x.used = make([]int64, len(x.wants)), make([]int, len(x.wants))
	x.gain, x.best, x.worth = make([]int64, cells), make([]int, cells), make([]int64, (cells+1)*onesDay)
	return x
}

// inAll is what the caps of a month leave for the whole horizon, which is
// shorter than any month.
func inAll(g planner.Group, s *spans, month int) int {
	end := s.days[len(s.days)-1].To
	all := []guard.Window{{From: end - 30*24*2*halfHour, To: end}}
	if len(s.months) == 1 {
		all = append(all, s.months[0])
	}
	return slices.Min(left(g, all, month))
}

// week7 finds which earlier days count with each day.
func (x *game) week7(g planner.Group) {
	froms := make([]clock.Milli, 0, len(x.spans.days)+6)
	for at := x.spans.days[0].From; len(froms) < 6; {
		day, _, _ := guard.Spans(g.State.Zone, at-1)
		froms, at = append([]clock.Milli{day.From}, froms...), day.From
	}
	for _, d := range x.spans.days {
		froms = append(froms, d.From)
	}
	for i, d := range x.spans.days {
		mask := 1
		for n := 1; n <= 6 && d.To-froms[i+6-n] <= 7*24*2*halfHour; n++ {
			mask |= 1 << n
		}
		x.surely = append(x.surely, mask)
		x.earlier = append(x.earlier, i-slices.Index(x.spans.week, x.spans.week[i]))
	}
	g.State.Ads.Each(func(first, _ clock.Milli) {
		if i, _ := slices.BinarySearch(froms[:7], first+1); i > 0 && first < x.spans.days[0].To {
			x.past |= 1 << (7 - i)
		}
	})
	// Today's ad is among the days' bits, so its week must not miss it too.
	x.weeks[0] += x.past & 1
}

// play finds the best sequence with the prices as they are, counts what it
// shows, and returns its worth with the prices put back.
func (x *game) play() int64 {
	x.offer()
	cells := len(x.day)
	clear(x.worth[cells*onesDay:])
	for c := cells - 1; c >= x.first; c-- {
		for state := range onesDay {
			worth := x.after(c, c+1, state)
			if x.gain[c] > 0 && x.may(c, state) {
				worth = max(worth, x.gain[c]+x.after(c, c+x.gap, x.with(state)))
			}
			x.worth[c*onesDay+state] = worth
		}
	}
	clear(x.used)
	x.slots = 0
	state, from := x.begins(), min(x.first, cells)
	dual := x.each*int64(min(x.most, endless)) + x.worth[from*onesDay+state]
	for _, p := range x.price {
		dual += p
	}
	for c := from; c < cells; {
		if x.gain[c] > 0 && x.may(c, state) && x.worth[c*onesDay+state] == x.gain[c]+x.after(c, c+x.gap, x.with(state)) {
			x.used[x.best[c]]++
			x.slots++
			c, state = x.goes(c, c+x.gap, x.with(state))
			continue
		}
		c, state = x.goes(c, c+1, state)
	}
	return dual
}

// offer finds what each cell is worth at most.
func (x *game) offer() {
	clear(x.gain)
	order := make([]int, len(x.wants))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x.weight[b]-x.price[b], x.weight[a]-x.price[a]) })
	for _, i := range order {
		gain := x.weight[i] - x.price[i] - x.each
		if gain <= 0 {
			break
		}
		for _, c := range x.starts[x.wants[i]] {
			if x.gain[c] == 0 {
				x.gain[c], x.best[c] = gain, i
			}
		}
	}
}

// A state is, where a day takes one ad, which of the last seven days had one;
// else how many today and this week had.

func (x *game) begins() int {
	if x.cap != 1 || x.first >= len(x.day) {
		return 0
	}
	return (x.past << x.day[x.first]) & (onesDay - 1)
}

func (x *game) with(state int) int {
	if x.cap == 1 {
		return state | 1
	}
	return min(state/manyWeek+1, onesDay/manyWeek-1)*manyWeek + min(state%manyWeek+1, manyWeek-1)
}

// may says whether the caps let in one more in the cell.
func (x *game) may(c, state int) bool {
	d, week := x.day[c], x.weeks[x.week[c]]
	if x.cap != 1 {
		return state/manyWeek < x.days[d] && state%manyWeek < week
	}
	return x.days[d] > 0 && state&1 == 0 &&
		bits.OnesCount(uint(state&(2<<x.earlier[d]-1))) < week && bits.OnesCount(uint(state&x.surely[d])) < x.slide
}

// goes is the state at a later cell.
func (x *game) goes(c, to, state int) (int, int) {
	if to >= len(x.day) {
		return len(x.day), 0
	}
	days := x.day[to] - x.day[c]
	switch {
	case days == 0:
		return to, state
	case x.cap == 1:
		return to, state << days & (onesDay - 1)
	case x.week[to] != x.week[c]:
		return to, 0
	}
	return to, state % manyWeek
}

func (x *game) after(c, to, state int) int64 {
	to, state = x.goes(c, to, state)
	return x.worth[to*onesDay+state]
}
