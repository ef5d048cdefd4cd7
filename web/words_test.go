package web

import (
	"testing"
	"time"
)

// TestSpan: a span is said in its two largest units, and never by nothing.
func TestSpan(t *testing.T) {
	for _, c := range []struct {
		d      time.Duration
		zh, en string
	}{
		{0, "不到 1 秒", "under a second"},
		{999 * time.Millisecond, "不到 1 秒", "under a second"},
		{time.Second, "1 秒", "1 second"},
		{25*time.Hour + 3*time.Minute, "1 天 1 小时", "1 day 1 hour"},
		{2*time.Hour + 30*time.Second, "2 小时 30 秒", "2 hours 30 seconds"},
	} {
		if zh, en := span("zh", c.d), span(langEN, c.d); zh != c.zh || en != c.en {
			t.Errorf("%s: %q, %q; want %q, %q", c.d, zh, en, c.zh, c.en)
		}
	}
}
