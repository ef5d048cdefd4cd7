package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/calendar"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func (s *Server) calendarRoutes(r *routes) {
	readers := staff(access.Marketer, access.Finance, access.GroupOwner)
	r.get("/v1/calendar", s.showCalendar, readers)
	r.get("/v1/calendar.ics", s.readFeed, public)
	r.post("/v1/calendar/days", s.addDay, staff(access.Marketer), keyed)
	r.get("/v1/calendar/days", paged(s.Calendar.ListDays), readers)
	r.get("/v1/calendar/days/:id", s.findDay, readers)
	r.patch("/v1/calendar/days/:id", s.editDay, staff(access.Marketer))
	r.delete("/v1/calendar/days/:id", s.removeDay, staff(access.Marketer))
	r.post("/v1/calendar/days/:id/recall", s.recallDay, staff(access.Marketer))
	r.post("/v1/calendar/feeds", s.addFeed, staff(access.Marketer), keyed)
	r.get("/v1/calendar/feeds", paged(s.Calendar.ListFeeds), staff(access.Marketer))
	r.get("/v1/calendar/feeds/:id", s.findFeed, staff(access.Marketer))
	r.delete("/v1/calendar/feeds/:id", s.revokeFeed, staff(access.Marketer))
}

func (s *Server) showCalendar(c *gin.Context) error {
	ask := calendar.Ask{Zone: c.Query("zone")}
	var check fault.Check
	for name, to := range map[string]*int{"from": &ask.From, "to": &ask.To} {
		if text := c.Query(name); text != "" {
			n, err := strconv.Atoi(text)
			check.That(err == nil && n > 0, name, "format", "请写成 20260618 这样的日期", "write a day like 20260618")
			*to = n
		}
	}
	if err := check.Err(); err != nil {
		return err
	}
	page, err := s.Calendar.Show(c.Request.Context(), ask)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, page)
}

func (s *Server) addDay(c *gin.Context) error {
	var in calendar.DayIn
	if err := bind(c, &in); err != nil {
		return err
	}
	day, err := once(s.Calendar.AddDay(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderDay(c, http.StatusCreated, day)
}

func (s *Server) findDay(c *gin.Context) error {
	day, err := pathID[id.CalendarDay](c, "id")
	if err != nil {
		return err
	}
	return s.renderDay(c, http.StatusOK, day)
}

func (s *Server) editDay(c *gin.Context) error {
	day, err := pathID[id.CalendarDay](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in calendar.DayEdit
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Calendar.EditDay(c.Request.Context(), day, version, in); err != nil {
		return err
	}
	return s.renderDay(c, http.StatusOK, day)
}

func (s *Server) removeDay(c *gin.Context) error {
	day, err := pathID[id.CalendarDay](c, "id")
	if err != nil {
		return err
	}
	if err := s.Calendar.RemoveDay(c.Request.Context(), day); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// ownDay is a unit's own day with how many ads have a slot on it though it is
// one to avoid; nil where it is not.
type ownDay struct {
	calendar.Day
	ReservedAds *int `json:"reserved_ads"`
}

func (s *Server) renderDay(c *gin.Context, status int, day id.CalendarDay) error {
	ctx := c.Request.Context()
	d, err := s.Calendar.FindDay(ctx, day)
	if err != nil {
		return err
	}
	shown := ownDay{Day: d}
	if d.Avoid {
		n, err := s.Promotion.OnDay(ctx, day)
		if err != nil {
			return err
		}
		shown.ReservedAds = &n
	}
	etag(c, d.Version)
	return render(c, status, shown)
}

// recallDay has the ads on a day to avoid taken back.
func (s *Server) recallDay(c *gin.Context) error {
	day, err := pathID[id.CalendarDay](c, "id")
	if err != nil {
		return err
	}
	var in struct{}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Promotion.RecallDay(c.Request.Context(), day); err != nil {
		return err
	}
	return s.renderDay(c, http.StatusAccepted, day)
}

// addFeed answers with the feed's token and path this once. A replay, and
// every later reading, has the feed without them.
func (s *Server) addFeed(c *gin.Context) error {
	var in calendar.FeedIn
	if err := bind(c, &in); err != nil {
		return err
	}
	feed, token, err := s.Calendar.AddFeed(c.Request.Context(), in)
	feed, err = once(feed, err)(c)
	if err != nil {
		return err
	}
	f, err := s.Calendar.FindFeed(c.Request.Context(), feed)
	if err != nil {
		return err
	}
	out := struct {
		calendar.Feed
		Token string `json:"token,omitempty"`
		Path  string `json:"path,omitempty"`
	}{Feed: f, Token: token}
	if token != "" {
		out.Path = "/v1/calendar.ics?token=" + token
	}
	return render(c, http.StatusCreated, out)
}

func (s *Server) findFeed(c *gin.Context) error {
	feed, err := pathID[id.Feed](c, "id")
	if err != nil {
		return err
	}
	return s.renderFeed(c, feed)
}

func (s *Server) revokeFeed(c *gin.Context) error {
	feed, err := pathID[id.Feed](c, "id")
	if err != nil {
		return err
	}
	if err := s.Calendar.RevokeFeed(c.Request.Context(), feed); err != nil {
		return err
	}
	return s.renderFeed(c, feed)
}

func (s *Server) renderFeed(c *gin.Context, feed id.Feed) error {
	f, err := s.Calendar.FindFeed(c.Request.Context(), feed)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, f)
}

// readFeed is what a calendar app asks for, every hour or so; what has not
// changed is not sent again.
func (s *Server) readFeed(c *gin.Context) error {
	file, err := s.Calendar.Read(c.Request.Context(), c.Query("token"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(file)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := c.Writer.Header()
	h["Etag"] = []string{tag}
	h.Set("Cache-Control", "private, max-age=900")
	for _, known := range strings.Split(c.GetHeader("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(known), "W/") == tag {
			c.Status(http.StatusNotModified)
			return nil
		}
	}
	h.Set("Content-Disposition", `inline; filename="siyu.ics"`)
	c.Data(http.StatusOK, "text/calendar; charset=utf-8", file)
	return nil
}
