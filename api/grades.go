package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community/grade"
	"siyu/internal/id"
)

func (s *Server) gradeRoutes(r *routes) {
	r.get("/v1/grade-rules", s.findGradeRules, staff(access.Marketer, access.GroupOwner))
	r.put("/v1/grade-rules", s.setGradeRules, staff())
	r.get("/v1/groups/:id/grades", s.listGrades, staff(access.Marketer, access.GroupOwner))
	r.get("/v1/groups/:id/grade", s.myGrade, member)
}

func (s *Server) findGradeRules(c *gin.Context) error {
	found, err := s.Grade.Rules(c.Request.Context())
	if err != nil {
		return err
	}
	etag(c, found.Version)
	return render(c, http.StatusOK, found)
}

// setGradeRules takes the version last read; the house's own are version 0.
func (s *Server) setGradeRules(c *gin.Context) error {
	version, err := versionFromZero(c)
	if err != nil {
		return err
	}
	var in grade.RulesIn
	if err := bind(c, &in); err != nil {
		return err
	}
	set, err := s.Grade.SetRules(c.Request.Context(), version, in)
	if err != nil {
		return err
	}
	etag(c, set.Version)
	return render(c, http.StatusOK, set)
}

func (s *Server) listGrades(c *gin.Context) error { return ofGroup(c, s.Grade.List) }

func (s *Server) myGrade(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	found, err := s.Grade.Of(c.Request.Context(), g, memberOf(c))
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, found)
}
