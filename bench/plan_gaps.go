package main

import (
	"time"

	"siyu/campaign/guard"
	"siyu/campaign/planner"
	"siyu/internal/clock"
)

// gapBound is a bound that knows the gaps, and the sliding weeks of groups with
// one ad a day: what lies between it and the bound without gaps is out of
// every plan's reach. That an offer is shown once is not kept but paid for: the
// best sequence of slots is found with a price on each offer, and one that was
// shown twice costs more in the next try. Whatever the prices, that sequence
// with the prices put back is worth no less than the best plan; the lowest of
// the tries is the bound. What it cannot know for sure it lets pass: a slot
// counts in the day and week it begins in.
type gapBound struct {
	*bound
	lines map[waking]*line
}

// line is the horizon in half hours, as groups with the same waking hours live
// it.
type line struct {
	day, week []int     // of each cell
	starts    [][]int32 // per offer: the cells in which a slot of it may begin
	short     []bool    // per offer: its slot may be half an hour short
}

const (
	halfHour = clock.Milli(30 * 60 * 1000)
	priced   = 60 // tries
)

func newGapBound(w *world) *gapBound { return &gapBound{newBound(w), map[waking]*line{}} }

// lineOf asks the guard which half hours are awake in a group that was never
// shown anything.
func (b *gapBound) lineOf(g planner.Group, s *spans) *line {
	key := waking{g.State.Zone.String(), g.Policy.Quiet, g.State.Charter.Quiet}
	if l := b.lines[key]; l != nil {
		return l
	}
	l, now, origin := &line{}, b.w.now, s.days[0].From
	policy, state := neverShown(g)
	var awake []bool
	for d := 0; ; {
		at := origin + clock.Milli(len(awake))*halfHour
		if at >= s.days[d].To {
			d++
		}
		if d == len(s.days) {
			break
		}
		from := max(at, now)
		awake = append(awake, from < at+halfHour && guard.Decide(policy, state, guard.Window{From: from, To: from + 1}).Outcome == guard.OutcomeAllow)
		l.day, l.week = append(l.day, d), append(l.week, s.week[d])
	}
	for _, o := range b.w.offers {
		left := o.Window.To - max(o.Window.From, now)
		short := left < clock.Milli((planner.SlotFor + 30*time.Minute).Milliseconds())
		var starts []int32
		for c := range awake {
			at := origin + clock.Milli(c)*halfHour
			need := min(clock.Milli(planner.SlotFor.Milliseconds()), left)
			if short || at < now {
				need = max(need-halfHour, 1)
			}
			fits := at+halfHour > o.Window.From && max(at, o.Window.From, now)+need <= o.Window.To
			for n := 0; fits && n < max(1, int(need/halfHour)); n++ {
				fits = c+n < len(awake) && awake[c+n]
			}
			if fits {
				starts = append(starts, int32(c))
			}
		}
		l.starts, l.short = append(l.starts, starts), append(l.short, short)
	}
	b.lines[key] = l
	return l
}

// of is the bound of a group for which a plan of some worth is known.
func (b *gapBound) of(g planner.Group, known int64) int64 {
	lowest := b.bound.of(g)
	x := b.begin(g)
	theta, stuck := 1.0, 0
	for range priced {
		if lowest <= known {
			break
		}
		dual := x.play()
		if dual < lowest {
			lowest, stuck = dual, 0
		} else if stuck++; stuck == 4 {
			theta, stuck = theta/2, 0
		}
		if !x.raise(theta * float64(dual-known)) {
			break
		}
	}
	return lowest
}

// raise changes the prices towards one showing of each offer: those shown more
// than once cost more, those not shown less. A step is as long as what is
// missing to the plan that is known.
func (x *game) raise(missing float64) bool {
	norm := 0
	for i := range x.wants {
		if n := x.used[i] - 1; n > 0 || x.price[i] > 0 {
			norm += n * n
		}
	}
	over := x.slots - x.most
	if over > 0 || x.each > 0 {
		norm += over * over
	}
	if norm == 0 {
		return false
	}
	step := missing / float64(norm)
	for i := range x.wants {
		x.price[i] = max(0, x.price[i]+int64(step*float64(x.used[i]-1)))
	}
	x.each = max(0, x.each+int64(step*float64(over)))
	return true
}
