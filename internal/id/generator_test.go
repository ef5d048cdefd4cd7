package id

import (
	"slices"
	"sync"
	"testing"
	"time"
)

func TestNoDuplicates(t *testing.T) {
	const goroutines, each = 8, 100_000
	g := NewGenerator(3, time.Now().Add(time.Hour))
	made := make([][]int64, goroutines)
	var wg sync.WaitGroup
	for i := range goroutines {
		made[i] = make([]int64, each)
		wg.Go(func() {
			for j := range made[i] {
				made[i][j] = g.Next()
			}
		})
	}
	wg.Wait()
	for i, ids := range made {
		if !slices.IsSorted(ids) {
			t.Errorf("goroutine %d saw its ids go back", i)
		}
	}
	all := slices.Concat(made...)
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != goroutines*each {
		t.Errorf("%d of %d ids are distinct", n, goroutines*each)
	}
}

// wound is a generator whose wall clock the test holds.
func wound(node int, at *time.Time) *Generator {
	g := NewGenerator(node, at.Add(time.Hour))
	g.wall = func() time.Time { return *at }
	return g
}

func TestParts(t *testing.T) {
	at := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	g := wound(1023, &at)
	n := g.Next()
	if n <= 0 || n>>(nodeBits+seqBits)+epoch != at.UnixMilli() || n>>seqBits&(Nodes-1) != 1023 || n&maxSeq != 0 {
		t.Errorf("%b does not hold its milliseconds, node and sequence", n)
	}
	if g.Node() != 1023 {
		t.Errorf("node: got %d", g.Node())
	}
}

func TestOrder(t *testing.T) {
	at := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	g := wound(1, &at)
	last := int64(0)
	next := func(when string) {
		t.Helper()
		n := g.Next()
		if n <= last {
			t.Fatalf("%s: %d does not follow %d", when, n, last)
		}
		last = n
	}
	next("at first")
	for range 3 * maxSeq { // borrows the milliseconds to come
		next("within one millisecond")
	}
	at = at.Add(time.Millisecond)
	next("while borrowed")
	at = at.Add(-10 * time.Minute)
	next("after the clock went back")
	at = at.Add(20 * time.Minute)
	next("after it went on")
	if ms := last>>(nodeBits+seqBits) + epoch; ms != at.UnixMilli() {
		t.Errorf("time was not taken up again: %d, want %d", ms, at.UnixMilli())
	}
}

func TestClockBeforeEpoch(t *testing.T) {
	at := time.Unix(0, 0)
	g := wound(0, &at)
	if n := g.Next(); n <= 0 {
		t.Errorf("got %d, want a positive id", n)
	}
}

func TestLeaseRunsOut(t *testing.T) {
	at := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	g := wound(1, &at)
	at = at.Add(time.Hour)
	if g.Live() {
		t.Error("live at its deadline")
	}
	func() {
		defer func() {
			if r := recover(); r != ErrLease {
				t.Errorf("recovered %v, want ErrLease", r)
			}
		}()
		g.Next()
	}()
	g.Extend(at.Add(time.Second))
	if !g.Live() || g.Next() == 0 {
		t.Error("an extended lease makes no ids")
	}
}

// What belongs together is one range that nobody else has a part of.
func TestBlocks(t *testing.T) {
	at := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	g := wound(5, &at)
	last := g.Next()
	for _, n := range []int{1, 500, BlockMost, 3, BlockMost - 2, 1, 2} {
		first := g.Block(n)
		if first <= last {
			t.Errorf("a block of %d begins at %d, not after %d", n, first, last)
		}
		last = first + int64(n) - 1
		for _, id := range []int64{first, last} {
			if node := id >> seqBits & (Nodes - 1); node != 5 {
				t.Errorf("%d of a block of %d says node %d", id, n, node)
			}
		}
		if first>>seqBits != last>>seqBits {
			t.Errorf("a block of %d spans two milliseconds", n)
		}
	}
	if next := g.Next(); next <= last {
		t.Errorf("the next id %d lies in the block that ends at %d", next, last)
	}
}

// At divides the ids that may be made from a moment on from those before.
func TestAt(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	g := NewGenerator(0, now.Add(time.Hour))
	g.wall = func() time.Time { return now }
	if first, last := g.Next(), At(now); last >= first || MilliOf(last) != now.UnixMilli()-1 || At(now.Add(time.Millisecond)) <= first {
		t.Errorf("%d is the last before %d", last, first)
	}
	if n := At(time.Unix(0, 0)); n != -1 {
		t.Errorf("before all ids: %d", n)
	}
}
