package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/id"
)

func (s *Server) groupHealthRoutes(r *routes) {
	r.get("/v1/groups/:id/health", found(s.Health.FindReport), staff(access.Marketer, access.GroupOwner))
	r.get("/v1/groups/:id/work-lists", found(s.Health.FindWorkList), staff(access.Marketer, access.GroupOwner))
	r.get("/v1/work-lists", s.listWorkLists, staff(access.Marketer, access.GroupOwner))
}

func (s *Server) listWorkLists(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	unit, err := queryID[id.Unit](c, "unit_id")
	if err != nil {
		return err
	}
	owner, err := queryID[id.Staff](c, "owner_id")
	if err != nil {
		return err
	}
	list, err := s.Health.ListWorkLists(c.Request.Context(), community.GroupFilter{Unit: unit, Owner: owner}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}
