package guard

import (
	"time"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// spareFor is how soon a group that was spared is asked for again.
const spareFor = time.Hour

// Sparing says of groups why their members have seen enough for now. It comes
// from whoever plans: no slot and no proof rests on it.
type Sparing map[id.Group]Spared

// Spared is one group: left out for now, or only told of.
type Spared struct {
	Reasons Reasons
	LeftOut bool
}

// of lays it over what the guard alone would allow; what it refuses stands.
func (s Sparing) of(g id.Group, d Decision, w Window, now clock.Milli) Decision {
	x, named := s[g]
	switch {
	case !named || d.Outcome != OutcomeAllow:
		return d
	case !x.LeftOut:
		d.Advice = append(d.Advice[:len(d.Advice):len(d.Advice)], x.Reasons...)
		return d
	}
	return Decision{Outcome: OutcomeDefer, Rule: RuleExposure, NotBefore: min(max(now, w.From).Add(spareFor), w.To), Reasons: x.Reasons, Advice: d.Advice}
}
