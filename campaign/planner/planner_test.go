package planner_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"siyu/campaign/guard"
	"siyu/campaign/planner"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// monday is Monday 10:17 in Shanghai.
var monday = clock.Milli(time.Date(2026, 11, 2, 2, 17, 0, 0, time.UTC).UnixMilli())

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// group is an old, owned group of the preset.
func group(t *testing.T, preset guard.Preset, offers int) planner.Group {
	t.Helper()
	g := planner.Group{Policy: guard.PresetPolicy(preset, guard.ModeEnforce)}
	g.State = guard.State{Open: true, Owned: true, Zone: zone(t, clock.Shanghai), BornAt: monday.Add(-400 * 24 * time.Hour)}
	for i := range offers {
		g.Wants = append(g.Wants, i)
	}
	return g
}

func offer(no int, from, to time.Duration, weight int64) planner.Offer {
	return planner.Offer{Promotion: id.Promotion(no), WindowNo: 1, Window: guard.Window{From: monday.Add(from), To: monday.Add(to)}, Weight: weight}
}

const hour = time.Hour

func placed(offers []planner.Offer, f planner.Fitted) (out []string) {
	for _, p := range f.Placed {
		out = append(out, fmt.Sprintf("%d at %s", offers[p.Offer].Promotion, p.Window.From.Time().In(time.FixedZone("", 8*3600)).Format("02 15:04")))
	}
	return out
}

func left(offers []planner.Offer, f planner.Fitted) (out []string) {
	for _, l := range f.Left {
		says := fmt.Sprintf("%d by %s", offers[l.Offer].Promotion, l.Rule)
		if l.Outranked {
			says += ", outranked"
		}
		out = append(out, says)
	}
	return out
}

