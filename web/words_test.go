package web

import (
	"testing"
	"time"

	"siyu/internal/money"
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

// TestSums: amounts have their thousands apart, in tables and in sentences;
// points are written as the numbers they are.
func TestSums(t *testing.T) {
	for a, want := range map[money.Amount]string{0: "¥0.00", 99_999: "¥999.99", 100_000: "¥1,000.00", 1_283_450_000: "¥12,834,500.00", -123_456: "-¥1,234.56"} {
		if got := cny(a); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, want := choose(langZH, "应付 ¥%s，用 %d 积分", "", money.Amount(123_456), money.Amount(1_500)), "应付 ¥1,234.56，用 1500 积分"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
