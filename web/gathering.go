package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/community/gathering"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/qr"
)

// gatheringPage is an offline event as somebody in its group sees it.
type gatheringPage struct {
	page
	ID    id.Gathering
	Group string // the address of its group, which has a page while it is active
	Name  string
	Place string
	When  string
	Free  int
	Off   string // why it was cancelled
	Begun bool
	Seat  string // in, waiting or none
	There bool   // he has checked in
	Door  string // the code he scanned, if any
}

// gathering answers GET /e/{event}.
func (s *Server) gathering(c *gin.Context, v visitor) error {
	p, err := s.gatheringPage(c, &v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "gathering", p.page, p)
}

func (s *Server) gatheringPage(c *gin.Context, v *visitor) (gatheringPage, error) {
	var p gatheringPage
	if err := read(c.Param("event"), &p.ID); err != nil {
		return p, err
	}
	ctx := c.Request.Context()
	g, err := s.Gathering.Find(ctx, p.ID)
	if err != nil {
		return p, err
	}
	if *v, err = s.greet(c, *v); err != nil {
		return p, err
	}
	p.page, p.Name, p.Place = s.base(c, clean(g.Title)), clean(g.Title), clean(g.Place)
	of, err := community.GroupsIn(s.DB.Read(ctx), []id.Group{g.GroupID})
	if err != nil {
		return p, err
	}
	if of[g.GroupID].Status == community.GroupActive {
		p.Group = "/g/" + g.GroupID.String()
	}
	p.at("/e/" + p.ID.String())
	s.armed(&p.page, *v)
	p.When = moment(p.Lang, p.Now, g.StartsAt.Time().In(shop))
	p.Free, p.Begun, p.Door = max(0, g.Capacity-g.Taken), !g.StartsAt.Time().After(p.Now), c.Query("k")
	if g.Status == gathering.StatusCancelled {
		p.Off = clean(g.Reason)
	}
	seat, err := s.Gathering.Mine(ctx, p.ID, v.Member)
	switch {
	case errors.Is(err, gathering.ErrSeat):
		return p, nil
	case err != nil:
		return p, err
	}
	if seat.Status != gathering.SeatLeft {
		p.Seat = string(seat.Status)
	}
	p.There = seat.CheckedAt != 0
	return p, nil
}

// gatheringAct answers POST /e/{event}/{act}: join, leave, check. What is
// refused is said on the same page.
func (s *Server) gatheringAct(c *gin.Context, v visitor) error {
	err := s.actOnGathering(c, v)
	f, ok := fault.As(err)
	if !ok || f.Kind == fault.KindNotFound {
		return err
	}
	p, err := s.gatheringPage(c, &v)
	if err != nil {
		return err
	}
	p.Notice = &notice{Text: f.Text(p.Lang)}
	return s.show(c, int(f.Kind), "gathering", p.page, p)
}

func (s *Server) actOnGathering(c *gin.Context, v visitor) error {
	var g id.Gathering
	if err := read(c.Param("event"), &g); err != nil {
		return err
	}
	ctx, err := s.sent(c, v, c.FullPath(), g.String(), c.Param("act"))
	if err != nil {
		return err
	}
	ctx = database.WithoutKey(ctx) // each of them may be done again
	switch c.Param("act") {
	case "join":
		_, err = s.Gathering.SignUp(ctx, g, v.Member)
	case "leave":
		err = s.Gathering.Leave(ctx, g, v.Member)
	case "check":
		err = s.Gathering.CheckIn(ctx, g, v.Member, c.PostForm("door"))
	default:
		return fault.NotFound
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/e/"+g.String())
	return nil
}

// seatPicture answers GET /e/{event}/seat.png, the QR of the visitor's place.
func (s *Server) seatPicture(c *gin.Context, v visitor) error {
	var g id.Gathering
	if err := read(c.Param("event"), &g); err != nil {
		return err
	}
	code, err := s.Gathering.SeatCode(c.Request.Context(), g, v.Member)
	if err != nil {
		return err
	}
	return passing(c, code, 6)
}

// passing draws a code that nobody may keep.
func passing(c *gin.Context, text string, size int) error {
	symbol, err := qr.New(text)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "private, no-store")
	c.Data(http.StatusOK, "image/png", symbol.PNG(size))
	return nil
}
