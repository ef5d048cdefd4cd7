package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

func (s *Server) webhookRoutes(r *routes) {
	r.post("/v1/webhooks", s.createWebhook, staff(access.Mall), keyed)
	r.get("/v1/webhooks", paged(s.Webhook.List), staff(access.Mall))
	r.get("/v1/webhooks/:id", s.findWebhook, staff(access.Mall))
	r.post("/v1/webhooks/:id/pause", s.pauseWebhook, staff(access.Mall), keyed)
	r.post("/v1/webhooks/:id/resume", s.resumeWebhook, staff(access.Mall), keyed)
	r.get("/v1/webhooks/:id/deliveries", listed(s.Webhook.Deliveries), staff(access.Mall))
	r.post("/v1/webhooks/:id/deliveries/:delivery/replay", s.replayDelivery, staff(access.Mall), keyed)
}

// createWebhook answers with the secret this once. A replay, and every later
// reading, has the webhook without it.
func (s *Server) createWebhook(c *gin.Context) error {
	var in webhook.In
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.unitThere(c, in.UnitID); err != nil {
		return err
	}
	made, err := s.Webhook.Create(c.Request.Context(), in)
	hook, err := once(made.ID, err)(c)
	if err != nil {
		return err
	}
	w, err := s.Webhook.Find(c.Request.Context(), hook)
	if err != nil {
		return err
	}
	w.Secret = made.Secret
	return render(c, http.StatusCreated, w)
}

func (s *Server) findWebhook(c *gin.Context) error {
	hook, err := pathID[id.Webhook](c, "id")
	if err != nil {
		return err
	}
	return s.renderWebhook(c, hook)
}

func (s *Server) renderWebhook(c *gin.Context, hook id.Webhook) error {
	w, err := s.Webhook.Find(c.Request.Context(), hook)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, w)
}

func (s *Server) pauseWebhook(c *gin.Context) error {
	hook, err := pathID[id.Webhook](c, "id")
	if err != nil {
		return err
	}
	if err := done(s.Webhook.Pause(c.Request.Context(), hook))(c); err != nil {
		return err
	}
	return s.renderWebhook(c, hook)
}

func (s *Server) resumeWebhook(c *gin.Context) error {
	hook, err := pathID[id.Webhook](c, "id")
	if err != nil {
		return err
	}
	if err := done(s.Webhook.Resume(c.Request.Context(), hook))(c); err != nil {
		return err
	}
	return s.renderWebhook(c, hook)
}

func (s *Server) replayDelivery(c *gin.Context) error {
	hook, err := pathID[id.Webhook](c, "id")
	if err != nil {
		return err
	}
	delivery, err := pathID[id.Delivery](c, "delivery")
	if err != nil {
		return err
	}
	if err := done(s.Webhook.Replay(c.Request.Context(), hook, delivery))(c); err != nil {
		return err
	}
	d, err := s.Webhook.FindDelivery(c.Request.Context(), hook, delivery)
	if err != nil {
		return err
	}
	return render(c, http.StatusAccepted, d)
}
