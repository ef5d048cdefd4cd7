package guard

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
)

// at reads a local time, with seconds where they matter.
func at(t testing.TB, zone, local string) clock.Milli {
	t.Helper()
	layout := "2006-01-02 15:04:05"
	m, err := time.ParseInLocation(layout[:len(local)], local, location(t, zone))
	if err != nil {
		t.Fatal(err)
	}
	return clock.MilliOf(m)
}

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

const shanghai = "Asia/Shanghai"

// TestDecide walks each rule along its edges. Times are local to the zone;
// an ad is one moment, or a window written first/last.
func TestDecide(t *testing.T) {
	quiet := Quiet{22 * 60, 8 * 60}
	free := Policy{Mode: ModeEnforce, Day: Unlimited, Week: Unlimited, Month: Unlimited, Life: Unlimited}
	with := func(change func(*Policy)) Policy { p := free; change(&p); return p }
	gap20 := with(func(p *Policy) { p.Gap = 20 * time.Hour })
	day1 := with(func(p *Policy) { p.Day = 1 })
	week1 := with(func(p *Policy) { p.Week = 1 })
	month1 := with(func(p *Policy) { p.Month = 1 })

	type ad struct{ first, last string }
	for name, c := range map[string]struct {
		zone     string
		policy   Policy
		charter  Charter
		born     string
		ads      []ad
		life     int
		silence  [2]string
		from, to string
		want     Outcome
		rules    []Rule
		before   string // not_before
		ends     string // the granted window's end
	}{
		"nothing in the way":        {policy: free, from: "2026-03-02 10:00", to: "2026-03-02 20:00", want: OutcomeAllow, ends: "2026-03-02 20:00"},
		"a window is a day at most": {policy: free, from: "2026-03-02 10:00", to: "2026-03-05 10:00", want: OutcomeAllow, ends: "2026-03-03 10:00"},

		"G3 a minute before three days": {policy: with(func(p *Policy) { p.WarmUp = 72 * time.Hour }), born: "2026-03-01 10:00",
			from: "2026-03-04 09:59", to: "2026-03-04 12:00", want: OutcomeDefer, rules: []Rule{RuleWarmUp}, before: "2026-03-04 10:00"},
		"G3 at three days": {policy: with(func(p *Policy) { p.WarmUp = 72 * time.Hour }), born: "2026-03-01 10:00",
			from: "2026-03-04 10:00", to: "2026-03-04 12:00", want: OutcomeAllow, ends: "2026-03-04 12:00"},
		"G3 beyond what is asked": {policy: with(func(p *Policy) { p.WarmUp = 72 * time.Hour }), born: "2026-03-01 10:00",
			from: "2026-03-03 10:00", to: "2026-03-04 10:00", want: OutcomeDeny, rules: []Rule{RuleWarmUp}},

		"G5 the last minute before": {policy: with(func(p *Policy) { p.Quiet = quiet }), from: "2026-03-02 21:59", to: "2026-03-03 12:00", want: OutcomeAllow, ends: "2026-03-02 22:00"},
		"G5 at its beginning":       {policy: with(func(p *Policy) { p.Quiet = quiet }), from: "2026-03-02 22:00", to: "2026-03-03 12:00", want: OutcomeDefer, rules: []Rule{RuleQuiet}, before: "2026-03-03 08:00"},
		"G5 its last minute":        {policy: with(func(p *Policy) { p.Quiet = quiet }), from: "2026-03-03 07:59", to: "2026-03-03 12:00", want: OutcomeDefer, rules: []Rule{RuleQuiet}, before: "2026-03-03 08:00"},
		"G5 its end":                {policy: with(func(p *Policy) { p.Quiet = quiet }), from: "2026-03-03 08:00", to: "2026-03-03 12:00", want: OutcomeAllow, ends: "2026-03-03 12:00"},
		"G5 within the day":         {policy: with(func(p *Policy) { p.Quiet = Quiet{12 * 60, 14 * 60} }), from: "2026-03-03 13:00", to: "2026-03-04 13:00", want: OutcomeDefer, rules: []Rule{RuleQuiet}, before: "2026-03-03 14:00"},
		"G5 New York, the hour that is missing: 2:30 becomes 3:00": {zone: "America/New_York", policy: with(func(p *Policy) { p.Quiet = Quiet{22 * 60, 2*60 + 30} }),
			from: "2026-03-07 23:00", to: "2026-03-08 12:00", want: OutcomeDefer, rules: []Rule{RuleQuiet}, before: "2026-03-08 03:00"},
		"G5 New York, the night of 25 hours": {zone: "America/New_York", policy: with(func(p *Policy) { p.Quiet = quiet }),
			from: "2026-10-31 23:00", to: "2026-11-01 12:00", want: OutcomeDefer, rules: []Rule{RuleQuiet}, before: "2026-11-01 08:00"},
		"G5 Lord Howe, clocks half an hour on": {zone: "Australia/Lord_Howe", policy: with(func(p *Policy) { p.Quiet = Quiet{21 * 60, 2*60 + 15} }),
			from: "2026-10-03 22:00", to: "2026-10-04 12:00", want: OutcomeDefer, rules: []Rule{RuleQuiet}, before: "2026-10-04 02:30"},

		"G6 to the minute": {policy: gap20, ads: []ad{{"2026-03-02 14:37", "2026-03-02 14:37"}},
			from: "2026-03-02 19:00", to: "2026-03-03 19:00", want: OutcomeDefer, rules: []Rule{RuleGap}, before: "2026-03-03 10:37"},
		"G6 rounds seconds up": {policy: gap20, ads: []ad{{"2026-03-02 14:37:01", "2026-03-02 14:37:01"}},
			from: "2026-03-02 19:00", to: "2026-03-03 19:00", want: OutcomeDefer, rules: []Rule{RuleGap}, before: "2026-03-03 10:38"},
		"G6 from the nearer end of a window": {policy: gap20, ads: []ad{{"2026-03-02 10:00", "2026-03-02 18:00"}},
			from: "2026-03-03 08:00", to: "2026-03-03 19:00", want: OutcomeDefer, rules: []Rule{RuleGap}, before: "2026-03-03 14:00"},
		"G6 exactly the gap": {policy: gap20, ads: []ad{{"2026-03-02 10:00", "2026-03-02 10:00"}},
			from: "2026-03-03 06:00", to: "2026-03-03 12:00", want: OutcomeAllow, ends: "2026-03-03 12:00"},
		"G6 counts what comes later": {policy: gap20, ads: []ad{{"2026-03-03 12:00", "2026-03-03 12:00"}},
			from: "2026-03-02 10:00", to: "2026-03-02 20:00", want: OutcomeDeny, rules: []Rule{RuleGap}},

		"G7 a day is the local calendar day": {policy: day1, ads: []ad{{"2026-03-02 23:59", "2026-03-02 23:59"}},
			from: "2026-03-03 00:00", to: "2026-03-03 01:00", want: OutcomeAllow, ends: "2026-03-03 01:00"},
		"G7 until midnight": {policy: day1, ads: []ad{{"2026-03-02 00:00", "2026-03-02 00:00"}},
			from: "2026-03-02 23:00", to: "2026-03-03 01:00", want: OutcomeDefer, rules: []Rule{RuleDay}, before: "2026-03-03 00:00"},
		"G7 a window over midnight counts on both days": {policy: day1, ads: []ad{{"2026-03-02 23:00", "2026-03-03 01:00"}},
			from: "2026-03-03 22:00", to: "2026-03-04 02:00", want: OutcomeDefer, rules: []Rule{RuleDay}, before: "2026-03-04 00:00"},
		"G7 day of 23 hours": {zone: "America/New_York", policy: day1, ads: []ad{{"2026-03-08 00:30", "2026-03-08 00:30"}},
			from: "2026-03-08 20:00", to: "2026-03-09 03:00", want: OutcomeDefer, rules: []Rule{RuleDay}, before: "2026-03-09 00:00"},
		"G7 no cap of zero ever passes": {policy: with(func(p *Policy) { p.Day = 0 }), from: "2026-03-02 10:00", to: "2026-03-20 10:00", want: OutcomeDeny, rules: []Rule{RuleDay}},

		"G7 ISO week and 7 × 24 h both": {policy: week1, ads: []ad{{"2026-03-02 09:00", "2026-03-02 09:00"}},
			from: "2026-03-08 20:00", to: "2026-03-09 20:00", want: OutcomeDefer, rules: []Rule{RuleWeek, RuleWeekSliding}, before: "2026-03-09 09:00"},
		"G7 a new ISO week does not cut 7 × 24 h": {policy: week1, ads: []ad{{"2026-03-08 12:00", "2026-03-08 12:00"}},
			from: "2026-03-09 12:00", to: "2026-03-15 12:00", want: OutcomeDeny, rules: []Rule{RuleWeekSliding}},
		"G7 ISO week 53 runs over New Year": {policy: with(func(p *Policy) { p.Week = 2 }), ads: []ad{{"2026-12-28 10:00", "2026-12-28 10:00"}, {"2026-12-31 10:00", "2026-12-31 10:00"}},
			from: "2027-01-03 20:00", to: "2027-01-04 20:00", want: OutcomeDefer, rules: []Rule{RuleWeek, RuleWeekSliding}, before: "2027-01-04 10:00"},

		"G7 calendar month": {policy: month1, ads: []ad{{"2026-03-01 00:00", "2026-03-01 00:00"}},
			from: "2026-03-31 12:00", to: "2026-04-01 12:00", want: OutcomeDefer, rules: []Rule{RuleMonth}, before: "2026-04-01 00:00"},
		"G7 30 × 24 h over the month's end": {policy: month1, ads: []ad{{"2026-02-27 10:00", "2026-02-27 10:00"}},
			from: "2026-03-29 09:00", to: "2026-03-29 12:00", want: OutcomeDefer, rules: []Rule{RuleMonthSliding}, before: "2026-03-29 10:00"},
		"G7 life": {policy: with(func(p *Policy) { p.Life = 25 }), life: 25, from: "2026-03-02 10:00", to: "2026-03-30 10:00", want: OutcomeDeny, rules: []Rule{RuleLife}},

		"the charter's day holds when the policy is off": {policy: Policy{Mode: ModeOff}, charter: Charter{Version: 1, Day: 1, Week: 7}, ads: []ad{{"2026-03-02 09:00", "2026-03-02 09:00"}},
			from: "2026-03-02 10:00", to: "2026-03-03 09:00", want: OutcomeDefer, rules: []Rule{RuleCharterDay}, before: "2026-03-03 00:00"},
		"the charter's quiet hours hold under advice": {policy: with(func(p *Policy) { p.Mode = ModeAdvise }), charter: Charter{Version: 1, Day: 9, Week: 9, Quiet: quiet},
			from: "2026-03-02 23:00", to: "2026-03-03 09:00", want: OutcomeDefer, rules: []Rule{RuleCharterQuiet}, before: "2026-03-03 08:00"},
		"the charter's week": {policy: free, charter: Charter{Version: 1, Day: 9, Week: 1}, ads: []ad{{"2026-03-02 09:00", "2026-03-02 09:00"}},
			from: "2026-03-03 10:00", to: "2026-03-04 09:00", want: OutcomeDeny, rules: []Rule{RuleCharterWeek, RuleCharterSliding}},

		"S at its beginning": {policy: Policy{Mode: ModeOff}, silence: [2]string{"2026-03-02 10:00", "2026-03-02 12:30"},
			from: "2026-03-02 10:00", to: "2026-03-02 20:00", want: OutcomeDefer, rules: []Rule{RuleSilence}, before: "2026-03-02 12:30"},
		"S its last minute": {policy: free, silence: [2]string{"2026-03-02 10:00", "2026-03-02 12:30"},
			from: "2026-03-02 12:29", to: "2026-03-02 20:00", want: OutcomeDefer, rules: []Rule{RuleSilence}, before: "2026-03-02 12:30"},
		"S its end": {policy: free, silence: [2]string{"2026-03-02 10:00", "2026-03-02 12:30"},
			from: "2026-03-02 12:30", to: "2026-03-02 20:00", want: OutcomeAllow, ends: "2026-03-02 20:00"},
		"S a window ends where one begins": {policy: free, silence: [2]string{"2026-03-02 12:00", "2026-03-02 13:00"},
			from: "2026-03-02 10:00", to: "2026-03-02 20:00", want: OutcomeAllow, ends: "2026-03-02 12:00"},
		"S longer than what is asked": {policy: free, silence: [2]string{"2026-03-02 10:00", "2026-03-03 10:00"},
			from: "2026-03-02 11:00", to: "2026-03-02 20:00", want: OutcomeDeny, rules: []Rule{RuleSilence}},

		"all denials are listed, the first names it": {policy: PresetPolicy(PresetRetail, ModeEnforce), born: "2026-02-01 00:00", ads: []ad{{"2026-03-02 21:00", "2026-03-02 21:00"}},
			from: "2026-03-02 22:30", to: "2026-03-03 20:00", want: OutcomeDefer, rules: []Rule{RuleQuiet, RuleGap, RuleDay}, before: "2026-03-03 17:00"},
		"advice lets pass": {policy: PresetPolicy(PresetRetail, ModeAdvise), born: "2026-02-01 00:00", ads: []ad{{"2026-03-02 21:00", "2026-03-02 21:00"}},
			from: "2026-03-02 22:30", to: "2026-03-03 20:00", want: OutcomeAllow, ends: "2026-03-03 20:00"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.zone == "" {
				c.zone = shanghai
			}
			if c.born == "" {
				c.born = "2020-01-01 00:00"
			}
			s := State{Open: true, Owned: true, BornAt: at(t, c.zone, c.born), Zone: location(t, c.zone), Charter: c.charter, Life: c.life}
			if c.silence[0] != "" {
				s.Silences = []Window{{at(t, c.zone, c.silence[0]), at(t, c.zone, c.silence[1])}}
			}
			for _, a := range c.ads {
				s.Ads.Add(at(t, c.zone, a.first), at(t, c.zone, a.last))
			}
			got := Decide(c.policy, s, Window{at(t, c.zone, c.from), at(t, c.zone, c.to)})
			if got.Outcome != c.want {
				t.Errorf("outcome: got %s %+v, want %s", got.Outcome, got.Reasons, c.want)
			}
			var rules []Rule
			for _, r := range got.Reasons {
				rules = append(rules, r.Rule)
			}
			if diff := cmp.Diff(c.rules, rules); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			if c.before != "" && got.NotBefore != at(t, c.zone, c.before) {
				t.Errorf("not before: got %s, want %s", got.NotBefore.Time().In(s.Zone), c.before)
			}
			if c.ends != "" && got.Window.To != at(t, c.zone, c.ends) {
				t.Errorf("window ends: got %s, want %s", got.Window.To.Time().In(s.Zone), c.ends)
			}
		})
	}
}

