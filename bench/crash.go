package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// enoughAcks is how many claims are acknowledged before a kill counts.
const enoughAcks = 500

// pointMissed is how many acknowledgements a point may let pass before the
// house is killed from outside instead.
const pointMissed = 8000

// crashMembers are enough for every round, which uses them again on an item of
// its own: they claim until pointMissed, with some under way.
const crashMembers = 12_000

// dbKillEvery says how many kills hit the database: one in so many.
const dbKillEvery = 12

// points are the named places of the claim path where SIYU_KILL_AT ends the
// house. A claim leaves nothing to the outbox unless a webhook wants to hear of
// it; the outbox's own points are passed in the house's TestKillPoints.
var points = []string{"claim:granted", "claim:committed"}

// renewEvery is after how many rounds the house gets a fresh store: verify
// reads all there ever was, and would soon take most of the time.
const renewEvery = 20

// latest is how long after its acknowledgements a kill from outside may come,
// so that it hits a batch at any moment and not only when answers leave.
const latest = 25 * time.Millisecond

// losses is what the kills of a run have cost.
type losses struct {
	kills    map[string]int
	acked    int
	unheard  int // committed, but the answer was lost with the process
	lost     int // acknowledged and not in the store: must stay 0
	strange  int // a key that later found another order, or none: must stay 0
	oversold int // items with more orders than stock or acknowledgements: must stay 0
	twice    int // members above their limit: must stay 0
	broken   int // verify found something: must stay 0
	few      int // kills that came before enough acknowledgements; played again
}

func (x losses) bad() bool { return x.lost+x.strange+x.oversold+x.twice+x.broken > 0 }

// runCrash kills the house or its database under load, again and again, and
// compares what was acknowledged with what the store has.
func runCrash(ctx context.Context, l *lab) error {
	if l.seed == 0 {
		l.seed = uint64(time.Now().UnixNano())
	}
	l.printf("seed %d\n", l.seed)
	l.emptyHouses()
	journal, err := os.Create(filepath.Join(l.folder, "acks.journal"))
	if err != nil {
		return err
	}
	defer journal.Close()
	x := losses{kills: map[string]int{}}
	began := time.Now()
	for n, played := 0, 0; n < l.kills; played++ {
		if played > 2*l.kills+20 {
			return fmt.Errorf("only %d of %d kills came after %d acknowledgements", n, played, enoughAcks)
		}
		if played > 0 && played%renewEvery == 0 && l.dsn == "" {
			if err := l.renew(ctx, 1+played/renewEvery); err != nil {
				return err
			}
		}
		k := l.plot(played)
		counted, err := l.crash(ctx, k, journal, &x)
		if err != nil {
			return fmt.Errorf("kill %d (%s, seed %d): %w", played, k.what, l.seed, err)
		}
		if counted {
			n++
		}
		if counted && (n%20 == 0 || n == l.kills) {
			l.printf("  %d kills, %d acknowledged, %d lost (%.0f s)\n", n, x.acked, x.lost, time.Since(began).Seconds())
		}
	}
	took := time.Since(began).Seconds()
	l.printf("%d kills in %.0f s, %.1f s each; seed %d\n", l.kills, took, took/float64(l.kills), l.seed)
	return l.mourn(x)
}

// renew gives the next rounds a fresh store with members of its own.
func (l *lab) renew(ctx context.Context, n int) error {
	if err := l.store.renew(ctx, l.options, n); err != nil {
		return err
	}
	l.crowd = crowd{}
	if err := l.firstHouse(ctx); err != nil {
		return err
	}
	l.emptyHouses()
	return l.people(ctx)
}

// emptyHouses stops all houses: the next ones are to be killed.
func (l *lab) emptyHouses() {
	for _, h := range l.houses {
		h.stop()
	}
	l.houses = nil
}

// mourn prints what was lost.
func (l *lab) mourn(x losses) error {
	var kinds []string
	for what, n := range x.kills {
		kinds = append(kinds, fmt.Sprintf("%s %d", what, n))
	}
	slices.Sort(kinds)
	l.printf("kills: %s; %d more came too early and were played again\n", strings.Join(kinds, ", "), x.few)
	l.printf("acknowledged %d; lost %d; keys that found another order or none %d; items oversold %d; members over their limit %d; verify broken %d\n",
		x.acked, x.lost, x.strange, x.oversold, x.twice, x.broken)
	l.printf("committed without the answer arriving %d: each was found again by its key\n", x.unheard)
	if x.bad() {
		return fmt.Errorf("%w: see the line above, seed %d", errInexact, l.seed)
	}
	return nil
}

// kill is what one round of a crash run does, decided before it begins.
type kill struct {
	n     int
	what  string // random, database, or a point
	nth   int    // pass of the point that kills
	after int    // acknowledgements before a kill from outside
	late  time.Duration
	stock int64
}

// plot decides the n-th kill from the seed alone.
func (l *lab) plot(n int) kill {
	r := rand.New(rand.NewPCG(l.seed, uint64(n)))
	k := kill{n: n, what: "random", after: enoughAcks + r.IntN(1500), nth: 10 + r.IntN(25), stock: plenty}
	k.late = time.Duration(r.Int64N(int64(latest)))
	switch pick := r.IntN(2); {
	case n%dbKillEvery == dbKillEvery/2 && l.store.server != nil:
		k.what = "database"
	case pick == 0:
		k.what, k.after = points[r.IntN(len(points))], pointMissed
	case r.IntN(3) == 0:
		k.stock = int64(k.after + r.IntN(300)) // dies while it sells out
	}
	return k
}
