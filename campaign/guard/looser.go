package guard

import (
	"maps"
	"slices"
	"time"
)

// noticeFor is how long a looser policy is announced before it counts, as long
// as a looser charter.
const noticeFor = 7 * day

// looserThan says whether the policy lets through anything that the other
// keeps out: a shorter warm-up or gap, a higher cap, a minute that was quiet,
// a weaker mode, or less asked of the group's health.
func (p *Policy) looserThan(o *Policy) bool {
	for _, r := range ownRules {
		if p.strictness(Rule(r)) < o.strictness(Rule(r)) {
			return true
		}
	}
	return p.WarmUp < o.WarmUp || p.Course < o.Course || p.Gap < o.Gap || above(p.Day, o.Day) || above(p.Week, o.Week) || above(p.Month, o.Month) || above(p.Life, o.Life) ||
		!p.Quiet.covers(o.Quiet) || p.Mode.rank() < o.Mode.rank() || p.Care.looserThan(&o.Care)
}

// stricter is what a layer sets until the notice of a looser one is over: what
// it set before, and of what is asked for all that is stricter at once. Was
// and becomes are the policies before and after.
func (s settings) stricter(was, becomes *Policy) settings {
	if becomes.WarmUp > was.WarmUp {
		s.WarmUpDays = int(becomes.WarmUp / day)
	}
	if becomes.Gap > was.Gap {
		s.GapHours = int(becomes.Gap / time.Hour)
	}
	less := func(was, becomes int, into *int) {
		if above(was, becomes) {
			*into = becomes
		}
	}
	less(was.Day, becomes.Day, &s.AdsPerDay)
	less(was.Week, becomes.Week, &s.AdsPerWeek)
	less(was.Month, becomes.Month, &s.AdsPerMonth)
	if becomes.Quiet != was.Quiet && becomes.Quiet.covers(was.Quiet) {
		s.QuietFrom, s.QuietTo = becomes.Quiet.From, becomes.Quiet.To
	}
	rules := map[Rule]Mode{}
	for _, m := range decodeRules(s.Rules) {
		rules[m.Rule] = m.Mode
	}
	before := maps.Clone(rules)
	for _, r := range ownRules {
		if rule := Rule(r); becomes.strictness(rule) > was.strictness(rule) {
			rules[rule] = modeIn(becomes.Rules, rule)
			if rules[rule] == "" {
				delete(rules, rule)
			}
		}
	}
	if !maps.Equal(before, rules) {
		s.Rules = encodeRules(rules)
	}
	return s
}

// above says whether a cap lets through more than another.
func above(a, b int) bool {
	return b != Unlimited && (a == Unlimited || a > b)
}

// covers says whether every quiet minute of the other is quiet.
func (q Quiet) covers(o Quiet) bool {
	if o.Minutes() == 0 {
		return true
	}
	later := (o.From - q.From + minutesOfDay) % minutesOfDay
	return later+o.Minutes() <= q.Minutes()
}

func (m Mode) rank() int { return slices.Index([]Mode{ModeOff, ModeAdvise, ModeEnforce}, m) }

// strictness is how strictly a rule is kept: off, advice, by what the preset
// says once enough is known, always.
func (p *Policy) strictness(r Rule) int {
	const off, advises, known, always = 0, 1, 2, 3
	switch modeIn(p.Rules, r) {
	case ModeOff:
		return off
	case ModeAdvise:
		return advises
	case ModeEnforce:
		return always
	}
	preset := map[Rule]bool{RuleIntake: p.Care.Intake, RuleMoment: p.Care.EnforceMoment, RuleContent: p.Care.EnforceContent, RuleWeekly: p.Care.EnforceWeekly, RuleHealth: true, RuleMain: false, RuleMourning: false}
	switch refuses, cares := preset[r]; {
	case !cares:
		return always
	case refuses:
		return known
	}
	return advises
}

// looserThan says whether less is asked of a group's health.
func (c *Care) looserThan(o *Care) bool {
	mine, others := c.Factors.list(), o.Factors.list()
	for i := range mine {
		if mine[i] > others[i] {
			return true
		}
	}
	return o.Moment > 0 && (c.Moment == 0 || c.Moment > o.Moment) || c.Content < o.Content || o.Weekly && !c.Weekly || o.Intake && !c.Intake
}

// list is the factors by state; a preset without any scales nothing.
func (f factors) list() [6]int {
	if f == (factors{}) {
		return [6]int{100, 100, 100, 100, 100, 100}
	}
	return [6]int{f.healthy, f.warm, f.cooling, f.quiet, f.dead, f.unknown}
}
