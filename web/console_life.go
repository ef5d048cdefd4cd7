package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/community/life"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// lifePage is how a group goes on, changes hands and ends.
type lifePage struct {
	page
	ID        id.Group
	Name      string
	Version   int
	State     string
	Tone      string
	Over      bool
	EndsAt    time.Time
	Why       string
	Mergers   []mergerRow
	Handovers []handoverRow
	Groups    []choice // into which it may be merged
	Staff     []choice // who may take it
	Owner     string
}

type choice struct{ ID, Name string }

type mergerRow struct {
	ID          id.Merger
	Into, Why   string
	State, Tone string
	By          time.Time
	Open        bool
	Progress    life.Progress
}

type handoverRow struct {
	ID           id.Handover
	From, To     string
	State, Tone  string
	Given, Taken bool
	Open         bool
	Why          string
}

// rowsShown is how many hand-overs and mergers are listed, newest first.
const rowsShown = 10

// consoleLife answers GET /console/groups/{id}/life.
func (s *Server) consoleLife(c *gin.Context) error {
	g, err := s.groupDesk(c)
	if err != nil {
		return err
	}
	p, err := s.lifePage(c, g)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "life", p.page, p)
}

func (s *Server) lifePage(c *gin.Context, g community.Group) (lifePage, error) {
	ctx := c.Request.Context()
	p := lifePage{page: s.base(c, ""), ID: g.ID, Name: clean(g.Name), Version: g.Version, Over: g.Status == community.GroupDissolved, Why: clean(g.EndReason)}
	p.Title, p.Now = choose(p.Lang, "群事务", "Running a group"), p.Now.In(shop)
	p.Form = s.formToken(deskOf(ctx), s.DB.Clock.Now().Add(formFor))
	p.State, p.Tone = word(p.Lang, groupWords, g.Status)
	if g.EndsAt != 0 {
		p.EndsAt = g.EndsAt.Time().In(shop)
	}
	if err := s.fillStaff(ctx, &p, g); err != nil {
		return p, err
	}
	hands, err := s.Life.ListHandovers(ctx, g.ID, database.Page{Limit: rowsShown})
	if err != nil {
		return p, err
	}
	who := []id.Staff{g.OwnerID}
	for _, h := range hands.Items {
		who = append(who, h.FromID, h.ToID)
	}
	names, err := s.colleagues(ctx, who...)
	if err != nil {
		return p, err
	}
	p.Owner = cmp.Or(names(g.OwnerID), "—")
	for _, h := range hands.Items {
		row := handoverRow{ID: h.ID, From: cmp.Or(names(h.FromID), "—"), To: cmp.Or(names(h.ToID), "—"), Given: h.GivenAt != 0, Taken: h.TakenAt != 0, Open: h.Status == life.StatusOpen, Why: clean(h.Reason)}
		row.State, row.Tone = word(p.Lang, lifeWords, h.Status)
		p.Handovers = append(p.Handovers, row)
	}
	return p, s.fillMergers(ctx, &p, g)
}

// fillStaff lists the colleagues who may take the group over.
func (s *Server) fillStaff(ctx context.Context, p *lifePage, g community.Group) error {
	list, err := s.Access.ListStaff(ctx, database.Page{Limit: database.PageMax})
	if err != nil {
		return err
	}
	for _, x := range list.Items {
		if x.ID != g.OwnerID && x.Status == access.StaffActive && slices.Contains(runsGroups, x.Role) {
			p.Staff = append(p.Staff, choice{x.ID.String(), clean(x.Name)})
		}
	}
	return nil
}

func (s *Server) fillMergers(ctx context.Context, p *lifePage, g community.Group) error {
	list, err := s.Life.ListMergers(ctx, g.ID, database.Page{Limit: rowsShown})
	if err != nil {
		return err
	}
	var into []id.Group
	for _, m := range list.Items {
		into = append(into, m.IntoID)
	}
	names, err := community.GroupsIn(s.DB.Read(ctx), into)
	if err != nil {
		return err
	}
	for _, m := range list.Items {
		row := mergerRow{ID: m.ID, Into: clean(names[m.IntoID].Name), Why: clean(m.Reason), By: m.ByAt.Time().In(shop), Open: m.Status == life.StatusOpen, Progress: m.Progress}
		row.State, row.Tone = word(p.Lang, lifeWords, m.Status)
		p.Mergers = append(p.Mergers, row)
	}
	groups, err := s.Community.ListGroups(ctx, community.GroupFilter{Status: community.GroupActive}, database.Page{Limit: database.PageMax})
	if err != nil {
		return err
	}
	for _, x := range groups.Items {
		if x.ID != g.ID {
			p.Groups = append(p.Groups, choice{x.ID.String(), clean(x.Name)})
		}
	}
	return nil
}

