package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
)

func (s *Server) templateRoutes(r *routes) {
	r.post("/v1/campaign-templates", s.saveTemplate, staff(access.Marketer), keyed)
	r.get("/v1/campaign-templates", s.listTemplates, staff(access.Marketer))
	r.get("/v1/campaign-templates/:id", s.findTemplate, staff(access.Marketer))
	r.delete("/v1/campaign-templates/:id", s.dropTemplate, staff(access.Marketer))
	r.post("/v1/campaign-templates/:id/drafts", s.draftFromTemplate, staff(access.Marketer), keyed)
}

func (s *Server) saveTemplate(c *gin.Context) error {
	var in campaign.TemplateIn
	if err := bind(c, &in); err != nil {
		return err
	}
	tid, err := once(s.Campaign.SaveTemplate(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderTemplate(c, http.StatusCreated, tid.String())
}

// listTemplates has those of the house on its first page, after the saved ones.
func (s *Server) listTemplates(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Campaign.ListTemplates(c.Request.Context(), p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, struct {
		Items      []campaign.Template `json:"items"`
		Presets    []campaign.Template `json:"presets"`
		NextCursor string              `json:"next_cursor"`
	}{list.Items, campaign.Presets(), list.NextCursor})
}

func (s *Server) findTemplate(c *gin.Context) error {
	return s.renderTemplate(c, http.StatusOK, c.Param("id"))
}

func (s *Server) renderTemplate(c *gin.Context, status int, name string) error {
	t, err := s.Campaign.FindTemplate(c.Request.Context(), name)
	if err != nil {
		return err
	}
	return render(c, status, t)
}

func (s *Server) dropTemplate(c *gin.Context) error {
	if err := s.Campaign.DropTemplate(c.Request.Context(), c.Param("id")); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) draftFromTemplate(c *gin.Context) error {
	var in campaign.DraftIn
	if err := bind(c, &in); err != nil {
		return err
	}
	cid, err := once(s.Campaign.DraftFrom(c.Request.Context(), c.Param("id"), in))(c)
	if err != nil {
		return err
	}
	return s.renderCampaign(c, http.StatusCreated, cid)
}
