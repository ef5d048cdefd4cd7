package guard

import (
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// Outcome is what a decision comes to.
type Outcome string

// The outcomes of Decide; late and unplanned are records of what happened
// without the guard's leave, preempted of a slot that another promotion took.
const (
	OutcomeAllow     Outcome = "allow"
	OutcomeDefer     Outcome = "defer"
	OutcomeDeny      Outcome = "deny"
	OutcomeLate      Outcome = "late"
	OutcomeUnplanned Outcome = "unplanned"
	OutcomeTaken     Outcome = "preempted"
	OutcomeDigest    Outcome = "digest" // of an ad that goes along in another's slot
)

// Decision is the guard's word on one ad in one group.
type Decision struct {
	Outcome   Outcome     `json:"outcome"`
	Rule      Rule        `json:"rule"`       // the first that denies; "" when allowed
	Window    Window      `json:"window"`     // the slot's window when allowed
	NotBefore clock.Milli `json:"not_before"` // when deferred: the first minute that passes
	Reasons   Reasons     `json:"reasons"`    // every rule that denies
	Advice    Reasons     `json:"advice"`     // rules that would, were they enforced, or lack data
	Permit    id.Permit   `json:"permit_id"`  // by which it is allowed, if not by the policy
	By        PermitKind  `json:"permit_kind"`
}

// Decide says whether an ad may show at some moment of the asked window. All
// rules run. When allowed, the slot's window is the asked one cut to WindowMax
// and to the next quiet hours, so that no moment of it is quiet. When not, the
// earliest later start inside the asked window that every rule passes turns a
// denial into a deferral.
func Decide(p Policy, s State, asked Window) Decision {
	x := exam{policy: p, state: s, zone: zone{loc: s.Zone}}
	d := Decision{Outcome: OutcomeAllow, Advice: p.advice}
	if p.Mode == ModeOff || s.Condition.State != "" {
		d.Advice = nil
	} else if len(p.Rules) > 0 {
		d.Advice = slices.DeleteFunc(slices.Clone(p.advice), func(r Reason) bool { return modeIn(p.Rules, r.Rule) == ModeOff })
	}
	if s.MomentsKnown && len(d.Advice) > 0 && d.Advice[0].Rule == RuleMoment {
		d.Advice = d.Advice[1:] // judged below
	}
	w := x.window(asked.From, asked.To)
	free := x.judge(w, &d)
	if len(d.Reasons) == 0 {
		d.Window = w
		return d
	}
	start, by, found := x.choose(asked, free)
	switch {
	case found && start == asked.From:
		x.policy, x.under = x.policy.lifted(by.Kind), by.Kind
		d.Window, d.Permit, d.By = x.window(start, min(asked.To, by.Window.To)), by.ID, by.Kind
		// What it lifted stays on the receipt, as advice.
		d.Reasons, d.Advice = nil, append(d.Advice[:len(d.Advice):len(d.Advice)], d.Reasons...)
	case found:
		d.Outcome, d.Rule, d.NotBefore = OutcomeDefer, d.Reasons[0].Rule, start
	default:
		d.Outcome, d.Rule = OutcomeDeny, d.Reasons[0].Rule
	}
	return d
}

// exam is one decision under way. It holds copies: pointers would put both on
// the heap.
type exam struct {
	policy Policy
	state  State
	zone   zone
	under  PermitKind
}

// window is the slot's window for a start: as long as asked, at most
// WindowMax, ending where a silence, quiet hours or a day that refuses ads begin
// or the group ends.
func (x *exam) window(from, to clock.Milli) Window {
	to = min(to, from.Add(WindowMax))
	to = beforeNext(x.state.Silences, from, to)
	if x.policy.refuses(RuleMourning, false) {
		to = beforeNext(x.state.Mourning, from, to)
	}
	if m := modeIn(x.policy.Rules, RuleQuiet); x.policy.Mode == ModeEnforce && m != ModeOff && m != ModeAdvise {
		to = x.beforeQuiet(x.policy.Quiet, from, to)
	}
	if end := x.state.EndsAt; end > from {
		to = min(to, end)
	}
	if c := x.state.Charter; c.Version > 0 {
		if c.EndsAt > from {
			to = min(to, c.EndsAt)
		}
		to = x.beforeQuiet(c.Quiet, from, to)
	}
	return Window{from, to}
}

// beforeNext ends a window where the next of the spans begins.
func beforeNext(spans []Window, from, to clock.Milli) clock.Milli {
	for _, s := range spans {
		if s.From > from {
			to = min(to, s.From)
		}
	}
	return to
}

func (x *exam) beforeQuiet(q Quiet, from, to clock.Milli) clock.Milli {
	if x.quiet(q, from) {
		from = x.zone.quietEnd(q, from) // that it begins quiet is the rule's to say
	}
	return max(min(to, x.zone.quietStart(q, from)), from)
}

func (x *exam) quiet(q Quiet, t clock.Milli) bool {
	return q.From != q.To && q.Holds(x.zone.minute(t))
}

// judge runs every rule on the window and notes on d, if given, what each
// denies. It returns the window's start when all pass, else a later moment
// before which one of them certainly still denies: as the start moves on, the
// window only lets go of what lies before it and never of what lies after, so
// a rule stays broken until the start has passed what broke it.
func (x *exam) judge(w Window, d *Decision) clock.Milli {
	v := verdict{free: w.From, decision: d, rules: x.policy.Rules, observed: x.policy.Mode == ModeAdvise}
	x.facts(w, &v)
	x.silences(w, &v)
	x.platform(w, &v)
	if x.policy.Mode != ModeOff {
		v.advise = x.policy.Mode == ModeAdvise
		x.policyRules(w, &v)
		v.advise = false
	}
	if x.state.Charter.Version > 0 {
		x.charterRules(w, &v)
	}
	return v.free
}

// verdict gathers what the rules say of one window.
type verdict struct {
	free     clock.Milli
	advise   bool
	decision *Decision
	rules    []RuleMode
	observed bool // the whole policy only advises
}

func (v *verdict) deny(r Reason, free clock.Milli) {
	advise := v.advise
	switch modeIn(v.rules, r.Rule) {
	case ModeOff:
		return
	case ModeAdvise:
		advise = true
	case ModeEnforce:
		advise = v.observed
	}
	if !advise {
		v.free = max(v.free, free)
	}
	switch {
	case v.decision == nil:
	case advise:
		v.note(r) // the preset's list is shared: never appended into
	case v.decision.Reasons == nil:
		v.decision.Reasons = append(make(Reasons, 0, 6), r) // as many as ever come at once, in one piece
	default:
		v.decision.Reasons = append(v.decision.Reasons, r)
	}
}

// note lists a rule without refusing.
func (v *verdict) note(r Reason) {
	if v.decision != nil && modeIn(v.rules, r.Rule) != ModeOff {
		v.decision.Advice = append(v.decision.Advice[:len(v.decision.Advice):len(v.decision.Advice)], r)
	}
}

// facts holds in every mode: without a group or somebody who answers for it
// there is nobody to send to.
func (x *exam) facts(w Window, v *verdict) {
	if !x.state.Open {
		v.deny(Reason{RuleClosed, 0, 1}, never)
		return
	}
	if !x.state.Owned {
		v.deny(Reason{RuleOwner, 0, 1}, never)
	}
	if end := x.state.EndsAt; end != 0 && w.From >= end {
		v.deny(Reason{RuleEnd, int64(w.From-end) / (60 * minuteMilli), 0}, never)
	}
}

// silences hold in every mode.
func (x *exam) silences(w Window, v *verdict) {
	for _, s := range x.state.Silences {
		if s.From <= w.From && w.From < s.To {
			v.deny(Reason{RuleSilence, int64(s.To-w.From) / minuteMilli, 0}, s.To)
		}
	}
}

func (x *exam) policyRules(w Window, v *verdict) {
	p, s := &x.policy, &x.state
	if ripe := s.BornAt.Add(p.WarmUp); w.From < ripe {
		v.deny(Reason{RuleWarmUp, int64(w.From-s.BornAt) / (60 * minuteMilli), int64(p.WarmUp / hour)}, ripe)
	}
	x.course(w, v)
	x.mourning(w, v)
	x.quietRule(RuleQuiet, p.Quiet, w, v)
	x.gapRule(w, v)
	if x.under != PermitOverride {
		x.gapAfterAdvance(w, v)
		x.rest(w, v)
	}
	x.calendar(RuleDay, p.Day, periodDay, w, v)
	x.calendar(RuleWeek, p.Week, periodWeek, w, v)
	x.sliding(RuleWeekSliding, p.Week, 7*day, w, v)
	x.calendar(RuleMonth, p.Month, periodMonth, w, v)
	x.sliding(RuleMonthSliding, p.Month, 30*day, w, v)
	if p.Life != Unlimited && s.Life >= p.Life {
		v.deny(Reason{RuleLife, int64(s.Life), int64(p.Life)}, never)
	}
	if x.under != PermitOverride {
		x.careRules(w, v)
		x.mainAd(w, v)
	}
}

func (x *exam) charterRules(w Window, v *verdict) {
	c := x.state.Charter
	if c.EndsAt != 0 && w.From >= c.EndsAt {
		v.deny(Reason{RuleCharterEnded, int64(w.From-c.EndsAt) / (60 * minuteMilli), 0}, never)
	}
	x.quietRule(RuleCharterQuiet, c.Quiet, w, v)
	x.calendar(RuleCharterDay, c.Day, periodDay, w, v)
	x.calendar(RuleCharterWeek, c.Week, periodWeek, w, v)
	x.sliding(RuleCharterSliding, c.Week, 7*day, w, v)
}

func (x *exam) quietRule(r Rule, q Quiet, w Window, v *verdict) {
	if x.quiet(q, w.From) {
		v.deny(Reason{r, int64(x.zone.minute(w.From)), int64(q.To)}, x.zone.quietEnd(q, w.From))
	}
}

// gapRule measures from the nearer end of each slot's moments.
func (x *exam) gapRule(w Window, v *verdict) {
	gap := clock.Milli(x.policy.Gap.Milliseconds())
	near, found := x.state.Ads.nearest(w.From, w.To-1)
	if !found || near >= gap {
		return
	}
	// An ad is too near if its last moment lies after From-gap and its first
	// one before To-1+gap. Firsts and lasts are sorted apart: passed counts the
	// ads that are over early enough, tooNear the others. The last moment at
	// that position is no later than the end of the last of them, so until a
	// gap after it one of them still denies.
	passed := before(x.state.Ads.last, w.From-gap+1)
	tooNear := before(x.state.Ads.first, w.To-1+gap) - passed
	v.deny(Reason{RuleGap, int64(near) / minuteMilli, int64(gap) / minuteMilli}, x.state.Ads.last[passed+tooNear-1]+gap)
}

// calendar holds the cap in each period the window touches, and says whether
// it denied.
func (x *exam) calendar(r Rule, limit int, unit period, w Window, v *verdict) bool {
	if limit == Unlimited {
		return false
	}
	most, free := 0, clock.Milli(0)
	for t := w.From; t < w.To; {
		from, to := x.zone.span(unit, t)
		n := x.state.Ads.touching(from, to)
		if r == RuleWeek {
			n += x.owed(from)
		}
		if n >= limit {
			most, free = max(most, n), to
		}
		t = to
	}
	if free > 0 {
		if limit == 0 {
			free = never
		}
		v.deny(Reason{r, int64(most), int64(limit)}, free)
	}
	return free > 0
}

// sliding holds the cap in every span of the length.
func (x *exam) sliding(r Rule, limit int, length time.Duration, w Window, v *verdict) bool {
	if limit == Unlimited {
		return false
	}
	most, latest, full := x.state.Ads.crowded(w.From, w.To-1, clock.Milli(length.Milliseconds()), limit)
	if full {
		free := latest.Add(length)
		if limit == 0 {
			free = never
		}
		v.deny(Reason{r, int64(most), int64(limit)}, free)
	}
	return full
}
