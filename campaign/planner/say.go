package planner

import (
	"slices"

	"siyu/campaign/guard"
	"siyu/internal/clock"
)

// refused puts the plan to the guard in order of time and takes out what it
// does not allow, for a rule that the grid does not know. Whether there was
// any is the answer: its room may be another's.
func (f *fit) refused() bool {
	state := f.group.State
	state.Ads = state.Ads.Clone()
	before := len(f.slots)
	f.slots = slices.DeleteFunc(f.slots, func(s slot) bool {
		w := f.window(s)
		d := guard.Decide(f.group.policyAt(w.From), state, w)
		if d.Outcome == guard.OutcomeAllow && d.Window == w {
			state.Ads.Add(w.From, w.To-1)
			state.Life++
			return false
		}
		if f.why == nil {
			f.why = map[int]guard.Rule{}
		}
		f.why[s.place] = d.Rule
		return true
	})
	return len(f.slots) < before
}

// spare leaves everything out for the group's own rule.
func (f *fit) spare() {
	f.slots, f.out, f.why = f.slots[:0], f.out[:0], map[int]guard.Rule{}
	for _, place := range f.wants {
		f.why[place] = f.group.Spared
	}
}

// policyAt is the policy in force at a moment.
func (g *Group) policyAt(at clock.Milli) guard.Policy {
	p := g.Policy
	for _, t := range g.Turns {
		if t.From <= at {
			p = t.Policy
		}
	}
	return p
}

// window is the slot's; one in the cell of now begins now.
func (f *fit) window(s slot) guard.Window {
	return guard.Window{From: max(f.grid.start(s.from), f.p.now), To: f.grid.start(s.to + 1)}
}

// result puts the plan into words.
func (f *fit) result() Fitted {
	out := Fitted{Placed: f.placed[:0], Left: f.left[:0]}
	for _, s := range f.slots {
		out.Placed = append(out.Placed, Placed{f.p.order[s.place], f.window(s)})
		out.Worth += f.weight(s.place)
	}
	for place, rule := range f.why {
		out.Left = append(out.Left, LeftOut{Offer: f.p.order[place], Rule: rule})
	}
	if len(f.out) > 0 {
		f.stages()
		for _, place := range f.out {
			rule, outranked := f.reason(place)
			out.Left = append(out.Left, LeftOut{f.p.order[place], rule, outranked})
		}
	}
	slices.SortFunc(out.Left, func(a, b LeftOut) int { return f.p.rank[a.Offer] - f.p.rank[b.Offer] })
	f.placed, f.left = out.Placed, out.Left
	return out
}

// stage are the cells that some limits leave free.
type stage struct {
	free  cells
	rows  [slotCells + 1]cells // the beginnings of so many in a row
	known [slotCells + 1]bool
}

// begins are the cells at which so many free ones in a row begin.
func (s *stage) begins(length int) *cells {
	if !s.known[length] {
		s.rows[length], s.known[length] = s.free.starts(length), true
	}
	return &s.rows[length]
}

// lets says whether the slot of an offer fits.
func (s *stage) lets(room *cells, length int) bool { return s.begins(length).meets(room) }

// less is the stage of one more limit.
func (s *stage) less(blocked *cells) stage { return stage{free: s.free.less(blocked)} }

// stages are what is left free by the group's youth and its charter's end,
// then by the first limit, by the first two, and so on: with the plan, and
// before it.
func (f *fit) stages() {
	waking := stage{free: f.grid.waking}
	f.grown = waking.less(&f.young)
	f.open = f.grown.less(&f.ended)
	slots := f.slots
	f.limit(&f.full)
	f.slots = nil
	f.limit(&f.before)
	f.slots = slots
}

func (f *fit) limit(out *[len(steps)]stage) {
	last := &f.open
	for s := range steps {
		blocked := f.blocked(step(s))
		out[s] = last.less(&blocked)
		last = &out[s]
	}
}

// reason is the first rule that, with those before it, leaves the offer no
// room, and whether there was some before the plan.
func (f *fit) reason(place int) (rule guard.Rule, outranked bool) {
	room, n := &f.grid.room[place], f.grid.length[place]
	switch {
	case f.p.offers[f.p.order[place]].Window.To <= f.p.now:
		return guard.RuleWindow, false
	case !room.meets(room):
		return guard.RuleQuiet, false
	case !f.grown.lets(room, n):
		return guard.RuleWarmUp, false
	case !f.open.lets(room, n):
		return guard.RuleCharterEnded, false
	}
	for i := range f.full {
		if !f.full[i].lets(room, n) {
			rule = f.caps.rules[i]
			break
		}
	}
	return rule, f.before[len(steps)-1].lets(room, n)
}
