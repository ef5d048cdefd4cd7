package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/community/health"
	"siyu/community/ritual"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// workPage is what a group's owner has to do today, on his phone: the most
// urgent first, whatever group it is of, then his groups one by one.
type workPage struct {
	page
	Role    string
	ByLink  bool // he has no key here, and no console
	Tasks   []workTask
	Coming  []workTask // ads whose slot has not begun
	Notices []decisionRow
	Groups  []workGroup
	Next    string // the page with his next groups
}

// workGroup is one of his groups: how it is, and what to do for it.
type workGroup struct {
	ID          id.Group
	Name        string
	State, Tone string
	Used, Cap   int
	Full        bool
	Free        time.Time // the next moment an ad would be let through
	Shut        string    // why there is none
	Next        string
	Praise      []string
	Held        int // rituals of today
}

// tasksOf is how many groups, the newest, the tasks are gathered of, and
// workShown how many are described at once.
const (
	tasksOf   = 100
	workShown = 10
)

// work answers GET /console/work.
func (s *Server) work(c *gin.Context) error {
	if err := may(c.Request.Context(), runsGroups); err != nil {
		return err
	}
	p, err := s.workPage(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "work", p.page, p)
}

func (s *Server) workPage(c *gin.Context) (workPage, error) {
	ctx := c.Request.Context()
	p := workPage{page: s.base(c, ""), ByLink: database.ActorOf(ctx).Key == 0, Role: roleName(s.lang(c), access.Role(database.ActorOf(ctx).Role))}
	p.Title, p.Now = choose(p.Lang, "今天的群务", "Today's work"), p.Now.In(shop)
	p.at("/console/work")
	s.desk(ctx, &p.page)
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return p, err
	}
	groups, err := s.Community.ListGroups(ctx, community.GroupFilter{Status: community.GroupActive}, database.Page{Limit: tasksOf})
	if err != nil {
		return p, err
	}
	due, err := s.fillTasks(ctx, &p, groups.Items)
	if err != nil {
		return p, err
	}
	if err := s.fillNotices(ctx, &p); err != nil {
		return p, err
	}
	return p, s.fillOwn(ctx, &p, due, before)
}

// noticesShown bounds the notices; only the last day's are shown, and what
// waits for a later moment.
const noticesShown = 12

func (s *Server) fillNotices(ctx context.Context, p *workPage) error {
	list, err := s.Guard.ListDecisions(ctx, guard.SlotFilter{}, database.Page{Limit: database.PageMax})
	if err != nil {
		return err
	}
	now := clock.MilliOf(p.Now)
	var ids []id.Group
	list.Items = slices.DeleteFunc(list.Items, func(d guard.Kept) bool {
		return d.Outcome == guard.OutcomeAllow || d.Outcome == guard.OutcomeDigest || d.LastAt < now.Add(-24*time.Hour) && d.NotBefore <= now
	})
	list.Items = list.Items[:min(len(list.Items), noticesShown)]
	for _, d := range list.Items {
		ids = append(ids, d.GroupID)
	}
	groups, err := community.GroupsIn(s.DB.Read(ctx), ids)
	if err != nil {
		return err
	}
	for _, d := range list.Items {
		row := decisionRow{Group: clean(groups[d.GroupID].Name), When: d.LastAt.Time().In(shop), Times: d.Times, Why: why(p.Lang, p.Now, d)}
		row.Outcome, row.Tone = outcomeName(p.Lang, d.Outcome)
		p.Notices = append(p.Notices, row)
	}
	return nil
}

// fillOwn describes some of his groups.
func (s *Server) fillOwn(ctx context.Context, p *workPage, due []ritual.Due, before int64) error {
	list, err := s.Health.ListWorkLists(ctx, community.GroupFilter{}, database.Page{Before: before, Limit: workShown})
	if err != nil {
		return err
	}
	ids := make([]id.Group, len(list.Items))
	for i, w := range list.Items {
		ids[i] = w.GroupID
	}
	weeks, err := s.Guard.ThisWeek(ctx, ids)
	if err != nil {
		return err
	}
	for _, w := range list.Items {
		g := workGroupOf(p.Lang, w, weeks[w.GroupID])
		for _, d := range due {
			if d.GroupID == w.GroupID && d.HeldAt != 0 && clock.Day(d.DueAt.Time(), shop) == clock.Day(p.Now, shop) {
				g.Held++
			}
		}
		ahead, err := s.Guard.Forecast(ctx, w.GroupID)
		if err != nil {
			return err
		}
		g.Free, g.Shut = nextFree(p.Lang, ahead)
		p.Groups = append(p.Groups, g)
	}
	if list.NextCursor != "" {
		p.Next = "/console/work?cursor=" + list.NextCursor + "#groups"
	}
	return nil
}

func workGroupOf(lang string, w health.WorkList, week guard.WeekOf) workGroup {
	g := workGroup{ID: w.GroupID, Name: clean(w.Name), Used: week.Used, Cap: week.Promised, Full: week.Used >= week.Promised, Next: choose(lang, w.Next.Zh, w.Next.En)}
	g.State, g.Tone = word(lang, healthStates, w.State)
	for _, one := range w.Praise {
		// The whole name: these words are for the group, where all know him.
		g.Praise = append(g.Praise, cleanLong(choose(lang, one.Zh, one.En)))
	}
	return g
}

// nextFree is the next moment an ad would be let through, else why none would
// in the days that are foreseen.
func nextFree(lang string, f guard.Forecast) (at time.Time, why string) {
	for _, d := range f.Days {
		if d.Open {
			return d.FirstAt.Time().In(shop), ""
		}
	}
	if len(f.Days) > 0 && len(f.Days[0].Reasons) > 0 {
		why = f.Days[0].Reasons[0].Text(lang)
	}
	return time.Time{}, why
}
