package planner

import (
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
)

// calendar are the local days, ISO weeks or months that the horizon touches.
type calendar struct {
	all  []period
	of   [cellCount]int16 // of each cell: its period
	next [cellCount]int16 // the first cell after that
	last [cellCount]int16 // the last cell before it
}

// period is one of them.
type period struct {
	guard.Window
	lo, hi int // its cells in the horizon, hi included
}

// calendars finds the day, week and month of every cell.
func (x *grid) calendars(loc *time.Location) {
	for i := range cellCount {
		t := x.start(i)
		if i == 0 || t >= x.day.all[len(x.day.all)-1].To {
			day, week, month := guard.Spans(loc, t)
			x.day.reach(day, i)
			x.week.reach(week, i)
			x.month.reach(month, i)
		}
		x.day.add(i)
		x.week.add(i)
		x.month.add(i)
	}
	x.day.bound()
	x.week.bound()
	x.month.bound()
}

// reach begins a period with a cell unless it is the one under way.
func (c *calendar) reach(w guard.Window, cell int) {
	if n := len(c.all); n == 0 || c.all[n-1].Window != w {
		c.all = append(c.all, period{w, cell, cell})
	}
}

func (c *calendar) add(cell int) {
	c.of[cell] = int16(len(c.all) - 1)
	c.all[len(c.all)-1].hi = cell
}

func (c *calendar) bound() {
	for i, of := range c.of {
		c.next[i], c.last[i] = int16(c.all[of].hi+1), int16(c.all[of].lo-1)
	}
}

// around are the first cell after the periods that an ad touches, and the last
// before them.
func (c *calendar) around(origin clock.Milli, s span) (next, last int16) {
	begin, end := int64(c.all[0].From-origin), int64(c.all[len(c.all)-1].To-origin)
	cell := func(t int64) int { return max(0, min(floorCell(t), cellCount-1)) }
	switch {
	case s.last < begin:
		next = 0
	case s.last >= end:
		next = cellCount
	default:
		next = c.next[cell(s.last)]
	}
	switch {
	case s.first < begin:
		last = -1
	case s.first >= end:
		last = cellCount - 1
	default:
		last = c.last[cell(s.first)]
	}
	return next, last
}
