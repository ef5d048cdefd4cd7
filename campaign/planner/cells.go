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
	slotCells = int(SlotFor / (30 * time.Minute))
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

// less is what is in c and not in other.
func (c *cells) less(other *cells) (out cells) {
	for i := range c {
		out[i] = c[i] &^ other[i]
	}
	return out
}

// both is what is in both sets.
func (c *cells) both(other *cells) (out cells) {
	for i := range c {
		out[i] = c[i] & other[i]
	}
	return out
}

// turn takes the other's cells from a cell on.
func (c *cells) turn(from int, other *cells) {
	var then cells
	then.span(from, cellCount)
	for i := range c {
		c[i] = c[i]&^then[i] | other[i]&then[i]
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

// meets says whether a cell lies in both sets.
func (c *cells) meets(other *cells) bool {
	any := uint64(0)
	for i, w := range c {
		any |= w & other[i]
	}
	return any != 0
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

// floorCell is the cell of a moment counted from the horizon's origin, of
// moments before it too.
func floorCell(sinceOrigin int64) int {
	q := sinceOrigin / cellMilli
	if sinceOrigin%cellMilli < 0 {
		q--
	}
	return int(q)
}

// last is the last cell of the set up to i, -1 if there is none.
func (c *cells) last(i int) int {
	if i < 0 {
		return -1
	}
	i = min(i, cellCount-1)
	w := i >> 6
	if x := c[w] << (63 - i&63); x != 0 {
		return i - bits.LeadingZeros64(x)
	}
	for w--; w >= 0; w-- {
		if c[w] != 0 {
			return w<<6 + 63 - bits.LeadingZeros64(c[w])
		}
	}
	return -1
}
