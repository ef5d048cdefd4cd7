package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community/ritual"
	"siyu/internal/id"
)

func (s *Server) ritualRoutes(r *routes) {
	owners := staff(access.Marketer, access.GroupOwner)
	r.post("/v1/groups/:id/rituals", s.createRitual, owners, keyed)
	r.get("/v1/groups/:id/rituals", s.listRituals, owners)
	r.get("/v1/rituals/:id", s.findRitual, owners)
	r.put("/v1/rituals/:id", s.editRitual, owners)
	r.delete("/v1/rituals/:id", s.endRitual, owners)
	r.post("/v1/rituals/:id/holds", s.holdRitual, owners)
}

func (s *Server) createRitual(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in ritual.In
	if err := bind(c, &in); err != nil {
		return err
	}
	made, err := once(s.Ritual.Create(c.Request.Context(), g, in))(c)
	if err != nil {
		return err
	}
	return s.renderRitual(c, http.StatusCreated, made)
}

func (s *Server) renderRitual(c *gin.Context, status int, r id.Ritual) error {
	found, err := s.Ritual.Find(c.Request.Context(), r)
	if err != nil {
		return err
	}
	etag(c, found.Version)
	return render(c, status, found)
}

func (s *Server) editRitual(c *gin.Context) error {
	r, err := pathID[id.Ritual](c, "id")
	if err != nil {
		return err
	}
	return replace(func(ctx context.Context, version int, in ritual.EditIn) error {
		return s.Ritual.Edit(ctx, r, version, in)
	}, s.findRitual)(c)
}

func (s *Server) findRitual(c *gin.Context) error {
	r, err := pathID[id.Ritual](c, "id")
	if err != nil {
		return err
	}
	return s.renderRitual(c, http.StatusOK, r)
}

func (s *Server) listRituals(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	list, err := s.Ritual.List(c.Request.Context(), g)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"items": list})
}

func (s *Server) endRitual(c *gin.Context) error {
	r, err := pathID[id.Ritual](c, "id")
	if err != nil {
		return err
	}
	if err := s.Ritual.End(c.Request.Context(), r); err != nil {
		return err
	}
	return s.renderRitual(c, http.StatusOK, r)
}

func (s *Server) holdRitual(c *gin.Context) error {
	r, err := pathID[id.Ritual](c, "id")
	if err != nil {
		return err
	}
	var in ritual.HoldIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Ritual.Hold(c.Request.Context(), r, in); err != nil {
		return err
	}
	return s.renderRitual(c, http.StatusOK, r)
}
