// Package checkup examines what was sent into chat groups in the past: it
// replays the sends through the guard as if it had been on, and sets what the
// guard would have held beside how many people left in the day that followed.
//
// It needs a file and nothing else: no store, no account. Examine is a pure
// function of the events and the options, so the command line and the API say
// the same of one file. What it finds is association: people leave for many
// reasons, and no report of it claims a cause.
//
// Callers: api, and main for `siyu checkup`.
package checkup

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/fault"
)

// Kind is what happened in a group.
type Kind string

// The kinds. Size tells how many members the group has, Created when it began.
const (
	KindSend    Kind = "send"
	KindJoin    Kind = "join"
	KindLeave   Kind = "leave"
	KindSize    Kind = "size"
	KindCreated Kind = "created"
)

// Event is one line of the past.
type Event struct {
	Group  string
	At     clock.Milli
	Kind   Kind
	N      int64        // how many: sends, people, or members in all
	Preset guard.Preset // what sort of group it is; "" is Options.Preset
}

// Options say how to look.
type Options struct {
	Preset guard.Preset
	Zone   *time.Location
	Days   int // how much of the past, counted back from the last event
}

// The bounds of Options.Days.
const (
	DaysDefault = 90
	DaysMax     = 400
)

// Validate checks the options and fills the defaults in.
func (o *Options) Validate() error {
	var c fault.Check
	o.Preset = cmp.Or(o.Preset, guard.PresetRetail)
	o.Days = cmp.Or(o.Days, DaysDefault)
	c.OneOf(string(o.Preset), "preset", guard.PresetNames...)
	c.Range(int64(o.Days), "days", 7, DaysMax)
	return c.Err()
}

// Report is what the past looks like through the guard.
type Report struct {
	Preset  guard.Preset `json:"preset"`
	Zone    string       `json:"zone"`
	From    clock.Milli  `json:"from_at"`
	To      clock.Milli  `json:"to_at"`
	Older   int          `json:"older_events"` // left out, because they lie before From
	Sends   Sends        `json:"sends"`
	Leaves  Leaves       `json:"leaves"`
	Rules   []RuleCount  `json:"rules"`
	Hours   []Hour       `json:"hours"`
	Best    int          `json:"best_hour"` // of the local day; -1 where too little was sent to say
	Groups  []Group      `json:"groups"`
	Save    []string     `json:"groups_to_save"`
	Merge   []string     `json:"groups_to_merge"`
	Lines   Lines        `json:"lines"`
	Caution Words        `json:"caution"`
}

// Words are a sentence in both languages.
type Words struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// caution stands on every report.
var caution = Words{
	"这里只说明“同时出现”，不说明因果：人离开群有很多原因。",
	"This shows what happened together, not what caused what: people leave for many reasons.",
}

// Sends are the ads of the past as the guard would have answered them.
type Sends struct {
	Total    int64 `json:"total"`
	Allowed  int64 `json:"allowed"`
	Deferred int64 `json:"deferred"` // a later minute within 24 hours would have passed
	Refused  int64 `json:"refused"`
}

// Held is what would not have gone out when it did.
func (s Sends) Held() int64 { return s.Deferred + s.Refused }

// Leaves are the departures, each counted once: with the last send before it
// if that is at most 24 hours ago, else as of a calm time.
type Leaves struct {
	Total        int64 `json:"total"`
	AfterAllowed int64 `json:"after_allowed"`
	AfterHeld    int64 `json:"after_held"`
	Calm         int64 `json:"calm"`
	// Per 100 sends, and per 100 days without a send in the 24 hours before;
	// -1 where there were none.
	PerAllowed int64 `json:"per_100_allowed"`
	PerHeld    int64 `json:"per_100_held"`
	PerCalm    int64 `json:"per_100_calm_days"`
}

// RuleCount is how many sends a rule was the first to hold.
type RuleCount struct {
	Rule guard.Rule `json:"rule"`
	N    int64      `json:"sends"`
}

// Hour is one hour of the local day.
type Hour struct {
	Hour   int   `json:"hour"`
	Sends  int64 `json:"sends"`
	Leaves int64 `json:"leaves"` // in the 24 hours that followed
}

// Examine replays the events. They may come in any order.
func Examine(events []Event, o Options) Report {
	r := Report{Preset: o.Preset, Zone: o.Zone.String(), Best: -1, Rules: []RuleCount{}, Groups: []Group{}, Save: []string{}, Merge: []string{}, Caution: caution}
	for _, e := range events {
		r.To = max(r.To, e.At)
	}
	r.From = r.To.Add(-time.Duration(o.Days) * 24 * time.Hour)
	byGroup := map[string][]Event{}
	for _, e := range events {
		if e.At < r.From && e.Kind != KindCreated && e.Kind != KindSize {
			r.Older++
			continue
		}
		byGroup[e.Group] = append(byGroup[e.Group], e)
	}
	var hours [24]Hour
	for i := range hours {
		hours[i].Hour = i
	}
	rules := map[guard.Rule]int64{}
	var calm clock.Milli
	for name, list := range byGroup {
		h := newHistory(name, list, o, r.From, r.To)
		h.replay(&hours, rules)
		calm += h.calm
		r.Groups = append(r.Groups, h.Group)
		r.add(h.Group)
	}
	r.Leaves.PerAllowed = per(r.Leaves.AfterAllowed, r.Sends.Allowed)
	r.Leaves.PerHeld = per(r.Leaves.AfterHeld, r.Sends.Held())
	r.Leaves.PerCalm = per(r.Leaves.Calm, int64(calm/dayMilli))
	for rule, n := range rules {
		r.Rules = append(r.Rules, RuleCount{rule, n})
	}
	slices.SortFunc(r.Rules, func(a, b RuleCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(string(a.Rule), string(b.Rule)))
	})
	r.Hours, r.Best = hours[:], bestHour(hours, r.Sends.Total)
	r.sortGroups()
	return r
}

const dayMilli = clock.Milli(24 * 60 * 60 * 1000)

func (r *Report) add(g Group) {
	r.Sends.Total += g.Sends.Total
	r.Sends.Allowed += g.Sends.Allowed
	r.Sends.Deferred += g.Sends.Deferred
	r.Sends.Refused += g.Sends.Refused
	r.Leaves.Total += g.Leaves.Total
	r.Leaves.AfterAllowed += g.Leaves.AfterAllowed
	r.Leaves.AfterHeld += g.Leaves.AfterHeld
	r.Leaves.Calm += g.Leaves.Calm
}

// per is how many to each hundred, rounded down; -1 of none.
func per(n, of int64) int64 {
	if of == 0 {
		return -1
	}
	return n * 100 / of
}

// sortGroups puts what most people left after first, and names those to look
// at.
func (r *Report) sortGroups() {
	slices.SortFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Leaves.AfterHeld, a.Leaves.AfterHeld), cmp.Compare(b.Sends.Held(), a.Sends.Held()), strings.Compare(a.Name, b.Name))
	})
	for _, g := range r.Groups {
		switch g.Advice {
		case AdviceSave:
			r.Save = append(r.Save, g.Name)
		case AdviceMerge:
			r.Merge = append(r.Merge, g.Name)
		}
	}
	if len(r.Merge) == 1 { // one group has nothing to be merged with
		for i := range r.Groups {
			if r.Groups[i].Advice == AdviceMerge {
				r.Groups[i].Advice = AdviceNone
			}
		}
		r.Merge = []string{}
	}
}
