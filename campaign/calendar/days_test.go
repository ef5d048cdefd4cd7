package calendar

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestDays works every preloaded date out again by the rule that stands beside it.
func TestDays(t *testing.T) {
	codes := map[string]int{}
	for _, d := range known().days {
		codes[d.Code]++
		if d.NameZH == "" || d.NameEN == "" || d.SourceYear != d.FromDay/10000 {
			t.Errorf("%+v lacks a name or is not of its year", d)
		}
		switch d.Kind {
		case KindFestival, KindShopping:
			if d.Avoid {
				t.Errorf("%s: a merry day is to be avoided", d.Code)
			}
		case KindMourning:
			if !d.Avoid {
				t.Errorf("%s: a day of mourning is not to be avoided", d.Code)
			}
		default:
			t.Errorf("%s: kind %q", d.Code, d.Kind)
		}
		if want := byRule(t, d); want != 0 && (d.FromDay != want || d.ToDay != want) {
			t.Errorf("%s of %d: %d to %d, by the rule %q it is %d", d.Code, d.SourceYear, d.FromDay, d.ToDay, d.Rule, want)
		}
	}
	for code, n := range codes {
		if n != 3 {
			t.Errorf("%s is known for %d years, want 3", code, n)
		}
	}
}

// byRule is the date of the rule; custom dates follow from none.
func byRule(t *testing.T, d Day) int {
	t.Helper()
	kind, rest, _ := strings.Cut(d.Rule, " ")
	var a, b, c int
	switch kind {
	case "fixed":
		fmt.Sscanf(rest, "%d-%d", &a, &b)
		return d.SourceYear*10000 + a*100 + b
	case "lunar":
		fmt.Sscanf(rest, "%d-%d", &a, &b)
		return lunar(d.SourceYear, a, b)
	case "term":
		fmt.Sscanf(rest, "%d", &a)
		near := time.Date(d.SourceYear, 4, 5, 0, 0, 0, 0, time.UTC)
		if a == 270 {
			near = time.Date(d.SourceYear, 12, 21, 0, 0, 0, 0, time.UTC)
		}
		return clockDay(term(float64(a), near))
	case "weekday":
		fmt.Sscanf(rest, "%d-%d-%d", &a, &b, &c)
		at := time.Date(d.SourceYear, time.Month(a), 1, 0, 0, 0, 0, time.UTC)
		for n := 0; ; at = at.AddDate(0, 0, 1) {
			if int(at.Weekday()) == b%7 {
				if n++; n == c {
					return number(at)
				}
			}
		}
	case "custom":
		return 0
	}
	t.Fatalf("%s: rule %q", d.Code, d.Rule)
	return 0
}

// TestSky holds the sky of these tests against dates that were published: New
// Year's days and leap months of years gone by, and the weekday of Qingming.
func TestSky(t *testing.T) {
	for year, want := range map[int]int{
		2000: 20000205, 2008: 20080207, 2012: 20120123, 2016: 20160208, 2017: 20170128, 2018: 20180216, 2019: 20190205, 2020: 20200125,
		2021: 20210212, 2022: 20220201, 2023: 20230122, 2024: 20240210, 2025: 20250129,
	} {
		if got := lunar(year, 1, 1); got != want {
			t.Errorf("Spring Festival %d: %d, want %d", year, got, want)
		}
	}
	for year, want := range map[int]int{2017: 6, 2020: 4, 2023: 2, 2025: 6, 2026: 0, 2027: 0, 2028: 5} {
		got := 0
		for _, m := range months(year) {
			if m.leap {
				got = m.number
			}
		}
		if got != want {
			t.Errorf("leap month of %d: %d, want %d", year, got, want)
		}
	}
	for _, d := range known().days {
		want, ok := map[string]time.Weekday{"qingming 2026": time.Sunday, "qingming 2027": time.Monday, "qingming 2028": time.Tuesday, "spring_festival 2026": time.Tuesday,
			"mid_autumn 2026": time.Friday, "dragon_boat 2026": time.Friday}[fmt.Sprint(d.Code, " ", d.SourceYear)]
		if ok && dateOf(d.FromDay).Weekday() != want {
			t.Errorf("%s of %d is a %s, want %s", d.Code, d.SourceYear, dateOf(d.FromDay).Weekday(), want)
		}
	}
}

func TestReadDays(t *testing.T) {
	const head = "# version 1\ncode,kind,avoid,rule,name_zh,name_en,2026\n"
	for _, bad := range []string{"a,festival,0,custom,a,a,02-30", "a,festival,0,custom,a,a,03-02/03-01", "a,festival,0,custom,a,a,x", "a,festival"} {
		if _, err := readDays([]byte(head + bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
	a, err := readDays([]byte(head + "a,shopping,0,custom,甲,A,05-21/06-17\n"))
	if err != nil || a.version != "1" || len(a.days) != 1 || a.days[0].FromDay != 20260521 || a.days[0].ToDay != 20260617 {
		t.Errorf("got %+v, %v", a, err)
	}
}
