package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
)

func (s *Server) workLinkRoutes(r *routes) {
	owners := staff(access.GroupOwner)
	r.post("/v1/work-links", s.makeWorkLink, owners, keyed)
	r.get("/v1/work-links", paged(s.Access.ListWorkLinks), owners)
	r.get("/v1/work-links/:id", s.findWorkLink, owners)
	r.post("/v1/work-links/:id/revoke", s.revokeWorkLink, owners)
}

// makeWorkLink answers with the link itself this once. A replay, and every
// later reading, has what is known of it without it.
func (s *Server) makeWorkLink(c *gin.Context) error {
	var in access.WorkLinkIn
	if err := bind(c, &in); err != nil {
		return err
	}
	made, token, err := s.Access.MakeWorkLink(c.Request.Context(), in)
	made, err = once(made, err)(c)
	if err != nil {
		return err
	}
	l, err := s.Access.FindWorkLink(c.Request.Context(), made)
	if err != nil {
		return err
	}
	out := struct {
		access.WorkLink
		URL string `json:"url,omitempty"`
	}{WorkLink: l}
	if token != "" {
		// Not the codes' own domain, which opens nothing else.
		out.URL = strings.TrimSuffix(s.Referral.PublicURL, "/") + "/console/work/enter?" + url.Values{"k": {token}}.Encode()
	}
	return render(c, http.StatusCreated, out)
}

func (s *Server) findWorkLink(c *gin.Context) error {
	link, err := pathID[id.WorkLink](c, "id")
	if err != nil {
		return err
	}
	return s.renderWorkLink(c, link)
}

func (s *Server) renderWorkLink(c *gin.Context, link id.WorkLink) error {
	l, err := s.Access.FindWorkLink(c.Request.Context(), link)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, l)
}

func (s *Server) revokeWorkLink(c *gin.Context) error {
	link, err := pathID[id.WorkLink](c, "id")
	if err != nil {
		return err
	}
	if err := s.Access.RevokeWorkLink(c.Request.Context(), link); err != nil {
		return err
	}
	return s.renderWorkLink(c, link)
}
