package guard

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"siyu/internal/clock"
)

// limitsOf are the limits Decide is to keep, in the form Verify replays.
func limitsOf(p Policy, c Charter) Slot {
	return Slot{
		CapDay: tighter(p.Day, c.Day), CapWeek: tighter(p.Week, c.Week), CapMonth: p.Month, CapLife: p.Life,
		GapMinutes: int(p.Gap.Minutes()), QuietFrom: p.Quiet.From, QuietTo: p.Quiet.To,
		CharterQuietFrom: c.Quiet.From, CharterQuietTo: c.Quiet.To,
	}
}

// TestDecideAgainstRecount holds Decide against the count of Verify, which
// shares no code with it: what it allows breaks nothing, what it defers passes
// at its minute and at none before.
func TestDecideAgainstRecount(t *testing.T) {
	zones := []*time.Location{location(t, shanghai), location(t, "America/New_York"), location(t, "Australia/Lord_Howe"), location(t, "America/Sao_Paulo")}
	starts := []string{"2026-03-01 10:00", "2026-03-07 20:00", "2026-10-03 20:00", "2026-10-31 20:00", "2026-12-30 22:00", "2018-11-03 20:00", "2026-04-04 20:00"}
	rapid.Check(t, func(r *rapid.T) {
		minute := rapid.IntRange(0, minutesOfDay-1)
		limit := func(name string, most int) int { return rapid.IntRange(1, most).Draw(r, name) }
		p := Policy{Mode: ModeEnforce, Day: limit("day", 5), Week: limit("week", 14), Month: limit("month", 30), Life: Unlimited,
			Gap: time.Duration(limit("gap", 40)) * 20 * time.Minute}
		if rapid.Bool().Draw(r, "quiet") {
			p.Quiet = Quiet{minute.Draw(r, "quiet from"), minute.Draw(r, "quiet to")}
		}
		c := Charter{Version: 1, Day: limit("charter day", 6), Week: limit("charter week", 30)}
		if rapid.Bool().Draw(r, "charter quiet") {
			c.Quiet = Quiet{minute.Draw(r, "charter quiet from"), minute.Draw(r, "charter quiet to")}
		}
		loc := rapid.SampledFrom(zones).Draw(r, "zone")
		start := at(t, loc.String(), rapid.SampledFrom(starts).Draw(r, "start"))
		s := State{Open: true, Owned: true, BornAt: 1, Zone: loc, Charter: c}
		var others []moments
		for range rapid.IntRange(0, 14).Draw(r, "ads") {
			near := rapid.SampledFrom([]int{36 * 60, 36 * 60, 9 * 24 * 60, 50 * 24 * 60}).Draw(r, "within")
			first := start.Add(time.Duration(rapid.IntRange(-near, near/3).Draw(r, "ad")) * time.Minute)
			last := first.Add(time.Duration(rapid.IntRange(0, 600).Draw(r, "long")) * time.Minute)
			s.Ads.Add(first, last)
			others = append(others, moments{first, last})
		}
		asked := Window{start, start.Add(time.Duration(rapid.IntRange(1, 36*60).Draw(r, "asked")) * time.Minute)}
		got := Decide(p, s, asked)

		limits := limitsOf(p, c)
		x := exam{policy: &p, state: &s, zone: zone{loc: loc}}
		passes := func(t clock.Milli) bool {
			own := limits
			w := x.window(t, asked.To)
			own.FromAt, own.ToAt = w.From, w.To
			return len(recount(own, others, loc)) == 0
		}
		earliest := asked.To
		switch got.Outcome {
		case OutcomeAllow:
			if !passes(start) || got.Window != x.window(start, asked.To) {
				r.Fatalf("allowed %v, and the recount finds it broken", got.Window)
			}
			return
		case OutcomeDefer:
			earliest = got.NotBefore
			if !passes(earliest) {
				r.Fatalf("not before %s, and then it does not pass", earliest)
			}
		}
		// Every minute before is refused: the last, the first, and some between.
		minutes := int(earliest-start) / int(minuteMilli)
		try := []int{0, minutes - 1}
		for range 20 {
			try = append(try, rapid.IntRange(0, max(minutes-1, 0)).Draw(r, "minute"))
		}
		for _, m := range try {
			if t := start.Add(time.Duration(m) * time.Minute); m >= 0 && t < earliest && passes(t) {
				r.Fatalf("%s %v until %s, yet %s passes", got.Outcome, got.Reasons, earliest, t)
			}
		}
	})
}
