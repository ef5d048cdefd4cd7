package planner

import (
	"slices"

	"siyu/campaign/guard"
	"siyu/internal/clock"
)

// slot is a placed offer: its place in the planner's order and its cells.
type slot struct {
	place, from, to int // to is the last cell
}

func (s slot) span() span {
	return span{int64(s.from) * cellMilli, int64(s.to+1)*cellMilli - 1}
}

// fit is one group under way. Its slices are kept from group to group.
type fit struct {
	p     *Planner
	group *Group
	grid  *grid
	caps  caps
	later []era // in order

	shown []span             // ads the group has seen or will, in order
	young cells              // before the group is old enough
	ended cells              // after its charter ended
	wants []int              // places in the planner's order, ascending: heaviest first
	slots []slot             // in order of time
	out   []int              // places that found no room
	why   map[int]guard.Rule // of places that the guard itself refused

	row, best row
	worth     int64 // of what is in the row

	grown, open  stage // beside the limits
	full, before [len(steps)]stage
	spans        []span
	placed       []Placed
	left         []LeftOut
}

// begin sets the fit to the group with nothing placed.
func (f *fit) begin(p *Planner, g *Group) {
	f.p, f.group, f.grid = p, g, p.gridOf(g)
	f.caps, f.later = capsOf(&g.Policy, &g.State), f.later[:0]
	f.shown, f.wants, f.ended, f.why = f.shown[:0], f.wants[:0], cells{}, nil
	g.State.Ads.Each(func(first, last clock.Milli) {
		f.shown = append(f.shown, span{int64(first - f.grid.origin), int64(last - f.grid.origin)})
	})
	for _, o := range g.Wants {
		f.wants = append(f.wants, p.rank[o])
	}
	slices.Sort(f.wants)
	f.young = f.youth(&g.Policy)
	for _, t := range g.Turns {
		from, young := floorCell(int64(t.From-f.grid.origin)+cellMilli-1), f.youth(&t.Policy)
		f.later = append(f.later, era{from, capsOf(&t.Policy, &g.State)})
		f.young.turn(from, &young)
	}
	if c := g.State.Charter; c.Version > 0 && c.EndsAt != 0 {
		f.ended.span(floorCell(int64(c.EndsAt-f.grid.origin)), cellCount)
	}
}

// youth are the cells before the group is old enough.
func (f *fit) youth(p *guard.Policy) (out cells) {
	if ripe := p.Ripe(&f.group.State); p.Mode == guard.ModeEnforce && ripe > f.grid.origin {
		out.span(0, floorCell(int64(ripe-f.grid.origin)+cellMilli-1)-1)
	}
	return out
}

// fill places what can be placed: by the tightest of the limits that hold in
// the horizon, and then what a looser day leaves room for.
func (f *fit) fill() {
	f.slots, f.out = f.slots[:0], f.out[:0]
	f.line()
	f.improve()
	for _, a := range f.row.ads {
		if a.want >= 0 {
			from := int(a.early)
			f.slots = append(f.slots, slot{f.wants[a.want], from, from + int(f.row.length[a.want]) - 1})
		}
	}
	free := f.free()
	for i, place := range f.wants {
		switch {
		case f.row.in[i] || f.why[place] != "":
		case f.put(place, &free):
			free = f.free()
		default:
			f.out = append(f.out, place)
		}
	}
}

// put places an offer in the first free cells, if there are any.
func (f *fit) put(place int, free *cells) bool {
	n := f.grid.length[place]
	room := f.grid.masks[place].both(free)
	room = room.starts(n)
	at := room.next(0)
	if at == cellCount {
		return false
	}
	i, _ := slices.BinarySearchFunc(f.slots, at, func(s slot, at int) int { return s.from - at })
	f.slots = slices.Insert(f.slots, i, slot{place, at, at + n - 1})
	return true
}

func (f *fit) weight(place int) int64 { return f.p.offers[f.p.order[place]].Weight }
