package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/id"
)

func (s *Server) tagRoutes(r *routes) {
	r.post("/v1/tags", s.createTag, staff(access.Marketer), keyed)
	r.get("/v1/tags", paged(s.Community.ListTags), staff(access.Marketer, access.Mall))
	r.get("/v1/tags/:id", s.findTag, staff(access.Marketer, access.Mall))
	r.put("/v1/tags/:id/members", s.tagMembers, staff(access.Marketer, access.Mall))
	r.get("/v1/members/:id/tags", s.listMemberTags, staff(access.Marketer, access.Mall))
}

func (s *Server) createTag(c *gin.Context) error {
	var in community.TagIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.knownUnits(c.Request.Context(), map[id.Unit]bool{in.UnitID: true}); err != nil {
		return err
	}
	tag, err := once(s.Community.CreateTag(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderTag(c, http.StatusCreated, tag)
}

func (s *Server) findTag(c *gin.Context) error {
	tag, err := pathID[id.Tag](c, "id")
	if err != nil {
		return err
	}
	return s.renderTag(c, http.StatusOK, tag)
}

func (s *Server) renderTag(c *gin.Context, status int, tag id.Tag) error {
	found, err := s.Community.FindTag(c.Request.Context(), tag)
	if err != nil {
		return err
	}
	return render(c, status, found)
}

func (s *Server) tagMembers(c *gin.Context) error {
	tag, err := pathID[id.Tag](c, "id")
	if err != nil {
		return err
	}
	var in community.TagBatch
	if err := bind(c, &in); err != nil {
		return err
	}
	out, err := s.Community.TagMembers(c.Request.Context(), tag, in.Members)
	if err != nil {
		return err
	}
	type row struct {
		community.MemberResult
		Error *rowError `json:"error,omitempty"`
	}
	rows := make([]row, len(out))
	for i, r := range out {
		rows[i] = row{r, rowErrorOf(c, r.Err)}
	}
	return render(c, http.StatusOK, gin.H{"results": rows})
}

func (s *Server) listMemberTags(c *gin.Context) error {
	mid, err := pathID[id.Member](c, "id")
	if err != nil {
		return err
	}
	tags, err := s.Community.MemberTags(c.Request.Context(), mid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"items": tags})
}