func TestFit(t *testing.T) {
	tests := []struct {
		name         string
		preset       guard.Preset
		offers       []planner.Offer
		change       func(*planner.Group)
		placed, left []string
	}{
		{
			name: "the heavier of two that want the same day", preset: guard.PresetInterest,
			offers: []planner.Offer{offer(1, 0, 10*hour, 5), offer(2, 0, 10*hour, 9)},
			placed: []string{"2 at 02 10:17"}, left: []string{"1 by G6, outranked"},
		}, {
			name: "who can wait makes room for who cannot", preset: guard.PresetRetail,
			offers: []planner.Offer{offer(1, 0, 60*hour, 9), offer(2, 0, 5*hour, 5)},
			placed: []string{"2 at 02 10:17", "1 at 03 08:00"},
		}, {
			name: "two lighter ones instead of one in their way", preset: guard.PresetInterest,
			offers: []planner.Offer{offer(1, 32*hour, 34*hour+43*time.Minute, 9), offer(2, 0, 4*hour, 6), offer(3, 52*hour, 56*hour, 6)},
			placed: []string{"2 at 02 10:17", "3 at 04 14:30"}, left: []string{"1 by G6, outranked"},
		}, {
			name: "what the group has seen counts", preset: guard.PresetInterest,
			offers: []planner.Offer{offer(1, 0, 20*hour, 5)},
			change: func(g *planner.Group) { g.State.Ads.Add(monday.Add(-20*hour), monday.Add(-20*hour)) },
			left:   []string{"1 by G6"},
		}, {
			name: "a group too young", preset: guard.PresetInterest,
			offers: []planner.Offer{offer(1, 0, 24*hour, 5), offer(2, 0, 96*hour, 5)},
			change: func(g *planner.Group) { g.State.BornAt = monday.Add(-5 * 24 * hour) },
			placed: []string{"2 at 04 10:30"}, left: []string{"1 by G3"},
		}, {
			name: "quiet hours, and a window that is over", preset: guard.PresetInterest,
			offers: []planner.Offer{offer(1, 12*hour, 20*hour, 5), offer(2, -5*hour, -hour, 5)},
			left:   []string{"2 by window", "1 by G5"},
		}, {
			name: "the charter is the ceiling also where the policy only advises", preset: guard.PresetBenefit,
			offers: []planner.Offer{offer(1, 0, 24*hour, 5), offer(2, 24*hour, 60*hour, 6)},
			change: func(g *planner.Group) {
				g.Policy.Mode, g.State.Charter = guard.ModeAdvise, guard.Charter{Version: 1, Day: 1, Week: 1}
			},
			placed: []string{"2 at 03 10:30"}, left: []string{"1 by C.week, outranked"},
		}, {
			name: "nobody answers for the group", preset: guard.PresetRetail,
			offers: []planner.Offer{offer(1, 0, 24*hour, 5)},
			change: func(g *planner.Group) { g.State.Owned = false },
			left:   []string{"1 by G2.owner"},
		}, {
			name: "a looser policy counts from its day", preset: guard.PresetRetail,
			offers: []planner.Offer{offer(1, 0, 48*hour, 5), offer(2, 0, 100*hour, 5), offer(3, 94*hour, 96*hour, 5)},
			change: func(g *planner.Group) {
				later := g.Policy
				later.Day, later.Quiet = 2, guard.Quiet{From: 22 * 60, To: 6 * 60}
				g.Policy.Day, g.Turns = 0, []guard.Turn{{From: monday.Add(90 * hour), Policy: later}} // Friday 4:17
			},
			placed: []string{"3 at 06 08:30"}, left: []string{"1 by G7.day", "2 by G7.day, outranked"},
		}, {
			name: "no ads at all", preset: guard.PresetService,
			offers: []planner.Offer{offer(1, 0, 24*hour, 5)},
			left:   []string{"1 by G7.day"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := group(t, tt.preset, len(tt.offers))
			if tt.change != nil {
				tt.change(&g)
			}
			got := planner.New(monday, tt.offers).Fit(g)
			if diff := cmp.Diff(tt.placed, placed(tt.offers, got)); diff != "" {
				t.Errorf("placed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.left, left(tt.offers, got)); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
		})
	}
}

// drawn is a group and offers of a seed: any preset, mode, charter and past,
// and windows from one hour to a week around now.
func drawn(t *testing.T, seed uint64, loc *time.Location, now clock.Milli, n, longest int) ([]planner.Offer, planner.Group) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	offers := make([]planner.Offer, n)
	for i := range offers {
		from := now.Add(time.Duration(r.IntN(12*24*60)-600) * time.Minute)
		offers[i] = planner.Offer{Promotion: id.Promotion(i + 1), Weight: planner.Weigh(int64(1+r.IntN(50)), r.IntN(3)),
			Window: guard.Window{From: from, To: from.Add(time.Duration(60+r.IntN(longest*60)) * time.Minute)}}
	}
	g := group(t, guard.Preset(guard.PresetNames[r.IntN(len(guard.PresetNames)-1)]), n)
	g.State.Zone, g.State.BornAt = loc, now.Add(-time.Duration(r.IntN(60*24))*hour)
	g.Policy.Mode = []guard.Mode{guard.ModeEnforce, guard.ModeEnforce, guard.ModeEnforce, guard.ModeAdvise, guard.ModeOff}[r.IntN(5)]
	if r.IntN(2) == 0 {
		g.State.Charter = guard.Charter{Version: 1, Day: r.IntN(3), Week: 1 + r.IntN(4), Quiet: guard.Quiet{From: 21 * 60, To: 9 * 60}}
		if r.IntN(3) == 0 {
			g.State.Charter.EndsAt = now.Add(time.Duration(r.IntN(14*24)) * hour)
		}
	}
	for k := r.IntN(6); k > 0; k-- {
		first := now.Add(-time.Duration(r.IntN(33*24*60)) * time.Minute)
		g.State.Ads.Add(first, first.Add(time.Duration(r.IntN(3))*hour))
		g.State.Life++
	}
	return offers, g
}

// Whatever order the slots of a plan are asked for in, the guard allows every
// one of them as it was planned; and each offer is placed within its window or
// left out with a rule, once.
func TestFit_is_what_the_guard_allows(t *testing.T) {
	moments := map[string]clock.Milli{
		clock.Shanghai:        monday,
		"America/New_York":    milli(2026, 10, 29, 11), // clocks go back on November 1
		"America/Los_Angeles": milli(2027, 3, 9, 3),    // and forward on March 14
		"Australia/Lord_Howe": milli(2027, 4, 1, 8),    // by half an hour
		"Asia/Kathmandu":      milli(2026, 12, 25, 22), // quarters of hours; a month ends
	}
	var sum int
	for name, now := range moments {
		loc := zone(t, name)
		for seed := range uint64(400) {
			offers, g := drawn(t, seed, loc, now, 25, 100)
			f := planner.New(now, offers).Fit(g)
			seen := map[int]bool{}
			for i, p := range f.Placed {
				if w := offers[p.Offer].Window; p.Window.From < max(now, w.From) || p.Window.To > w.To || p.Window.To <= p.Window.From {
					t.Fatalf("%s, seed %d: slot %v of the window %v", name, seed, p.Window, w)
				}
				others := g.State
				others.Ads = g.State.Ads.Clone()
				for k, o := range f.Placed {
					if k != i {
						others.Ads.Add(o.Window.From, o.Window.To-1)
						others.Life++
					}
				}
				if d := guard.Decide(g.Policy, others, p.Window); d.Outcome != guard.OutcomeAllow || d.Window != p.Window {
					t.Fatalf("%s, seed %d: the guard says %s by %s of %v among the others", name, seed, d.Outcome, d.Rule, p.Window)
				}
				seen[p.Offer] = true
				sum++
			}
			for _, l := range f.Left {
				if l.Rule == "" || seen[l.Offer] {
					t.Fatalf("%s, seed %d: offer %d left out by %q, seen before: %t", name, seed, l.Offer, l.Rule, seen[l.Offer])
				}
				seen[l.Offer] = true
			}
			if len(seen) != len(offers) {
				t.Fatalf("%s, seed %d: %d of %d offers are in the plan", name, seed, len(seen), len(offers))
			}
		}
	}
	if sum < 5000 {
		t.Errorf("only %d slots were planned; the seeds show little", sum)
	}
}

func milli(year int, month time.Month, day, hour int) clock.Milli {
	return clock.Milli(time.Date(year, month, day, hour, 0, 0, 0, time.UTC).UnixMilli())
}

// For what is left out there is no whole slot any more, looked for at every
// half hour.
func TestFit_leaves_no_room_unused(t *testing.T) {
	loc := zone(t, clock.Shanghai)
	checked := 0
	for seed := range uint64(60) {
		offers, g := drawn(t, seed, loc, monday, 12, 60)
		f := planner.New(monday, offers).Fit(g)
		full := g.State
		full.Ads = g.State.Ads.Clone()
		for _, p := range f.Placed {
			full.Ads.Add(p.Window.From, p.Window.To-1)
			full.Life++
		}
		for _, l := range f.Left {
			if at, ok := slotOf(g.Policy, full, offers[l.Offer].Window); ok {
				t.Fatalf("seed %d: offer %d was left out by %s, the guard allows %v", seed, l.Offer, l.Rule, at)
			}
			if at, ok := slotOf(g.Policy, g.State, offers[l.Offer].Window); ok != l.Outranked {
				t.Fatalf("seed %d: offer %d outranked %t, alone it would fit %t at %v", seed, l.Offer, l.Outranked, ok, at)
			}
			checked++
		}
	}
	if checked < 100 {
		t.Errorf("only %d offers were left out", checked)
	}
}

// slotOf is the first whole slot at a half hour of the next two weeks.
func slotOf(p guard.Policy, s guard.State, w guard.Window) (guard.Window, bool) {
	slots := slotsOf(p, s, w, 1)
	if len(slots) == 0 {
		return guard.Window{}, false
	}
	return slots[0], true
}

// slotsOf are whole slots at half hours, and at now.
func slotsOf(p guard.Policy, s guard.State, w guard.Window, most int) (out []guard.Window) {
	const cell = 30 * time.Minute
	today, _, _ := guard.Spans(s.Zone, monday)
	end := today.From.Add(planner.Days * 24 * hour)
	room := 0
	for at := today.From; at < w.To; at = at.Add(cell) {
		if at.Add(cell) > monday && (at >= w.From || w.From <= monday) && at.Add(cell) <= w.To {
			room++
		}
	}
	long := time.Duration(max(1, min(room, int(planner.SlotFor/cell)))) * cell
	for at := today.From; at.Add(long) <= min(end, w.To) && len(out) < most; at = at.Add(cell) {
		if at < w.From && w.From > monday || at.Add(cell) <= monday {
			continue
		}
		try := guard.Window{From: max(at, monday), To: at.Add(long)}
		if d := guard.Decide(p, s, try); d.Outcome == guard.OutcomeAllow && d.Window == try {
			out = append(out, try)
		}
	}
	return out
}

// Against every way to plan a few short windows, none is better than the best
// and all together come near it.
func TestFit_comes_near_the_best(t *testing.T) {
	loc := zone(t, clock.Shanghai)
	var got, best int64
	for seed := range uint64(250) {
		offers, g := drawn(t, seed+1000, loc, monday, 6, 3)
		for i := range offers { // all within three days, so that they are in one another's way
			at := offers[i].Window.From
			for at > monday.Add(72*hour) {
				at = at.Add(-48 * hour)
			}
			offers[i].Window = guard.Window{From: at, To: at + offers[i].Window.To - offers[i].Window.From}
		}
		ours, most := planner.New(monday, offers).Fit(g).Worth, bestOf(g, offers, g.State, 0)
		if ours > most {
			t.Fatalf("seed %d: a plan worth %d where the best is %d", seed, ours, most)
		}
		got, best = got+ours, best+most
	}
	t.Logf("%d of %d: %.3f", got, best, float64(got)/float64(best))
	if got*1000 < best*998 {
		t.Errorf("plans are worth %d of %d", got, best)
	}
}

func bestOf(g planner.Group, offers []planner.Offer, s guard.State, i int) int64 {
	if i == len(offers) {
		return 0
	}
	best := bestOf(g, offers, s, i+1)
	for _, w := range slotsOf(g.Policy, s, offers[i].Window, 1000) {
		with := s
		with.Ads = s.Ads.Clone()
		with.Ads.Add(w.From, w.To-1)
		with.Life++
		best = max(best, offers[i].Weight+bestOf(g, offers, with, i+1))
	}
	return best
}

func TestFit_forgets_the_group_before(t *testing.T) {
	loc := zone(t, clock.Shanghai)
	offers, _ := drawn(t, 1, loc, monday, 25, 100)
	shared := planner.New(monday, offers)
	for seed := range uint64(50) {
		_, g := drawn(t, seed, loc, monday, 25, 100)
		one, again := planner.New(monday, offers).Fit(g), shared.Fit(g)
		if diff := cmp.Diff(one, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("seed %d, alone and after others (-alone +after):\n%s", seed, diff)
		}
	}
}

func TestWeigh(t *testing.T) {
	got := []int64{planner.Weigh(100, 0), planner.Weigh(100, 1), planner.Weigh(100, 3), planner.Weigh(0, 0), planner.Weigh(1, 99)}
	if want := []int64{100, 200, 800, 1, 512}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
