package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community/welcome"
	"siyu/internal/id"
)

func (s *Server) welcomeRoutes(r *routes) {
	owners := staff(access.Marketer, access.GroupOwner)
	r.get("/v1/groups/:id/welcome", s.findWelcome, owners)
	r.put("/v1/groups/:id/welcome", s.setWelcome, owners)
}

func (s *Server) findWelcome(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	found, err := s.Welcome.Find(c.Request.Context(), g)
	if err != nil {
		return err
	}
	etag(c, found.Version)
	return render(c, http.StatusOK, found)
}

// setWelcome takes the version last read; a group that greets nobody yet is at
// version 0.
func (s *Server) setWelcome(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	version, err := versionFromZero(c)
	if err != nil {
		return err
	}
	var in welcome.In
	if err := bind(c, &in); err != nil {
		return err
	}
	set, err := s.Welcome.Set(c.Request.Context(), g, version, in)
	if err != nil {
		return err
	}
	etag(c, set.Version)
	return render(c, http.StatusOK, set)
}
