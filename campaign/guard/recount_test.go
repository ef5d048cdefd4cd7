package guard

import (
	"math/rand/v2"
	"testing"
	"time"

	"siyu/internal/clock"
)

// limitsOf are the limits Decide is to keep, in the form Verify replays.
func limitsOf(p Policy, c Charter) Slot {
	return Slot{
		CapDay: tighter(p.Day, c.Day), CapWeek: tighter(p.Week, c.Week), CapMonth: p.Month, CapLife: p.Life,
		GapMinutes: int(p.Gap.Minutes()), QuietFrom: p.Quiet.From, QuietTo: p.Quiet.To,
		CharterQuietFrom: c.Quiet.From, CharterQuietTo: c.Quiet.To,
		CareDay: Unlimited, CareWeek: Unlimited, CareMonth: Unlimited,
	}
}

// TestDecideAgainstRecount holds Decide against the count of Verify, which
// shares no code with it: what it allows breaks nothing, what it defers passes
// at its minute and at none before.
//
// The cases are drawn evenly from a seed: rapid's own numbers lean to the
// small, which makes nearly every case a refusal.
func TestDecideAgainstRecount(t *testing.T) {
	seen := map[Outcome]int{}
	for seed := range uint64(3000) {
		c := drawCase(t, rand.New(rand.NewPCG(seed, 7)))
		got := Decide(c.policy, c.state, c.asked)
		seen[got.Outcome]++
		earliest := c.asked.To
		switch got.Outcome {
		case OutcomeAllow:
			if !c.passes(c.asked.From) || got.Window != c.window(c.asked.From) {
				t.Fatalf("seed %d: allowed %v, and the recount finds it broken", seed, got.Window)
			}
			continue
		case OutcomeDefer:
			earliest = got.NotBefore
			if !c.passes(earliest) {
				t.Fatalf("seed %d: not before %s, and then it does not pass", seed, earliest)
			}
		}
		// Every minute before is refused: the last, the first, and some between.
		minutes := int(earliest-c.asked.From) / int(minuteMilli)
		try := []int{0, minutes - 1}
		for range 10 {
			try = append(try, c.rand.IntN(max(minutes, 1)))
		}
		for _, m := range try {
			if at := c.asked.From.Add(time.Duration(m) * time.Minute); m >= 0 && at < earliest && c.passes(at) {
				t.Fatalf("seed %d: %s %v until %s, yet %s passes", seed, got.Outcome, got.Reasons, earliest, at)
			}
		}
	}
	for _, o := range []Outcome{OutcomeAllow, OutcomeDefer, OutcomeDeny} {
		if seen[o] < 300 {
			t.Errorf("the cases are lopsided: %v", seen)
		}
	}
}

// oneCase is a random policy, state and question.
type oneCase struct {
	rand   *rand.Rand
	policy Policy
	state  State
	others []moments
	asked  Window
}

func drawCase(t *testing.T, r *rand.Rand) oneCase {
	t.Helper()
	zones := []string{shanghai, "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"}
	starts := []string{"2026-03-01 10:00", "2026-03-07 20:00", "2026-10-03 20:00", "2026-10-31 20:00", "2026-12-30 22:00", "2018-11-03 20:00", "2026-04-04 20:00"}
	zone := zones[r.IntN(len(zones))]
	start := at(t, zone, starts[r.IntN(len(starts))])
	quiet := func() Quiet {
		if r.IntN(3) > 0 {
			return Quiet{}
		}
		return Quiet{r.IntN(minutesOfDay), r.IntN(minutesOfDay)}
	}
	c := oneCase{
		rand: r,
		policy: Policy{Mode: ModeEnforce, Day: 1 + r.IntN(3), Week: 2 + r.IntN(6), Month: 3 + r.IntN(10), Life: Unlimited,
			Gap: time.Duration(r.IntN(600)) * time.Minute, Quiet: quiet()},
		state: State{Open: true, Owned: true, BornAt: 1, Zone: location(t, zone),
			Charter: Charter{Version: 1, Day: 1 + r.IntN(6), Week: 2 + r.IntN(20), Quiet: quiet()}},
		asked: Window{start, start.Add(time.Duration(1+r.IntN(40*60)) * time.Minute)},
	}
	if r.IntN(3) == 0 { // health and the platform have a say too
		c.policy.Care.Factors = cares[PresetRetail].Factors
		c.state.Condition = Condition{State: states[r.IntN(len(states))], Until: start, Coverage: covered, Fatigue: r.IntN(exhausted), Content: Unknown, Held: start}
		c.state.Platform = []Platform{PlatformNone, PlatformDay, PlatformWeek, PlatformMonth}[r.IntN(4)]
	}
	for range r.IntN(10) {
		before := []int{36 * 60, 9 * 24 * 60, 45 * 24 * 60}[r.IntN(3)]
		first := start.Add(time.Duration(before/6-r.IntN(before)) * time.Minute)
		last := first
		if r.IntN(3) == 0 {
			last = first.Add(time.Duration(r.IntN(600)) * time.Minute)
		}
		c.state.Ads.Add(first, last)
		c.others = append(c.others, moments{first, last})
	}
	return c
}

func (c *oneCase) window(from clock.Milli) Window {
	x := exam{policy: c.policy, state: c.state, zone: zone{loc: c.state.Zone}}
	return x.window(from, c.asked.To)
}

func (c *oneCase) passes(from clock.Milli) bool {
	own, w := limitsOf(c.policy, c.state.Charter), c.window(from)
	own.FromAt, own.ToAt, own.Platform = w.From, w.To, c.state.Platform
	own.care(&c.policy, &c.state.Condition, "")
	return len(recount(own, c.others, c.state.Zone)) == 0
}
