package guard

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// festival is the key moment of these tests: 8 March 2026, a Sunday. Ads are
// in place from the 5th, three days before it, to the end of the 9th.
func festival(t *testing.T) []Window {
	t.Helper()
	return []Window{{at(t, shanghai, "2026-03-08 00:00"), at(t, shanghai, "2026-03-09 00:00")}}
}

// known is a group of which enough is known for advice to be enforced.
func wellKnown(t *testing.T) State {
	t.Helper()
	return State{Open: true, Owned: true, BornAt: 1, Zone: location(t, shanghai),
		Condition: Condition{State: health.StateHealthy, Until: at(t, shanghai, "2026-03-20 00:00"), Coverage: covered, Fatigue: Unknown, Content: 100, Held: at(t, shanghai, "2026-03-20 00:00")}}
}

// TestMoment walks G8 along its edges.
func TestMoment(t *testing.T) {
	for name, c := range map[string]struct {
		preset   Preset
		from, to string
		ads      []string
		change   func(*State)
		want     Outcome
		rules    []Rule
		advice   []Rule
		before   string
	}{
		"the first minute three days before":   {PresetInterest, "2026-03-05 10:00", "2026-03-05 12:00", []string{"2026-03-01 10:00"}, nil, OutcomeAllow, nil, nil, ""},
		"the minute before that":               {PresetInterest, "2026-03-04 21:00", "2026-03-05 12:00", []string{"2026-03-01 10:00"}, nil, OutcomeDefer, []Rule{RuleMoment}, nil, "2026-03-05 08:30"},
		"the last evening after it":            {PresetInterest, "2026-03-09 21:00", "2026-03-09 22:00", []string{"2026-03-01 10:00"}, nil, OutcomeAllow, nil, nil, ""},
		"the day after that":                   {PresetInterest, "2026-03-10 10:00", "2026-03-10 12:00", []string{"2026-03-01 10:00"}, nil, OutcomeDeny, []Rule{RuleMoment}, nil, ""},
		"far from it, the first in long":       {PresetInterest, "2026-03-12 10:00", "2026-03-12 12:00", nil, nil, OutcomeAllow, nil, nil, ""},
		"far from it, a fortnight after one":   {PresetInterest, "2026-03-15 10:00", "2026-03-15 12:00", []string{"2026-03-01 10:00"}, nil, OutcomeAllow, nil, nil, ""},
		"far from it, a minute less":           {PresetInterest, "2026-03-15 09:59", "2026-03-15 12:00", []string{"2026-03-01 10:00"}, nil, OutcomeDefer, []Rule{RuleMoment}, nil, "2026-03-15 10:00"},
		"an ad near it is not counted":         {PresetInterest, "2026-03-14 10:00", "2026-03-14 12:00", []string{"2026-03-08 10:00"}, nil, OutcomeAllow, nil, nil, ""},
		"an ad that comes later is":            {PresetInterest, "2026-03-02 10:00", "2026-03-02 12:00", []string{"2026-03-12 10:00"}, nil, OutcomeDeny, []Rule{RuleMoment}, nil, ""},
		"an ad comes a fortnight later":        {PresetInterest, "2026-03-16 10:00", "2026-03-16 12:00", []string{"2026-03-30 10:00"}, nil, OutcomeAllow, nil, nil, ""},
		"an ad comes a minute before that":     {PresetInterest, "2026-03-16 10:00", "2026-03-16 12:00", []string{"2026-03-30 09:59"}, nil, OutcomeDeny, []Rule{RuleMoment}, nil, ""},
		"retail advises":                       {PresetRetail, "2026-03-12 10:00", "2026-03-12 12:00", []string{"2026-03-01 10:00"}, nil, OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"benefit does not ask":                 {PresetBenefit, "2026-03-12 10:00", "2026-03-12 12:00", []string{"2026-03-01 10:00"}, nil, OutcomeAllow, nil, nil, ""},
		"advice where too little is known":     {PresetInterest, "2026-03-12 10:00", "2026-03-12 12:00", []string{"2026-03-01 10:00"}, func(s *State) { s.Condition.Coverage-- }, OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"advice where nothing is":              {PresetInterest, "2026-03-12 10:00", "2026-03-12 12:00", []string{"2026-03-01 10:00"}, func(s *State) { s.Condition = Condition{} }, OutcomeAllow, nil, []Rule{RuleContent, RuleWeekly, RuleHealth, RuleMoment}, ""},
		"nothing to say near it, not judged":   {PresetInterest, "2026-03-08 10:00", "2026-03-08 12:00", []string{"2026-03-01 10:00"}, func(s *State) { s.Condition = Condition{} }, OutcomeAllow, nil, []Rule{RuleContent, RuleWeekly, RuleHealth}, ""},
		"a year without known days":            {PresetInterest, "2026-03-12 10:00", "2026-03-12 12:00", []string{"2026-03-01 10:00"}, func(s *State) { s.MomentsKnown = false }, OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"a pass is for a moment of its own":    {PresetInterest, "2026-03-12 10:00", "2026-03-12 12:00", []string{"2026-03-01 10:00"}, func(s *State) { s.Permits = []Allowed{{1, PermitPass, Window{1, never}}} }, OutcomeAllow, nil, []Rule{RuleMoment}, ""},
		"no moment at all, one in a fortnight": {PresetCore, "2026-03-12 10:00", "2026-03-12 12:00", nil, func(s *State) { s.Moments = nil }, OutcomeAllow, nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := wellKnown(t)
			s.Moments, s.MomentsKnown = festival(t), true
			for _, a := range c.ads {
				s.Ads.Add(at(t, shanghai, a), at(t, shanghai, a))
			}
			if c.change != nil {
				c.change(&s)
			}
			got := Decide(PresetPolicy(c.preset, ModeEnforce), s, Window{at(t, shanghai, c.from), at(t, shanghai, c.to)})
			comesTo(t, got, c.want, c.rules, c.advice, c.before)
		})
	}
	loc := location(t, shanghai)
	near := nearby{all: []Moment{{FromDay: 20260308, ToDay: 20260308}, {FromDay: 20261001, ToDay: 20261007, Units: map[id.Unit]bool{2: true}}}}
	if diff := cmp.Diff(festival(t), near.of(1, loc).key); diff != "" {
		t.Errorf("of another unit (-want +got):\n%s", diff)
	}
	if got := near.of(2, loc).key; len(got) != 2 || got[1] != (Window{at(t, shanghai, "2026-10-01 00:00"), at(t, shanghai, "2026-10-08 00:00")}) {
		t.Errorf("of the unit: got %v", got)
	}
}

func comesTo(t *testing.T, got Decision, want Outcome, rules, advice []Rule, before string) {
	t.Helper()
	if got.Outcome != want {
		t.Errorf("got %s %v, want %s", got.Outcome, got.Reasons, want)
	}
	if diff := cmp.Diff(rules, rulesOf(got.Reasons)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(advice, rulesOf(got.Advice)); diff != "" {
		t.Errorf("advice (-want +got):\n%s", diff)
	}
	if before != "" && got.NotBefore != at(t, shanghai, before) {
		t.Errorf("not before: got %s, want %s", got.NotBefore.Time().In(location(t, shanghai)), before)
	}
}

// TestIntake walks G4 along its edges: an ad on Monday 10:00 to 12:00.
func TestIntake(t *testing.T) {
	now := at(t, shanghai, "2026-03-02 10:00")
	for name, c := range map[string]struct {
		preset Preset
		intake Intake
		change func(*State)
		want   Outcome
		rules  []Rule
		advice []Rule
		before string
	}{
		"nobody came":                      {PresetInterest, Intake{}, nil, OutcomeAllow, nil, nil, ""},
		"a tenth came":                     {PresetInterest, Intake{10, now, 100}, nil, OutcomeAllow, nil, nil, ""},
		"one more than a tenth":            {PresetInterest, Intake{11, now, 100}, nil, OutcomeDeny, []Rule{RuleIntake}, nil, ""},
		"the last of them a day ago":       {PresetInterest, Intake{11, now.Add(-24 * time.Hour), 100}, nil, OutcomeAllow, nil, nil, ""},
		"nearly a day ago":                 {PresetCore, Intake{11, now.Add(-23 * time.Hour), 100}, nil, OutcomeDefer, []Rule{RuleIntake}, nil, "2026-03-02 11:00"},
		"everybody is new":                 {PresetCore, Intake{3, now, 3}, nil, OutcomeDeny, []Rule{RuleIntake}, nil, ""},
		"retail does not ask":              {PresetRetail, Intake{50, now, 100}, nil, OutcomeAllow, nil, nil, ""},
		"advice where too little is known": {PresetInterest, Intake{50, now, 100}, func(s *State) { s.Condition.Coverage-- }, OutcomeAllow, nil, []Rule{RuleIntake}, ""},
		"an override passes it": {PresetInterest, Intake{50, now, 100}, func(s *State) { s.Permits = []Allowed{{1, PermitOverride, Window{now, now.Add(time.Hour)}}} },
			OutcomeAllow, nil, []Rule{RuleIntake}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := wellKnown(t)
			s.Intake, s.MomentsKnown = c.intake, true
			if c.change != nil {
				c.change(&s)
			}
			got := Decide(PresetPolicy(c.preset, ModeEnforce), s, Window{now, now.Add(2 * time.Hour)})
			comesTo(t, got, c.want, c.rules, c.advice, c.before)
		})
	}
}

// TestPlatform walks G14 along its edges, in a group whose policy is off.
func TestPlatform(t *testing.T) {
	days := func(from string, n int) (ads []clock.Milli) {
		for i := range n {
			ads = append(ads, at(t, shanghai, from).Add(time.Duration(i)*day))
		}
		return ads
	}
	for name, c := range map[string]struct {
		platform Platform
		ads      []clock.Milli
		from, to string
		want     Outcome
		before   string
	}{
		"no cap":                        {PlatformNone, days("2026-03-01 10:00", 30), "2026-03-31 10:00", "2026-03-31 12:00", OutcomeAllow, ""},
		"day: the second":               {PlatformDay, days("2026-03-02 00:00", 1), "2026-03-02 23:00", "2026-03-03 12:00", OutcomeDefer, "2026-03-03 00:00"},
		"week: the fifth of seven":      {PlatformWeek, days("2026-03-02 10:00", 4), "2026-03-08 10:00", "2026-03-08 12:00", OutcomeAllow, ""},
		"week: the sixth":               {PlatformWeek, days("2026-03-02 10:00", 5), "2026-03-08 10:00", "2026-03-09 12:00", OutcomeDefer, "2026-03-09 00:00"},
		"February has 28, which is 22":  {PlatformMonth, days("2026-02-01 10:00", 21), "2026-02-28 10:00", "2026-02-28 12:00", OutcomeAllow, ""},
		"February: the 23rd":            {PlatformMonth, days("2026-02-01 10:00", 22), "2026-02-28 10:00", "2026-02-28 12:00", OutcomeDeny, ""},
		"April has 30, which is 24":     {PlatformMonth, days("2026-04-01 10:00", 23), "2026-04-30 10:00", "2026-04-30 12:00", OutcomeAllow, ""},
		"April: the 25th waits for May": {PlatformMonth, days("2026-04-01 10:00", 24), "2026-04-30 10:00", "2026-05-01 12:00", OutcomeDefer, "2026-05-01 00:00"},
	} {
		t.Run(name, func(t *testing.T) {
			s := wellKnown(t)
			s.Platform = c.platform
			for _, a := range c.ads {
				s.Ads.Add(a, a)
			}
			s.Permits = []Allowed{{1, PermitOverride, Window{1, never}}} // lifts nothing of it
			rules := []Rule{RulePlatform}
			if c.want == OutcomeAllow {
				rules = nil
			}
			got := Decide(PresetPolicy(PresetRetail, ModeOff), s, Window{at(t, shanghai, c.from), at(t, shanghai, c.to)})
			comesTo(t, got, c.want, rules, nil, c.before)

			slot := Slot{Platform: c.platform}
			var others []moments
			for _, a := range c.ads {
				others = append(others, moments{a, a})
			}
			own := at(t, shanghai, c.from)
			if broken := platformBroken(slot, moments{own, own}, others, s.Zone); broken != (c.want != OutcomeAllow) {
				t.Errorf("verify says broken: %t", broken)
			}
		})
	}
}
