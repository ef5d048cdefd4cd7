package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/id"
)

func (s *Server) membershipRoutes(r *routes) {
	r.put("/v1/groups/:id/memberships", s.putMemberships, staff(access.Marketer, access.Mall, access.GroupOwner))
	r.get("/v1/groups/:id/memberships", s.listMemberships, staff(access.Marketer, access.Mall, access.GroupOwner))
}

func (s *Server) putMemberships(c *gin.Context) error {
	gid, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in community.MembershipBatch
	if err := bind(c, &in); err != nil {
		return err
	}
	out, err := s.Community.PutMemberships(c.Request.Context(), gid, in.Memberships)
	if err != nil {
		return err
	}
	type row struct {
		community.MembershipResult
		Error *rowError `json:"error,omitempty"`
	}
	rows := make([]row, len(out))
	for i, r := range out {
		rows[i] = row{r, rowErrorOf(c, r.Err)}
	}
	return render(c, http.StatusOK, gin.H{"results": rows})
}

func (s *Server) listMemberships(c *gin.Context) error {
	gid, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Community.ListMemberships(c.Request.Context(), gid, community.MembershipFilter{
		Role: community.Role(c.Query("role")), State: community.MembershipState(c.Query("state")),
	}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}
