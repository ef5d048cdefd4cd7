package planner

import (
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

// tightest is the tighter of two policies' limits, each for itself.
func (c caps) tightest(o *caps) caps {
	lower := func(a *int, b int) {
		if *a == guard.Unlimited || b != guard.Unlimited && b < *a {
			*a = b
		}
	}
	lower(&c.day, o.day)
	lower(&c.week, o.week)
	lower(&c.month, o.month)
	lower(&c.life, o.life)
	c.gap, c.gapCells = max(c.gap, o.gap), max(c.gapCells, o.gapCells)
	return c
}

// era is what a policy that comes into force later allows from its cell on.
type era struct {
	from int
	caps caps
}

// free are the cells in which one more slot may lie.
func (f *fit) free() cells {
	free := f.grid.waking.less(&f.young)
	free = free.less(&f.ended)
	for s := range steps {
		blocked := f.blocked(step(s))
		free = free.less(&blocked)
	}
	return free
}

// blocked are the cells that a kind of limit keeps from a further slot, each
// by the policy of its day.
func (f *fit) blocked(s step) (out cells) {
	f.block(s, &f.caps, &out)
	for i := range f.later {
		var then cells
		f.block(s, &f.later[i].caps, &then)
		out.turn(f.later[i].from, &then)
	}
	return out
}

// block adds the cells that a kind of limit keeps from a further slot.
func (f *fit) block(s step, c *caps, into *cells) {
	switch s {
	case stepGap:
		if c.gap > 0 {
			f.each(func(x span) { into.span(floorCell(x.first-c.gap+1), floorCell(x.last+c.gap-1)) })
		}
	case stepDay:
		f.calendar(&f.grid.day, c.day, into)
	case stepWeek:
		f.calendar(&f.grid.week, c.week, into)
	case stepWeekSliding:
		f.sliding(c.week, weekMilli, into)
	case stepMonth:
		f.calendar(&f.grid.month, c.month, into)
	case stepMonthSliding:
		f.sliding(c.month, monthMilli, into)
	case stepLife:
		if c.life != guard.Unlimited && len(f.slots) >= c.life {
			into.span(0, cellCount)
		}
	}
}

// each visits what is shown and what is planned.
func (f *fit) each(visit func(span)) {
	for _, x := range f.shown {
		visit(x)
	}
	for _, s := range f.slots {
		visit(s.span())
	}
}

// calendar blocks each period that is full.
func (f *fit) calendar(c *calendar, limit int, into *cells) {
	if limit == guard.Unlimited {
		return
	}
	var counts [Days + 3]int
	for i, x := range c.all {
		for _, a := range f.shown {
			if a.last >= int64(x.From-f.grid.origin) && a.first < int64(x.To-f.grid.origin) {
				counts[i]++
			}
		}
	}
	for _, s := range f.slots {
		for k := c.of[s.from]; k <= c.of[s.to]; k++ {
			counts[k]++
		}
	}
	for i, x := range c.all {
		if counts[i] >= limit {
			into.span(x.lo, x.hi)
		}
	}
}

// sliding blocks the cells that a span of the length would share with as many
// ads as the limit allows. Firsts and lasts are each in order, so the n-th
// first and the n-th last bound any n ads that follow one another.
func (f *fit) sliding(limit int, length int64, into *cells) {
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
	for _, s := range f.slots {
		f.spans = append(f.spans, s.span())
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
