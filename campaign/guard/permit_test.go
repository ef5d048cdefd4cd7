package guard

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// TestPermits walks what each permit lifts, and what it never does. Interest:
// 1 a day, 2 a week, 6 a month, 48 h apart, quiet from 22:00 to 8:30; the
// charter promises at most 2 a day and 4 a week.
func TestPermits(t *testing.T) {
	const mon = "2026-03-02 10:00"
	permit := func(k PermitKind, from, to string) Allowed {
		return Allowed{ID: 7, Kind: k, Window: Window{at(t, shanghai, from), at(t, shanghai, to)}}
	}
	pass := permit(PermitPass, "2026-03-02 00:00", "2026-03-09 00:00")
	override := permit(PermitOverride, mon, "2026-03-02 20:00")
	advance := permit(PermitAdvance, "2026-03-02 00:00", "2026-03-09 00:00")
	for name, c := range map[string]struct {
		permits  []Allowed
		change   func(p *Policy, s *State)
		ads      []string
		early    []string
		rest     string // the end of a pass
		from, to string
		want     Outcome
		by       PermitKind
		before   string
		ends     string
		rules    []Rule
	}{
		"a pass is not used where the policy suffices": {permits: []Allowed{pass}, from: mon, to: "2026-03-02 12:00", want: OutcomeAllow, ends: "2026-03-02 12:00"},
		"a pass: the third of a week of two": {permits: []Allowed{pass}, ads: []string{"2026-03-02 10:00", "2026-03-04 10:00"}, from: "2026-03-06 10:00", to: "2026-03-06 12:00",
			want: OutcomeAllow, by: PermitPass, ends: "2026-03-06 12:00"},
		"a pass leaves the gap": {permits: []Allowed{pass}, ads: []string{"2026-03-02 10:00", "2026-03-04 10:00"}, from: "2026-03-06 09:00", to: "2026-03-06 12:00",
			want: OutcomeDefer, before: "2026-03-06 10:00", rules: []Rule{RuleGap, RuleWeek, RuleWeekSliding}},
		"a pass never passes the charter": {permits: []Allowed{pass}, change: func(p *Policy, s *State) { p.Gap = time.Hour },
			ads: []string{"2026-03-02 10:00", "2026-03-03 10:00", "2026-03-04 10:00", "2026-03-05 10:00"}, from: "2026-03-06 10:00", to: "2026-03-06 12:00",
			want: OutcomeDeny, rules: []Rule{RuleWeek, RuleWeekSliding, RuleCharterWeek, RuleCharterSliding}},
		"a pass stays within one and a half months": {permits: []Allowed{pass}, change: func(p *Policy, s *State) { p.Month = 2 },
			ads: []string{"2026-03-01 10:00", "2026-02-27 10:00", "2026-02-25 10:00"}, from: "2026-03-03 10:00", to: "2026-03-03 12:00",
			want: OutcomeDeny, rules: []Rule{RuleWeekSliding, RuleMonthSliding}},
		"a window ends with the pass": {permits: []Allowed{permit(PermitPass, mon, "2026-03-06 11:00")}, ads: []string{"2026-03-02 10:00", "2026-03-04 10:00"},
			from: "2026-03-06 10:00", to: "2026-03-06 12:00", want: OutcomeAllow, by: PermitPass, ends: "2026-03-06 11:00"},
		"a pass that begins later": {permits: []Allowed{permit(PermitPass, "2026-03-06 10:30", "2026-03-07 11:00")}, ads: []string{"2026-03-02 10:00", "2026-03-04 10:00"},
			from: "2026-03-06 10:00", to: "2026-03-06 12:00", want: OutcomeDefer, before: "2026-03-06 10:30", rules: []Rule{RuleWeek, RuleWeekSliding}},
		"silent days after a pass":  {rest: "2026-03-02 00:00", from: mon, to: "2026-03-04 20:00", want: OutcomeDeny, rules: []Rule{RuleRest}},
		"until three days are over": {rest: "2026-03-02 09:00", from: "2026-03-05 08:59", to: "2026-03-05 20:00", want: OutcomeDefer, before: "2026-03-05 09:00", rules: []Rule{RuleRest}},

		"an override: caps and gap": {permits: []Allowed{override}, ads: []string{"2026-03-02 09:00"}, from: mon, to: "2026-03-02 12:00", want: OutcomeAllow, by: PermitOverride, ends: "2026-03-02 12:00"},
		"an override never passes the charter": {permits: []Allowed{override}, ads: []string{"2026-03-02 09:00", "2026-03-02 09:30"}, from: mon, to: "2026-03-02 12:00",
			want: OutcomeDeny, rules: []Rule{RuleGap, RuleDay, RuleWeek, RuleWeekSliding, RuleCharterDay}},
		"an override never passes quiet hours": {permits: []Allowed{permit(PermitOverride, mon, "2026-03-03 10:00")}, ads: []string{"2026-03-02 09:00"}, from: "2026-03-02 22:00", to: "2026-03-03 10:00",
			want: OutcomeDefer, before: "2026-03-03 08:30", rules: []Rule{RuleQuiet, RuleGap, RuleDay}},
		"an override never passes a silence": {permits: []Allowed{override}, ads: []string{"2026-03-02 09:00"},
			change: func(p *Policy, s *State) { s.Silences = []Window{{1, at(t, shanghai, "2026-03-03 00:00")}} }, from: mon, to: "2026-03-02 12:00",
			want: OutcomeDeny, rules: []Rule{RuleSilence, RuleGap, RuleDay}},
		"an override never passes the warm-up": {permits: []Allowed{override}, change: func(p *Policy, s *State) { s.BornAt = at(t, shanghai, "2026-03-01 10:00") }, from: mon, to: "2026-03-02 12:00",
			want: OutcomeDeny, rules: []Rule{RuleWarmUp}},

		"an advance: one more this week": {permits: []Allowed{advance}, ads: []string{"2026-03-02 10:00", "2026-03-04 10:00"}, from: "2026-03-06 10:00", to: "2026-03-06 12:00",
			want: OutcomeAllow, by: PermitAdvance, ends: "2026-03-06 12:00"},
		"an advance is one": {permits: []Allowed{advance}, change: func(p *Policy, s *State) { p.Gap = time.Hour }, ads: []string{"2026-03-02 10:00", "2026-03-03 10:00", "2026-03-04 10:00"},
			from: "2026-03-06 10:00", to: "2026-03-06 12:00", want: OutcomeDeny, rules: []Rule{RuleWeek, RuleWeekSliding}},
		"next week has one less":        {early: []string{"2026-03-02 10:00"}, ads: []string{"2026-03-10 10:00"}, from: "2026-03-13 10:00", to: "2026-03-13 12:00", want: OutcomeDeny, rules: []Rule{RuleWeek}},
		"the week after is whole":       {early: []string{"2026-03-02 10:00"}, ads: []string{"2026-03-16 10:00"}, from: "2026-03-20 10:00", to: "2026-03-20 12:00", want: OutcomeAllow, ends: "2026-03-20 12:00"},
		"the next gap is twice as long": {early: []string{"2026-03-04 10:00"}, from: "2026-03-08 09:59", to: "2026-03-08 12:00", want: OutcomeDefer, before: "2026-03-08 10:00", rules: []Rule{RuleGapAdvance}},
	} {
		t.Run(name, func(t *testing.T) {
			p := PresetPolicy(PresetInterest, ModeEnforce)
			s := State{Open: true, Owned: true, BornAt: 1, Zone: location(t, shanghai), Charter: Charter{Version: 1, Day: 2, Week: 4}, Permits: c.permits}
			if c.change != nil {
				c.change(&p, &s)
			}
			add := func(local string) clock.Milli {
				m := at(t, shanghai, local)
				s.Ads.Add(m, m)
				return m
			}
			for _, a := range c.ads {
				add(a)
			}
			for _, a := range c.early {
				m := add(a)
				s.Early = append(s.Early, Window{m, m})
			}
			if c.rest != "" {
				end := at(t, shanghai, c.rest)
				s.Rest = []Window{{end, end.Add(passRest)}}
			}
			got := Decide(p, s, Window{at(t, shanghai, c.from), at(t, shanghai, c.to)})
			permit := id.Permit(0)
			if c.by != "" {
				permit = 7
			}
			if got.Outcome != c.want || got.By != c.by || got.Permit != permit {
				t.Errorf("got %s by %q %d %v, want %s by %q", got.Outcome, got.By, got.Permit, got.Reasons, c.want, c.by)
			}
			var rules []Rule
			for _, r := range got.Reasons {
				rules = append(rules, r.Rule)
			}
			if diff := cmp.Diff(c.rules, rules); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			if c.before != "" && got.NotBefore != at(t, shanghai, c.before) {
				t.Errorf("not before: got %s, want %s", got.NotBefore.Time().In(s.Zone), c.before)
			}
			if c.ends != "" && got.Window.To != at(t, shanghai, c.ends) {
				t.Errorf("window ends: got %s, want %s", got.Window.To.Time().In(s.Zone), c.ends)
			}
		})
	}
}
