package planner

import (
	"fmt"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
)

// gridKey is what groups share whose clocks and quiet hours are the same. Most
// brands have a handful.
type gridKey struct {
	zone          *time.Location
	policy, pact  guard.Quiet
	keeps, pledge bool   // the policy is enforced; there is a charter
	later         string // the quiet hours of policies that come into force later
}

// grid is the horizon as such groups live it.
type grid struct {
	origin clock.Milli // the first moment of today, in the zone
	waking cells       // ahead of now and not quiet
	masks  []cells     // per place in the planner's order: the cells of its window
	length []int       // how many cells its slot takes
	room   []cells     // and the cells it may begin in

	day, week, month calendar
}

func (p *Planner) gridOf(g *Group) *grid {
	k := gridKey{zone: g.State.Zone}
	if g.Policy.Mode == guard.ModeEnforce {
		k.keeps, k.policy = true, g.Policy.Quiet
	}
	if g.State.Charter.Version > 0 {
		k.pledge, k.pact = true, g.State.Charter.Quiet
	}
	for _, t := range g.Turns {
		k.later += fmt.Sprint(t.From, t.Policy.Mode, t.Policy.Quiet, ";")
	}
	if made, ok := p.grids[k]; ok {
		return made
	}
	made := p.newGrid(k, g)
	p.grids[k] = made
	return made
}

func (p *Planner) newGrid(k gridKey, g *Group) *grid {
	today, _, _ := guard.Spans(k.zone, p.now)
	x := &grid{origin: today.From, masks: make([]cells, len(p.offers)), length: make([]int, len(p.offers)), room: make([]cells, len(p.offers))}
	x.calendars(k.zone)
	for i := range cellCount {
		at := max(x.start(i), p.now)
		if at < x.start(i+1) && x.day.of[i] < Days && !x.quiet(k, g, at) {
			x.waking.span(i, i)
		}
	}
	for place, o := range p.order {
		w := p.offers[o].Window
		// The cell of now is good for what may begin now.
		lo, hi := floorCell(int64(w.From-x.origin)+cellMilli-1), floorCell(int64(w.To-x.origin))-1
		if w.From <= p.now {
			lo = floorCell(int64(p.now - x.origin))
		}
		x.masks[place].span(lo, hi)
		for i := range x.masks[place] {
			x.masks[place][i] &= x.waking[i]
		}
		x.length[place] = max(1, min(slotCells, hi-lo+1))
		x.room[place] = x.masks[place].starts(x.length[place])
	}
	return x
}

func (x *grid) start(cell int) clock.Milli { return x.origin + clock.Milli(int64(cell)*cellMilli) }

func (x *grid) quiet(k gridKey, g *Group, at clock.Milli) bool {
	t := at.Time().In(k.zone)
	minute := t.Hour()*60 + t.Minute()
	p := g.policyAt(at)
	return p.Mode == guard.ModeEnforce && p.Quiet.From != p.Quiet.To && p.Quiet.Holds(minute) ||
		k.pledge && k.pact.From != k.pact.To && k.pact.Holds(minute)
}
