package web

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/community/gathering"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// gatheringsPage is a group's offline events, and a form to make or edit one.
type gatheringsPage struct {
	page
	ID     id.Group
	Name   string
	Events []gatheringRow
	Edit   gatheringForm
}

type gatheringRow struct {
	ID              id.Gathering
	Name, Place     string
	When            time.Time
	Taken, Capacity int
	Version         int
	State, Tone     string
	Ahead           bool // may be edited and cancelled
	Door            bool // its door checks in now or will
	Why             string
}

// gatheringForm is what the form shows; ID is 0 for a new event.
type gatheringForm struct {
	ID               id.Gathering
	Version          int
	Title, Place     string
	StartsAt, EndsAt string
	Capacity         int
}

// gatheringsShown is how many events are listed, newest first.
const gatheringsShown = 20

// localTime is how a browser writes a time of the shop.
const localTime = "2006-01-02T15:04"

// consoleGatherings answers GET /console/groups/{id}/gatherings, with ?edit=gat_…
// for the form of one.
func (s *Server) consoleGatherings(c *gin.Context) error {
	g, err := s.groupDesk(c)
	if err != nil {
		return err
	}
	p, err := s.gatheringsPage(c, g)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "gatherings", p.page, p)
}

func (s *Server) gatheringsPage(c *gin.Context, g community.Group) (gatheringsPage, error) {
	ctx := c.Request.Context()
	p := gatheringsPage{page: s.base(c, ""), ID: g.ID, Name: clean(g.Name), Edit: gatheringForm{Capacity: 20}}
	p.Title, p.Now = choose(p.Lang, "线下活动", "Offline events"), p.Now.In(shop)
	p.Form, p.Key = s.formToken(deskOf(ctx), s.DB.Clock.Now().Add(formFor)), rand.Text()
	list, err := s.Gathering.List(ctx, g.ID, database.Page{Limit: gatheringsShown})
	if err != nil {
		return p, err
	}
	for _, x := range list.Items {
		p.Events = append(p.Events, p.row(x))
		if x.ID.String() == c.Query("edit") {
			p.Edit = gatheringForm{x.ID, x.Version, clean(x.Title), clean(x.Place), x.StartsAt.Time().In(shop).Format(localTime), x.EndsAt.Time().In(shop).Format(localTime), x.Capacity}
		}
	}
	return p, nil
}

func (p gatheringsPage) row(x gathering.Gathering) gatheringRow {
	r := gatheringRow{ID: x.ID, Name: clean(x.Title), Place: clean(x.Place), When: x.StartsAt.Time().In(shop), Taken: x.Taken, Capacity: x.Capacity, Version: x.Version, Why: clean(x.Reason)}
	switch {
	case x.Status == gathering.StatusCancelled:
		r.State, r.Tone = choose(p.Lang, "已取消", "cancelled"), "dim"
	case p.Now.After(x.EndsAt.Time()):
		r.State, r.Tone = choose(p.Lang, "已结束", "over"), "dim"
	case p.Now.After(x.StartsAt.Time()):
		r.State, r.Tone, r.Door = choose(p.Lang, "进行中", "running"), "full", true
	default:
		r.State, r.Tone, r.Door, r.Ahead = choose(p.Lang, "报名中", "open"), "good", true, true
	}
	return r
}

// consoleGatheringsAct answers POST /console/groups/{id}/gatherings/{act}:
// make, edit, cancel. The form's key refuses to make one twice, the version and
// the state do for the others.
func (s *Server) consoleGatheringsAct(c *gin.Context) error {
	g, err := s.groupDesk(c)
	if err != nil {
		return err
	}
	if err := s.deskSent(c); err != nil {
		return err
	}
	err = s.actOnGatherings(c, g)
	if f, ok := fault.As(err); ok && f.Kind != fault.KindNotFound && f.Kind != fault.KindInternal {
		p, err := s.gatheringsPage(c, g)
		if err != nil {
			return err
		}
		p.Notice = noticeOf(p.Lang, f)
		return s.show(c, int(f.Kind), "gatherings", p.page, p)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/groups/"+g.ID.String()+"/gatherings")
	return nil
}

func (s *Server) actOnGatherings(c *gin.Context, g community.Group) error {
	ctx := c.Request.Context()
	var event id.Gathering
	if c.Param("act") != "make" {
		if err := read(c.PostForm("event"), &event); err != nil {
			return err
		}
	}
	if c.Param("act") == "cancel" {
		return s.Gathering.Cancel(ctx, event, gathering.CancelIn{Reason: c.PostForm("reason")})
	}
	in := gathering.In{Title: c.PostForm("title"), Place: c.PostForm("place")}
	var err error
	if in.StartsAt, err = momentIn(c.PostForm("starts_at"), "starts_at"); err != nil {
		return err
	}
	if in.EndsAt, err = momentIn(c.PostForm("ends_at"), "ends_at"); err != nil {
		return err
	}
	in.Capacity, _ = strconv.Atoi(c.PostForm("capacity")) // none is refused as 0
	switch c.Param("act") {
	case "make":
		if ctx, err = deskKey(c, g.ID.String()); err != nil {
			return err
		}
		var again *database.Replayed // a second tap: it is made already
		if _, err = s.Gathering.Create(ctx, g.ID, in); errors.As(err, &again) {
			return nil
		}
		return err
	case "edit":
		version, err := strconv.Atoi(c.PostForm("version"))
		if err != nil {
			return errForm
		}
		return s.Gathering.Edit(ctx, event, version, in)
	}
	return fault.NotFound
}
