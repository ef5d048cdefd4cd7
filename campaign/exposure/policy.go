package exposure

import (
	"cmp"
	"slices"

	"siyu/campaign/guard"
	"siyu/internal/fault"
)

// Policy is what members' exposure is held to: a group of which more than
// ShareBP of the members already saw or will see Ceiling ads within the window
// is left out. In a layer a number of 0 and a mode of "" are left to those
// above.
type Policy struct {
	Mode       guard.Mode
	Ceiling    int
	WindowDays int
	ShareBP    int
}

// shipped is the policy before anybody set one: it says what it would leave
// out and leaves out nothing.
var shipped = Policy{Mode: guard.ModeAdvise, Ceiling: 7, WindowDays: 7, ShareBP: 5_000}

// CeilingMost is the highest ceiling: counts do not tell more apart.
const CeilingMost = 60

// Bounds of the other numbers.
const (
	ceilingLeast = 2
	daysMost     = 28
	shareLeast   = 1_000
	shareMost    = 10_000
)

// over is the policy laid over the one it leaves numbers to.
func (p Policy) over(below Policy) Policy {
	return Policy{cmp.Or(p.Mode, below.Mode), cmp.Or(p.Ceiling, below.Ceiling), cmp.Or(p.WindowDays, below.WindowDays), cmp.Or(p.ShareBP, below.ShareBP)}
}

var strength = []guard.Mode{guard.ModeOff, guard.ModeAdvise, guard.ModeEnforce}

func weaker(a, b guard.Mode) bool { return slices.Index(strength, a) < slices.Index(strength, b) }

// looserThan says whether the policy lets through anything that the other
// leaves out: more ads, of fewer days, before more of the members, or a weaker
// mode.
func (p Policy) looserThan(o Policy) bool {
	return weaker(p.Mode, o.Mode) || p.Ceiling > o.Ceiling || p.WindowDays < o.WindowDays || p.ShareBP > o.ShareBP
}

// stricter is what a layer sets until the notice of a looser one is over: what
// it set before, and of what is asked for all that is stricter at once. Was and
// becomes are the policies before and after.
func (p Policy) stricter(was, becomes Policy) Policy {
	if weaker(was.Mode, becomes.Mode) {
		p.Mode = becomes.Mode
	}
	if becomes.Ceiling < was.Ceiling {
		p.Ceiling = becomes.Ceiling
	}
	if becomes.WindowDays > was.WindowDays {
		p.WindowDays = becomes.WindowDays
	}
	if becomes.ShareBP < was.ShareBP {
		p.ShareBP = becomes.ShareBP
	}
	return p
}

// In sets the policy of the brand or a unit. What is left out is the brand's,
// and of the brand as shipped.
type In struct {
	Mode       guard.Mode `json:"mode"`
	Ceiling    *int       `json:"ceiling"`
	WindowDays *int       `json:"window_days"`
	ShareBP    *int       `json:"share_bp"`
}

// Validate keeps the numbers within their bounds.
func (in In) Validate() error {
	var c fault.Check
	c.OneOf(string(in.Mode), "mode", string(guard.ModeOff), string(guard.ModeAdvise), string(guard.ModeEnforce), "")
	for _, n := range in.asked().over(shipped).numbers() {
		c.Range(int64(n.Value), n.Name, int64(n.Min), int64(n.Max))
	}
	for _, n := range []struct {
		name string
		v    *int
	}{{"ceiling", in.Ceiling}, {"window_days", in.WindowDays}, {"share_bp", in.ShareBP}} {
		c.That(n.v == nil || *n.v != 0, n.name, "range", "不设就不要填", "leave it out to set none")
	}
	return c.Err()
}

// asked is what is set.
func (in In) asked() Policy {
	p := Policy{Mode: in.Mode}
	for from, into := range map[*int]*int{in.Ceiling: &p.Ceiling, in.WindowDays: &p.WindowDays, in.ShareBP: &p.ShareBP} {
		if from != nil {
			*into = *from
		}
	}
	return p
}