// consoleLifeAct answers POST /console/groups/{id}/life/{act}. A second tap
// finds its effect there: the version, the state or the one under way says so.
func (s *Server) consoleLifeAct(c *gin.Context) error {
	g, err := s.groupDesk(c)
	if err != nil {
		return err
	}
	if err := s.deskSent(c); err != nil {
		return err
	}
	err = s.actOnLife(c, g)
	if f, ok := fault.As(err); ok && f.Kind != fault.KindNotFound && f.Kind != fault.KindInternal {
		p, err := s.lifePage(c, g)
		if err != nil {
			return err
		}
		p.Notice = noticeOf(p.Lang, f)
		return s.show(c, int(f.Kind), "life", p.page, p)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/groups/"+g.ID.String()+"/life")
	return nil
}

func (s *Server) actOnLife(c *gin.Context, g community.Group) error {
	ctx, reason := c.Request.Context(), c.PostForm("reason")
	switch c.Param("act") {
	case "end":
		version, err := strconv.Atoi(c.PostForm("version"))
		if err != nil {
			return errForm
		}
		at, err := momentIn(c.PostForm("at"), "ends_at")
		if err == nil {
			_, err = s.Life.PlanEnd(ctx, g.ID, version, life.EndIn{EndsAt: at, Reason: reason})
		}
		return err
	case "close":
		return s.Life.Close(ctx, g.ID, life.CloseIn{Reason: reason})
	case "merge":
		at, err := momentIn(c.PostForm("at"), "by_at")
		if err != nil {
			return err
		}
		in := life.MergerIn{Reason: reason, ByAt: at}
		if err := read(c.PostForm("into"), &in.IntoID); err != nil {
			return err
		}
		_, err = s.Life.StartMerger(ctx, g.ID, in)
		return err
	case "merger-cancel":
		var m id.Merger
		if err := read(c.PostForm("merger"), &m); err != nil {
			return err
		}
		return s.Life.CancelMerger(ctx, m)
	}
	if c.Param("act") == "hand-over" {
		in := life.HandoverIn{Reason: reason}
		if err := read(c.PostForm("to"), &in.ToID); err != nil {
			return err
		}
		if _, err := s.Access.FindStaff(ctx, in.ToID); err != nil {
			return err
		}
		_, err := s.Life.StartHandover(ctx, g.ID, in)
		return err
	}
	return fault.NotFound
}

// consoleHandover answers POST /console/handovers/{id}/{act}: confirm, cancel.
// Whoever is to take a group says so before he sees it.
func (s *Server) consoleHandover(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := mayRunGroups(c); err != nil {
		return err
	}
	if err := s.deskSent(c); err != nil {
		return err
	}
	var h id.Handover
	if err := read(c.Param("id"), &h); err != nil {
		return err
	}
	act, ok := map[string]func(context.Context, id.Handover) error{"confirm": s.Life.ConfirmHandover, "cancel": s.Life.CancelHandover}[c.Param("act")]
	if !ok {
		return fault.NotFound
	}
	found, err := s.Life.FindHandover(ctx, h)
	if err != nil {
		return err
	}
	if err := act(ctx, h); err != nil {
		return err
	}
	to := "/console"
	if _, err := s.Community.FindGroup(ctx, found.GroupID); err == nil { // else he has just given it away
		to = "/console/groups/" + found.GroupID.String() + "/life"
	}
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

// momentIn reads a browser's local time as the shop's; none is 0.
func momentIn(text, field string) (clock.Milli, error) {
	if text == "" {
		return 0, nil
	}
	at, err := time.ParseInLocation("2006-01-02T15:04", text, shop)
	if err != nil {
		return 0, fault.Invalid.Field(field, "format", "请选一个时间", "choose a time")
	}
	return clock.MilliOf(at), nil
}

var groupWords = map[community.GroupStatus]pair{
	community.GroupActive: {"进行中", "active", "good"}, community.GroupHandover: {"等待接手", "waits for an owner", "full"}, community.GroupDissolved: {"已结束", "over", "dim"},
}

var lifeWords = map[life.Status]pair{life.StatusOpen: {"进行中", "under way", "full"}, life.StatusDone: {"已完成", "done", "good"}, life.StatusCancelled: {"已取消", "cancelled", "dim"}}
