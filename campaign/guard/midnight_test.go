package guard

import (
	"testing"

	"siyu/community/health"
	"siyu/internal/clock"
)

// TestSkippedMidnight: where the clocks skip midnight, days to avoid, key moments
// and what was judged begin and end with the local day, not an hour off.
func TestSkippedMidnight(t *testing.T) {
	for name, c := range map[string]struct {
		before, day   int    // the day of which midnight is skipped, and the one before
		last, begins  string // the last minute of the one, in UTC, and the beginning of the other
		three, fourth string // midnights three days before and two days after
	}{
		"America/Santiago": {20260905, 20260906, "2026-09-06 03:59", "2026-09-06 04:00", "2026-09-03 04:00", "2026-09-08 03:00"},
		"Africa/Cairo":     {20260423, 20260424, "2026-04-23 21:59", "2026-04-23 22:00", "2026-04-20 22:00", "2026-04-25 21:00"},
	} {
		loc := location(t, name)
		utc := func(text string) clock.Milli { return at(t, "UTC", text) }
		of := func(day int, avoid bool) spans {
			n := nearby{all: []Moment{{FromDay: day, ToDay: day, Avoid: avoid}}}
			return n.of(0, loc)
		}
		p := PresetPolicy(PresetFlash, ModeEnforce)
		p.Quiet, p.Rules = Quiet{}, []RuleMode{{RuleMourning, ModeEnforce}}
		refused := func(day int, at string) bool {
			s := State{Open: true, Owned: true, Zone: loc, Mourning: of(day, true).avoid, MomentsKnown: true}
			return Decide(p, s, Window{utc(at), utc(at) + 1}).Rule == RuleMourning
		}
		if !refused(c.before, c.last) || refused(c.before, c.begins) {
			t.Errorf("%s: the day before ends at another moment than its last minute", name)
		}
		if refused(c.day, c.last) || !refused(c.day, c.begins) {
			t.Errorf("%s: the day begins at another moment than its first", name)
		}
		x := exam{policy: Policy{Care: Care{Moment: 3}}, state: State{Zone: loc, Moments: of(c.day, false).key}, zone: zone{loc: loc}}
		for text, want := range map[string]bool{c.three: true, c.fourth: false} {
			if m := utc(text); x.nearMoment(m) != want || x.nearMoment(m-1) == want {
				t.Errorf("%s: %s is no edge of the days around a key moment", name, text)
			}
		}
		if until := conditionOf(health.Standing{State: health.StateWarm, Day: c.before}, loc).Until; until != utc(c.begins) {
			t.Errorf("%s: the day before was judged until %s, want %s", name, until, c.begins)
		}
	}
}
