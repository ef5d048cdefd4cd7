package guard

import (
	"math"
	"time"

	"siyu/internal/clock"
)

const (
	minuteMilli = int64(time.Minute / time.Millisecond)
	dayMilli    = 24 * 60 * minuteMilli

	// never is later than any moment that can be asked for.
	never = clock.Milli(math.MaxInt64)
)

// zone turns moments into local time. Wall clocks jump: a day may last 23, 24½
// or 25 hours and a local minute may be missing or come twice, so every search
// walks from one offset period to the next, in each of which local time runs
// evenly. The last period is kept, and the last calendar unit of each kind;
// most decisions need one look-up.
type zone struct {
	loc        *time.Location
	start, end clock.Milli
	offset     int64
	spans      [periodMonth + 1]Window
}

// at is the offset at t and the end of its period.
func (z *zone) at(t clock.Milli) (offset int64, end clock.Milli) {
	if t < z.start || t >= z.end {
		local := t.Time().In(z.loc)
		from, to := local.ZoneBounds()
		_, seconds := local.Zone()
		z.start, z.end, z.offset = math.MinInt64, never, int64(seconds)*1000
		if !from.IsZero() {
			z.start = clock.Milli(from.UnixMilli())
		}
		if !to.IsZero() {
			z.end = clock.Milli(to.UnixMilli())
		}
	}
	return z.offset, z.end
}

// minute is the minute of t's local day.
func (z *zone) minute(t clock.Milli) int {
	offset, _ := z.at(t)
	return int(mod(int64(t)+offset, dayMilli) / minuteMilli)
}

// day is t's local day, counted from 1970-01-01.
func (z *zone) day(t clock.Milli) int64 {
	offset, _ := z.at(t)
	return floorDiv(int64(t)+offset, dayMilli)
}

// startOf is the first moment whose local time is the day's midnight or later;
// where midnight is skipped, the moment the clocks jump.
func (z *zone) startOf(day int64) clock.Milli {
	local := day * dayMilli
	t := clock.Milli(local - 15*60*minuteMilli) // no zone is that far ahead
	for {
		offset, end := z.at(t)
		if m := max(t, clock.Milli(local-offset)); m < end {
			return m
		}
		t = end
	}
}

// begin is the first moment of a day yyyymmdd, or of one so many days later.
func (z *zone) begin(day, later int) clock.Milli {
	return z.startOf(time.Date(day/10000, time.Month(day/100%100), day%100+later, 0, 0, 0, 0, time.UTC).UnixMilli() / dayMilli)
}

// quietEnd is the first moment after t, itself quiet, that is not.
func (z *zone) quietEnd(q Quiet, t clock.Milli) clock.Milli {
	for q.Holds(z.minute(t)) {
		t = z.step(t, q.To)
	}
	return t
}

// quietStart is the first quiet moment from t on.
func (z *zone) quietStart(q Quiet, t clock.Milli) clock.Milli {
	if q.From == q.To {
		return never
	}
	for !q.Holds(z.minute(t)) {
		t = z.step(t, q.From)
	}
	return t
}

// step goes to the next moment whose minute of the day is given, or to the
// next jump of the clocks when that comes first.
func (z *zone) step(t clock.Milli, minute int) clock.Milli {
	offset, end := z.at(t)
	into := mod(int64(t)+offset, dayMilli)
	ahead := mod(int64(minute)*minuteMilli-into, dayMilli)
	if ahead == 0 {
		ahead = dayMilli
	}
	return min(t+clock.Milli(ahead), end)
}

// period is a calendar unit that caps are counted in.
type period int

const (
	periodDay  period = iota
	periodWeek        // ISO: Monday to Sunday; 1970-01-01 was a Thursday
	periodMonth
)

// span is the local period that t lies in: its first moment and the first
// after it.
func (z *zone) span(unit period, t clock.Milli) (from, to clock.Milli) {
	if s := &z.spans[unit]; t < s.From || t >= s.To {
		s.From, s.To = z.spanOf(unit, t)
	}
	return z.spans[unit].From, z.spans[unit].To
}

func (z *zone) spanOf(unit period, t clock.Milli) (from, to clock.Milli) {
	d := z.day(t)
	switch unit {
	case periodDay:
		return z.startOf(d), z.startOf(d + 1)
	case periodWeek:
		monday := d - mod(d+3, 7)
		return z.startOf(monday), z.startOf(monday + 7)
	}
	y, m, _ := time.UnixMilli(d * dayMilli).UTC().Date()
	first := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).UnixMilli() / dayMilli
	next := time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() / dayMilli
	return z.startOf(first), z.startOf(next)
}

// Spans are the local day, ISO week and month that t lies in, as the caps count
// them.
func Spans(loc *time.Location, t clock.Milli) (day, week, month Window) {
	z := zone{loc: loc}
	day.From, day.To = z.span(periodDay, t)
	week.From, week.To = z.span(periodWeek, t)
	month.From, month.To = z.span(periodMonth, t)
	return day, week, month
}

// wholeMinute rounds up.
func wholeMinute(t clock.Milli) clock.Milli {
	return clock.Milli(floorDiv(int64(t)+minuteMilli-1, minuteMilli) * minuteMilli)
}

func floorDiv(a, b int64) int64 { return (a - mod(a, b)) / b }

func mod(a, b int64) int64 {
	if m := a % b; m >= 0 {
		return m
	}
	return a%b + b
}
