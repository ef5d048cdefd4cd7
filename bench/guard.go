package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// guardUsual is how many groups a wave asks for unless -existing says
// otherwise.
const guardUsual = 100_000

// runGuard asks for an ad in every group at once, beside the same done by one
// transaction per group at its best number of workers, and counts again what
// was reserved. Each group has a past of up to three ads, so that part of the
// wave is deferred.
func runGuard(ctx context.Context, l *lab) error {
	pureDecide(l.printf)
	debug.SetGCPercent(400) // as serve does
	n := l.existing
	if n == 0 {
		n = guardUsual
	}
	w := &wave{lab: l} // both find the same tables, which may outgrow the engine's memory
	began := time.Now()
	groups, err := w.fill(ctx, n)
	if err != nil {
		return err
	}
	l.printf("  %s groups made in %.0f s\n", short(n), time.Since(began).Seconds())
	base, err := w.singly(ctx)
	if err != nil {
		return err
	}
	runtime.GC()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return err
	}
	l.printf("one transaction per group: %s\n", base)
	var p pace
	for no := range 2 {
		var counts map[guard.Outcome]int
		if p, counts, err = w.reserve(ctx, no+1, groups); err != nil {
			return err
		}
		l.printf("wave %d of %s groups: %s; %d allowed, %d deferred, %d denied; %.1f × the rate, at %.2f of the CPU\n",
			no+1, short(n), p, counts[guard.OutcomeAllow], counts[guard.OutcomeDefer], counts[guard.OutcomeDeny], p.rate()/base.rate(), float64(p.each())/float64(base.each()))
	}
	l.printf("the first wave also makes each group's own row; the second has them: %.1f × (goal 8), at most %.0f MiB\n", p.rate()/base.rate(), mib(peakOf(os.Getpid())))
	if err := w.exactly(ctx); err != nil {
		return err
	}
	if err := l.verify(ctx); err != nil {
		return err
	}
	bare, err := w.bare(ctx, groups) // the last: its rows keep no cap
	l.printf("the same rows locked and written bare, nothing read and decided: %s; the second wave is at %.2f of it\n", bare, p.rate()/bare.rate())
	return err
}

// wave is what a run of guard stands on beside the lab.
type wave struct {
	*lab
	now clock.Milli // all of it happens at one moment
}

// pace is how fast n groups were asked for.
type pace struct {
	n         int
	took, cpu time.Duration // cpu: of the engine and of this process
}

func (p pace) rate() float64       { return float64(p.n) / p.took.Seconds() }
func (p pace) each() time.Duration { return p.cpu / time.Duration(max(p.n, 1)) }
func (p pace) String() string {
	return fmt.Sprintf("%.0f/s, %d µs of CPU each", p.rate(), p.each().Microseconds())
}

// spent is the CPU that engine and bench have used.
func (w *wave) spent() time.Duration { return cpuOf(w.store.server.pid()) + cpuOf(os.Getpid()) }

// reserve asks for an ad of one promotion in all groups, as a window that
// opens does, and keeps nothing of the answers.
func (w *wave) reserve(ctx context.Context, no int, groups []id.Group) (p pace, counts map[guard.Outcome]int, err error) {
	counts = map[guard.Outcome]int{}
	err = w.leased(ctx, func(db *database.DB) error {
		db.Clock = clock.At(w.now.Add(time.Duration(no-1) * 24 * time.Hour).Time())
		s := &guard.Service{DB: db}
		from := clock.MilliOf(db.Clock.Now())
		ask := guard.Ask{Promotion: id.Promotion(no), WindowNo: 1, Window: guard.Window{From: from, To: from.Add(10 * time.Hour)}, Groups: groups}
		began, spent := time.Now(), w.spent()
		answers, err := s.Reserve(ctx, ask, func(*database.Tx, []guard.Answer) error { return nil })
		p = pace{len(groups), time.Since(began), w.spent() - spent}
		for _, a := range answers {
			counts[a.Outcome]++
		}
		return err
	})
	return p, counts, err
}

// exactly holds every cap against a count that knows nothing of the guard: the
// groups are retail, at most one ad a local day, four in an ISO week and in
// any 7 × 24 h, 20 hours apart.
func (w *wave) exactly(ctx context.Context) error {
	const local = 8 * 3_600_000 // Shanghai
	checks := map[string]string{
		"two ads on one local day": fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM slots WHERE released_at = 0 GROUP BY group_id, (first_at + %d) DIV 86400000 HAVING COUNT(*) > 1) x`, local),
		// 1970-01-05 was a Monday.
		"five ads in an ISO week": fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM slots WHERE released_at = 0 GROUP BY group_id, (first_at + %d - 345600000) DIV 604800000 HAVING COUNT(*) > 4) x`, local),
		"two ads within 20 hours": `SELECT COUNT(*) FROM slots a JOIN slots b ON b.group_id = a.group_id AND b.first_at > a.first_at AND b.first_at - a.last_at < 72000000 WHERE a.released_at = 0 AND b.released_at = 0`,
		"five ads in 7 × 24 h": `SELECT COUNT(*) FROM slots a WHERE a.released_at = 0 AND
			(SELECT COUNT(*) FROM slots b WHERE b.group_id = a.group_id AND b.released_at = 0 AND b.last_at >= a.last_at AND b.first_at < a.last_at + 604800000) > 4`,
		"a slot without its decision": `SELECT COUNT(*) FROM slots s LEFT JOIN decisions d ON d.group_id = s.group_id AND d.slot_id = s.id AND d.outcome = 'allow' WHERE s.promotion_id <> 0 AND d.id IS NULL`,
		"a decision without its slot": `SELECT COUNT(*) FROM decisions d LEFT JOIN slots s ON s.id = d.slot_id WHERE d.outcome = 'allow' AND s.id IS NULL`,
		"a group without two answers": fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM decisions WHERE promotion_id < %d GROUP BY group_id HAVING COUNT(*) <> 2) x`, singlePromotion),
	}
	for what, query := range checks {
		if n, err := w.store.number(ctx, query); err != nil || n != 0 {
			return fmt.Errorf("%w: %s: %d, %v", errInexact, what, n, err)
		}
	}
	n, err := w.store.number(ctx, "SELECT COUNT(*) FROM slots WHERE released_at = 0")
	w.printf("exact: %d slots within every cap by a count of their own\n", n)
	return err
}

// pureDecide times the decision alone, on a group with a month of ads.
func pureDecide(out func(string, ...any)) {
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		panic(err) // the zones are in the binary
	}
	now := clock.Milli(time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC).UnixMilli())
	s := guard.State{Open: true, Owned: true, BornAt: 1, Zone: loc, Charter: guard.Charter{Version: 1, Day: 3, Week: 15}}
	for i := range 40 {
		m := now.Add(-time.Duration(i+1) * 12 * time.Hour)
		s.Ads.Add(m, m)
	}
	for _, c := range []struct {
		preset guard.Preset
		want   guard.Outcome
		long   time.Duration
	}{
		{guard.PresetBenefit, guard.OutcomeAllow, 8 * time.Hour},
		{guard.PresetRetail, guard.OutcomeDeny, 8 * time.Hour},
	} {
		p := guard.PresetPolicy(c.preset, guard.ModeEnforce)
		r := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d := guard.Decide(p, s, guard.Window{From: now, To: now.Add(c.long)}); d.Outcome != c.want {
					b.Fatal(d.Outcome, d.Reasons)
				}
			}
		})
		out("Decide, %d ads known, %s: %d ns, %d allocations (goals 2000 and 2)\n", s.Ads.Len(), c.want, r.NsPerOp(), r.AllocsPerOp())
	}
}
