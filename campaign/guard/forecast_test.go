package guard

import (
	"testing"
	"time"

	"siyu/internal/clock"
)

func TestForesee(t *testing.T) {
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	monday := clock.Milli(time.Date(2026, 11, 2, 10, 0, 0, 0, loc).UnixMilli())
	old := func() State { return State{Open: true, Owned: true, Zone: loc, BornAt: monday.Add(-400 * day)} }
	tests := []struct {
		name   string
		preset Preset
		state  func() State
		open   string // a letter a day: o open, - not
		room   int
		first  int  // minutes from now to the first open moment
		rule   Rule // of the first day that is not open
		mode   Mode
	}{
		{name: "a healthy interest group", preset: PresetInterest, state: old, open: "oooooooooooooo", room: 4},
		{name: "with an ad this morning", preset: PresetInterest, open: "--oooooooooooo", room: 3, first: 47 * 60, rule: RuleGap,
			state: func() State { s := old(); s.Ads.Add(monday.Add(-time.Hour), monday.Add(-time.Hour)); return s }},
		{name: "too young", preset: PresetInterest, open: "---ooooooooooo", first: 3 * 24 * 60, rule: RuleWarmUp, room: 4,
			state: func() State { s := old(); s.BornAt = monday.Add(-4 * day); return s }},
		{name: "a service group", preset: PresetService, state: old, open: "--------------", rule: RuleDay},
		{name: "whose charter ends on Wednesday", preset: PresetRetail, open: "oo------------", room: 2, rule: RuleCharterEnded,
			state: func() State {
				s := old()
				s.Charter = Charter{Version: 1, Day: 1, Week: 4, EndsAt: monday.Add(38 * time.Hour)}
				return s
			}},
		{name: "observed only: the charter alone", preset: PresetInterest, mode: ModeAdvise, open: "oooooooooooooo", room: 6,
			state: func() State { s := old(); s.Charter = Charter{Version: 1, Day: 1, Week: 3}; return s }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mode := tt.mode
			if mode == "" {
				mode = ModeEnforce
			}
			days, room := Foresee(PresetPolicy(tt.preset, mode), tt.state(), monday)
			got, rule, first := "", Rule(""), -1
			for _, d := range days {
				if d.Open {
					got += "o"
					if first < 0 {
						first = int(d.FirstAt-monday) / 60_000
					}
					continue
				}
				got += "-"
				if rule == "" {
					rule = d.Reasons[0].Rule
				}
			}
			if got != tt.open || room != tt.room || rule != tt.rule {
				t.Errorf("got %s, room for %d, %q; want %s, %d, %q", got, room, rule, tt.open, tt.room, tt.rule)
			}
			if first != tt.first && first >= 0 {
				t.Errorf("open from minute %d, want %d", first, tt.first)
			}
		})
	}
}

// Whatever day a forecast calls open, the guard allows an ad at its first
// moment, and on a day it does not call open at no half hour.
func TestForesee_keeps_its_word(t *testing.T) {
	for _, name := range []string{clock.Shanghai, "America/New_York", "Australia/Lord_Howe"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		now := clock.Milli(time.Date(2026, 10, 28, 3, 7, 0, 0, time.UTC).UnixMilli())
		for i := range 60 {
			p := PresetPolicy(Preset(PresetNames[i%len(PresetNames)]), ModeEnforce)
			s := State{Open: true, Owned: true, Zone: loc, BornAt: now.Add(-time.Duration(i) * day)}
			for k := range i % 7 {
				at := now.Add(-time.Duration(k*37) * time.Hour)
				s.Ads.Add(at, at)
			}
			z := zone{loc: loc}
			days, _ := Foresee(p, s, now)
			from := now
			for _, d := range days {
				_, to := z.span(periodDay, from)
				if d.Open {
					if x := Decide(p, s, Window{d.FirstAt, to}); x.Outcome != OutcomeAllow {
						t.Fatalf("%s %d: day %d is open from %s, the guard says %s by %s", name, i, d.Day, d.FirstAt, x.Outcome, x.Rule)
					}
				} else {
					for at := from; at < to; at = at.Add(30 * time.Minute) {
						if x := Decide(p, s, Window{at, to}); x.Outcome == OutcomeAllow {
							t.Fatalf("%s %d: day %d is not open, the guard allows %s", name, i, d.Day, at)
						}
					}
				}
				from = to
			}
		}
	}
}

// TestForeseeAPolicy: a policy announced on Monday counts from its own day.
func TestForeseeAPolicy(t *testing.T) {
	monday := at(t, shanghai, "2026-11-02 10:00")
	s := State{Open: true, Owned: true, Zone: location(t, shanghai), BornAt: monday.Add(-400 * day)}
	none, looser := PresetPolicy(PresetRetail, ModeEnforce), PresetPolicy(PresetRetail, ModeEnforce)
	none.Day = 0
	days, room := Foresee(none, s, monday, Promise{From: monday.Add(7 * day), Policy: looser})
	got := ""
	for _, d := range days {
		got += map[bool]string{true: "o", false: "-"}[d.Open]
	}
	if want := "--------oooooo"; got != want || room != 4 {
		t.Errorf("got %s with room for %d, want %s with 4", got, room, want)
	}
}

// TestForeseeACharter: a charter announced on Monday counts from its own day.
func TestForeseeACharter(t *testing.T) {
	monday := at(t, shanghai, "2026-11-02 10:00")
	s := State{Open: true, Owned: true, Zone: location(t, shanghai), BornAt: monday.Add(-400 * day), Charter: Charter{Version: 1}}
	open := func(days []ForecastDay) (out string) {
		for _, d := range days {
			out += map[bool]string{true: "o", false: "-"}[d.Open]
		}
		return out
	}
	looser := Promise{monday.Add(7 * day), Charter{Version: 2, Day: 1, Week: 2}, PresetPolicy(PresetRetail, ModeEnforce)}
	days, room := Foresee(PresetPolicy(PresetRetail, ModeEnforce), s, monday, looser)
	// The eighth day began before the moment, so it is judged by what was promised then.
	if got, want := open(days), "--------oooooo"; got != want || room != 2 {
		t.Errorf("got %s with room for %d, want %s with 2", got, room, want)
	}
	stricter := Promise{monday.Add(2 * day), Charter{Version: 3, Day: 0, Week: 0}, PresetPolicy(PresetRetail, ModeEnforce)}
	s.Charter = Charter{Version: 2, Day: 1, Week: 4}
	days, room = Foresee(PresetPolicy(PresetRetail, ModeEnforce), s, monday, stricter)
	if got, want := open(days), "ooo-----------"; got != want || room != 3 {
		t.Errorf("got %s with room for %d, want %s with 3", got, room, want)
	}
}
