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
	r.get("/v1/guard/exposure/groups", paged(s.Exposure.ListGroups), staff(access.Marketer, access.GroupOwner))
	r.get("/v1/units/:id/exposure", s.findUnitExposure, staff(access.Marketer, access.GroupOwner))
	r.put("/v1/units/:id/exposure", s.setUnitExposure, staff(access.Marketer))
	r.get("/v1/groups/:id/exposure", found(s.Exposure.OfGroup), staff(access.Marketer, access.GroupOwner))
}

// findExposure shows how many ads a member may see across his groups, as the
// brand has it.
func (s *Server) findExposure(c *gin.Context) error { return s.showExposure(c, 0) }

func (s *Server) setExposure(c *gin.Context) error { return s.changeExposure(c, 0) }

func (s *Server) findUnitExposure(c *gin.Context) error {
	unit, err := pathID[id.Unit](c, "id")
	if err != nil {
		return err
	}
	return s.showExposure(c, unit)
}

func (s *Server) setUnitExposure(c *gin.Context) error {
	unit, err := pathID[id.Unit](c, "id")
	if err != nil {
		return err
	}
	return s.changeExposure(c, unit)
}

func (s *Server) showExposure(c *gin.Context, unit id.Unit) error {
	p, err := s.Exposure.Find(c.Request.Context(), unit)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, http.StatusOK, p)
}

func (s *Server) changeExposure(c *gin.Context, unit id.Unit) error {
	version, err := versionFromZero(c)
	if err != nil {
		return err
	}
	var in exposure.In
	if err := bind(c, &in); err != nil {
		return err
	}
	p, err := s.Exposure.Set(c.Request.Context(), unit, in, version)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, http.StatusOK, p)
}
