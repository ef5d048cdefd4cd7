package guard

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRuleModes: a group may keep single rules otherwise than its preset says.
func TestRuleModes(t *testing.T) {
	now := at(t, shanghai, "2026-03-02 10:00")
	base := State{Open: true, Owned: true, BornAt: 1, Zone: location(t, shanghai)}
	base.Ads.Add(now.Add(-5*time.Hour), now.Add(-5*time.Hour))
	base.Others = base.Ads.Clone()
	long := Window{now, now.Add(20 * time.Hour)} // over the quiet hours
	for name, c := range map[string]struct {
		mode   Mode
		rules  []RuleMode
		want   Outcome
		deny   []Rule
		advice []Rule
		ends   string
	}{
		"as the preset says":     {ModeEnforce, nil, OutcomeDeny, []Rule{RuleGap, RuleDay}, []Rule{RuleMain}, ""},
		"G6 off, G7 advised":     {ModeEnforce, []RuleMode{{"G6", ModeOff}, {"G7", ModeAdvise}}, OutcomeAllow, nil, []Rule{RuleDay, RuleMain}, "2026-03-02 22:00"},
		"G5 advised: no cut":     {ModeEnforce, []RuleMode{{"G5", ModeAdvise}, {"G6", ModeOff}, {"G7", ModeOff}}, OutcomeAllow, nil, []Rule{RuleMain}, "2026-03-03 06:00"},
		"G13 enforced":           {ModeEnforce, []RuleMode{{"G6", ModeOff}, {"G7", ModeOff}, {"G13", ModeEnforce}, {"G5", ModeOff}}, OutcomeDefer, []Rule{RuleMain}, nil, ""},
		"an observed group does": {ModeAdvise, []RuleMode{{"G7", ModeEnforce}, {"G13", ModeOff}}, OutcomeAllow, nil, []Rule{RuleGap, RuleDay}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := PresetPolicy(PresetRetail, c.mode)
			p.Rules, p.advice = c.rules, nil
			got := Decide(p, base, long)
			if got.Outcome != c.want {
				t.Errorf("got %s %v, want %s", got.Outcome, got.Reasons, c.want)
			}
			if diff := cmp.Diff(c.deny, rulesOf(got.Reasons)); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.advice, rulesOf(got.Advice)); diff != "" {
				t.Errorf("advice (-want +got):\n%s", diff)
			}
			if c.ends != "" && got.Window.To != at(t, shanghai, c.ends) {
				t.Errorf("ends %s, want %s", got.Window.To.Time().In(base.Zone), c.ends)
			}
		})
	}
	in := AdPolicyIn{Preset: PresetRetail, Mode: ModeEnforce, SettingsIn: SettingsIn{Rules: map[Rule]Mode{"G7": ModeAdvise, "G10": ModeOff}}}
	if err := in.Validate(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]RuleMode{{"G10", ModeOff}, {"G7", ModeAdvise}}, decodeRules(encodeRules(in.Rules))); diff != "" {
		t.Error(diff)
	}
	if modeIn([]RuleMode{{"G1", ModeOff}}, RuleWeekly) != "" {
		t.Error("G1 is not G10")
	}
	for _, bad := range []map[Rule]Mode{{"G2": ModeOff}, {"C.day": ModeOff}, {"S": ModeOff}, {"G7": "loose"}} {
		in.Rules = bad
		if in.Validate() == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}
