package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/internal/id"
)

func (s *Server) slotRoutes(r *routes) {
	callers := staff(access.Marketer, access.GroupOwner, access.Mall)
	r.get("/v1/slots", s.listSlots, callers)
	r.get("/v1/slots/:id", s.findSlot, callers)
	r.post("/v1/slots/:id/confirm", s.confirmSlot, callers, keyed)
	r.post("/v1/slots/:id/release", s.releaseSlot, callers, keyed)
	r.post("/v1/slots/:id/report", s.reportSlot, callers, keyed)
}

// slotFilter reads what narrows lists of slots and decisions.
func slotFilter(c *gin.Context) (f guard.SlotFilter, err error) {
	if f.Group, err = queryID[id.Group](c, "group_id"); err != nil {
		return f, err
	}
	if f.Promotion, err = queryID[id.Promotion](c, "promotion_id"); err != nil {
		return f, err
	}
	f.Campaign, err = queryID[id.Campaign](c, "campaign_id")
	return f, err
}

func (s *Server) listSlots(c *gin.Context) error {
	f, err := slotFilter(c)
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Guard.ListSlots(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findSlot(c *gin.Context) error {
	slot, err := pathID[id.Slot](c, "id")
	if err != nil {
		return err
	}
	return s.renderSlot(c, http.StatusOK, slot)
}

func (s *Server) confirmSlot(c *gin.Context) error {
	var in guard.ConfirmIn
	return s.settleSlot(c, &in, func(slot id.Slot) error {
		_, err := s.Guard.Confirm(c.Request.Context(), slot, in.At)
		return err
	})
}

func (s *Server) releaseSlot(c *gin.Context) error {
	var in guard.ReleaseIn
	return s.settleSlot(c, &in, func(slot id.Slot) error {
		_, err := s.Promotion.Release(c.Request.Context(), slot, in.Reason)
		return err
	})
}

// reportSlot takes a channel's word.
func (s *Server) reportSlot(c *gin.Context) error {
	var in guard.ReportIn
	return s.settleSlot(c, &in, func(slot id.Slot) error { return s.Promotion.Settle(c.Request.Context(), slot, in) })
}

// settleSlot binds what is said of the slot in the path, applies it and shows
// the slot as it stands then.
func (s *Server) settleSlot(c *gin.Context, in any, apply func(id.Slot) error) error {
	slot, err := pathID[id.Slot](c, "id")
	if err != nil {
		return err
	}
	if err := bind(c, in); err != nil {
		return err
	}
	if err := done(apply(slot))(c); err != nil {
		return err
	}
	return s.renderSlot(c, http.StatusOK, slot)
}

func (s *Server) renderSlot(c *gin.Context, status int, slot id.Slot) error {
	row, err := s.Guard.FindSlot(c.Request.Context(), slot)
	if err != nil {
		return err
	}
	return render(c, status, row)
}
