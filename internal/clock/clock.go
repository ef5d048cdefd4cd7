// Package clock is the business time of a house.
//
// main makes one Clock and gives it to every room; windows, deadlines,
// maturities and cut-offs follow it. Ids, leases and the embedded Redis follow
// wall time instead. A Clock runs with wall time at an offset, or stands still
// until it is jumped (tests). No HTTP route moves it; only the demo does,
// openly.
package clock

import (
	"sync"
	"time"
)

// Clock tells the business time.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
	frozen time.Time // zero while the clock runs
}

// Wall runs with wall time.
func Wall() *Clock { return &Clock{} }

// From runs with wall time, starting at t now.
func From(t time.Time) *Clock { return &Clock{offset: time.Until(t)} }

// At stands still at t until it is jumped.
func At(t time.Time) *Clock { return &Clock{frozen: t} }

// Now is the business time in UTC, to the millisecond the database keeps.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.frozen
	if t.IsZero() {
		t = time.Now().Add(c.offset)
	}
	return t.UTC().Truncate(time.Millisecond)
}

// Jump moves the clock by d.
func (c *Clock) Jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		c.frozen = c.frozen.Add(d)
		return
	}
	c.offset += d
}
