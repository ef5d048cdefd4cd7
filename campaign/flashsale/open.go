package flashsale

import (
	"slices"
	"time"

	"siyu/internal/clock"
)

// Window is a campaign's window, from From up to To.
type Window struct {
	From, To clock.Milli
}

// horizon is how many local days are searched for a session: two weeks and a
// day, because a weekly one may fall into the hour that spring skips.
const horizon = 15

const (
	minuteMilli = int64(time.Minute / time.Millisecond)
	dayMilli    = minutesADay * minuteMilli
)

// Open says whether a session is open, and when that changes next; zero is
// never again within the window. A session begins and ends at the first moment
// of the day whose local time has come to its minute: in the hour that spring
// skips it begins late, or falls out if it lies wholly within; in the hour
// that autumn repeats it is not held twice.
func Open(r Rules, w Window, now clock.Milli) (open bool, next clock.Milli) {
	began, next := Since(r, w, now)
	return began > 0, next
}

// Since is when the open session began, zero if none is open, and when that
// changes next.
func Since(r Rules, w Window, now clock.Milli) (began, next clock.Milli) {
	if now >= w.To {
		return 0, 0
	}
	if len(r.Sessions) == 0 {
		if now < w.From {
			return 0, w.From
		}
		return w.From, w.To
	}
	loc, err := time.LoadLocation(r.Zone)
	if err != nil {
		return 0, 0 // checked when the rules were written; this machine lost the zone
	}
	day := dayOf(loc, max(now, w.From)) - 1 // yesterday's may run past midnight
	for last := day + horizon; day <= last; day++ {
		if !r.heldOn(day) {
			continue
		}
		for _, s := range r.Sessions {
			from := max(moment(loc, day, s.From), w.From)
			to := min(moment(loc, day, s.end()), w.To)
			switch {
			case to <= from || to <= now:
			case now < from:
				return 0, from
			default:
				return from, to
			}
		}
	}
	return 0, 0
}

// heldOn says whether sessions begin on the day, counted from 1970-01-01, a
// Thursday.
func (r Rules) heldOn(day int64) bool {
	return len(r.Weekdays) == 0 || slices.Contains(r.Weekdays, int((day+3)%7)+1)
}

// dayOf is the moment's local day, counted from 1970-01-01.
func dayOf(loc *time.Location, t clock.Milli) int64 {
	y, m, d := t.Time().In(loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).UnixMilli() / dayMilli
}

// moment is the first one whose local time is the day's minute or later. Wall
// clocks jump, so it walks from one offset period to the next, in each of which
// local time runs evenly.
func moment(loc *time.Location, day int64, m Minute) clock.Milli {
	local := day*dayMilli + int64(m)*minuteMilli
	t := time.UnixMilli(local).Add(-15 * time.Hour).In(loc) // no zone is that far ahead
	for {
		_, offset := t.Zone()
		_, end := t.ZoneBounds()
		at := max(t.UnixMilli(), local-int64(offset)*1000)
		if end.IsZero() || at < end.UnixMilli() {
			return clock.Milli(at)
		}
		t = end.In(loc)
	}
}
