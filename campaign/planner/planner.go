// Package planner fits the ads that many promotions want to show into the
// slots that each chat group has, so that what is shown is worth most and
// every cap of the guard holds.
//
// A group's slots are its own, so groups are planned one by one. In a group
// the offers are put into a row in order of time, heaviest first; each goes in
// wherever the others can move aside for it within their windows. Then, again
// and again, a few are taken out and the row is filled in another order, and
// what is worth more is kept. The row knows limits of one policy; what the
// days of a looser one leave free is filled after. What was planned is put to
// guard.Decide in order of time, as it will be when it is sent, and only what
// the guard allows stays: the planner proposes, the guard decides.
//
// It has no tables and asks nobody: a plan is a function of the offers, the
// groups' policies and states, and now. Called by promotion.
package planner

import (
	"cmp"
	"slices"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// Days is how far ahead a plan looks, today included.
const Days = 14

// PriorityMax is the highest priority.
const PriorityMax = 9

// Offer is one window of a promotion, which wants one ad shown in a group at
// some moment of it. Weight says what it is worth there.
type Offer struct {
	Promotion id.Promotion
	WindowNo  int
	Window    guard.Window
	Weight    int64
}

// Weigh is the weight of an ad of the value in a group: each step of priority
// counts double.
func Weigh(value int64, priority int) int64 {
	return max(value, 1) << max(0, min(priority, PriorityMax))
}

// Group is what a plan knows of a group: its policy, those that come into force
// later, and its state. Wants are the indexes of the offers that want to be
// shown in it. Spared is a rule for which it is left out whole, if any.
type Group struct {
	Policy guard.Policy
	Turns  []guard.Turn
	State  guard.State
	Wants  []int
	Spared guard.Rule
}

// Placed is an offer with its slot.
type Placed struct {
	Offer  int
	Window guard.Window
}

// LeftOut is an offer without a slot, and the rule that left no room for it.
// Outranked: there was room until other offers of this plan took it.
type LeftOut struct {
	Offer     int
	Rule      guard.Rule
	Outranked bool
}

// Fitted is the plan of one group: placed in order of time, left out by
// weight. It is valid until the planner fits the next group.
type Fitted struct {
	Placed []Placed
	Left   []LeftOut
	Worth  int64 // the weights of what is placed, summed
}

// Planner fits groups, one at a time; each goroutine has its own.
type Planner struct {
	now    clock.Milli
	offers []Offer
	order  []int // of the offers: heaviest first, then what ends first
	rank   []int // the place of each offer in that order
	grids  map[gridKey]*grid

	fit fit
}

// SlotFor is how long a planned slot is when its window is longer: the time
// within which a group's owner posts the ad.
const SlotFor = 2 * time.Hour

// New is a planner for the offers as things stand at now.
func New(now clock.Milli, offers []Offer) *Planner {
	p := &Planner{now: now, offers: offers, order: make([]int, len(offers)), rank: make([]int, len(offers)), grids: map[gridKey]*grid{}}
	for i := range p.order {
		p.order[i] = i
	}
	slices.SortFunc(p.order, func(a, b int) int {
		x, y := offers[a], offers[b]
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.Window.To, y.Window.To),
			cmp.Compare(x.Promotion, y.Promotion), cmp.Compare(x.WindowNo, y.WindowNo))
	})
	for place, i := range p.order {
		p.rank[i] = place
	}
	return p
}

// tries is how often a group is fitted again after the guard refused a part
// of its plan for a reason the grid does not know.
const tries = 3

// Fit plans one group.
func (p *Planner) Fit(g Group) Fitted {
	f := &p.fit
	f.begin(p, &g)
	if g.Spared != "" {
		f.spare()
		return f.result()
	}
	for range tries {
		f.fill()
		if !f.refused() {
			break
		}
	}
	return f.result()
}
