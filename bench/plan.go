package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"time"

	"siyu/campaign/guard"
	"siyu/campaign/planner"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// The size of the plan whose time and memory are told, and of those of which
// only the worth is compared.
const (
	planPromotions = 200
	planGroups     = 100_000
	planSample     = 5_000
	planDrawn      = 20
	planBounded    = 300 // groups of a world for the bound that knows the gaps
)

// planSeed is a world to plan: how many of the groups a promotion wants, how
// long its windows are, and for how many groups.
type planSeed struct {
	name   string
	seed   uint64
	wanted float64 // share of the groups a promotion wants, at most
	hours  int     // of the longest window
	groups int
}

var planShipped = []planSeed{
	{"brand", 1, 0.3, 120, planGroups},
	{"calm", 2, 0.05, 168, planSample},
	{"short", 3, 0.2, 12, planSample},
	{"tight", 4, 0.6, 24, planSample},
}

// runPlan fits promotions into the slots of groups and compares what the plan
// is worth with an upper bound, the best assignment were there no gaps and no
// sliding weeks, and with the greedy plan, the highest value first at the
// first moment the guard allows.
func runPlan(_ context.Context, o options, out func(string, ...any)) error {
	for _, s := range planShipped {
		if err := measurePlan(s, out); err != nil {
			return err
		}
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	out("worlds drawn from seed %d\n", o.seed)
	draw := rand.New(rand.NewPCG(o.seed, 20))
	for range planDrawn {
		s := planSeed{"drawn", draw.Uint64(), 0.05 + draw.Float64()*0.5, 72 + draw.IntN(96), planSample}
		if err := measurePlan(s, out); err != nil {
			return err
		}
	}
	return nil
}

// worths is what the ways to plan come to, summed over groups.
type worths struct {
	ours, greedy, bound int64
	gaps                int64 // the bound that knows the gaps
	placed, left        int
	beyond              bool // a plan was worth more than its bound
}

func (w *worths) add(x worths) {
	w.ours, w.greedy, w.bound = w.ours+x.ours, w.greedy+x.greedy, w.bound+x.bound
	w.gaps += x.gaps
	w.placed, w.left = w.placed+x.placed, w.left+x.left
	w.beyond = w.beyond || x.beyond
}

func measurePlan(s planSeed, out func(string, ...any)) error {
	world := drawWorld(s)
	runtime.GC()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return err
	}
	began, spent := time.Now(), cpuOf(os.Getpid())
	sum := each(world, func() func(planner.Group) worths {
		p := planner.New(world.now, world.offers)
		return func(g planner.Group) worths {
			f := p.Fit(g)
			return worths{ours: f.Worth, placed: len(f.Placed), left: len(f.Left)}
		}
	})
	took, cpu := time.Since(began), cpuOf(os.Getpid())-spent
	peak := peakOf(os.Getpid())
	other := each(world, func() func(planner.Group) worths {
		b := newBound(world)
		p := planner.New(world.now, world.offers)
		return func(g planner.Group) worths {
			w := worths{bound: b.of(g), greedy: greedy(world, g)}
			w.beyond = max(p.Fit(g).Worth, w.greedy) > w.bound
			return w
		}
	})
	if sum.add(other); sum.beyond {
		return fmt.Errorf("%s, seed %d: a plan is worth more than the bound", s.name, s.seed)
	}
	out("%-6s seed %20d: %d promotions × %6d groups × %d days: %d placed, %d left out, in %.1f s, %d µs of CPU a group, %.0f MiB; %.3f of the bound, %.3f × greedy\n",
		s.name, s.seed, len(world.offers), s.groups, planner.Days, sum.placed, sum.left, took.Seconds(), cpu.Microseconds()/int64(s.groups), mib(peak),
		float64(sum.ours)/float64(sum.bound), float64(sum.ours)/float64(sum.greedy))
	few := *world
	few.groups = min(few.groups, planBounded)
	part := each(&few, func() func(planner.Group) worths {
		b, p := newGapBound(world), planner.New(world.now, world.offers)
		return func(g planner.Group) worths {
			w := worths{ours: p.Fit(g).Worth, bound: b.bound.of(g), greedy: greedy(world, g)}
			w.gaps = b.of(g, w.ours)
			w.beyond = max(w.ours, w.greedy) > w.gaps
			return w
		}
	})
	if part.beyond {
		return fmt.Errorf("%s, seed %d: a plan is worth more than the bound that knows the gaps", s.name, s.seed)
	}
	out("       with the gaps known, in %d groups: any plan at most %.3f of the bound, this one %.3f: %.3f of what is possible\n", few.groups,
		float64(part.gaps)/float64(part.bound), float64(part.ours)/float64(part.bound), float64(part.ours)/float64(part.gaps))
	return nil
}

