package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/exposure"
	"siyu/internal/id"
)

func (s *Server) exposureRoutes(r *routes) {
	r.get("/v1/guard/exposure", s.findExposure, staff(access.Marketer, access.GroupOwner))
	r.put("/v1/guard/exposure", s.setExposure, staff(access.Marketer))
	r.get("/v1/groups/:id/exposure", s.groupExposure, staff(access.Marketer, access.GroupOwner))
}

// findExposure shows how many ads a member may see across his groups.
func (s *Server) findExposure(c *gin.Context) error {
	p, err := s.Exposure.Find(c.Request.Context())
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, http.StatusOK, p)
}

func (s *Server) setExposure(c *gin.Context) error {
	version, err := versionFromZero(c)
	if err != nil {
		return err
	}
	var in exposure.In
	if err := bind(c, &in); err != nil {
		return err
	}
	p, err := s.Exposure.Set(c.Request.Context(), in, version)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, http.StatusOK, p)
}

func (s *Server) groupExposure(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	standing, err := s.Exposure.OfGroup(c.Request.Context(), g)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, standing)
}