func TestDecideWithoutAGroup(t *testing.T) {
	s := State{Zone: time.UTC}
	got := Decide(PresetPolicy(PresetChain, ModeOff), s, Window{1e12, 1e12 + 1000})
	if got.Outcome != OutcomeDeny || got.Rule != RuleClosed {
		t.Errorf("closed: got %s %s", got.Outcome, got.Rule)
	}
	s.Open = true
	if got := Decide(PresetPolicy(PresetChain, ModeOff), s, Window{1e12, 1e12 + 1000}); got.Rule != RuleOwner {
		t.Errorf("without owner: got %s %s", got.Outcome, got.Rule)
	}
}

// TestZone checks days that the clocks bend.
func TestZone(t *testing.T) {
	for _, c := range []struct {
		zone, in, from string
		hours          float64
	}{
		{shanghai, "2026-03-02 10:00", "2026-03-02 00:00", 24},
		{"America/New_York", "2026-03-08 12:00", "2026-03-08 00:00", 23},
		{"America/New_York", "2026-11-01 12:00", "2026-11-01 00:00", 25},
		{"Australia/Lord_Howe", "2026-10-04 12:00", "2026-10-04 00:00", 23.5},
		{"Australia/Lord_Howe", "2026-04-05 12:00", "2026-04-05 00:00", 24.5},
		{"America/Sao_Paulo", "2018-11-04 12:00", "2018-11-04 01:00", 23}, // midnight is skipped
		{"Africa/Cairo", "2026-10-29 12:00", "2026-10-29 00:00", 25},      // 24:00 goes back to 23:00
	} {
		z := zone{loc: location(t, c.zone)}
		from, to := z.span(periodDay, at(t, c.zone, c.in))
		if want := at(t, c.zone, c.from); from != want {
			t.Errorf("%s %s begins: got %s, want %s", c.zone, c.in, from, want)
		}
		if h := float64(to-from) / 3600000; h != c.hours {
			t.Errorf("%s %s lasts: got %v h, want %v", c.zone, c.in, h, c.hours)
		}
	}
}

