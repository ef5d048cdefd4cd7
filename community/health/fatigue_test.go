package health

import (
	"slices"
	"testing"
	"time"

	"siyu/internal/clock"
)

// at is noon of a day so many after the group was born.
func at(n int) clock.Milli { return clock.MilliOf(noon(plus(born, n))) }

func adOn(n int) Ad { return Ad{at(n), plus(born, n)} }

func times(n int, t clock.Milli) []clock.Milli { return slices.Repeat([]clock.Milli{t}, n) }

// calm is a group of 1,000 for 20 days: a fifth of it talks, one leaves a day.
func calm() History {
	return History{Born: born, Days: days(born, 20, Day{Covered: true, Size: 1000, People: 200, Leaves: 1})}
}

func TestFatigue(t *testing.T) {
	const ad, now = 15, 19
	for _, c := range []struct {
		name   string
		change func(*History)
		want   int
		known  int
	}{
		{"nobody minds", func(h *History) { h.Leaves = times(1, at(ad)+1) }, 0, 10_000},
		{"ten more leave, one in a hundred", func(h *History) { h.Leaves = times(11, at(ad)+1) }, 5_000, 10_000},
		{"six more leave: the first step of caution", func(h *History) { h.Leaves = times(7, at(ad)+1) }, 3_000, 10_000},
		{"at the last moment of 24 hours", func(h *History) { h.Leaves = times(11, at(ad).Add(24*time.Hour)) }, 5_000, 10_000},
		{"and one later", func(h *History) { h.Leaves = times(11, at(ad).Add(24*time.Hour)+1) }, 0, 10_000},
		{"before it was shown", func(h *History) { h.Leaves = times(11, at(ad)) }, 0, 10_000},
		{"fewer leave than usual", func(h *History) {}, 0, 10_000},
		{"half as many talk", func(h *History) { halve(h, ad+1, now) }, 3_000, 10_000},
		{"half as many, then all again: the mean of three days", func(h *History) { halve(h, ad+1, ad+1) }, 1_002, 10_000},
		{"five refuse, one in two hundred", func(h *History) { h.Refusals = times(5, at(ad)+1) }, 2_000, 10_000},
		{"all at once", func(h *History) {
			h.Leaves, h.Refusals = times(11, at(ad)+1), times(5, at(ad)+1)
			halve(h, ad+1, now)
		}, 10_000, 10_000},
		{"more than all is all", func(h *History) { h.Leaves = times(500, at(ad)+1) }, 10_000, 10_000},
		{"nothing was reported: leaving still tells", func(h *History) {
			h.Leaves = times(11, at(ad)+1)
			for i := range h.Days {
				h.Days[i].Covered, h.Days[i].People = false, 0
			}
		}, 5_000, 7_000},
		{"the size is not known", func(h *History) { h.Days[ad].Size = Unknown }, Unknown, 0},
		{"no ad", func(h *History) { h.Ads = nil }, Unknown, 0},
		{"an ad of the day itself is not over", func(h *History) { h.Ads = []Ad{adOn(now)} }, Unknown, 0},
		{"the ad before weighs less: 1 / (1 + 0.7937)", func(h *History) {
			h.Ads = []Ad{adOn(10), adOn(ad)}
			h.Leaves = times(11, at(ad)+1)
		}, 2_787, 10_000},
		{"and an ad three later weighs half", func(h *History) {
			h.Ads = []Ad{adOn(9), adOn(11), adOn(13), adOn(ad)}
			h.Leaves = times(11, at(9)+1)
		}, 855, 10_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := calm()
			h.Ads = []Ad{adOn(ad)}
			c.change(&h)
			if got, known := h.fatigue(now); got != c.want || known != c.known {
				t.Errorf("got %d of %d known, want %d of %d", got, known, c.want, c.known)
			}
		})
	}
}

func halve(h *History, from, to int) {
	for i := from; i <= to; i++ {
		h.Days[i].People /= 2
	}
}

func TestFall(t *testing.T) {
	for _, c := range []struct {
		name   string
		ads    []Ad
		day    int
		people int
		want   int
	}{
		{"half, three days after an ad", []Ad{adOn(12)}, 15, 100, 5_000},
		{"a little less than half", []Ad{adOn(12)}, 15, 101, 4_950},
		{"four days after", []Ad{adOn(11)}, 15, 100, Unknown},
		{"on the ad's own day", []Ad{adOn(15)}, 15, 100, Unknown},
		{"the day after", []Ad{adOn(14)}, 15, 0, 10_000},
		{"more than before is no fall", []Ad{adOn(14)}, 15, 300, 0},
		{"on the fourth day of the group", nil, 3, 100, 5_000},
		{"on the fifth", nil, 4, 100, Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := calm()
			h.Ads, h.Days[c.day].People = c.ads, c.people
			if got := h.fall(c.day); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
			h.Days[c.day].Covered = false
			if got := h.fall(c.day); got != Unknown {
				t.Errorf("of a day nothing is known of: got %d", got)
			}
		})
	}
}

func TestWeek(t *testing.T) {
	// 2026-01-01 is a Thursday: the first ISO week that lies in the days whole
	// ends on Sunday, the eleventh day.
	h := calm()
	for _, c := range []struct{ day, drawn, on, want int }{
		{10, 30, 10, 1}, {10, 29, 10, 0}, {9, 30, 10, 0}, {16, 30, 4, 1}, {16, 30, 11, 0}, {2, 30, 1, Unknown},
	} {
		h.Days = days(born, 20, Day{Covered: true, Size: 1000})
		h.Days[c.on].Drawn = c.drawn
		if got := h.week(c.day); got != c.want {
			t.Errorf("%d people on day %d, asked on day %d: got %d, want %d", c.drawn, c.on, c.day, got, c.want)
		}
	}
	h.Days = days(born, 20, Day{Size: 1000})
	if got := h.week(12); got != Unknown {
		t.Errorf("of a week nobody reported: got %d", got)
	}
}
