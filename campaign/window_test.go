package campaign

import (
	"testing"
	"time"

	"siyu/internal/clock"
)

// TestCopyWindow moves a window to tomorrow where the clocks change.
func TestCopyWindow(t *testing.T) {
	for _, c := range []struct{ zone, starts, ends, now, from, to string }{
		{"Asia/Shanghai", "2026-03-02T20:00:00+08:00", "2026-03-03T02:00:00+08:00", "2026-03-09T23:59:00+08:00", "2026-03-10T20:00:00+08:00", "2026-03-11T02:00:00+08:00"},
		{"Asia/Shanghai", "2026-03-20T20:00:00+08:00", "2026-03-20T22:00:00+08:00", "2026-03-09T00:01:00+08:00", "2026-03-10T20:00:00+08:00", "2026-03-10T22:00:00+08:00"},
		{"America/New_York", "2026-03-02T20:00:00-05:00", "2026-03-02T22:00:00-05:00", "2026-03-08T12:00:00-04:00", "2026-03-09T20:00:00-04:00", "2026-03-09T22:00:00-04:00"},
		{"America/New_York", "2026-03-01T01:30:00-05:00", "2026-03-01T02:30:00-05:00", "2026-03-07T12:00:00-05:00", "2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at := func(text string) clock.Milli {
			m, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			return clock.MilliOf(m)
		}
		from, to := Campaign{StartsAt: at(c.starts), EndsAt: at(c.ends)}.window(CopyIn{}, at(c.now), loc)
		if from != at(c.from) || to != at(c.to) {
			t.Errorf("%s at %s: got %s to %s, want %s to %s", c.starts, c.now, from, to, c.from, c.to)
		}
	}
}
