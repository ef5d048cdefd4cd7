package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func (s *Server) reminderRoutes(r *routes) {
	r.post("/v1/campaigns/:id/reminders", s.remind, member, keyed)
	r.get("/v1/campaigns/:id/reminders", s.listReminders, member)
	r.delete("/v1/campaigns/:id/reminders", s.forgetReminders, member)
}

func (s *Server) remind(c *gin.Context) error {
	var in campaign.ReminderIn
	if err := bind(c, &in); err != nil {
		return err
	}
	var err error
	if in.Campaign, err = pathID[id.Campaign](c, "id"); err != nil {
		return err
	}
	in.Member = memberOf(c)
	rid, err := once(s.Campaign.Remind(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	r, err := s.Campaign.FindReminder(c.Request.Context(), rid)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, r)
}

func (s *Server) listReminders(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	list, err := s.Campaign.ListReminders(c.Request.Context(), cid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"items": list})
}

func (s *Server) forgetReminders(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	var session clock.Milli
	if text := c.Query("session_at"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fault.Invalid.Field("session_at", "format", "请写成 2026-11-22T10:00:00+08:00 这样的时间", "write a time like 2026-11-22T10:00:00+08:00")
		}
		session = clock.MilliOf(at)
	}
	if err := s.Campaign.Forget(c.Request.Context(), cid, session); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
