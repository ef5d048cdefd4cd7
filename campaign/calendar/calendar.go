// Package calendar shows what there is to plan around: the campaigns of a
// stretch of days with their sessions, the festivals and shopping days of
// China, the days on which cheerful promotion should be avoided, and the days
// a unit added itself.
//
// The days that everybody has are a file of this package, days.csv, with its
// version and a column per year; a year without a column is said to be unknown.
// Tables: calendar_days (a unit's own), calendar_feeds (addresses for calendar
// apps, of which only a hash is kept). It changes no campaign. Called by api
// and web.
package calendar

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Service is the room.
type Service struct {
	DB       *database.DB
	Campaign *campaign.Service
}

// Kind is what sort of day it is.
type Kind string

// The kinds of day. A mourning day also says what should be avoided on it.
const (
	KindFestival Kind = "festival"
	KindShopping Kind = "shopping"
	KindMourning Kind = "mourning"
	KindBrand    Kind = "brand" // only a unit's own days
)

// Day is one entry of the calendar, from its first to its last local day.
type Day struct {
	ID         id.CalendarDay `json:"id"`   // of a unit's own day
	Code       string         `json:"code"` // of a preloaded day
	UnitID     id.Unit        `json:"unit_id"`
	Kind       Kind           `json:"kind"`
	FromDay    int            `json:"from_day"`
	ToDay      int            `json:"to_day"`
	NameZH     string         `json:"name_zh"`
	NameEN     string         `json:"name_en"`
	Avoid      bool           `json:"avoid"`       // cheerful promotion is out of place
	SourceYear int            `json:"source_year"` // the column a preloaded day is from; 0 is a unit's own
	Rule       string         `json:"rule"`        // what a preloaded date follows from
	Version    int            `json:"version"`     // of a unit's own day
	CreatedAt  clock.Milli    `json:"-"`
	ChangedAt  clock.Milli    `json:"-"`
}

// Name is the day's name in the language; a unit's own may have only one.
func (d Day) Name(lang string) string {
	if lang == "en" && d.NameEN != "" {
		return d.NameEN
	}
	return d.NameZH
}

// Ask says which days are wanted, both ends included, by the calendar of the
// zone; what is left out is this month in Asia/Shanghai.
type Ask struct {
	From, To int
	Zone     string
}

// spanMax bounds what is shown at once.
const spanMax = 400

// Page is the calendar of a stretch of days.
type Page struct {
	From        int            `json:"from"`
	To          int            `json:"to"`
	Today       int            `json:"today"`
	Zone        string         `json:"zone"`
	DataVersion string         `json:"data_version"`
	Unknown     []int          `json:"unknown_years"` // years the preloaded days do not reach
	Days        []Day          `json:"days"`
	Campaigns   []campaign.Run `json:"campaigns"`
	More        bool           `json:"more"` // campaigns were left off
}

// Show is the calendar as the caller sees it: the campaigns of his units, the
// days everybody has, and the days his units and those above them added.
func (s *Service) Show(ctx context.Context, a Ask) (Page, error) {
	now := s.DB.Clock.Now()
	p, loc, err := a.page(now)
	if err != nil {
		return p, err
	}
	own, err := s.ownDays(ctx, p.From, p.To)
	if err != nil {
		return p, err
	}
	p.Days, p.Unknown = preloaded(p.From, p.To)
	p.Days = append(p.Days, own...)
	slices.SortStableFunc(p.Days, func(x, y Day) int { return x.FromDay - y.FromDay })
	from, to := clock.MilliOf(startOf(p.From, loc)), clock.MilliOf(startOf(next(p.To), loc))
	p.Campaigns, p.More, err = s.Campaign.Between(ctx, from, to)
	for i := range p.Campaigns {
		p.Campaigns[i].Localize(loc)
	}
	return p, err
}

// DaysBetween are the days everybody has and those that the caller's units and
// the ones above them added, from one local day to another, both included.
func (s *Service) DaysBetween(ctx context.Context, from, to int) ([]Day, error) {
	own, err := s.ownDays(ctx, from, to)
	days, _ := preloaded(from, to)
	return append(days, own...), err
}

// page reads what is asked for.
func (a Ask) page(now time.Time) (Page, *time.Location, error) {
	p := Page{From: a.From, To: a.To, Zone: a.Zone, DataVersion: DataVersion()}
	if p.Zone == "" {
		p.Zone = clock.Shanghai
	}
	var c fault.Check
	loc, err := time.LoadLocation(p.Zone)
	c.That(err == nil && p.Zone != "Local", "zone", "unknown_value", "请用 IANA 时区，如 Asia/Shanghai", "use an IANA zone like Asia/Shanghai")
	if err != nil {
		return p, nil, c.Err()
	}
	p.Today = clock.Day(now, loc)
	if p.From == 0 {
		p.From = p.Today/100*100 + 1
		if p.To != 0 {
			p.From = p.To/100*100 + 1
		}
	}
	if p.To == 0 {
		p.To = last(p.From)
	}
	checkDay(&c, p.From, "from")
	checkDay(&c, p.To, "to")
	if err := c.Err(); err != nil {
		return p, nil, err
	}
	n := daysFrom(p.From, p.To)
	c.That(n >= 0, "to", "range", "不能早于 from", "must not be before from")
	c.That(n < spanMax, "to", "range", fmt.Sprintf("一次最多看 %d 天，请缩短范围", spanMax), fmt.Sprintf("at most %d days at once; ask for fewer", spanMax))
	return p, loc, c.Err()
}

// checkDay refuses what is no day of the calendar.
func checkDay(c *fault.Check, day int, name string) {
	c.That(20000101 <= day && day <= 21001231 && number(dateOf(day)) == day, name, "format",
		"请写成 20260618 这样的日期", "write a day like 20260618")
}

func dateOf(day int) time.Time {
	return time.Date(day/10000, time.Month(day/100%100), day%100, 0, 0, 0, 0, time.UTC)
}

func number(t time.Time) int { return clock.Day(t, time.UTC) }

func next(day int) int { return number(dateOf(day).AddDate(0, 0, 1)) }

// last is the last day of the day's month.
func last(day int) int { return number(dateOf(day/100*100+1).AddDate(0, 1, -1)) }

func daysFrom(a, b int) int { return int(dateOf(b).Sub(dateOf(a)) / (24 * time.Hour)) }

// startOf is the first moment of the local day.
func startOf(day int, loc *time.Location) time.Time {
	return clock.StartOfDay(time.Date(day/10000, time.Month(day/100%100), day%100, 12, 0, 0, 0, loc), loc)
}

// above are the units over the one the caller works in.
func above(q *database.Query, unit id.Unit) ([]id.Unit, error) {
	var path string
	if err := q.Raw("SELECT path FROM units WHERE id = ?", unit).Scan(&path).Error; err != nil {
		return nil, err
	}
	var out []id.Unit
	for _, text := range strings.Split(strings.Trim(path, "/"), "/") {
		var u id.Unit
		if u.UnmarshalText([]byte(text)) == nil {
			out = append(out, u)
		}
	}
	return out, nil
}
