package guard

import (
	"slices"
	"time"

	"siyu/community/health"
	"siyu/internal/clock"
)

// Condition is what a decision knows of a group's health: the newest judgement
// of days that are over. Figures below zero are unknown and refuse nothing.
type Condition struct {
	State    health.State // "" is unknown
	Until    clock.Milli  // the end of the day that was judged
	Coverage int          // basis points of the last 14 days
	Fatigue  int          // basis points
	Content  int          // of the last 7 days
	Held     clock.Milli  // the end of the last day an interaction drew enough; 0: none is known
}

// The cut points of E2 and E5.
const (
	covered       = 7_000 // what promotes advice to a refusal
	caution       = 3_000
	exhausted     = 6_000
	pauseFor      = 7 * day
	staleAfter    = 7 * day
	interactEvery = 7 * day
	weeklyFrom    = 28 * day // the fifth week
)

// factors scale the caps by state, in hundredths.
type factors struct{ healthy, warm, cooling, quiet, dead, unknown int }

// Care is what a preset asks of a group's health. Content is how many pieces
// there are to be for each ad; 0 asks for none. Moment is how many days before
// a key moment ads begin. What is enforced is so only where enough is known.
type Care struct {
	Moment  int
	Content int
	Weekly  bool
	Factors factors

	Intake bool // whether newcomers are welcomed first

	EnforceMoment, EnforceContent, EnforceWeekly bool
}

// cares are the presets' rows of E5.
var cares = map[Preset]Care{
	PresetInterest: {Intake: true, EnforceMoment: true, Moment: 3, Content: 4, Weekly: true, Factors: factors{100, 50, 50, 0, 0, 50}, EnforceContent: true, EnforceWeekly: true},
	PresetRetail:   {Moment: 3, Content: 2, Weekly: true, Factors: factors{100, 100, 50, 25, 25, 100}},
	PresetBenefit:  {Weekly: true, Factors: factors{100, 100, 100, 50, 25, 100}},
	PresetCourse:   {Content: 5, Factors: factors{100, 100, 50, 0, 0, 100}, EnforceContent: true},
	PresetChain:    {Factors: factors{100, 100, 100, 50, 25, 100}},
	PresetCore:     {Intake: true, EnforceMoment: true, Moment: 3, Content: 6, Weekly: true, Factors: factors{100, 50, 0, 0, 0, 50}, EnforceContent: true, EnforceWeekly: true},
}

// of is the factor of a state. A judgement that is older than a week counts as
// one state lower, yet never as nothing.
func (f factors) of(c Condition, at clock.Milli) int {
	list := [...]int{f.healthy, f.warm, f.cooling, f.quiet, f.dead}
	n := slices.Index(states, c.State)
	switch {
	case n < 0:
		return f.unknown
	case at < c.Until.Add(staleAfter):
		return list[n]
	}
	return max(list[min(n+1, len(list)-1)], 25)
}

var states = []health.State{health.StateHealthy, health.StateWarm, health.StateCooling, health.StateQuiet, health.StateDead}

// scaled is a cap under a factor: rounded up, and at least one, but for dead
// groups.
func scaled(limit, factor int, s health.State) int {
	if limit == Unlimited {
		return Unlimited
	}
	n := (limit*factor + 99) / 100
	if s != health.StateDead && limit > 0 {
		n = max(n, 1)
	}
	return n
}

// careRules run what rests on a group's health. Rules whose inputs nobody
// knows are listed as advice with −1; the others advise until enough is known.
func (x *exam) careRules(w Window, v *verdict) {
	care, c := &x.policy.Care, &x.state.Condition
	advised := v.advise
	enforced := func(by bool) { v.advise = advised || !by || c.Coverage < covered }
	if care.Intake {
		enforced(true)
		x.intake(w, v)
	}
	switch judged := c.State != ""; {
	case care.Moment == 0:
	case x.state.MomentsKnown && x.under == "":
		enforced(care.EnforceMoment)
		x.moment(w, v)
	case judged && !x.state.MomentsKnown:
		v.note(Reason{RuleMoment, Unknown, int64(care.Moment)})
	}
	if v.advise = advised; c.State == "" {
		return // nothing more is known
	}
	if care.Content > 0 {
		enforced(care.EnforceContent)
		x.content(w, v)
	}
	if care.Weekly {
		enforced(care.EnforceWeekly && (x.policy.Preset != PresetInterest || w.From >= x.state.BornAt.Add(weeklyFrom)))
		switch {
		case c.State == health.StateUnknown:
			v.note(Reason{RuleWeekly, Unknown, 1})
		case w.From >= c.Held.Add(interactEvery):
			v.deny(Reason{RuleWeekly, 0, 1}, never)
		}
	}
	if care.Factors != (factors{}) {
		enforced(true)
		x.quota(w, v)
	}
	v.advise = advised
	x.fatigue(w, v)
}

