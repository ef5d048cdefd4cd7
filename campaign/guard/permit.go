package guard

import (
	"time"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// PermitKind is what a permit lifts of a policy. None lifts the charter, a
// silence, the warm-up or quiet hours.
type PermitKind string

// The kinds. An override lets one ad of one promotion past caps, gap and
// advice. A pass (大促通行证) is for a named moment of up to seven days: three
// times the week's cap inside one and a half times the month's, then three
// silent days. An advance (预支) takes next week's ad now: next week has one
// less, and the next gap is twice as long.
const (
	PermitOverride PermitKind = "override"
	PermitPass     PermitKind = "pass"
	PermitAdvance  PermitKind = "advance"
)

// The bounds of permits.
const (
	passWeek       = 3 // times the week's cap
	passMonthHalfs = 3 // halves of the month's cap
	passRest       = 3 * day
	passesAYear    = 6
	onceIn         = 30 * day // one override, and one advance, of a group
)

// longest is how long a permit of the kind may stand.
func (k PermitKind) longest() time.Duration {
	if k == PermitOverride {
		return WindowMax
	}
	return 7 * day
}

// once says that each group may use it for one ad.
func (k PermitKind) once() bool { return k != PermitPass }

// Allowed is a permit as a decision reads it.
type Allowed struct {
	ID     id.Permit
	Kind   PermitKind
	Window Window
}

// lifted is the policy under a permit of the kind.
func (p Policy) lifted(k PermitKind) Policy {
	switch k {
	case PermitOverride:
		p.Day, p.Week, p.Month, p.Life, p.Gap = Unlimited, Unlimited, Unlimited, Unlimited, 0
	case PermitPass:
		if p.Week != Unlimited {
			p.Week *= passWeek
		}
		if p.Month != Unlimited {
			p.Month = p.Month * passMonthHalfs / 2
		}
	case PermitAdvance:
		if p.Week != Unlimited {
			p.Week++
		}
	}
	return p
}

// choose finds the earliest start inside the asked window that every rule
// passes, without a permit or with one; without, if both are as early.
func (x *exam) choose(asked Window, free clock.Milli) (start clock.Milli, by Allowed, found bool) {
	start, found = x.first(asked, free)
	for _, a := range x.state.Permits {
		from := max(asked.From, a.Window.From)
		w := Window{from, min(asked.To, a.Window.To)}
		if w.From >= w.To || found && from >= start {
			continue
		}
		y := *x
		y.policy, y.under = x.policy.lifted(a.Kind), a.Kind
		if from != asked.From {
			w.From = wholeMinute(from)
		}
		if at, ok := y.first(w, w.From); ok && (!found || at < start) {
			start, by, found = at, a, true
		}
	}
	return start, by, found
}

// first is the earliest start from free on, a whole minute unless it is the
// first moment asked for, that every rule passes.
func (x *exam) first(asked Window, free clock.Milli) (clock.Milli, bool) {
	for free < asked.To {
		start := free
		if start != asked.From {
			start = wholeMinute(free)
		}
		if start >= asked.To {
			break
		}
		if free = x.judge(x.window(start, asked.To), nil); free == start {
			return start, true
		}
	}
	return 0, false
}

// rest is denied after a pass.
func (x *exam) rest(w Window, v *verdict) {
	for _, r := range x.state.Rest {
		if r.From <= w.From && w.From < r.To {
			v.deny(Reason{RuleRest, int64(w.From-r.From) / minuteMilli, int64(passRest) / int64(time.Minute)}, r.To)
		}
	}
}

// owed is how many ads of the ISO week that begins at from were taken in
// advance.
func (x *exam) owed(from clock.Milli) (n int) {
	for _, e := range x.state.Early {
		if _, next := x.zone.span(periodWeek, e.From); next == from {
			n++
		}
	}
	return n
}

// gapAfterAdvance is twice the gap.
func (x *exam) gapAfterAdvance(w Window, v *verdict) {
	for _, e := range x.state.Early {
		if free := e.To.Add(2 * x.policy.Gap); e.To <= w.From && w.From < free {
			v.deny(Reason{RuleGapAdvance, int64(w.From-e.To) / minuteMilli, 2 * int64(x.policy.Gap/time.Minute)}, free)
		}
	}
}
