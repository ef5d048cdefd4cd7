package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/campaign/guard"
	"siyu/community/request"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// workGroupPage is one group of its owner: when it is left in peace, what ads
// may come, and what is open in it.
type workGroupPage struct {
	page
	ID           id.Group
	Name         string
	Used, Cap    int
	Full         bool
	Days         []aheadDay
	From, To     string // its quiet hours
	Version      int    // of its policy
	Promised     string // the charter's quiet hours, which stand besides
	Coming       []quietView
	Silences     []silenceView
	SilenceUntil string
	Wishes       []workTask
	Rituals      []figure
	Events       []gatheringRow // whose doors are open or will be
}

// quietView are quiet hours that were announced.
type quietView struct {
	From, To string
	At       time.Time
}

// silenceView is a silence that the group is or will be in.
type silenceView struct {
	From, Until time.Time
	Why         string
}

// daysAhead is how many days of the forecast the page shows.
const daysAhead = 7

// workGroup answers GET /console/work/groups/{id}.
func (s *Server) workGroup(c *gin.Context) error {
	if err := may(c.Request.Context(), runsGroups); err != nil {
		return err
	}
	var g id.Group
	if err := read(c.Param("id"), &g); err != nil {
		return err
	}
	p, err := s.workGroupPage(c, g)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "workgroup", p.page, p)
}

func (s *Server) workGroupPage(c *gin.Context, g id.Group) (workGroupPage, error) {
	ctx := c.Request.Context()
	p := workGroupPage{page: s.base(c, ""), ID: g}
	group, err := s.Community.FindGroup(ctx, g)
	if err != nil {
		return p, err
	}
	p.Title, p.Name, p.Now = clean(group.Name), clean(group.Name), p.Now.In(shop)
	p.at("/console/work/groups/" + g.String())
	s.desk(ctx, &p.page)
	morning := p.Now.AddDate(0, 0, 1)
	p.SilenceUntil = time.Date(morning.Year(), morning.Month(), morning.Day(), 9, 0, 0, 0, shop).Format(localTime)
	if err := s.fillQuiet(ctx, &p); err != nil {
		return p, err
	}
	week, err := s.Guard.ThisWeek(ctx, []id.Group{g})
	if err != nil {
		return p, err
	}
	p.Used, p.Cap, p.Full = week[g].Used, week[g].Promised, week[g].Used >= week[g].Promised
	ahead, err := s.Guard.Forecast(ctx, g)
	if err != nil {
		return p, err
	}
	for _, d := range ahead.Days[:min(len(ahead.Days), daysAhead)] {
		p.Days = append(p.Days, aheadOf(p.Lang, p.Now, d))
	}
	return p, s.fillOpen(ctx, &p)
}

// fillQuiet says when the group is left in peace.
func (s *Server) fillQuiet(ctx context.Context, p *workGroupPage) error {
	policy, err := s.Guard.FindAdPolicy(ctx, p.ID)
	if err != nil {
		return err
	}
	p.From, p.To, p.Version = hourOf(policy.QuietFrom), hourOf(policy.QuietTo), policy.Version
	for _, x := range policy.Coming {
		if x.QuietFrom != policy.QuietFrom || x.QuietTo != policy.QuietTo {
			p.Coming = append(p.Coming, quietView{hourOf(x.QuietFrom), hourOf(x.QuietTo), x.EffectiveAt.Time().In(shop)})
		}
	}
	charters, err := s.Community.ListCharters(ctx, p.ID)
	if err != nil {
		return err
	}
	if now := charters.InForce; now.Version > 0 && now.QuietFrom != now.QuietTo {
		p.Promised = hourOf(now.QuietFrom) + "–" + hourOf(now.QuietTo)
	}
	list, err := s.Guard.ListSilences(ctx, false, database.Page{Limit: database.PageMax})
	if err != nil {
		return err
	}
	for _, x := range list.Items {
		if x.Scope == guard.ScopeHouse || x.GroupID == p.ID {
			p.Silences = append(p.Silences, silenceView{x.From.Time().In(shop), x.Until.Time().In(shop), clean(x.Reason)})
		}
	}
	return nil
}

