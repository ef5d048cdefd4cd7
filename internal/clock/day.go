package clock

import "time"

// Shanghai is the default zone of every window.
const Shanghai = "Asia/Shanghai"

// Day is a local calendar day as yyyymmdd.
func Day(t time.Time, loc *time.Location) int {
	y, m, d := t.In(loc).Date()
	return y*10000 + int(m)*100 + d
}

// StartOfDay is the first moment of t's local day. Where the clocks change at
// midnight that is not always 00:00: Cairo skips it in spring, Havana has it
// twice in autumn.
func StartOfDay(t time.Time, loc *time.Location) time.Time {
	y, m, d := t.In(loc).Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, loc)
	start, end := midnight.ZoneBounds()
	if Day(midnight, loc) != Day(t, loc) {
		return end.In(loc)
	}
	if start.IsZero() {
		return midnight
	}
	_, now := midnight.Zone()
	_, before := start.Add(-time.Second).Zone()
	earlier := midnight.Add(-time.Duration(before-now) * time.Second)
	if before > now && earlier.Before(start) && Day(earlier, loc) == Day(t, loc) {
		return earlier
	}
	return midnight
}
