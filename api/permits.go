package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/internal/id"
)

func (s *Server) permitRoutes(r *routes) {
	r.post("/v1/guard/overrides", s.askPermit(guard.PermitOverride), staff(access.Marketer), keyed)
	r.post("/v1/guard/passes", s.askPermit(guard.PermitPass), staff(access.Marketer), keyed)
	r.post("/v1/guard/advances", s.askPermit(guard.PermitAdvance), staff(access.Marketer), keyed)
	r.get("/v1/guard/permits", s.listPermits, staff(access.Marketer, access.GroupOwner))
	r.get("/v1/guard/permits/:id", s.findPermit, staff(access.Marketer, access.GroupOwner))
	r.post("/v1/guard/permits/:id/approve", s.approvePermit, staff(access.Marketer))
	r.post("/v1/guard/permits/:id/revoke", s.revokePermit, staff(access.Marketer))
}

func (s *Server) askPermit(kind guard.PermitKind) handler {
	return func(c *gin.Context) error {
		var in guard.PermitIn
		if err := bind(c, &in); err != nil {
			return err
		}
		if in.PromotionID != 0 {
			if _, err := s.Promotion.Find(c.Request.Context(), in.PromotionID); err != nil {
				return err
			}
		}
		in.Kind = kind
		made, err := once(s.Guard.AskPermit(c.Request.Context(), in))(c)
		if err != nil {
			return err
		}
		return s.renderPermit(c, http.StatusCreated, made)
	}
}

func (s *Server) listPermits(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Guard.ListPermits(c.Request.Context(), guard.PermitFilter{Kind: guard.PermitKind(c.Query("kind"))}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findPermit(c *gin.Context) error {
	permit, err := pathID[id.Permit](c, "id")
	if err != nil {
		return err
	}
	return s.renderPermit(c, http.StatusOK, permit)
}

func (s *Server) approvePermit(c *gin.Context) error {
	var in struct{}
	return s.turnPermit(c, &in, func(p id.Permit) error { return s.Guard.ApprovePermit(c.Request.Context(), p) })
}

func (s *Server) revokePermit(c *gin.Context) error {
	var in guard.RevokeIn
	return s.turnPermit(c, &in, func(p id.Permit) error { return s.Guard.RevokePermit(c.Request.Context(), p, in) })
}

// turnPermit binds what a turn needs, takes it and shows the permit as it
// stands then.
func (s *Server) turnPermit(c *gin.Context, in any, turn func(id.Permit) error) error {
	permit, err := pathID[id.Permit](c, "id")
	if err != nil {
		return err
	}
	if err := bind(c, in); err != nil {
		return err
	}
	if err := turn(permit); err != nil {
		return err
	}
	return s.renderPermit(c, http.StatusOK, permit)
}

func (s *Server) renderPermit(c *gin.Context, status int, permit id.Permit) error {
	row, err := s.Guard.FindPermit(c.Request.Context(), permit)
	if err != nil {
		return err
	}
	return render(c, status, row)
}
