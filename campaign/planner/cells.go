package planner

import (
	"math/bits"
	"time"
)

// The horizon is divided into cells of half an hour, the finest step that
// clocks of any zone jump by; an ad shows in whole cells. Days, and two hours
// for a day on which clocks are set back, fill its words.
const (
	cellMilli = int64(30 * time.Minute / time.Millisecond)
	words     = (Days*48 + 4 + 63) / 64
	cellCount = words * 64
)

// cells is a set of cells.
type cells [words]uint64

// span adds the cells from lo to hi, hi included; what lies outside the
// horizon is cut off.
func (c *cells) span(lo, hi int) {
	lo, hi = max(lo, 0), min(hi, cellCount-1)
	if lo > hi {
		return
	}
	first, last := lo>>6, hi>>6
	head, tail := ^uint64(0)<<(lo&63), ^uint64(0)>>(63-hi&63)
	if first == last {
		c[first] |= head & tail
		return
	}
	c[first] |= head
	for i := first + 1; i < last; i++ {
		c[i] = ^uint64(0)
	}
	c[last] |= tail
}

func (c *cells) empty() bool {
	any := uint64(0)
	for _, w := range c {
		any |= w
	}
	return any == 0
}

func (c *cells) count() (n int) {
	for _, w := range c {
		n += bits.OnesCount64(w)
	}
	return n
}

// less is what is in c and not in other.
func (c *cells) less(other *cells) (out cells) {
	for i := range c {
		out[i] = c[i] &^ other[i]
	}
	return out
}

// add puts the other's cells in.
func (c *cells) add(other *cells) {
	for i := range c {
		c[i] |= other[i]
	}
}

// starts are the cells at which n cells in a row begin.
func (c cells) starts(n int) cells {
	for have := 1; have < n; {
		step := min(have, n-have)
		shifted := c.down(step)
		for i := range c {
			c[i] &= shifted[i]
		}
		have += step
	}
	return c
}

// down is the set with every cell moved n earlier, n below 64.
func (c *cells) down(n int) (out cells) {
	for i := range c {
		out[i] = c[i] >> n
		if i+1 < words && n > 0 {
			out[i] |= c[i+1] << (64 - n)
		}
	}
	return out
}

// meets says whether n cells in a row lie in both sets. Both are given as the
// starts of such rows or, for n of 1, as they are.
func meets(a, b *cells, n int) bool {
	var both cells
	for i := range a {
		both[i] = a[i] & b[i]
	}
	if n > 1 {
		both = both.starts(n)
	}
	return !both.empty()
}

// next is the first cell of the set from i on, cellCount if there is none.
func (c *cells) next(i int) int {
	if i >= cellCount {
		return cellCount
	}
	w := i >> 6
	if x := c[w] >> (i & 63); x != 0 {
		return i + bits.TrailingZeros64(x)
	}
	for w++; w < words; w++ {
		if c[w] != 0 {
			return w<<6 + bits.TrailingZeros64(c[w])
		}
	}
	return cellCount
}

// gap is the first cell not of the set from i on.
func (c *cells) gap(i int) int {
	if i >= cellCount {
		return cellCount
	}
	w := i >> 6
	if x := ^c[w] >> (i & 63); x != 0 {
		return min(i+bits.TrailingZeros64(x), cellCount)
	}
	for w++; w < words; w++ {
		if x := ^c[w]; x != 0 {
			return w<<6 + bits.TrailingZeros64(x)
		}
	}
	return cellCount
}

// floorCell is the cell of a moment counted from the horizon's origin, of
// moments before it too.
func floorCell(sinceOrigin int64) int {
	q := sinceOrigin / cellMilli
	if sinceOrigin%cellMilli < 0 {
		q--
	}
	return int(q)
}
