package main

import (
	"cmp"
	"slices"
	"time"

	"siyu/campaign/guard"
	"siyu/campaign/planner"
	"siyu/internal/clock"
)

// greedy is the plan that takes the highest value first and shows it at the
// first moment at which the guard allows a whole slot.
func greedy(w *world, g planner.Group) (worth int64) {
	state := g.State
	state.Ads = g.State.Ads.Clone()
	for _, o := range byWeight(w, g) {
		if slot, ok := firstSlot(g.Policy, state, w.offers[o].Window, w.now); ok {
			state.Ads.Add(slot.From, slot.To-1)
			state.Life++
			worth += w.offers[o].Weight
		}
	}
	return worth
}

// firstSlot is the first whole slot within the window that the guard allows,
// begun at a quarter of an hour.
func firstSlot(p guard.Policy, s guard.State, w guard.Window, now clock.Milli) (guard.Window, bool) {
	const step = clock.Milli(15 * 60 * 1000)
	long := min(planner.SlotFor, time.Duration(w.To-max(w.From, now))*time.Millisecond)
	if long <= 0 {
		return guard.Window{}, false
	}
	for from := max(w.From, now); from.Add(long) <= w.To; {
		try := guard.Window{From: from, To: from.Add(long)}
		d := guard.Decide(p, s, try)
		if d.Outcome == guard.OutcomeAllow && d.Window == try {
			return try, true
		}
		if d.Outcome == guard.OutcomeDeny { // until when, only a longer question tells
			d = guard.Decide(p, s, guard.Window{From: from, To: w.To})
			if d.Outcome == guard.OutcomeDeny {
				return try, false
			}
		}
		from = max((from/step+1)*step, (d.NotBefore+step-1)/step*step)
	}
	return guard.Window{}, false
}

func byWeight(w *world, g planner.Group) []int {
	wants := slices.Clone(g.Wants)
	slices.SortFunc(wants, func(a, b int) int {
		return cmp.Or(cmp.Compare(w.offers[b].Weight, w.offers[a].Weight), a-b)
	})
	return wants
}

// bound is the best assignment of offers to local days under the caps per day,
// ISO week, month and life, as if there were no gaps and no sliding weeks: no
// plan is worth more. A day is open to an offer if a slot fits into its waking
// hours. Offers that fit together are independent sets of a matroid as long as
// no week lies in two months, so taking the heaviest first, each if the others
// can be moved to let it in, is exact.
type bound struct {
	w     *world
	spans map[string]*spans
	fits  map[waking][][]bool // whether an offer fits into a day
}

// waking is what decides which days are open.
type waking struct {
	zone         string
	policy, pact guard.Quiet
}

// spans are the days of a zone with the week and month each lies in.
type spans struct {
	days, weeks, months []guard.Window
	week, month         []int // of each day
}

func newBound(w *world) *bound {
	return &bound{w: w, spans: map[string]*spans{}, fits: map[waking][][]bool{}}
}

func (b *bound) spansOf(g planner.Group) *spans {
	name := g.State.Zone.String()
	if s := b.spans[name]; s != nil {
		return s
	}
	s := &spans{}
	day, _, _ := guard.Spans(g.State.Zone, b.w.now)
	for t := day.From; len(s.days) < planner.Days; t = s.days[len(s.days)-1].To {
		day, week, month := guard.Spans(g.State.Zone, t)
		if len(s.weeks) == 0 || s.weeks[len(s.weeks)-1] != week {
			s.weeks = append(s.weeks, week)
		}
		if len(s.months) == 0 || s.months[len(s.months)-1] != month {
			s.months = append(s.months, month)
		}
		s.days, s.week, s.month = append(s.days, day), append(s.week, len(s.weeks)-1), append(s.month, len(s.months)-1)
	}
	b.spans[name] = s
	return s
}

// fitsOf asks the guard for a slot of each offer in each day of a group that
// was never shown anything.
func (b *bound) fitsOf(g planner.Group, s *spans) [][]bool {
	key := waking{g.State.Zone.String(), g.Policy.Quiet, g.State.Charter.Quiet}
	if out := b.fits[key]; out != nil {
		return out
	}
	p, state := neverShown(g)
	out := make([][]bool, len(b.w.offers))
	for i, o := range b.w.offers {
		out[i] = make([]bool, len(s.days))
		for d, day := range s.days {
			_, out[i][d] = slotIn(p, state, o.Window, day, b.w.now)
		}
	}
	b.fits[key] = out
	return out
}

// neverShown are policy and state of a group with nothing but the waking hours
// of this one.
func neverShown(g planner.Group) (guard.Policy, guard.State) {
	p := guard.Policy{Mode: guard.ModeEnforce, Day: guard.Unlimited, Week: guard.Unlimited, Month: guard.Unlimited, Life: guard.Unlimited, Quiet: g.Policy.Quiet}
	state := guard.State{Open: true, Owned: true, Zone: g.State.Zone, Charter: guard.Charter{Version: g.State.Charter.Version, Day: endless, Week: endless, Quiet: g.State.Charter.Quiet}}
	return p, state
}

