package checkup

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/english"
)

// Advice is what to do about a group.
type Advice string

// The advices. Save: it shrinks, and more people left after what the guard
// would have held than on calm days. Merge: it is small and nobody joins.
const (
	AdviceNone  Advice = ""
	AdviceSave  Advice = "save"
	AdviceMerge Advice = "merge"
)

// Group is one group's past.
type Group struct {
	Name     string       `json:"group"`
	Preset   guard.Preset `json:"preset"`
	Size     int64        `json:"size"`      // members at the end; -1 unknown
	AgeKnown bool         `json:"age_known"` // else the warm-up of new groups was not asked for
	Sends    Sends        `json:"sends"`
	Leaves   Leaves       `json:"leaves"`
	Joins    int64        `json:"joins"`
	Net30    int64        `json:"net_30_days"` // joins less leaves of the last 30 days
	Advice   Advice       `json:"advice"`
	Why      *Words       `json:"why,omitempty"`
}

// mergeBelow is the size under which a group that nobody joins any more is
// better merged: so many people know each other without rules.
const mergeBelow = 50

// history is a group's events while they are replayed.
type history struct {
	Group
	from, to clock.Milli
	zone     *time.Location
	policy   guard.Policy
	state    guard.State
	sends    []Event
	leaves   []Event
	recent   int64       // joins of the last 30 days
	calm     clock.Milli // time further than 24 hours from any send before it
}

func newHistory(name string, list []Event, o Options, from, to clock.Milli) *history {
	h := &history{Group: Group{Name: name, Preset: o.Preset, Size: -1}, from: from, to: to, zone: o.Zone}
	slices.SortStableFunc(list, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	h.state = guard.State{Open: true, Owned: true, Zone: o.Zone, BornAt: from.Add(-10 * 365 * 24 * time.Hour)}
	lately := to.Add(-30 * 24 * time.Hour)
	for _, e := range list {
		h.Preset = cmp.Or(e.Preset, h.Preset)
		switch e.Kind {
		case KindCreated:
			h.state.BornAt, h.AgeKnown = e.At, true
		case KindSize:
			h.Size = e.N
		case KindSend:
			h.sends = append(h.sends, e)
		case KindJoin:
			h.Joins += e.N
			h.size(e.N)
			if e.At > lately {
				h.Net30, h.recent = h.Net30+e.N, h.recent+e.N
			}
		case KindLeave:
			h.leaves = append(h.leaves, e)
			h.Leaves.Total += e.N
			h.size(-e.N)
			if e.At > lately {
				h.Net30 -= e.N
			}
		}
	}
	h.policy = guard.PresetPolicy(h.Preset, guard.ModeEnforce)
	return h
}

func (h *history) size(by int64) {
	if h.Size >= 0 {
		h.Size = max(h.Size+by, 0)
	}
}

// replay asks the guard about each send as if it had decided all before: what
// it held did not show, what it deferred showed at its minute.
func (h *history) replay(hours *[24]Hour, rules map[guard.Rule]int64) {
	held := make([]bool, len(h.sends))
	for i, e := range h.sends {
		for range e.N {
			d := h.ask(e.At)
			h.Sends.Total++
			switch d.Outcome {
			case guard.OutcomeAllow:
				h.Sends.Allowed++
			case guard.OutcomeDefer:
				h.Sends.Deferred++
			default:
				h.Sends.Refused++
			}
			if d.Outcome != guard.OutcomeAllow {
				held[i] = true
				rules[d.Rule]++
			}
		}
	}
	h.depart(held, hours)
	h.advise()
}

// ask is the guard's answer to an ad at that moment, which may wait a day.
func (h *history) ask(at clock.Milli) guard.Decision {
	d := guard.Decide(h.policy, h.state, guard.Window{From: at, To: at.Add(guard.WindowMax)})
	shown := at
	switch d.Outcome {
	case guard.OutcomeDefer:
		shown = d.NotBefore
	case guard.OutcomeDeny:
		return d
	}
	h.state.Ads.Add(shown, shown)
	h.state.Life++
	return d
}

// depart counts each leave with the last send before it.
func (h *history) depart(held []bool, hours *[24]Hour) {
	h.calm = h.to - h.from
	for i, e := range h.sends {
		hour := e.At.Time().In(h.zone).Hour()
		hours[hour].Sends += e.N
		end := min(e.At+dayMilli, h.to)
		if i+1 < len(h.sends) {
			end = min(end, h.sends[i+1].At)
		}
		h.calm -= end - e.At
	}
	for _, l := range h.leaves {
		i, _ := slices.BinarySearchFunc(h.sends, l.At, func(e Event, at clock.Milli) int { return cmp.Compare(e.At, at) })
		if i--; i < 0 || l.At > h.sends[i].At+dayMilli {
			h.Leaves.Calm += l.N
			continue
		}
		hours[h.sends[i].At.Time().In(h.zone).Hour()].Leaves += l.N
		if held[i] {
			h.Leaves.AfterHeld += l.N
		} else {
			h.Leaves.AfterAllowed += l.N
		}
	}
	h.Leaves.PerAllowed = per(h.Leaves.AfterAllowed, h.Sends.Allowed)
	h.Leaves.PerHeld = per(h.Leaves.AfterHeld, h.Sends.Held())
	h.Leaves.PerCalm = per(h.Leaves.Calm, int64(h.calm/dayMilli))
}

// advise names the group if something should be done about it.
func (h *history) advise() {
	l := h.Leaves
	switch {
	case h.Net30 < 0 && l.AfterHeld >= 3 && l.PerHeld > l.PerCalm:
		h.Advice = AdviceSave
		h.Why = say("近 30 天净减 {net} 人；护栏会拦下的 {held} 条推广之后 24 小时内走了 {left} 人",
			"lost {net} people net in 30 days; {left} left within 24 hours of the {held} ads that the guard would have held",
			"net", -h.Net30, "held", h.Sends.Held(), "left", l.AfterHeld)
	case h.Size >= 0 && h.Size < mergeBelow && h.recent == 0:
		h.Advice = AdviceMerge
		h.Why = say("只有 {size} 人，近 30 天没有人加入；可邀请大家并入另一个群",
			"has {size} members and nobody joined in 30 days; its members could be invited into another group", "size", h.Size)
	}
}

// say fills names of numbers into both sentences.
func say(zh, en string, pairs ...any) *Words {
	var list []string
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, "{"+pairs[i].(string)+"}", number(pairs[i+1].(int64)))
	}
	r := strings.NewReplacer(list...)
	return &Words{r.Replace(zh), english.One(r.Replace(en))}
}

// bestHour is the hour of the local day after whose sends the fewest people
// left per send; -1 when fewer than 20 sends, or no hour with a twentieth of
// them and at least five, can say it.
func bestHour(hours [24]Hour, sends int64) int {
	best := -1
	if sends < 20 {
		return best
	}
	for i := range hours {
		h := &hours[i]
		if h.Sends < max(5, sends/20) {
			continue
		}
		if best < 0 || h.Leaves*hours[best].Sends < hours[best].Leaves*h.Sends ||
			h.Leaves*hours[best].Sends == hours[best].Leaves*h.Sends && h.Sends > hours[best].Sends {
			best = i
		}
	}
	return best
}