// fillOpen lists the requests that have no outcome yet, and the rituals.
func (s *Server) fillOpen(ctx context.Context, p *workGroupPage) error {
	var w workPage
	w.page = p.page
	for _, status := range []request.Status{request.StatusOpen, request.StatusAnswered} {
		list, err := s.Request.List(ctx, request.Filter{Group: p.ID, Status: status}, database.Page{Limit: requestsShown})
		if err != nil {
			return err
		}
		for _, r := range list.Items {
			t := w.wishOf(ctx, p.Name, r)
			t.Late = t.Late && status == request.StatusOpen
			p.Wishes = append(p.Wishes, t)
		}
	}
	rituals, err := s.Ritual.List(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, r := range rituals {
		p.Rituals = append(p.Rituals, figure{clean(r.Title), weekdaysOrAll(p.Lang, r.Weekdays) + " " + hourOf(r.MinuteOfDay) +
			choose(p.Lang, " · 30 天 %d/%d 次", " · %d of %d in 30 days", r.Held, r.Due)})
	}
	return s.fillEvents(ctx, p)
}

func (s *Server) fillEvents(ctx context.Context, p *workGroupPage) error {
	list, err := s.Gathering.List(ctx, p.ID, database.Page{Limit: gatheringsShown})
	if err != nil {
		return err
	}
	rows := gatheringsPage{page: p.page}
	for _, x := range list.Items {
		if row := rows.row(x); row.Door {
			p.Events = append(p.Events, row)
		}
	}
	return nil
}

// workGroupAct answers POST /console/work/groups/{id}/{quiet|silence|posted}.
func (s *Server) workGroupAct(c *gin.Context) error {
	var g id.Group
	if err := read(c.Param("id"), &g); err != nil {
		return err
	}
	switch c.Param("act") {
	case "quiet":
		return s.did(c, []string{c.PostForm("from"), c.PostForm("to"), c.PostForm("version")}, func(ctx context.Context) error {
			return s.setQuiet(database.WithoutKey(ctx), c, g) // the version refuses a second one
		})
	case "silence":
		return s.did(c, []string{c.PostForm("until"), c.PostForm("reason")}, func(ctx context.Context) error {
			until, err := momentIn(c.PostForm("until"), "until_at")
			if err == nil {
				_, err = s.Promotion.Silence(ctx, guard.SilenceIn{Scope: guard.ScopeGroup, GroupID: g, Reason: c.PostForm("reason"), Until: until})
			}
			return err
		})
	case "posted":
		return s.did(c, []string{c.PostForm("shown")}, func(ctx context.Context) error {
			at, err := momentIn(c.PostForm("shown"), "at")
			if err == nil {
				_, err = s.Guard.PostByHand(ctx, g, 0, at)
			}
			return err
		})
	}
	return fault.NotFound
}

func (s *Server) setQuiet(ctx context.Context, c *gin.Context, g id.Group) error {
	var in guard.QuietIn
	var version int
	var err error
	if in.From, err = minuteIn(c.PostForm("from"), "quiet_from"); err != nil {
		return err
	}
	if in.To, err = minuteIn(c.PostForm("to"), "quiet_to"); err != nil {
		return err
	}
	if version, err = strconv.Atoi(c.PostForm("version")); err != nil {
		return errForm
	}
	_, err = s.Guard.SetQuiet(ctx, g, in, version)
	return err
}

// minuteIn reads a browser's time of day as a minute of it.
func minuteIn(text, field string) (int, error) {
	at, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fault.Invalid.Field(field, "format", "请选一个时间", "choose a time")
	}
	return at.Hour()*60 + at.Minute(), nil
}
