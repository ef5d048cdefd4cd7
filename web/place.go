package web

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/id"
)

// placeView is the visitor's place in a sub-group of a group he is in, seen
// from either: Here is the sub-group, where he may accept.
type placeView struct {
	Split id.Split
	From  string
	Into  id.Group
	Name  string
	Why   string
	By    time.Time
	Here  bool
}

// fillPlace says whether the visitor is invited into a sub-group, and why this
// one.
func (s *Server) fillPlace(c *gin.Context, v visitor, p *groupPage) error {
	ctx := c.Request.Context()
	i, invited, err := s.Split.Invitation(ctx, v.Member, p.ID)
	if err != nil || !invited {
		return err
	}
	from, err := s.Community.FindGroup(ctx, i.From)
	if err != nil {
		return err
	}
	into, err := s.Community.FindGroup(ctx, i.Into)
	if err != nil {
		return err
	}
	p.Place = &placeView{i.Split, clean(from.Name), i.Into, clean(into.Name), seatWhy(p.Lang, i.Seat), i.By.Time().In(shop), i.Into == p.ID}
	return nil
}

// answerSplit joins the visitor's sub-group, or notes that he does not.
func (s *Server) answerSplit(c *gin.Context, ctx context.Context, v visitor, charter int) error {
	var p id.Split
	if err := read(c.PostForm("split"), &p); err != nil {
		return err
	}
	if c.Param("act") == "accept" {
		return s.Split.Accept(ctx, p, v.Member, charter)
	}
	return s.Split.Decline(ctx, p, v.Member)
}