// content asks for so many pieces of content per ad of the last 7 days, this
// one among them.
func (x *exam) content(w Window, v *verdict) {
	each, known := x.policy.Care.Content, x.state.Condition.Content
	need := (x.state.Ads.touching(w.From.Add(-7*day), w.From) + 1) * each
	switch {
	case known < 0:
		v.note(Reason{RuleContent, Unknown, int64(each)})
	case known < need:
		v.deny(Reason{RuleContent, int64(known), int64(need)}, never)
	}
}

// quota holds the caps scaled by the group's state. One of them says it all.
func (x *exam) quota(w Window, v *verdict) {
	p, c := &x.policy, &x.state.Condition
	if c.State == health.StateUnknown {
		v.note(Reason{RuleHealth, Unknown, int64(p.Care.Factors.of(*c, w.From))})
		return
	}
	q := p.quota(c, w.From)
	_ = x.calendar(RuleHealth, q.day, periodDay, w, v) ||
		x.calendar(RuleHealth, q.week, periodWeek, w, v) || x.sliding(RuleHealth, q.week, 7*day, w, v) ||
		x.calendar(RuleHealth, q.month, periodMonth, w, v) || x.sliding(RuleHealth, q.month, 30*day, w, v)
}

// quota are caps scaled by a group's state.
type quota struct{ day, week, month int }

var noQuota = quota{Unlimited, Unlimited, Unlimited}

// quota is what the policy's caps come to at a moment.
func (p *Policy) quota(c *Condition, at clock.Milli) quota {
	f := p.Care.Factors.of(*c, at)
	if c.State == "" || c.State == health.StateUnknown || p.Care.Factors == (factors{}) || f >= 100 {
		return noQuota
	}
	return quota{scaled(p.Day, f, c.State), scaled(p.Week, f, c.State), scaled(p.Month, f, c.State)}
}

// fatigue doubles the gap, or pauses for a week after the last ad.
func (x *exam) fatigue(w Window, v *verdict) {
	gap := x.policy.tired(&x.state.Condition)
	if gap == 0 {
		return
	}
	n := before(x.state.Ads.last, w.From+1)
	if n == 0 {
		return
	}
	last := x.state.Ads.last[n-1]
	if free := last.Add(gap); w.From < free {
		v.deny(Reason{RuleFatigue, int64(w.From-last) / minuteMilli, int64(gap / time.Minute)}, free)
	}
}

// tired is how long after its last ad a tired group is left alone; 0 where it
// is not tired.
func (p *Policy) tired(c *Condition) time.Duration {
	switch {
	case c.State == "" || c.Fatigue < caution:
		return 0
	case c.Fatigue < exhausted:
		return 2 * p.Gap
	}
	return max(2*p.Gap, pauseFor)
}

// mainAd advises where another campaign has the day: one main ad a day. It
// refuses where the group says so.
func (x *exam) mainAd(w Window, v *verdict) {
	if x.state.Others.Len() == 0 {
		return
	}
	from, to := x.zone.span(periodDay, w.From)
	if n := x.state.Others.touching(from, to); n > 0 {
		advised := v.advise
		v.advise = true
		v.deny(Reason{RuleMain, int64(n), 1}, to)
		v.advise = advised
	}
}

// conditionOf is a standing as a decision reads it.
func conditionOf(s health.Standing, loc *time.Location) Condition {
	z := zone{loc: loc}
	end := func(day int) clock.Milli {
		if day == 0 {
			return 0
		}
		return z.begin(day, 1)
	}
	return Condition{State: s.State, Until: end(s.Day), Coverage: s.Coverage, Fatigue: int(s.Fatigue), Content: int(s.Content), Held: end(s.Held)}
}
