package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func (s *Server) silenceRoutes(r *routes) {
	r.post("/v1/guard/silences", s.silence, staff(access.Marketer, access.GroupOwner), keyed)
	r.get("/v1/guard/silences", s.listSilences, staff(access.Marketer, access.GroupOwner))
	r.get("/v1/guard/silences/:id", s.findSilence, staff(access.Marketer, access.GroupOwner))
	r.post("/v1/guard/silences/:id/lift", s.liftSilence, staff(access.Marketer))
}

// silence stops all ads of a group, a unit, a campaign or the house. A group's
// owner can stop those of a group.
func (s *Server) silence(c *gin.Context) error {
	var in guard.SilenceIn
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if actor(c).Role == string(access.GroupOwner) && in.Scope != guard.ScopeGroup {
		return fault.Forbidden
	}
	var err error
	switch in.Scope {
	case guard.ScopeUnit:
		if in.Units, err = s.Access.UnitsUnder(ctx, in.UnitID); err == nil && in.Units == nil {
			in.Scope, in.UnitID = guard.ScopeHouse, 0
		}
	case guard.ScopeCampaign:
		offer, e := s.Campaign.FindCampaign(ctx, in.CampaignID)
		in.UnitID, err = offer.UnitID, e
	}
	if err != nil {
		return err
	}
	made, err := once(s.Promotion.Silence(ctx, in))(c)
	if err != nil {
		return err
	}
	return s.renderSilence(c, http.StatusCreated, made)
}

func (s *Server) listSilences(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Guard.ListSilences(c.Request.Context(), c.Query("over") == "true", p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findSilence(c *gin.Context) error {
	silence, err := pathID[id.Silence](c, "id")
	if err != nil {
		return err
	}
	return s.renderSilence(c, http.StatusOK, silence)
}

func (s *Server) liftSilence(c *gin.Context) error {
	silence, err := pathID[id.Silence](c, "id")
	if err != nil {
		return err
	}
	var in struct{}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Promotion.Lift(c.Request.Context(), silence); err != nil {
		return err
	}
	return s.renderSilence(c, http.StatusOK, silence)
}

func (s *Server) renderSilence(c *gin.Context, status int, silence id.Silence) error {
	row, err := s.Guard.FindSilence(c.Request.Context(), silence)
	if err != nil {
		return err
	}
	return render(c, status, row)
}
