package guard

import "testing"

// TestMourning: on a day to avoid an ad is advised against; where the rule is
// enforced it waits for the next day, and a window of the day before ends with
// it.
func TestMourning(t *testing.T) {
	const eve, day, after = "2026-12-12", "2026-12-13", "2026-12-14"
	enforced := []RuleMode{{RuleMourning, ModeEnforce}}
	for name, c := range map[string]struct {
		from, to string
		mode     Mode
		rules    []RuleMode
		permit   PermitKind
		want     Outcome
		deny     []Rule
		advice   []Rule
		before   string // not before, or of what is allowed its end
	}{
		"advice as it comes":              {day + " 10:00", after + " 12:00", ModeEnforce, nil, "", OutcomeAllow, nil, []Rule{RuleMourning}, day + " 21:30"},
		"its last minute":                 {day + " 23:59", after + " 12:00", ModeEnforce, enforced, "", OutcomeDefer, []Rule{RuleMourning, RuleQuiet}, nil, after + " 06:30"},
		"enforced, it waits":              {day + " 10:00", after + " 12:00", ModeEnforce, enforced, "", OutcomeDefer, []Rule{RuleMourning}, nil, after + " 06:30"},
		"enforced, no day is left":        {day + " 10:00", day + " 20:00", ModeEnforce, enforced, "", OutcomeDeny, []Rule{RuleMourning}, nil, ""},
		"the eve ends at midnight":        {eve + " 20:00", day + " 12:00", ModeEnforce, append([]RuleMode{{"G5", ModeOff}}, enforced...), "", OutcomeAllow, nil, nil, day + " 00:00"},
		"the eve of one that is advised":  {eve + " 20:00", day + " 12:00", ModeEnforce, []RuleMode{{"G5", ModeOff}}, "", OutcomeAllow, nil, nil, day + " 12:00"},
		"the day after":                   {after + " 10:00", after + " 12:00", ModeEnforce, enforced, "", OutcomeAllow, nil, nil, after + " 12:00"},
		"switched off":                    {day + " 10:00", day + " 12:00", ModeEnforce, []RuleMode{{RuleMourning, ModeOff}}, "", OutcomeAllow, nil, nil, day + " 12:00"},
		"a group that is only observed":   {day + " 10:00", day + " 12:00", ModeAdvise, enforced, "", OutcomeAllow, nil, []Rule{RuleMourning}, day + " 12:00"},
		"an override does not lift it":    {day + " 10:00", day + " 12:00", ModeEnforce, enforced, PermitOverride, OutcomeDeny, []Rule{RuleMourning}, nil, ""},
		"a group without a policy is one": {day + " 10:00", day + " 12:00", ModeOff, enforced, "", OutcomeAllow, nil, nil, day + " 12:00"},
	} {
		t.Run(name, func(t *testing.T) {
			s := State{Open: true, Owned: true, BornAt: 1, Zone: location(t, shanghai), Mourning: []Window{{at(t, shanghai, day+" 00:00"), at(t, shanghai, after+" 00:00")}}}
			if c.permit != "" {
				s.Permits = []Allowed{{1, c.permit, Window{1, never}}}
			}
			p := PresetPolicy(PresetChain, c.mode)
			p.Rules, p.advice = c.rules, nil
			got := Decide(p, s, Window{at(t, shanghai, c.from), at(t, shanghai, c.to)})
			if got.Outcome == OutcomeAllow {
				comesTo(t, got, c.want, c.deny, c.advice, "")
				if want := at(t, shanghai, c.before); got.Window.To != want {
					t.Errorf("ends %s, want %s", got.Window.To, want)
				}
				return
			}
			comesTo(t, got, c.want, c.deny, c.advice, c.before)
		})
	}
	off, advised, kept := PresetPolicy(PresetChain, ModeEnforce), PresetPolicy(PresetChain, ModeEnforce), PresetPolicy(PresetChain, ModeEnforce)
	off.Rules, kept.Rules = []RuleMode{{RuleMourning, ModeOff}}, enforced
	if !off.looserThan(&advised) || !advised.looserThan(&kept) || kept.looserThan(&advised) {
		t.Error("off is looser than advice, and advice than enforcing")
	}
}