func TestReasonText(t *testing.T) {
	for _, c := range []struct {
		reason Reason
		zh, en string
	}{
		{Reason{RuleGap, 300, 1200}, "离最近一条推广 5 小时，至少隔 20 小时", "5 hours from the nearest ad; at least 20 hours are kept"},
		{Reason{RuleWarmUp, 36, 72}, "建群才 1.5 天，满 3 天再发推广", "the group is 1.5 days old; ads begin at 3 days"},
		{Reason{RuleQuiet, 22*60 + 5, 8 * 60}, "22:05 在群的免打扰时段，8:00 之后再发", "22:05 is in the group's quiet hours; send after 8:00"},
	} {
		if got := c.reason.Text("zh"); got != c.zh {
			t.Errorf("got %s, want %s", got, c.zh)
		}
		if got := c.reason.Text("en"); got != c.en {
			t.Errorf("got %s, want %s", got, c.en)
		}
	}
	list := []Reason{{RuleGap, 300, 1200}, {RuleContent, Unknown, 4}}
	if diff := cmp.Diff(list, decode(encode(list))); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := PresetPolicy(PresetBenefit, ModeEnforce)
	s := State{Open: true, Owned: true, BornAt: 1, Zone: location(b, shanghai), Charter: Charter{Version: 1, Day: 3, Week: 15}}
	now := at(b, shanghai, "2026-03-02 10:00")
	for i := range 40 {
		m := now.Add(-time.Duration(i+1) * 12 * time.Hour)
		s.Ads.Add(m, m)
	}
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(p, s, Window{now, now.Add(8 * time.Hour)}); d.Outcome != OutcomeAllow {
			b.Fatal(d.Outcome, d.Reasons)
		}
	}
}

