package planner

import (
	"math"
	"slices"

	"siyu/campaign/guard"
	"siyu/internal/clock"
)

// slot is a placed offer: its place in the planner's order and its cells.
type slot struct {
	place, from, to int // to is the last cell
}

// fit is one group under way. Its slices are kept from group to group.
type fit struct {
	p     *Planner
	group *Group
	grid  *grid
	caps  caps
	later []era // in order

	shown []span               // ads the group has seen or will, in order
	young cells                // before the group is old enough
	ended cells                // after its charter ended
	asked [cellCount + 1]int64 // per cell boundary: the shares of weight asked for before it
	wants []int                // places in the planner's order, ascending: heaviest first
	slots []slot               // in order of time
	out   []int                // places that found no room
	why   map[int]guard.Rule   // of places that the guard itself refused

	placed []Placed
	left   []LeftOut
	without
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
	f.asked = [cellCount + 1]int64{}
	for _, place := range f.wants {
		m, share := &f.grid.masks[place], f.grid.share[place]
		for lo := m.next(0); lo < cellCount; {
			end := m.gap(lo)
			f.asked[lo+1] += share
			if end < cellCount {
				f.asked[end+1] -= share
			}
			lo = m.next(end)
		}
	}
	for range 2 { // of changes, then of sums
		for i := 1; i <= cellCount; i++ {
			f.asked[i] += f.asked[i-1]
		}
	}
	f.young = f.youth(&g.Policy)
	for _, t := range g.Turns {
		from := floorCell(int64(t.From-f.grid.origin) + cellMilli - 1)
		f.later = append(f.later, era{from, capsOf(&t.Policy, &g.State), f.youth(&t.Policy)})
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

// fill places what can be placed.
func (f *fit) fill() {
	f.slots, f.out = f.slots[:0], f.out[:0]
	f.changed()
	for _, place := range f.wants {
		if f.why[place] != "" {
			continue
		}
		if !f.insert(place) && !f.push(place) {
			f.out = append(f.out, place)
		}
	}
	f.swap()
	f.early()
	f.out = slices.DeleteFunc(f.out, f.insert)
}

// early moves every slot to the earliest time the others leave it: nothing is
// gained by waiting.
func (f *fit) early() {
	for i := range f.slots {
		s := f.slots[i]
		if at, ok := f.first(s.place, f.free(i)); ok && at < s.from {
			f.take(i)
			f.put(s.place, at)
		}
	}
}

// first is the first start that is free for the offer.
func (f *fit) first(place int, free *cells) (int, bool) {
	room := f.room(place, free)
	at := room.next(0)
	return at, at < cellCount
}

// room are the starts that are free for the offer.
func (f *fit) room(place int, free *cells) cells {
	room := f.grid.masks[place]
	for i := range room {
		room[i] &= free[i]
	}
	return room.starts(f.grid.length[place])
}

// insert places the offer where it takes least from the others.
func (f *fit) insert(place int) bool {
	free := f.free(nobody)
	at, ok := f.best(place, free)
	if ok {
		f.put(place, at)
	}
	return ok
}

// best is the start, among those free for the offer, after which the cells
// that become blocked are wanted least. Only the ends of a run of free starts
// are looked at: there a slot leans on what is blocked already.
func (f *fit) best(place int, free *cells) (int, bool) {
	n, room := f.grid.length[place], f.room(place, free)
	at, least := -1, int64(math.MaxInt64)
	for lo := room.next(0); lo < cellCount; {
		hi := room.gap(lo) - 1
		for _, c := range [2]int{lo, hi} {
			if cost := f.cost(c, n, free); cost < least {
				at, least = c, cost
			}
		}
		lo = room.next(hi + 1)
	}
	return at, at >= 0
}

// cost is how much the cells around a slot at c are wanted that its gap and,
// with a cap of one a day, its day would block.
func (f *fit) cost(c, n int, free *cells) int64 {
	lo, hi := c-f.caps.gapCells, c+n-1+f.caps.gapCells
	if f.caps.day == 1 {
		d := f.grid.days[f.grid.day[c]]
		lo, hi = min(lo, d.lo), max(hi, d.hi)
	}
	lo, hi = max(lo, 0), min(hi, cellCount-1)
	cost := int64(0)
	for i := free.next(lo); i <= hi; {
		end := min(free.gap(i)-1, hi)
		cost += f.asked[end+1] - f.asked[i]
		i = free.next(end + 1)
	}
	return cost
}

func (f *fit) put(place, at int) {
	s := slot{place, at, at + f.grid.length[place] - 1}
	i, _ := slices.BinarySearchFunc(f.slots, s, func(a, b slot) int { return a.from - b.from })
	f.slots = slices.Insert(f.slots, i, s)
	f.changed()
}

func (f *fit) take(i int) slot {
	s := f.slots[i]
	f.slots = slices.Delete(f.slots, i, i+1)
	f.changed()
	return s
}

// push makes room for an offer by moving a placed one to another time.
func (f *fit) push(place int) bool {
	n := f.grid.length[place]
	for i := range f.slots {
		if !meets(&f.grid.masks[place], f.free(i), n) {
			continue
		}
		at, _ := f.best(place, f.free(i))
		moved := f.take(i)
		f.put(place, at)
		if f.insert(moved.place) {
			return true
		}
		f.take(slices.IndexFunc(f.slots, func(s slot) bool { return s.place == place }))
		f.put(moved.place, moved.from)
	}
	return false
}

// swap gives the room of a placed offer to others that were left out and are
// worth more together.
func (f *fit) swap() {
	for again, rounds := true, 0; again && rounds < 3; rounds++ {
		again = false
		for i := len(f.slots) - 1; i >= 0 && i < len(f.slots); i-- {
			if f.swapped(i) {
				again = true
			}
		}
	}
}

func (f *fit) swapped(i int) bool {
	old := f.slots[i]
	gives, gains, n := f.weight(old.place), int64(0), 0
	for _, place := range f.out {
		if meets(&f.grid.masks[place], f.free(i), f.grid.length[place]) {
			if gains, n = gains+f.weight(place), n+1; n == 4 {
				break
			}
		}
	}
	if n == 0 || gains <= gives {
		return false
	}
	before := slices.Clone(f.slots)
	f.take(i)
	gains = 0
	var in []int
	for _, place := range f.out {
		if f.insert(place) {
			in, gains = append(in, place), gains+f.weight(place)
		}
	}
	if gains <= gives {
		f.slots = append(f.slots[:0], before...)
		f.changed()
		return false
	}
	f.out = slices.DeleteFunc(f.out, func(place int) bool { return slices.Contains(in, place) })
	if !f.insert(old.place) {
		at, _ := slices.BinarySearch(f.out, old.place)
		f.out = slices.Insert(f.out, at, old.place)
	}
	return true
}

func (f *fit) weight(place int) int64 { return f.p.offers[f.p.order[place]].Weight }
