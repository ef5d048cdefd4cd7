package guard

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community/health"
)

// TestCare walks the rules on a group's health along their edges. An ad is
// asked for on Monday 10:00 to 12:00; the group was judged last night.
func TestCare(t *testing.T) {
	now := at(t, shanghai, "2026-03-02 10:00")
	well := Condition{State: health.StateHealthy, Until: at(t, shanghai, "2026-03-02 00:00"), Coverage: 7_000, Fatigue: Unknown, Content: 100, Held: now}
	with := func(change func(*Condition)) Condition { c := well; change(&c); return c }
	state := func(s health.State) Condition { return with(func(c *Condition) { c.State = s }) }
	for name, c := range map[string]struct {
		preset    Preset
		condition Condition
		ads       []string
		born      string
		want      Outcome
		rules     []Rule
		advice    []Rule
		before    string
	}{
		"healthy": {PresetInterest, well, nil, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},

		"G9 four pieces for one ad":             {PresetInterest, with(func(c *Condition) { c.Content = 4 }), nil, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"G9 three are too few":                  {PresetInterest, with(func(c *Condition) { c.Content = 3 }), nil, "", OutcomeDeny, []Rule{RuleContent}, []Rule{RuleMoment}, ""},
		"G9 a second ad asks for eight":         {PresetInterest, with(func(c *Condition) { c.Content = 7 }), []string{"2026-02-24 10:00"}, "", OutcomeDeny, []Rule{RuleContent}, []Rule{RuleMoment}, ""},
		"G9 an ad of eight days ago asks none":  {PresetInterest, with(func(c *Condition) { c.Content = 4 }), []string{"2026-02-23 09:59"}, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"G9 advises where too little is known":  {PresetInterest, with(func(c *Condition) { c.Content, c.Coverage = 3, 6_999 }), nil, "", OutcomeAllow, nil, []Rule{RuleMoment, RuleContent}, ""},
		"G9 advises in retail":                  {PresetRetail, with(func(c *Condition) { c.Content = 1 }), nil, "", OutcomeAllow, nil, []Rule{RuleMoment, RuleContent}, ""},
		"G9 unknown refuses nothing":            {PresetInterest, with(func(c *Condition) { c.Content = Unknown }), nil, "", OutcomeAllow, nil, []Rule{RuleMoment, RuleContent}, ""},
		"G10 within 7 days":                     {PresetInterest, with(func(c *Condition) { c.Held = at(t, shanghai, "2026-02-23 10:01") }), nil, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"G10 7 days ago":                        {PresetInterest, with(func(c *Condition) { c.Held = at(t, shanghai, "2026-02-23 10:00") }), nil, "", OutcomeDeny, []Rule{RuleWeekly}, []Rule{RuleMoment}, ""},
		"G10 none is known":                     {PresetCore, with(func(c *Condition) { c.Held = 0 }), nil, "", OutcomeDeny, []Rule{RuleWeekly}, []Rule{RuleMoment}, ""},
		"G10 advises up to the fifth week":      {PresetInterest, with(func(c *Condition) { c.Held = 0 }), nil, "2026-02-02 10:01", OutcomeAllow, nil, []Rule{RuleMoment, RuleWeekly}, ""},
		"G10 refuses from the fifth week":       {PresetInterest, with(func(c *Condition) { c.Held = 0 }), nil, "2026-02-02 10:00", OutcomeDeny, []Rule{RuleWeekly}, []Rule{RuleMoment}, ""},
		"G10 advises in benefit":                {PresetBenefit, with(func(c *Condition) { c.Held = 0 }), nil, "", OutcomeAllow, nil, []Rule{RuleWeekly}, ""},
		"G10 unknown refuses nothing":           {PresetCore, state(health.StateUnknown), nil, "", OutcomeAllow, nil, []Rule{RuleMoment, RuleWeekly, RuleHealth}, ""},
		"G11 warm: half of two is one":          {PresetInterest, state(health.StateWarm), nil, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"G11 warm: the second of a week":        {PresetInterest, state(health.StateWarm), []string{"2026-02-25 10:00"}, "", OutcomeDeny, []Rule{RuleHealth}, []Rule{RuleMoment}, ""},
		"G11 healthy: the second of a week":     {PresetInterest, well, []string{"2026-02-25 10:00"}, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"G11 quiet: one a week stays":           {PresetInterest, state(health.StateQuiet), nil, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"G11 dead: none":                        {PresetInterest, state(health.StateDead), nil, "", OutcomeDeny, []Rule{RuleHealth}, []Rule{RuleMoment}, ""},
		"G11 dead, a week old: a quarter":       {PresetInterest, with(func(c *Condition) { c.State, c.Until = health.StateDead, at(t, shanghai, "2026-02-23 10:00") }), nil, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"G11 healthy, nearly a week old":        {PresetInterest, with(func(c *Condition) { c.Until = at(t, shanghai, "2026-02-23 10:01") }), []string{"2026-02-25 10:00"}, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"G11 healthy, a week old: warm":         {PresetInterest, with(func(c *Condition) { c.Until = at(t, shanghai, "2026-02-23 10:00") }), []string{"2026-02-25 10:00"}, "", OutcomeDeny, []Rule{RuleHealth}, []Rule{RuleMoment}, ""},
		"G11 advises where too little is known": {PresetInterest, with(func(c *Condition) { c.State, c.Coverage = health.StateDead, 6_999 }), nil, "", OutcomeAllow, nil, []Rule{RuleMoment, RuleHealth}, ""},
		"G11 dead retail: a quarter":            {PresetRetail, state(health.StateDead), nil, "", OutcomeAllow, nil, []Rule{RuleMoment}, ""},

		"G12 below caution":               {PresetBenefit, with(func(c *Condition) { c.Fatigue = 2_999 }), []string{"2026-03-02 07:00"}, "", OutcomeAllow, nil, nil, ""},
		"G12 caution: twice 3 h":          {PresetBenefit, with(func(c *Condition) { c.Fatigue = 3_000 }), []string{"2026-03-02 05:00"}, "", OutcomeDefer, []Rule{RuleFatigue}, nil, "2026-03-02 11:00"},
		"G12 an ad at the same moment":    {PresetBenefit, with(func(c *Condition) { c.Fatigue = 3_000 }), []string{"2026-03-02 10:00"}, "", OutcomeDeny, []Rule{RuleGap, RuleFatigue}, nil, ""},
		"G12 caution: 6 h are over":       {PresetBenefit, with(func(c *Condition) { c.Fatigue = 5_999 }), []string{"2026-03-02 04:00"}, "", OutcomeAllow, nil, nil, ""},
		"G12 stop: a week":                {PresetBenefit, with(func(c *Condition) { c.Fatigue = 6_000 }), []string{"2026-02-23 11:30"}, "", OutcomeDefer, []Rule{RuleFatigue}, nil, "2026-03-02 11:30"},
		"G12 stop: the week is over":      {PresetBenefit, with(func(c *Condition) { c.Fatigue = 9_999 }), []string{"2026-02-23 10:00"}, "", OutcomeAllow, nil, nil, ""},
		"G12 refuses whatever is covered": {PresetBenefit, with(func(c *Condition) { c.Fatigue, c.Coverage = 6_000, 0 }), []string{"2026-02-28 10:00"}, "", OutcomeDeny, []Rule{RuleFatigue}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.born == "" {
				c.born = "2025-01-01 00:00"
			}
			s := State{Open: true, Owned: true, BornAt: at(t, shanghai, c.born), Zone: location(t, shanghai), Condition: c.condition}
			for _, a := range c.ads {
				s.Ads.Add(at(t, shanghai, a), at(t, shanghai, a))
			}
			got := Decide(PresetPolicy(c.preset, ModeEnforce), s, Window{now, now.Add(2 * time.Hour)})
			if got.Outcome != c.want {
				t.Errorf("got %s %v, want %s", got.Outcome, got.Reasons, c.want)
			}
			if diff := cmp.Diff(c.rules, rulesOf(got.Reasons)); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.advice, rulesOf(got.Advice)); diff != "" {
				t.Errorf("advice (-want +got):\n%s", diff)
			}
			if c.before != "" && got.NotBefore != at(t, shanghai, c.before) {
				t.Errorf("not before: got %s, want %s", got.NotBefore.Time().In(s.Zone), c.before)
			}
			for _, r := range append(got.Reasons, got.Advice...) {
				if r.Text("zh") == "" || r.Text("en") == "" || r.Text("en") == string(r.Rule) {
					t.Errorf("%s says nothing", r.Rule)
				}
			}
		})
	}
	t.Run("an override passes them", func(t *testing.T) {
		s := State{Open: true, Owned: true, BornAt: 1, Zone: location(t, shanghai), Condition: state(health.StateDead),
			Permits: []Allowed{{ID: 7, Kind: PermitOverride, Window: Window{now, now.Add(time.Hour)}}}}
		if got := Decide(PresetPolicy(PresetInterest, ModeEnforce), s, Window{now, now.Add(2 * time.Hour)}); got.By != PermitOverride {
			t.Errorf("got %s by %q %v", got.Outcome, got.By, got.Reasons)
		}
	})
	t.Run("G13 advises where another campaign has the day", func(t *testing.T) {
		s := State{Open: true, Owned: true, BornAt: 1, Zone: location(t, shanghai), Condition: well}
		s.Ads.Add(now.Add(-5*time.Hour), now.Add(-5*time.Hour))
		s.Others = s.Ads.Clone()
		if got := Decide(PresetPolicy(PresetBenefit, ModeEnforce), s, Window{now, now.Add(time.Hour)}); got.Outcome != OutcomeAllow || !cmp.Equal(rulesOf(got.Advice), []Rule{RuleMain}) {
			t.Errorf("got %s %v, advice %v", got.Outcome, got.Reasons, got.Advice)
		}
	})
}

func rulesOf(list []Reason) (rules []Rule) {
	for _, r := range list {
		rules = append(rules, r.Rule)
	}
	return rules
}