// TestGroupEnd: a window that begins after the group's planned end is refused
// in every mode, one that reaches beyond it is cut.
func TestGroupEnd(t *testing.T) {
	end := at(t, shanghai, "2026-03-02 12:00")
	s := State{Open: true, Owned: true, BornAt: 1, Zone: location(t, shanghai), EndsAt: end}
	for _, mode := range []Mode{ModeOff, ModeAdvise, ModeEnforce} {
		p := PresetPolicy(PresetBenefit, mode)
		if got := Decide(p, s, Window{end.Add(-time.Hour), end.Add(time.Hour)}); got.Outcome != OutcomeAllow || got.Window.To != end {
			t.Errorf("%s, around the end: got %+v", mode, got)
		}
		if got := Decide(p, s, Window{end, end.Add(time.Hour)}); got.Outcome != OutcomeDeny || got.Rule != RuleEnd {
			t.Errorf("%s, after the end: got %+v", mode, got)
		}
		promised := s // by the charter, which names its own end
		promised.EndsAt, promised.Charter = 0, Charter{Version: 1, Day: 6, Week: 30, EndsAt: end}
		if got := Decide(p, promised, Window{end.Add(-time.Hour), end.Add(time.Hour)}); got.Outcome != OutcomeAllow || got.Window.To != end {
			t.Errorf("%s, around the charter's end: got %+v", mode, got)
		}
	}
}

// On a line so short that ads meet the ends of spans all the time, the walk
// finds what looking at every span finds.
func TestAdsCrowded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		var a Ads
		for range r.IntN(8) {
			first := clock.Milli(r.IntN(12))
			a.Add(first, first.Add(time.Duration(r.IntN(3))*time.Millisecond))
		}
		from := clock.Milli(2 + r.IntN(6))
		last, length, limit := from+clock.Milli(r.IntN(3)), clock.Milli(1+r.IntN(5)), r.IntN(4)
		var most int
		var latest clock.Milli
		var full bool
		for s := from - length + 1; s <= last; s++ {
			if n := a.touching(s, s+length); n >= limit {
				if most = max(most, n); s == last || slices.Contains(a.last, s) {
					latest, full = s, true
				}
			}
		}
		if m, l, f := a.crowded(from, last, length, limit); m != most || l != latest || f != full {
			t.Fatalf("%v, from %d to %d, %d in %d: got %d, %d, %t, want %d, %d, %t", a, from, last, limit, length, m, l, f, most, latest, full)
		}
	}
}
