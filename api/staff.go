package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
)

func (s *Server) addStaff(c *gin.Context) error {
	var in access.StaffIn
	if err := bind(c, &in); err != nil {
		return err
	}
	person, err := once(s.Access.AddStaff(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderStaff(c, http.StatusCreated, person)
}

func (s *Server) renderStaff(c *gin.Context, status int, person id.Staff) error {
	p, err := s.Access.FindStaff(c.Request.Context(), person)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, status, p)
}

func (s *Server) findStaff(c *gin.Context) error {
	person, err := pathID[id.Staff](c, "id")
	if err != nil {
		return err
	}
	return s.renderStaff(c, http.StatusOK, person)
}

func (s *Server) updateStaff(c *gin.Context) error {
	person, err := pathID[id.Staff](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in access.StaffPatch
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Access.UpdateStaff(c.Request.Context(), person, version, in); err != nil {
		return err
	}
	return s.renderStaff(c, http.StatusOK, person)
}
