package guard

import (
	"testing"
	"time"

	"siyu/internal/clock"
)

// TestCourse: the ads of a course come after 70 % of it, to the millisecond; a
// course whose end nobody said is only advised.
func TestCourse(t *testing.T) {
	born := at(t, shanghai, "2026-11-02 10:00")
	end := born.Add(30 * day) // 70 % are over on the 23rd at 10:00
	mark := born.Add(21 * day)
	state := State{Open: true, Owned: true, Zone: location(t, shanghai), BornAt: born}
	tests := []struct {
		name    string
		plan    clock.Milli
		charter clock.Milli
		from    clock.Milli
		for_    time.Duration
		mode    Mode
		want    Outcome
		rule    Rule
		reason  Reason
		later   clock.Milli
	}{
		{name: "on its first day", plan: end, from: born.Add(time.Hour), for_: time.Hour, want: OutcomeDeny, rule: RuleCourse, reason: Reason{RuleCourse, 0, 70}},
		{name: "a millisecond before its last days", plan: end, from: mark - 1, for_: 1, want: OutcomeDeny, rule: RuleCourse, reason: Reason{RuleCourse, 69, 70}},
		{name: "until its last days", plan: end, from: mark.Add(-2 * time.Hour), for_: 5 * time.Hour, want: OutcomeDefer, rule: RuleCourse, reason: Reason{RuleCourse, 69, 70}, later: mark},
		{name: "as its last days begin", plan: end, from: mark, for_: time.Hour, want: OutcomeAllow},
		{name: "by the charter's end, which is nearer", plan: end, charter: born.Add(10 * day), from: born.Add(7 * day), for_: time.Hour, want: OutcomeAllow},
		{name: "by the charter's end alone", charter: end, from: mark - 1, for_: 1, want: OutcomeDeny, rule: RuleCourse, reason: Reason{RuleCourse, 69, 70}},
		{name: "no end is known", from: born.Add(time.Hour), for_: time.Hour, want: OutcomeAllow, reason: Reason{RuleCourse, Unknown, 70}},
		{name: "the group has switched G8 off", plan: end, from: born.Add(time.Hour), for_: time.Hour, mode: ModeOff, want: OutcomeAllow},
		{name: "or only wants advice", plan: end, from: born.Add(time.Hour), for_: time.Hour, mode: ModeAdvise, want: OutcomeAllow, reason: Reason{RuleCourse, 0, 70}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, s := PresetPolicy(PresetCourse, ModeEnforce), state
			if tt.mode != "" {
				p.Rules = []RuleMode{{"G8", tt.mode}}
			}
			s.EndsAt = tt.plan
			if tt.charter != 0 {
				s.Charter = Charter{Version: 1, Day: 6, Week: 30, EndsAt: tt.charter}
			}
			d := Decide(p, s, Window{tt.from, tt.from.Add(tt.for_)})
			if tt.for_ == 1 {
				d = Decide(p, s, Window{tt.from, tt.from + 1})
			}
			if d.Outcome != tt.want || d.Rule != tt.rule || d.NotBefore != tt.later {
				t.Fatalf("got %s by %s, not before %s: %v", d.Outcome, d.Rule, d.NotBefore, d.Reasons)
			}
			said := append(append(Reasons{}, d.Reasons...), d.Advice...)
			found := false
			for _, r := range said {
				found = found || r == tt.reason
			}
			if !found && tt.reason != (Reason{}) {
				t.Errorf("got %v, want %v in it", said, tt.reason)
			}
			if ripe := p.Ripe(&s); tt.want == OutcomeDeny && ripe != mark {
				t.Errorf("ripe at %s, want %s", ripe, mark)
			}
		})
	}
	// A pass lifts the cap of a week, not what a course is.
	s := state
	s.EndsAt, s.Permits = end, []Allowed{{ID: 1, Kind: PermitOverride, Window: Window{born, end}}}
	if d := Decide(PresetPolicy(PresetCourse, ModeEnforce), s, Window{born.Add(day), born.Add(day + time.Hour)}); d.Outcome != OutcomeDeny {
		t.Errorf("with an override: got %s", d.Outcome)
	}
}
