package guard

import (
	"testing"
	"time"
)

// TestLooser: every number, mode and rule of a policy, moved either way.
func TestLooser(t *testing.T) {
	base := PresetPolicy(PresetRetail, ModeEnforce)
	tests := []struct {
		name   string
		change func(*Policy)
		looser bool
	}{
		{"nothing", func(*Policy) {}, false},
		{"one more a day", func(p *Policy) { p.Day++ }, true},
		{"one less a day", func(p *Policy) { p.Day-- }, false},
		{"no cap a week", func(p *Policy) { p.Week = Unlimited }, true},
		{"one more a month", func(p *Policy) { p.Month++ }, true},
		{"a cap for life", func(p *Policy) { p.Life = 6 }, false},
		{"an hour less between", func(p *Policy) { p.Gap -= time.Hour }, true},
		{"an hour more between", func(p *Policy) { p.Gap += time.Hour }, false},
		{"a day less of warm-up", func(p *Policy) { p.WarmUp -= day }, true},
		{"a day more of warm-up", func(p *Policy) { p.WarmUp += day }, false},
		{"the last days of a course alone", func(p *Policy) { p.Course = 70 }, false},
		{"quiet for longer", func(p *Policy) { p.Quiet = Quiet{21 * 60, 9 * 60} }, false},
		{"quiet later", func(p *Policy) { p.Quiet = Quiet{22*60 + 1, 9 * 60} }, true},
		{"quiet at noon", func(p *Policy) { p.Quiet = Quiet{8 * 60, 20 * 60} }, true},
		{"advice only", func(p *Policy) { p.Mode = ModeAdvise }, true},
		{"caps are advice", func(p *Policy) { p.Rules = []RuleMode{{"G7", ModeAdvise}} }, true},
		{"caps enforced, as they are", func(p *Policy) { p.Rules = []RuleMode{{"G7", ModeEnforce}} }, false},
		{"content enforced", func(p *Policy) { p.Rules = []RuleMode{{"G9", ModeEnforce}} }, false},
		{"health is advice", func(p *Policy) { p.Rules = []RuleMode{{"G11", ModeAdvise}} }, true},
		{"a preset that asks less of health", func(p *Policy) { p.Care = cares[PresetBenefit] }, true},
		{"a preset that asks more of health", func(p *Policy) { p.Care = cares[PresetCore] }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := base
			tt.change(&p)
			if got := p.looserThan(&base); got != tt.looser {
				t.Errorf("looser: got %t", got)
			}
		})
	}
	// Until the notice is over only what is stricter holds.
	asked := base
	asked.Day, asked.Week, asked.Gap, asked.Quiet = 3, 2, 10*hour, Quiet{21 * 60, 8 * 60}
	asked.Rules = []RuleMode{{"G9", ModeEnforce}, {"G11", ModeOff}}
	want := nothingSet
	want.AdsPerWeek, want.QuietFrom, want.QuietTo, want.Rules = 2, 21*60, 8*60, "G9:enforce"
	if got := nothingSet.stricter(&base, &asked); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
