package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/internal/id"
)

func (s *Server) orderRoutes(r *routes) {
	r.get("/v1/orders", s.listOrders, staff(access.Mall, access.Marketer, access.Finance), member)
	r.get("/v1/orders/:id", s.findOrder, staff(access.Mall, access.Marketer, access.Finance), member)
	r.post("/v1/orders/:id/payments", s.payOrder, staff(access.Mall), keyed)
	r.post("/v1/orders/:id/refunds", s.refundOrder, staff(access.Mall), keyed)
	r.post("/v1/orders/:id/shipments", s.shipOrder, staff(access.Mall), keyed)
	r.post("/v1/orders/:id/cancel", s.cancelOrder, staff(access.Mall), member, keyed)
}

func (s *Server) listOrders(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := campaign.OrderFilter{Status: campaign.OrderStatus(c.Query("status"))}
	if f.Campaign, err = queryID[id.Campaign](c, "campaign_id"); err != nil {
		return err
	}
	if f.Member, err = queryID[id.Member](c, "member_id"); err != nil {
		return err
	}
	list, err := s.Campaign.ListOrders(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findOrder(c *gin.Context) error {
	oid, err := pathID[id.Order](c, "id")
	if err != nil {
		return err
	}
	return s.renderOrder(c, http.StatusOK, oid)
}

func (s *Server) payOrder(c *gin.Context) error {
	var in campaign.PaymentIn
	return s.reportOrder(c, &in, func(oid id.Order) error { return s.Campaign.Pay(c.Request.Context(), oid, in) })
}

func (s *Server) refundOrder(c *gin.Context) error {
	var in campaign.RefundIn
	return s.reportOrder(c, &in, func(oid id.Order) error { return s.Campaign.Refund(c.Request.Context(), oid, in) })
}

func (s *Server) shipOrder(c *gin.Context) error {
	var in campaign.Shipment
	return s.reportOrder(c, &in, func(oid id.Order) error { return s.Campaign.Ship(c.Request.Context(), oid, in) })
}

func (s *Server) cancelOrder(c *gin.Context) error {
	var in struct{}
	return s.reportOrder(c, &in, func(oid id.Order) error { return s.Campaign.CancelOrder(c.Request.Context(), oid) })
}

// reportOrder binds what is reported of the order in the path, applies it and
// shows the order as it stands then.
func (s *Server) reportOrder(c *gin.Context, in any, apply func(id.Order) error) error {
	oid, err := pathID[id.Order](c, "id")
	if err != nil {
		return err
	}
	if err := bind(c, in); err != nil {
		return err
	}
	if err := done(apply(oid))(c); err != nil {
		return err
	}
	return s.renderOrder(c, http.StatusOK, oid)
}

func (s *Server) renderOrder(c *gin.Context, status int, oid id.Order) error {
	o, err := s.Campaign.FindOrder(c.Request.Context(), oid)
	if err != nil {
		return err
	}
	etag(c, o.Version)
	return render(c, status, o)
}
