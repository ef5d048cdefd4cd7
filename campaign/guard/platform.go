package guard

import "time"

// Platform is what the platform itself lets into one group, whoever sends: it
// drops the rest unseen, so nothing here exceeds it, in no mode and under no
// permit.
type Platform string

// The caps: none, one message a day, seven an ISO week, one for each day of
// the calendar month.
const (
	PlatformNone  Platform = ""
	PlatformDay   Platform = "day_1"
	PlatformWeek  Platform = "week_7"
	PlatformMonth Platform = "month_days"
)

// platformReserve is the share, in hundredths, that is kept for service
// notices.
const platformReserve = 20

// limit is how many ads the platform's period that holds t leaves, and which
// period it is.
func (p Platform) limit(t time.Time) (n int, unit period) {
	switch p {
	case PlatformDay:
		return 1, periodDay // a fifth of one is none to keep
	case PlatformWeek:
		return 7 * (100 - platformReserve) / 100, periodWeek
	}
	return daysOfMonth(t) * (100 - platformReserve) / 100, periodMonth
}

func daysOfMonth(t time.Time) int {
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// platform holds the platform's cap in each of its periods that the window
// touches.
func (x *exam) platform(w Window, v *verdict) {
	if x.state.Platform == PlatformNone {
		return
	}
	for t := w.From; t < w.To; {
		limit, unit := x.state.Platform.limit(t.Time().In(x.state.Zone))
		from, to := x.zone.span(unit, t)
		if n := x.state.Ads.touching(from, to); n >= limit {
			v.deny(Reason{RulePlatform, int64(n), int64(limit)}, to)
			return
		}
		t = to
	}
}
