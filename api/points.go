package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
	"siyu/wallet"
)

func (s *Server) pointRoutes(r *routes) {
	r.get("/v1/members/:id/points", s.memberPoints, staff(access.Marketer, access.Finance, access.Mall), member)
	r.post("/v1/members/:id/points/earn", s.earnPoints, staff(access.Mall), keyed)
	r.post("/v1/members/:id/points/freeze", s.freezePoints, staff(access.Mall), keyed)
	r.post("/v1/members/:id/points/unfreeze", s.unfreezePoints, staff(access.Mall), keyed)
	r.post("/v1/members/:id/points/spend", s.spendPoints, staff(access.Mall), keyed)
	r.post("/v1/members/:id/points/refund", s.refundPoints, staff(access.Mall), keyed)
}

func (s *Server) memberPoints(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	return s.renderPoints(c, m)
}

func (s *Server) renderPoints(c *gin.Context, m id.Member) error {
	p, err := s.Wallet.MemberPoints(c.Request.Context(), m)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, p)
}

func (s *Server) earnPoints(c *gin.Context) error {
	var in wallet.EarnPoints
	return s.movePoints(c, &in, func(m id.Member) error {
		in.Member = m
		return s.Wallet.EarnPoints(c.Request.Context(), in)
	})
}

func (s *Server) freezePoints(c *gin.Context) error {
	var in wallet.OrderPoints
	return s.movePoints(c, &in, func(m id.Member) error {
		in.Member = m
		return s.Wallet.FreezePoints(c.Request.Context(), in)
	})
}

func (s *Server) unfreezePoints(c *gin.Context) error {
	var in wallet.OrderPoints
	return s.movePoints(c, &in, func(m id.Member) error {
		in.Member = m
		return s.Wallet.UnfreezePoints(c.Request.Context(), in)
	})
}

func (s *Server) spendPoints(c *gin.Context) error {
	var in wallet.OrderPoints
	return s.movePoints(c, &in, func(m id.Member) error {
		in.Member = m
		return s.Wallet.SpendPoints(c.Request.Context(), in)
	})
}

func (s *Server) refundPoints(c *gin.Context) error {
	var in wallet.RefundPoints
	return s.movePoints(c, &in, func(m id.Member) error {
		in.Member = m
		return s.Wallet.RefundPoints(c.Request.Context(), in)
	})
}

// movePoints binds what is reported of the member in the path, applies it and
// shows his points as they stand then.
func (s *Server) movePoints(c *gin.Context, in any, apply func(id.Member) error) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	if err := bind(c, in); err != nil {
		return err
	}
	if err := done(apply(m))(c); err != nil {
		return err
	}
	return s.renderPoints(c, m)
}
