package promotion

import (
	"fmt"
	"slices"
	"time"

	"siyu/campaign/calendar"
	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Schedule is windows by rule: hours of some days. A day counts when it lies
// within the dates, on one of the weekdays, and, where moments are named, near
// one of them. Days on which cheerful promotion is out of place never count;
// who must send on one names a window.
type Schedule struct {
	Zone     string   `json:"zone"`     // default the campaign's
	FromDay  int      `json:"from_day"` // yyyymmdd, both ends included
	ToDay    int      `json:"to_day"`
	Weekdays []int    `json:"weekdays"` // 1 Monday to 7 Sunday; none is every day
	Hours    []Hours  `json:"hours"`
	Moments  []Moment `json:"moments"`
}

// Hours are a span of a local day, in minutes; To at or before From ends on
// the next day.
type Hours struct {
	From int `json:"from_minute"`
	To   int `json:"to_minute"`
}

// Moment is a day of the calendar, by its code or, of a unit's own, its id,
// with so many days before and after it.
type Moment struct {
	Code     string         `json:"code"`
	DayID    id.CalendarDay `json:"day_id"`
	LeadDays int            `json:"lead_days"`
	LagDays  int            `json:"lag_days"`
}

// Bounds of a schedule.
const (
	scheduleDays = 92
	hoursMost    = 4
	momentsMost  = 10
	nearMost     = 60
	minutes      = 24 * 60
)

// check looks at the form; at names the field.
func (s Schedule) check(c *fault.Check, at string) {
	if s.Zone != "" {
		_, err := time.LoadLocation(s.Zone)
		c.That(err == nil && s.Zone != "Local", at+".zone", "unknown_value", "应为 IANA 时区，如 Asia/Shanghai", "must be an IANA zone like Asia/Shanghai")
	}
	from, ok := dateOf(s.FromDay)
	to, known := dateOf(s.ToDay)
	c.That(ok, at+".from_day", "format", "应为 yyyymmdd", "must be a day as yyyymmdd")
	c.That(known && !to.Before(from) && to.Sub(from) < scheduleDays*24*time.Hour, at+".to_day", "range",
		fmt.Sprintf("应为 yyyymmdd，不早于 from_day，最多 %d 天", scheduleDays), fmt.Sprintf("must be a day as yyyymmdd, from from_day on, for at most %d days", scheduleDays))
	for i, w := range s.Weekdays {
		c.Range(int64(w), fmt.Sprintf("%s.weekdays[%d]", at, i), 1, 7)
	}
	c.Range(int64(len(s.Hours)), at+".hours", 1, hoursMost)
	for i, h := range s.Hours {
		c.That(h.From >= 0 && h.From < minutes && h.To > 0 && h.To <= minutes && h.From != h.To, fmt.Sprintf("%s.hours[%d]", at, i), "range",
			"应为一天内的分钟，0 到 1440", "must be minutes of a day, 0 to 1440")
	}
	c.Range(int64(len(s.Moments)), at+".moments", 0, momentsMost)
	for i, m := range s.Moments {
		where := fmt.Sprintf("%s.moments[%d]", at, i)
		c.That((m.Code == "") != (m.DayID == 0), where, "either", "请给出 code 或 day_id 其一", "name either a code or a day_id")
		c.Range(int64(m.LeadDays), where+".lead_days", 0, nearMost)
		c.Range(int64(m.LagDays), where+".lag_days", 0, nearMost)
	}
}

// reach are the days that a calendar must know for it, both ends included.
func (s Schedule) reach() (from, to int) {
	a, _ := dateOf(s.FromDay)
	b, _ := dateOf(s.ToDay)
	return numberOf(a.AddDate(0, 0, -nearMost)), numberOf(b.AddDate(0, 0, nearMost))
}

// windows are the schedule's, in order, of those days that count, without what
// is over by now and up to an end; days are the calendar's over its reach. Hours that overlap
// or touch become one window. A local time that a change of clocks skips is
// the moment after it.
func (s Schedule) windows(days []calendar.Day, loc *time.Location, now, until clock.Milli) ([]guard.Window, error) {
	var c fault.Check
	for i, m := range s.Moments {
		c.That(slices.ContainsFunc(days, m.is), fmt.Sprintf("schedule.moments[%d]", i), "unknown_value",
			"日历在这段日期附近没有这一天", "the calendar has no such day near these dates")
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	var out []guard.Window
	last, _ := dateOf(s.ToDay)
	for d, _ := dateOf(s.FromDay); !d.After(last); d = d.AddDate(0, 0, 1) {
		if !s.counts(d, days) {
			continue
		}
		for _, h := range s.Hours {
			end := h.To
			if end <= h.From {
				end += minutes
			}
			w := guard.Window{From: localAt(d, h.From, loc), To: min(localAt(d, end, loc), until)}
			if w.To > max(now, w.From) {
				out = append(out, w)
			}
		}
	}
	slices.SortFunc(out, func(a, b guard.Window) int { return int(a.From - b.From) })
	out = joined(out)
	c.That(len(out) > 0, "schedule", "empty", "没有一天符合：请检查日期、星期和关键日", "no day counts; look at the dates, weekdays and moments")
	c.That(len(out) <= windowsMax, "schedule", "too_many", fmt.Sprintf("共 %d 个时段，最多 %d 个", len(out), windowsMax), fmt.Sprintf("makes %d windows; at most %d", len(out), windowsMax))
	return out, c.Err()
}

// counts says whether a day is one of the schedule's.
func (s Schedule) counts(d time.Time, days []calendar.Day) bool {
	no := numberOf(d)
	for _, x := range days {
		if x.Avoid && x.FromDay <= no && no <= x.ToDay {
			return false
		}
	}
	if len(s.Weekdays) > 0 && !slices.Contains(s.Weekdays, (int(d.Weekday())+6)%7+1) {
		return false
	}
	near := len(s.Moments) == 0
	for _, m := range s.Moments {
		for _, x := range days {
			from, _ := dateOf(x.FromDay)
			to, _ := dateOf(x.ToDay)
			near = near || m.is(x) && !d.Before(from.AddDate(0, 0, -m.LeadDays)) && !d.After(to.AddDate(0, 0, m.LagDays))
		}
	}
	return near
}

func (m Moment) is(d calendar.Day) bool {
	return m.Code != "" && d.Code == m.Code || m.DayID != 0 && d.ID == m.DayID
}

// joined makes one of windows that overlap or touch.
func joined(windows []guard.Window) []guard.Window {
	var out []guard.Window
	for _, w := range windows {
		if n := len(out); n > 0 && w.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, w.To)
			continue
		}
		out = append(out, w)
	}
	return out
}

// localAt is a minute of a local day; minutes past its end are the next day's.
func localAt(d time.Time, minute int, loc *time.Location) clock.Milli {
	return clock.MilliOf(time.Date(d.Year(), d.Month(), d.Day(), 0, minute, 0, 0, loc))
}

// dateOf is a day without a place; ok says that the calendar has it.
func dateOf(day int) (d time.Time, ok bool) {
	d = time.Date(day/10000, time.Month(day/100%100), day%100, 0, 0, 0, 0, time.UTC)
	return d, day >= 20200101 && numberOf(d) == day
}

func numberOf(d time.Time) int { return clock.Day(d, time.UTC) }
