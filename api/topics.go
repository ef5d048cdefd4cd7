package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community/ritual"
	"siyu/internal/id"
)

func (s *Server) topicRoutes(r *routes) {
	owners := staff(access.Marketer, access.GroupOwner)
	r.post("/v1/groups/:id/topics", s.planTopic, owners, keyed)
	r.get("/v1/groups/:id/topics", s.listTopics, owners)
	r.get("/v1/topics/:id", s.findTopic, owners)
	r.delete("/v1/topics/:id", s.cancelTopic, owners)
	r.post("/v1/topics/:id/holds", s.holdTopic, owners)
}

func (s *Server) planTopic(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in ritual.TopicIn
	if err := bind(c, &in); err != nil {
		return err
	}
	made, err := once(s.Ritual.PlanTopic(c.Request.Context(), g, in))(c)
	if err != nil {
		return err
	}
	return s.renderTopic(c, http.StatusCreated, made)
}

func (s *Server) renderTopic(c *gin.Context, status int, t id.Topic) error {
	found, err := s.Ritual.FindTopic(c.Request.Context(), t)
	if err != nil {
		return err
	}
	return render(c, status, found)
}

func (s *Server) listTopics(c *gin.Context) error { return ofGroup(c, s.Ritual.ListTopics) }

func (s *Server) findTopic(c *gin.Context) error {
	t, err := pathID[id.Topic](c, "id")
	if err != nil {
		return err
	}
	return s.renderTopic(c, http.StatusOK, t)
}

func (s *Server) cancelTopic(c *gin.Context) error {
	t, err := pathID[id.Topic](c, "id")
	if err != nil {
		return err
	}
	if err := s.Ritual.CancelTopic(c.Request.Context(), t); err != nil {
		return err
	}
	return s.renderTopic(c, http.StatusOK, t)
}

// topicHeld says how many took part.
type topicHeld struct {
	People int `json:"people"`
}

func (s *Server) holdTopic(c *gin.Context) error {
	t, err := pathID[id.Topic](c, "id")
	if err != nil {
		return err
	}
	var in topicHeld
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Ritual.HoldTopic(c.Request.Context(), t, in.People); err != nil {
		return err
	}
	return s.renderTopic(c, http.StatusOK, t)
}
