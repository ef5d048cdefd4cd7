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

// result puts the plan into words. The rule of what is left out is the first
// that, with those before it, leaves no room.
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
		full, before := f.stages()
		for _, place := range f.out {
			l := LeftOut{Offer: f.p.order[place]}
			l.Rule, l.Outranked = f.reason(place, full), f.reason(place, before) == ""
			out.Left = append(out.Left, l)
		}
	}
	slices.SortFunc(out.Left, func(a, b LeftOut) int { return f.p.rank[a.Offer] - f.p.rank[b.Offer] })
	f.placed, f.left = out.Placed, out.Left
	return out
}

// stages are the cells left free by the first limit, by the first two, and so
// on: with the plan, and before it.
func (f *fit) stages() (full, before [len(steps)]cells) {
	slots := f.slots
	full = f.stage()
	f.slots = nil
	before = f.stage()
	f.slots = slots
	return full, before
}

func (f *fit) stage() (out [len(steps)]cells) {
	for i := range steps {
		blocked := f.blocked(nobody, i+1)
		out[i] = f.grid.waking.less(&blocked)
	}
	return out
}

func (f *fit) reason(place int, stages [len(steps)]cells) guard.Rule {
	mask, n := &f.grid.masks[place], f.grid.length[place]
	early := f.blocked(nobody, 0)
	open := f.grid.waking.less(&early)
	early = early.less(&f.ended)
	grown := f.grid.waking.less(&early)
	switch {
	case f.p.offers[f.p.order[place]].Window.To <= f.p.now:
		return guard.RuleWindow
	case !meets(mask, &f.grid.waking, n):
		return guard.RuleQuiet
	case !meets(mask, &grown, n):
		return guard.RuleWarmUp
	case !meets(mask, &open, n):
		return guard.RuleCharterEnded
	}
	for i := range stages {
		if !meets(mask, &stages[i], n) {
			return f.caps.rules[i]
		}
	}
	return ""
}
