package guard

import (
	"time"

	"siyu/internal/fault"
)

// unset marks a number that a layer of policy leaves to the one above it.
const unset = -1

// settings are what one layer of policy says for itself: the brand of a
// preset, a unit of it, or a group.
type settings struct {
	WarmUpDays  int
	GapHours    int
	AdsPerDay   int
	AdsPerWeek  int
	AdsPerMonth int
	QuietFrom   int
	QuietTo     int
	Rules       string
}

var nothingSet = settings{WarmUpDays: unset, GapHours: unset, AdsPerDay: unset, AdsPerWeek: unset, AdsPerMonth: unset, QuietFrom: unset, QuietTo: unset}

// over lays what is set over a policy.
func (s *settings) over(p *Policy) {
	own := func(n int, into *int) {
		if n != unset {
			*into = n
		}
	}
	own(s.AdsPerDay, &p.Day)
	own(s.AdsPerWeek, &p.Week)
	own(s.AdsPerMonth, &p.Month)
	if s.WarmUpDays != unset {
		p.WarmUp = time.Duration(s.WarmUpDays) * day
	}
	if s.GapHours != unset {
		p.Gap = time.Duration(s.GapHours) * hour
	}
	if s.QuietFrom != unset {
		p.Quiet = Quiet{s.QuietFrom, s.QuietTo}
	}
	if s.Rules != "" {
		p.Rules = append(decodeRules(s.Rules), p.Rules...) // the nearest is looked up first
	}
}

// named are the numbers by the name they have in the API.
func (s *settings) named() map[string]int {
	return map[string]int{
		"warm_up_days": s.WarmUpDays, "gap_hours": s.GapHours, "ads_per_day": s.AdsPerDay, "ads_per_week": s.AdsPerWeek,
		"ads_per_month": s.AdsPerMonth, "quiet_from": s.QuietFrom, "quiet_to": s.QuietTo,
	}
}

// SettingsIn sets a layer of policy. What is left out is the layer's above.
type SettingsIn struct {
	WarmUpDays  *int `json:"warm_up_days"`
	GapHours    *int `json:"gap_hours"`
	AdsPerDay   *int `json:"ads_per_day"`
	AdsPerWeek  *int `json:"ads_per_week"`
	AdsPerMonth *int `json:"ads_per_month"`
	QuietFrom   *int `json:"quiet_from"`
	QuietTo     *int `json:"quiet_to"`

	Rules map[Rule]Mode `json:"rules"` // rules to keep otherwise than the layer above says
}

// Validate keeps a brand within the bounds every group has.
func (in SettingsIn) Validate() error {
	var c fault.Check
	in.check(&c)
	return c.Err()
}

func (in SettingsIn) check(c *fault.Check) {
	within := func(n *int, name string, lo, hi int64) {
		if n != nil {
			c.Range(int64(*n), name, lo, hi)
		}
	}
	within(in.WarmUpDays, "warm_up_days", 0, WarmUpDaysMax)
	within(in.GapHours, "gap_hours", GapHoursMin, GapHoursMax)
	within(in.AdsPerDay, "ads_per_day", 0, DayMax)
	within(in.AdsPerWeek, "ads_per_week", 0, WeekMax)
	within(in.AdsPerMonth, "ads_per_month", 0, MonthMax)
	within(in.QuietFrom, "quiet_from", 0, minutesOfDay-1)
	within(in.QuietTo, "quiet_to", 0, minutesOfDay-1)
	c.That((in.QuietFrom == nil) == (in.QuietTo == nil), "quiet_to", "required", "quiet_from 与 quiet_to 须一起填写", "give quiet_from and quiet_to together")
	if in.QuietFrom != nil && in.QuietTo != nil {
		c.That(Quiet{*in.QuietFrom, *in.QuietTo}.Minutes() >= QuietMinutesMin, "quiet_to", "range", "免打扰时间至少 7 小时", "quiet hours must last 7 hours or more")
	}
	checkRules(c, in.Rules)
}

func (in SettingsIn) settings() settings {
	or := func(n *int) int {
		if n == nil {
			return unset
		}
		return *n
	}
	return settings{or(in.WarmUpDays), or(in.GapHours), or(in.AdsPerDay), or(in.AdsPerWeek), or(in.AdsPerMonth),
		or(in.QuietFrom), or(in.QuietTo), encodeRules(in.Rules)}
}
