package id

import (
	"errors"
	"sync"
	"time"
)

// epoch is 2024-01-01 00:00 UTC; 41 bits of milliseconds reach to 2093.
const epoch = 1704067200000

const (
	seqBits  = 12
	nodeBits = 10
	maxSeq   = 1<<seqBits - 1

	// Nodes is how many node numbers there are to lease.
	Nodes = 1 << nodeBits
)

// ErrLease says that the node number's lease has run out, so an id made now
// could be made by another process too. Next panics with it; database.Tx
// recovers it into a rolled back transaction and an unavailable fault.
var ErrLease = errors.New("id: node lease has run out")

// Generator makes ids for one node number. It follows wall time, never the
// business clock, and never goes back: when the clock does, it stays where it
// was and counts on.
type Generator struct {
	node int64
	wall func() time.Time

	mu    sync.Mutex
	until time.Time // lease deadline, compared by the monotonic clock
	last  int64
	seq   int64
}

// NewGenerator makes ids for node until the deadline; Extend moves it.
func NewGenerator(node int, until time.Time) *Generator {
	return &Generator{node: int64(node), wall: time.Now, until: until}
}

// Node is the node number ids carry.
func (g *Generator) Node() int { return int(g.node) }

// Extend moves the lease deadline.
func (g *Generator) Extend(until time.Time) {
	g.mu.Lock()
	g.until = until
	g.mu.Unlock()
}

// Live says whether the lease still holds.
func (g *Generator) Live() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.wall().Before(g.until)
}

// Next returns the next id. It panics with ErrLease once the lease is over.
func (g *Generator) Next() int64 { return g.Block(1) }

// BlockMost is how many ids one block may have.
const BlockMost = maxSeq + 1

// Block takes n ids that follow each other and returns the first, so that what
// belongs together is one range. It panics like Next.
func (g *Generator) Block(n int) int64 {
	if n < 1 || n > BlockMost {
		panic("id: a block has 1 to 4096 ids")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.wall()
	if !now.Before(g.until) {
		panic(ErrLease)
	}
	ms := now.UnixMilli() - epoch
	first := int64(0)
	if ms <= g.last {
		// Same millisecond, or the clock went back: count on, and borrow
		// the next millisecond when this one has too few of its 4,096 left.
		ms, first = g.last, g.seq+1
		if first+int64(n)-1 > maxSeq {
			ms, first = ms+1, 0
		}
	}
	g.last, g.seq = ms, first+int64(n)-1
	return ms<<(nodeBits+seqBits) | g.node<<seqBits | first
}

// At is the last id that can be made before the moment.
func At(t time.Time) int64 { return max(t.UnixMilli()-epoch, 0)<<(nodeBits+seqBits) - 1 }

// MilliOf is when an id was made, in milliseconds of wall time. Replicas agree
// on it as far as their clocks do, so it tells seconds apart, no less.
func MilliOf(n int64) int64 { return n>>(nodeBits+seqBits) + epoch }
