package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

func (s *Server) observeRoutes(r *routes) {
	r.get("/v1/groups/:id/ad-policy/observed", found(s.Guard.Observe), staff(access.Marketer, access.GroupOwner))
	r.post("/v1/guard/enforce", s.enforce, staff(access.Marketer))
	r.get("/v1/groups/:id/ways", s.findWays, staff(access.Marketer, access.GroupOwner))
}

func (s *Server) enforce(c *gin.Context) error {
	var in guard.EnforceIn
	if err := bind(c, &in); err != nil {
		return err
	}
	n, err := s.Guard.Enforce(c.Request.Context(), in)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"enforced": n})
}

// findWays says what else there is where an ad cannot be shown now; groups
// that are free are looked for among the newest the caller may see.
func (s *Server) findWays(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	list, err := s.Community.ListGroups(ctx, community.GroupFilter{Status: community.GroupActive}, database.Page{Limit: 100})
	if err != nil {
		return err
	}
	others := make([]id.Group, len(list.Items))
	for i, x := range list.Items {
		others[i] = x.ID
	}
	ways, err := s.Guard.FindWays(ctx, g, others)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, ways)
}
