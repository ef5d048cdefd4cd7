package planner

import (
	"slices"
	"time"

	"siyu/campaign/guard"
)

// span is the moments an ad may show at, first and last, counted from the
// horizon's origin.
type span struct{ first, last int64 }

// caps are the limits that hold in a group: the policy's where it is enforced
// and the charter's, the tighter of both.
type caps struct {
	day, week, month, life int
	gap                    int64
	gapCells               int
	rules                  [len(steps)]guard.Rule
}

// step is one kind of limit, in the order in which the guard names them.
type step int

const (
	stepGap step = iota
	stepDay
	stepWeek
	stepWeekSliding
	stepMonth
	stepMonthSliding
	stepLife
)

var steps = [...]step{stepGap, stepDay, stepWeek, stepWeekSliding, stepMonth, stepMonthSliding, stepLife}

const (
	weekMilli  = int64(7 * 24 * time.Hour / time.Millisecond)
	monthMilli = int64(30 * 24 * time.Hour / time.Millisecond)
)

func capsOf(p *guard.Policy, state *guard.State) caps {
	c := caps{day: guard.Unlimited, week: guard.Unlimited, month: guard.Unlimited, life: guard.Unlimited}
	c.rules = [len(steps)]guard.Rule{guard.RuleGap, guard.RuleDay, guard.RuleWeek, guard.RuleWeekSliding, guard.RuleMonth, guard.RuleMonthSliding, guard.RuleLife}
	if p.Mode == guard.ModeEnforce {
		c.day, c.week, c.month = p.Day, p.Week, p.Month
		if p.Life != guard.Unlimited {
			c.life = max(0, p.Life-state.Life)
		}
		c.gap = p.Gap.Milliseconds()
		c.gapCells = floorCell(c.gap + cellMilli - 1)
	}
	if k := state.Charter; k.Version > 0 {
		if c.day == guard.Unlimited || k.Day < c.day {
			c.day, c.rules[stepDay] = k.Day, guard.RuleCharterDay
		}
		if c.week == guard.Unlimited || k.Week < c.week {
			c.week, c.rules[stepWeek], c.rules[stepWeekSliding] = k.Week, guard.RuleCharterWeek, guard.RuleCharterSliding
		}
	}
	return c
}

// nobody leaves no slot out of account.
const nobody = -1

// without keeps, per placed slot, the cells that are free if it were not, so
// that many offers can ask.
type without struct {
	known []cells
	have  []bool
	spans []span
}

// changed forgets what was known.
func (f *fit) changed() {
	n := len(f.slots) + 1
	f.known = slices.Grow(f.known[:0], n)[:n]
	f.have = slices.Grow(f.have[:0], n)[:n]
	clear(f.have)
}

// free are the cells in which a slot may lie, the slot i left out of account.
func (f *fit) free(i int) *cells {
	if !f.have[i+1] {
		blocked := f.blocked(i, len(steps))
		f.known[i+1], f.have[i+1] = f.grid.waking.less(&blocked), true
	}
	return &f.known[i+1]
}

// blocked are the cells that the first so many limits, the group's youth and
// its charter's end keep from a further slot, each cell by the policy of its
// day.
func (f *fit) blocked(except, limits int) cells {
	out := f.blockedNow(except, limits)
	now, young := f.caps, f.young
	for _, e := range f.later {
		f.caps, f.young = e.caps, e.young
		then := f.blockedNow(except, limits)
		var since cells
		since.span(e.from, cellCount)
		out = out.less(&since)
		before := then.less(&since)
		then = then.less(&before)
		out.add(&then)
	}
	f.caps, f.young = now, young
	return out
}

func (f *fit) blockedNow(except, limits int) cells {
	out := f.young
	out.add(&f.ended)
	for _, s := range steps[:limits] {
		f.block(s, except, &out)
	}
	return out
}

// era is what a policy that comes into force later allows from its cell on.
type era struct {
	from  int
	caps  caps
	young cells
}

// block adds the cells that one kind of limit keeps from a further slot.
func (f *fit) block(s step, except int, into *cells) {
	switch s {
	case stepGap:
		if f.caps.gap > 0 {
			f.each(except, func(x span) { into.span(floorCell(x.first-f.caps.gap+1), floorCell(x.last+f.caps.gap-1)) })
		}
	case stepDay:
		f.calendar(f.grid.days, f.grid.day[:], f.caps.day, except, into)
	case stepWeek:
		f.calendar(f.grid.weeks, f.grid.week[:], f.caps.week, except, into)
	case stepWeekSliding:
		f.sliding(f.caps.week, weekMilli, except, into)
	case stepMonth:
		f.calendar(f.grid.months, f.grid.month[:], f.caps.month, except, into)
	case stepMonthSliding:
		f.sliding(f.caps.month, monthMilli, except, into)
	case stepLife:
		if n := len(f.slots); f.caps.life != guard.Unlimited && (except == nobody && n >= f.caps.life || n > f.caps.life) {
			into.span(0, cellCount)
		}
	}
}

// each visits what is shown and what is planned.
func (f *fit) each(except int, visit func(span)) {
	for _, x := range f.shown {
		visit(x)
	}
	for i, s := range f.slots {
		if i != except {
			visit(f.spanOf(s))
		}
	}
}

func (f *fit) spanOf(s slot) span {
	return span{int64(s.from) * cellMilli, int64(s.to+1)*cellMilli - 1}
}

// calendar blocks each period that is full.
func (f *fit) calendar(all []period, of []int16, limit, except int, into *cells) {
	if limit == guard.Unlimited {
		return
	}
	var counts [Days + 3]int
	for i, x := range all {
		for _, a := range f.shown {
			if a.last >= int64(x.From-f.grid.origin) && a.first < int64(x.To-f.grid.origin) {
				counts[i]++
			}
		}
	}
	for i, s := range f.slots {
		if i != except {
			for k := of[s.from]; k <= of[s.to]; k++ {
				counts[k]++
			}
		}
	}
	for i, x := range all {
		if counts[i] >= limit {
			into.span(x.lo, x.hi)
		}
	}
}

// sliding blocks the cells that a span of the length would share with as many
// ads as the limit allows. Firsts and lasts are each in order, so the n-th
// first and the n-th last bound any n ads that follow one another.
func (f *fit) sliding(limit int, length int64, except int, into *cells) {
	switch {
	case limit == guard.Unlimited:
		return
	case limit == 0:
		into.span(0, cellCount)
		return
	case len(f.shown)+len(f.slots) < limit:
		return
	}
	f.spans = append(f.spans[:0], f.shown...)
	for i, s := range f.slots {
		if i != except {
			f.spans = append(f.spans, f.spanOf(s))
		}
	}
	ordered := f.spans
	for i := len(f.shown); i < len(ordered); i++ { // slots are in order; what is shown mostly lies before
		for k := i; k > 0 && ordered[k].first < ordered[k-1].first; k-- {
			ordered[k], ordered[k-1] = ordered[k-1], ordered[k]
		}
	}
	for i := 0; i+limit <= len(ordered); i++ {
		early, late := ordered[i].last, ordered[i+limit-1].first
		if late-early < length {
			into.span(floorCell(late-length+1), floorCell(early+length-1))
		}
	}
}
