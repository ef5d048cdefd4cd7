// Package clock is the business time of a house.
//
// main makes one Clock and gives it to every room; windows, deadlines,
// maturities and cut-offs follow it. Ids, leases and the embedded Redis follow
// wall time instead. A Clock runs with wall time at an offset, or faster, or stands
// still until it is jumped (tests). No HTTP route moves it; only the demo does,
// openly, and a rehearsal moves the one of its own.
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
	factor int       // how often the wall time since then counts; 0 is once
	since  time.Time // set with a factor
}

// Wall runs with wall time.
func Wall() *Clock { return &Clock{} }

// From runs with wall time, starting at t now.
func From(t time.Time) *Clock { return &Clock{offset: time.Until(t)} }

// Fast starts at t now and runs factor times as fast as wall time.
func Fast(t time.Time, factor int) *Clock {
	c := From(t)
	c.Pace(factor)
	return c
}

// At stands still at t until it is jumped.
func At(t time.Time) *Clock { return &Clock{frozen: t} }

// Now is the business time in UTC, to the millisecond the database keeps.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.frozen
	if t.IsZero() {
		t = c.running(time.Now())
	}
	return t.UTC().Truncate(time.Millisecond)
}

// running is what a clock that runs shows at a moment of wall time.
func (c *Clock) running(wall time.Time) time.Time {
	t := wall.Add(c.offset)
	if c.factor > 1 {
		t = t.Add(time.Duration(c.factor-1) * wall.Sub(c.since))
	}
	return t
}

// Pace lets the clock run on from where it is, factor times as fast as wall
// time; 1 is as fast. One that stands still goes on standing.
func (c *Clock) Pace(factor int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := time.Now()
	c.offset = c.running(wall).Sub(wall)
	c.factor, c.since = factor, wall
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