// each puts every group of the world to one function per processor.
func each(w *world, work func() func(planner.Group) worths) worths {
	n := runtime.GOMAXPROCS(0)
	sums := make([]worths, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			do := work()
			for g := i; g < w.groups; g += n {
				sums[i].add(do(w.group(g)))
			}
		})
	}
	all.Wait()
	var sum worths
	for _, x := range sums {
		sum.add(x)
	}
	return sum
}

// world is what is planned: offers, and groups made from the seed when asked
// for, as a store would give them.
type world struct {
	planSeed
	now    clock.Milli
	offers []planner.Offer
	share  []float64 // of the groups, per offer
	zones  []*time.Location
}

func drawWorld(s planSeed) *world {
	w := &world{planSeed: s, now: clock.Milli(time.Date(2026, 11, 2, 2, 17, 0, 0, time.UTC).UnixMilli())}
	for _, name := range []string{"Asia/Shanghai", "Asia/Shanghai", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			panic(err) // the zones are in the binary
		}
		w.zones = append(w.zones, loc)
	}
	r := rand.New(rand.NewPCG(s.seed, 1))
	for i := range planPromotions {
		// The horizons of all zones end after this.
		last := w.now.Add((planner.Days - 1) * 24 * time.Hour)
		from := w.now.Add(time.Duration(r.IntN((planner.Days-1)*24*60)) * time.Minute).Add(-12 * time.Hour)
		w.offers = append(w.offers, planner.Offer{
			Promotion: id.Promotion(i + 1), WindowNo: 1,
			Window: guard.Window{From: from, To: min(from.Add(time.Duration(3+r.IntN(s.hours))*time.Hour), last)},
			Weight: planner.Weigh(int64(50+r.IntN(1950)), r.IntN(4)),
		})
		w.share = append(w.share, s.wanted*r.Float64())
	}
	return w
}

var planPresets = []guard.Preset{guard.PresetInterest, guard.PresetInterest, guard.PresetRetail, guard.PresetRetail, guard.PresetBenefit, guard.PresetFlash, guard.PresetChain, guard.PresetCore}

// group is the i-th group: its preset, charter, age, what it was shown in the
// last weeks and which offers want it.
func (w *world) group(i int) planner.Group {
	r := rand.New(rand.NewPCG(w.seed, uint64(i)+2))
	g := planner.Group{Policy: guard.PresetPolicy(planPresets[r.IntN(len(planPresets))], guard.ModeEnforce)}
	g.State = guard.State{Open: true, Owned: true, Zone: w.zones[r.IntN(len(w.zones))], BornAt: w.now.Add(-time.Duration(r.IntN(400*24)) * time.Hour)}
	if r.IntN(2) == 0 {
		g.State.Charter = guard.Charter{Version: 1, Day: 1 + r.IntN(2), Week: 1 + r.IntN(5), Quiet: guard.Quiet{From: 22 * 60, To: 8 * 60}}
	}
	for n := r.IntN(5); n > 0; n-- {
		at := w.now.Add(-time.Duration(r.IntN(20*24*60)) * time.Minute)
		g.State.Ads.Add(at, at)
		g.State.Life++
	}
	for o, share := range w.share {
		if r.Float64() < share {
			g.Wants = append(g.Wants, o)
		}
	}
	return g
}
