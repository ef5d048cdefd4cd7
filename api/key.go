package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
)

// addKey answers with the key's text this once. A replay, and every later
// reading, has the key without it.
func (s *Server) addKey(c *gin.Context) error {
	var in access.KeyIn
	if err := bind(c, &in); err != nil {
		return err
	}
	key, text, err := s.Access.AddKey(c.Request.Context(), in)
	key, err = once(key, err)(c)
	if err != nil {
		return err
	}
	k, err := s.Access.FindKey(c.Request.Context(), key)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, struct {
		access.APIKey
		Key string `json:"key,omitempty"`
	}{k, text})
}

func (s *Server) findKey(c *gin.Context) error {
	key, err := pathID[id.APIKey](c, "id")
	if err != nil {
		return err
	}
	return s.renderKey(c, http.StatusOK, key)
}

func (s *Server) renderKey(c *gin.Context, status int, key id.APIKey) error {
	k, err := s.Access.FindKey(c.Request.Context(), key)
	if err != nil {
		return err
	}
	return render(c, status, k)
}

func (s *Server) revokeKey(c *gin.Context) error {
	key, err := pathID[id.APIKey](c, "id")
	if err != nil {
		return err
	}
	if err := s.Access.RevokeKey(c.Request.Context(), key); err != nil {
		return err
	}
	return s.renderKey(c, http.StatusOK, key)
}

func (s *Server) listAudit(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	person, err := queryID[id.Staff](c, "staff_id")
	if err != nil {
		return err
	}
	entries, err := s.Access.ListAudit(c.Request.Context(), access.AuditFilter{
		Object: c.Query("object"), Action: c.Query("action"), StaffID: person,
	}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, entries)
}
