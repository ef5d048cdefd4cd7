package clock

import "time"

// Shanghai is the default zone of every window.
const Shanghai = "Asia/Shanghai"

// Day is a local calendar day as yyyymmdd.
func Day(t time.Time, loc *time.Location) int {
	y, m, d := t.In(loc).Date()
	return y*10000 + int(m)*100 + d
}

// StartOfDay is the first moment of t's local day.
func StartOfDay(t time.Time, loc *time.Location) time.Time {
	y, m, d := t.In(loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, loc)
}
