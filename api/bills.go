package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/httpd"
	"siyu/internal/id"
)

// billRoutes show the bills of a payout, let a member confirm his own from a
// mini program, and take what the channel tells of them.
func (s *Server) billRoutes(r *routes) {
	r.get("/v1/payouts/:id/bills", listed(s.Settlement.ListBills), staff(access.Finance, access.Cashier))
	r.post("/v1/payouts/:id/bills/:no/cancel", s.callOffBill, staff(access.Finance, access.Cashier))
	r.get("/v1/members/:id/bills", s.memberBills, member)
	r.post("/v1/channels/wechat-bills/notices", s.readBillNotice, public)
}

// callOffBill answers with the bill as it stands; the job asks the channel.
func (s *Server) callOffBill(c *gin.Context) error {
	pid, err := pathID[id.Payout](c, "id")
	if err != nil {
		return err
	}
	var in struct{}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Settlement.CallOff(c.Request.Context(), pid, c.Param("no")); err != nil {
		return err
	}
	b, err := s.Settlement.FindBill(c.Request.Context(), pid, c.Param("no"))
	if err != nil {
		return err
	}
	return render(c, http.StatusAccepted, b)
}

func (s *Server) memberBills(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	list, err := s.Settlement.ToConfirm(c.Request.Context(), m)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	return render(c, http.StatusOK, map[string]any{"items": list})
}

// readBillNotice has no caller but the signature of what it carries.
func (s *Server) readBillNotice(c *gin.Context) error {
	body, err := httpd.Body(c)
	if err != nil {
		return err
	}
	if err := s.Settlement.ReadNotice(c.Request.Context(), c.Request.Header, body); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
