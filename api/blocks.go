package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/id"
)

func (s *Server) blockRoutes(r *routes) {
	r.get("/v1/blocklist", paged(s.Community.ListBlocks), staff(access.Marketer, access.Mall))
	r.put("/v1/members/:id/block", s.blockMember, staff(access.Marketer, access.Mall))
	r.delete("/v1/members/:id/block", s.unblockMember, staff(access.Marketer, access.Mall))
}

func (s *Server) blockMember(c *gin.Context) error {
	mid, err := pathID[id.Member](c, "id")
	if err != nil {
		return err
	}
	var in community.BlockIn
	if err := bind(c, &in); err != nil {
		return err
	}
	row, err := s.Community.Block(c.Request.Context(), mid, in)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, row)
}

func (s *Server) unblockMember(c *gin.Context) error {
	mid, err := pathID[id.Member](c, "id")
	if err != nil {
		return err
	}
	if err := s.Community.Unblock(c.Request.Context(), mid); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
