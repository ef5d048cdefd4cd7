package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// lateView is the choice of who paid too late for his team.
type lateView struct {
	Until time.Time
	Clock countdown
	Teams []teamView
}

// late is the order's open choice, or nil.
func (s *Server) late(ctx context.Context, p orderPage, run campaign.Campaign, o campaign.Order, v visitor) (*lateView, error) {
	if o.TeamID == 0 || o.PaidAt != 0 || o.Status == campaign.OrderHeld {
		return nil, nil
	}
	l, err := s.Campaign.FindLate(ctx, o.ID)
	if errors.Is(err, fault.NotFound) || err == nil && l.Status != campaign.LateOpen {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	teams, err := s.GroupBuy.ListTeamsFor(ctx, o)
	if err != nil {
		return nil, err
	}
	until := l.UntilAt.Time().In(zoneOf(run))
	view := &lateView{Until: until, Clock: countdown{Until: until, Now: p.Now, Reload: true}}
	view.Teams, err = s.teamViews(ctx, teams[:min(len(teams), teamsShown)], run, p.page, v)
	return view, err
}

// chooseLate answers POST /o/{order}/late: another team, or the money back.
func (s *Server) chooseLate(c *gin.Context, v visitor) error {
	var oid id.Order
	if err := read(c.Param("order"), &oid); err != nil {
		return err
	}
	in := campaign.LateIn{Choice: c.PostForm("choice")}
	if in.Choice == "move" {
		if err := read(c.PostForm("team"), &in.Team); err != nil {
			return errForm
		}
	}
	ctx, err := s.sent(c, v, c.FullPath(), oid.String(), in.Choice, in.Team.String())
	if err != nil {
		return err
	}
	err = s.Campaign.ChooseLate(ctx, oid, in)
	f, refused := fault.As(err)
	if !refused {
		if err == nil {
			c.Redirect(http.StatusSeeOther, "/o/"+oid.String())
		}
		return err
	}
	return s.orderAgain(c, oid, v, f)
}

// orderAgain shows the order with what was refused.
func (s *Server) orderAgain(c *gin.Context, oid id.Order, v visitor, f *fault.Fault) error {
	p, err := s.orderOf(c, oid, v)
	if err != nil {
		return err
	}
	p.Notice = p.noticeOf(f, "", shop)
	return s.show(c, int(f.Kind), "order", p.page, p)
}
