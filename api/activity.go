package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/id"
)

func (s *Server) activityRoutes(r *routes) {
	r.post("/v1/groups/:id/activity", s.putActivity, staff(access.Marketer, access.Mall, access.GroupOwner))
	r.post("/v1/activity", s.streamActivity, staff(access.Marketer, access.Mall, access.GroupOwner), bodyLimit(streamBody))
	r.get("/v1/groups/:id/activity", s.listActivity, staff(access.Marketer, access.Mall, access.GroupOwner))
}

func (s *Server) putActivity(c *gin.Context) error {
	gid, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in community.ActivityBatch
	if err := bind(c, &in); err != nil {
		return err
	}
	out, err := s.Community.PutActivity(c.Request.Context(), gid, in)
	if err != nil {
		return err
	}
	type row struct {
		community.ActivityResult
		Error *rowError `json:"error,omitempty"`
	}
	rows := make([]row, len(out))
	for i, r := range out {
		rows[i] = row{r, rowErrorOf(c, r.Err)}
	}
	return render(c, http.StatusOK, gin.H{"results": rows})
}

func (s *Server) listActivity(c *gin.Context) error {
	gid, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	days, err := queryInt(c, "days", 28)
	if err != nil {
		return err
	}
	list, err := s.Community.ListActivity(c.Request.Context(), gid, days)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"days": list})
}
