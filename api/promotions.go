package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/promotion"
	"siyu/internal/id"
)

func (s *Server) promotionRoutes(r *routes) {
	r.post("/v1/promotions", s.createPromotion, staff(access.Marketer), keyed)
	r.get("/v1/promotions", s.listPromotions, staff(access.Marketer, access.GroupOwner))
	r.get("/v1/promotions/calendar", s.promotionCalendar, staff(access.Marketer))
	r.get("/v1/promotions/:id", s.findPromotion, staff(access.Marketer, access.GroupOwner))
	r.get("/v1/promotions/:id/plan", found(s.Promotion.Plan), staff(access.Marketer))
	r.get("/v1/promotions/:id/report", found(s.Promotion.Report), staff(access.Marketer))
	r.post("/v1/promotions/:id/groups", s.addPromotionGroups, staff(access.Marketer))
	r.post("/v1/promotions/:id/approve", s.approvePromotion, staff(access.Marketer))
	r.post("/v1/promotions/:id/cancel", s.cancelPromotion, staff(access.Marketer))
}

func (s *Server) createPromotion(c *gin.Context) error {
	var in promotion.In
	if err := bind(c, &in); err != nil {
		return err
	}
	p, err := once(s.Promotion.Create(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderPromotion(c, http.StatusCreated, p)
}

func (s *Server) listPromotions(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := promotion.Filter{Status: promotion.Status(c.Query("status"))}
	if f.Campaign, err = queryID[id.Campaign](c, "campaign_id"); err != nil {
		return err
	}
	list, err := s.Promotion.List(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findPromotion(c *gin.Context) error {
	p, err := pathID[id.Promotion](c, "id")
	if err != nil {
		return err
	}
	return s.renderPromotion(c, http.StatusOK, p)
}

func (s *Server) promotionCalendar(c *gin.Context) error {
	out, err := s.Promotion.Calendar(c.Request.Context())
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, out)
}

func (s *Server) addPromotionGroups(c *gin.Context) error {
	return replace(func(ctx context.Context, version int, in promotion.GroupsIn) error {
		p, err := pathID[id.Promotion](c, "id")
		if err != nil {
			return err
		}
		return s.Promotion.AddGroups(ctx, p, version, in)
	}, s.findPromotion)(c)
}

func (s *Server) approvePromotion(c *gin.Context) error {
	seen := 0
	if c.GetHeader("If-Match") != "" {
		var err error
		if seen, err = ifMatch(c); err != nil {
			return err
		}
	}
	return s.turnPromotion(c, func(p id.Promotion) error { return s.Promotion.Approve(c.Request.Context(), p, seen) })
}

func (s *Server) cancelPromotion(c *gin.Context) error {
	return s.turnPromotion(c, func(p id.Promotion) error { return s.Promotion.Cancel(c.Request.Context(), p) })
}

// turnPromotion takes no input and shows the promotion as it stands then.
func (s *Server) turnPromotion(c *gin.Context, turn func(id.Promotion) error) error {
	p, err := pathID[id.Promotion](c, "id")
	if err != nil {
		return err
	}
	var in struct{}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := turn(p); err != nil {
		return err
	}
	return s.renderPromotion(c, http.StatusOK, p)
}

func (s *Server) renderPromotion(c *gin.Context, status int, promotion id.Promotion) error {
	p, err := s.Promotion.Find(c.Request.Context(), promotion)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, status, p)
}
