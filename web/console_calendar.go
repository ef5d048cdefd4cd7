package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/campaign/calendar"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// calendarPage is one month of the calendar, weeks beginning on Monday.
type calendarPage struct {
	page
	Heading  string
	Before   int // yyyymm
	After    int
	Weekdays []string
	Weeks    [][]cell
	More     bool // not every campaign is shown
	Version  string
	Avoided  []avoidedDay
}

// avoidedDay is a unit's own day to avoid that is not over, with the ads that
// have a slot on it.
type avoidedDay struct {
	ID   id.CalendarDay
	Name string
	From string
	To   string // "" for one day
	Ads  int    // in the units of who looks
	Over bool   // a unit above his added it
}

// avoidedShown is how many of them the page counts ads for.
const avoidedShown = 10

// cell is one day of the grid.
type cell struct {
	Day   int
	Num   int
	Out   bool // of the month before or after
	Today bool
	Avoid bool
	Notes []note
	Bars  []bar
	Left  int // campaigns left off
}

// note is a festival, shopping day or day of remembrance.
type note struct {
	Name string
	Tone string // its kind
}

// bar is a campaign's stretch through the day.
type bar struct {
	Name     string
	Hue      int
	State    string
	Sessions int // that begin on the day
	X, Width int // of its drawing, in hundredths of the cell
}

// barsShown is how many campaigns a day's cell names.
const barsShown = 4

// consoleCalendar answers GET /console/calendar?month=yyyymm.
func (s *Server) consoleCalendar(c *gin.Context) error {
	p := calendarPage{page: s.base(c, "")}
	p.Title, p.Now = choose(p.Lang, "活动日历", "Campaign calendar"), p.Now.In(shop)
	first := monthOf(c.Query("month"), p.Now)
	p.Home = "/console/calendar?month=" + first.Format("200601")
	p.Other = withQuery(p.Home, "lang", map[bool]string{true: langZH, false: langEN}[p.Lang == langEN])
	p.Heading = choose(p.Lang, first.Format("2006年1月"), first.Format("January 2006"))
	p.Before, p.After = yyyymm(first.AddDate(0, -1, 0)), yyyymm(first.AddDate(0, 1, 0))
	for i := range 7 {
		p.Weekdays = append(p.Weekdays, weekdays(p.Lang, []int{i + 1}))
	}
	from := first.AddDate(0, 0, -(int(first.Weekday())+6)%7)
	last := first.AddDate(0, 1, -1)
	to := last.AddDate(0, 0, (7-int(last.Weekday()))%7)
	got, err := s.Calendar.Show(c.Request.Context(), calendar.Ask{From: clock.Day(from, time.UTC), To: clock.Day(to, time.UTC), Zone: shop.String()})
	if err != nil {
		return err
	}
	p.More, p.Version = got.More, got.DataVersion
	for at := from; !at.After(to); at = at.AddDate(0, 0, 1) {
		if at.Weekday() == time.Monday {
			p.Weeks = append(p.Weeks, nil)
		}
		week := &p.Weeks[len(p.Weeks)-1]
		*week = append(*week, cellOf(p.Lang, got, at, at.Month() != first.Month()))
	}
	if err := s.fillAvoided(c.Request.Context(), &p, got); err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "calendar", p.page, p)
}

// fillAvoided lists the days to avoid that the units of who plans promotions
// added, and those above them: whoever added one, he clears his own groups.
func (s *Server) fillAvoided(ctx context.Context, p *calendarPage, got calendar.Page) error {
	if may(ctx, plansPromotions) != nil {
		return nil
	}
	s.desk(ctx, &p.page)
	for _, d := range got.Days {
		if d.ID == 0 || !d.Avoid || d.ToDay < got.Today || len(p.Avoided) == avoidedShown {
			continue
		}
		n, err := s.Promotion.OnDay(ctx, d.ID)
		if err != nil {
			return err
		}
		row := avoidedDay{ID: d.ID, Name: clean(d.Name(p.Lang)), From: dayOf(d.FromDay), Ads: n, Over: !database.ActorOf(ctx).Sees(d.UnitID)}
		if d.ToDay != d.FromDay {
			row.To = dayOf(d.ToDay)
		}
		p.Avoided = append(p.Avoided, row)
	}
	return nil
}

// consoleRecallDay answers POST /console/calendar/days/{id}/recall; a second tap
// finds nothing left.
func (s *Server) consoleRecallDay(c *gin.Context) error {
	ctx, err := s.tapped(c, plansPromotions)
	if err != nil {
		return err
	}
	var day id.CalendarDay
	if err := read(c.Param("id"), &day); err != nil {
		return err
	}
	if err := s.Promotion.RecallDay(ctx, day); err != nil {
		return err
	}
	found, err := s.Calendar.FindDay(ctx, day)
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/calendar?month="+strconv.Itoa(found.FromDay/100))
	return nil
}

// monthOf is the first day of the month asked for, else of this one.
func monthOf(text string, now time.Time) time.Time {
	n, err := strconv.Atoi(text)
	if err != nil || n < 200001 || n > 210011 || n%100 < 1 || n%100 > 12 {
		n = yyyymm(now)
	}
	return time.Date(n/100, time.Month(n%100), 1, 0, 0, 0, 0, time.UTC)
}

func yyyymm(t time.Time) int { return t.Year()*100 + int(t.Month()) }

func cellOf(lang string, p calendar.Page, at time.Time, out bool) cell {
	day := clock.Day(at, time.UTC)
	c := cell{Day: day, Num: at.Day(), Out: out, Today: day == p.Today}
	for _, d := range p.Days {
		if d.FromDay <= day && day <= d.ToDay {
			c.Avoid = c.Avoid || d.Avoid
			c.Notes = append(c.Notes, note{clean(d.Name(lang)), string(d.Kind)})
		}
	}
	for _, r := range p.Campaigns {
		switch {
		case r.FromDay > day || r.ToDay < day || r.Status == campaign.StatusCancelled:
		case len(c.Bars) == barsShown:
			c.Left++
		default:
			c.Bars = append(c.Bars, barOf(lang, r, day))
		}
	}
	return c
}

func barOf(lang string, r campaign.Run, day int) bar {
	b := bar{Name: clean(r.Name), Hue: hueOf(r.ID), Width: 100}
	b.State, _ = phaseName(lang, r.Status)
	for _, s := range r.Sessions {
		if clock.Day(s.StartsAt.Time(), shop) == day {
			b.Sessions++
		}
	}
	if r.FromDay == day { // it begins
		b.X, b.Width = 4, 96
	}
	if r.ToDay == day { // it ends
		b.Width -= 4
	}
	return b
}