// slotIn is a slot of the window that lies within the day. It may be half an
// hour short, as one is that begins now, between two half hours.
func slotIn(p guard.Policy, s guard.State, w, day guard.Window, now clock.Milli) (guard.Window, bool) {
	long := max(min(planner.SlotFor, time.Duration(w.To-max(w.From, now))*time.Millisecond)-30*time.Minute, time.Millisecond)
	for at := max(w.From, day.From, now); at.Add(long) <= min(w.To, day.To); {
		d := guard.Decide(p, s, guard.Window{From: at, To: min(w.To, day.To)})
		switch {
		case d.Outcome == guard.OutcomeAllow && d.Window.To >= at.Add(long):
			return d.Window, true
		case d.Outcome == guard.OutcomeAllow:
			at = d.Window.To
		case d.Outcome == guard.OutcomeDefer:
			at = d.NotBefore
		default:
			return guard.Window{}, false
		}
	}
	return guard.Window{}, false
}

// room is a flow of offers through days, weeks and months.
type room struct {
	*spans
	day, weekly, monthly []int // what each still takes
	life                 int
	at                   [][]int // the offers of each day
	can                  func(offer, day int) bool

	seenDay, seenWeek, seenMonth []bool // of the search under way
}

const endless = 1 << 30

func (b *bound) of(g planner.Group) (worth int64) {
	s := b.spansOf(g)
	d, wk, m, life := limitsOf(g)
	r := &room{spans: s, life: life, at: make([][]int, len(s.days))}
	r.day, r.weekly, r.monthly = left(g, s.days, d), left(g, s.weeks, wk), left(g, s.months, m)
	ripe := g.State.BornAt.Add(g.Policy.WarmUp)
	fits := b.fitsOf(g, s)
	r.can = func(offer, day int) bool {
		return fits[offer][day] && ripe < min(s.days[day].To, b.w.offers[offer].Window.To)
	}
	for _, o := range byWeight(b.w, g) {
		if r.let(o) {
			worth += b.w.offers[o].Weight
		}
	}
	return worth
}

func limitsOf(g planner.Group) (day, week, month, life int) {
	cap := func(n int) int {
		if n == guard.Unlimited {
			return endless
		}
		return n
	}
	p, c := g.Policy, g.State.Charter
	day, week, month, life = cap(p.Day), cap(p.Week), cap(p.Month), cap(p.Life)
	if life < endless {
		life = max(0, life-g.State.Life)
	}
	if c.Version > 0 {
		day, week = min(day, c.Day), min(week, c.Week)
	}
	return day, week, month, life
}

// left is what a cap leaves of each period after what was shown in it.
func left(g planner.Group, periods []guard.Window, limit int) []int {
	out := make([]int, len(periods))
	for i, x := range periods {
		out[i] = limit
		g.State.Ads.Each(func(first, last clock.Milli) {
			if last >= x.From && first < x.To {
				out[i]--
			}
		})
		out[i] = max(out[i], 0)
	}
	return out
}

// let takes the offer in if those already in can make room: a search for a
// path of moves through the flow that ends where something is still free.
func (r *room) let(offer int) bool {
	if r.life <= 0 {
		return false
	}
	r.seenDay, r.seenWeek, r.seenMonth = make([]bool, len(r.days)), make([]bool, len(r.weeks)), make([]bool, len(r.months))
	if !r.move(offer) {
		return false
	}
	r.life--
	return true
}

// move finds a day for an offer that is in none.
func (r *room) move(offer int) bool {
	for d := range r.days {
		if !r.seenDay[d] && r.can(offer, d) && r.enter(d) {
			r.at[d] = append(r.at[d], offer)
			return true
		}
	}
	return false
}

// enter makes room for one more in the day.
func (r *room) enter(d int) bool {
	r.seenDay[d] = true
	if r.day[d] > 0 && !r.seenWeek[r.week[d]] && r.enterWeek(r.week[d]) {
		r.day[d]--
		return true
	}
	return r.leave(d)
}

// leave moves one offer of the day to another.
func (r *room) leave(d int) bool {
	for i, o := range r.at[d] {
		if r.move(o) {
			r.at[d] = slices.Delete(r.at[d], i, i+1)
			return true
		}
	}
	return false
}

func (r *room) enterWeek(w int) bool {
	r.seenWeek[w] = true
	d := slices.Index(r.week, w)
	if m := r.month[d]; r.weekly[w] > 0 && !r.seenMonth[m] && r.enterMonth(m) {
		r.weekly[w]--
		return true
	}
	return r.leaveWeek(w)
}

// leaveWeek moves one offer out of the week, or to a day of it by another way.
func (r *room) leaveWeek(w int) bool {
	for d, of := range r.week {
		if of == w && !r.seenDay[d] && len(r.at[d]) > 0 {
			if r.seenDay[d] = true; r.leave(d) {
				r.day[d]++
				return true
			}
		}
	}
	return false
}

func (r *room) enterMonth(m int) bool {
	r.seenMonth[m] = true
	if r.monthly[m] > 0 {
		r.monthly[m]--
		return true
	}
	for w := range r.weeks {
		if r.month[slices.Index(r.week, w)] == m && !r.seenWeek[w] {
			if r.seenWeek[w] = true; r.leaveWeek(w) {
				r.weekly[w]++
				return true
			}
		}
	}
	return false
}
