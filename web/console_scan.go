package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/community/gathering"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// scanPage is for whoever receives people at an event's door: a field for the
// code that a member shows on his phone, which a camera or a hand scanner
// fills, and what came of the last one.
type scanPage struct {
	page
	ID        id.Gathering
	Name      string
	Place     string
	When      time.Time
	There, Of int // who has come, and who may
	Seen      *scanned
}

// scanned is what came of a code.
type scanned struct {
	Mood string // good, wait for who was checked in before, gone for no
	Head string
	More string
}

// scan answers GET /console/work/gatherings/{id}/scan.
func (s *Server) scan(c *gin.Context) error {
	p, err := s.scanPage(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "scan", p.page, p)
}

func (s *Server) scanPage(c *gin.Context) (scanPage, error) {
	ctx := c.Request.Context()
	var p scanPage
	if err := read(c.Param("id"), &p.ID); err != nil {
		return p, err
	}
	if err := may(ctx, runsGroups); err != nil {
		return p, err
	}
	found, err := s.Gathering.Find(ctx, p.ID)
	if err != nil {
		return p, err
	}
	p.page, p.Name, p.Place, p.When, p.Of = s.base(c, ""), clean(found.Title), clean(found.Place), found.StartsAt.Time().In(shop), found.Taken
	p.Title = choose(p.Lang, "签到 · ", "Check-in · ") + p.Name
	s.desk(ctx, &p.page)
	seats, err := s.Gathering.ListSeats(ctx, p.ID)
	for _, seat := range seats {
		if seat.CheckedAt != 0 {
			p.There++
		}
	}
	return p, err
}

// scanSeat answers POST /console/work/gatherings/{id}/scan with the page again:
// whoever stands there is told at once. The same code again changes nothing.
func (s *Server) scanSeat(c *gin.Context) error {
	ctx, err := s.tapped(c, runsGroups)
	if err != nil {
		return err
	}
	var g id.Gathering
	if err := read(c.Param("id"), &g); err != nil {
		return err
	}
	began := clock.MilliOf(s.DB.Clock.Now())
	status := http.StatusOK
	lang := s.lang(c)
	seat, err := s.Gathering.Scan(ctx, g, gathering.ScanIn{Seat: strings.TrimSpace(c.PostForm("seat"))})
	var seen scanned
	switch f, ok := fault.As(err); {
	case err == nil:
		if seen, err = s.seenAtDoor(ctx, lang, seat, began); err != nil {
			return err
		}
	case ok && f.Kind != fault.KindNotFound && f.Kind < 500:
		status, seen = int(f.Kind), scanned{Mood: "gone", Head: choose(lang, "没有签到", "Not checked in"), More: f.Text(lang)}
		if len(f.Fields) > 0 {
			seen.More = choose(lang, "请扫群友出示的码", "scan the code that the member shows")
		}
	default:
		return err
	}
	p, err := s.scanPage(c)
	if err != nil {
		return err
	}
	p.Seen = &seen
	return s.show(c, status, "scan", p.page, p)
}

// seenAtDoor greets who was scanned, by his whole name.
func (s *Server) seenAtDoor(ctx context.Context, lang string, seat gathering.Seat, began clock.Milli) (scanned, error) {
	names, err := community.NamesOf(s.DB.Read(ctx), []id.Member{seat.MemberID})
	if err != nil {
		return scanned{}, err
	}
	name := clean(names[seat.MemberID])
	if name == "" {
		name = choose(lang, "欢迎", "Welcome")
	}
	if seat.CheckedAt < began {
		return scanned{"wait", name, choose(lang, "%s 已经签到过", "checked in already, at %s", seat.CheckedAt.Time().In(shop).Format("15:04"))}, nil
	}
	return scanned{"good", name, choose(lang, "签到成功", "checked in")}, nil
}
