package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/internal/id"
)

func (s *Server) campaignRoutes(r *routes) {
	r.post("/v1/campaigns", s.createCampaign, staff(access.Marketer), keyed)
	r.get("/v1/campaigns", s.listCampaigns, staff(access.Marketer, access.Finance, access.Mall, access.GroupOwner))
	r.get("/v1/campaigns/:id", s.findCampaign, staff(access.Marketer, access.Finance, access.Mall, access.GroupOwner))
	r.patch("/v1/campaigns/:id", s.editCampaign, staff(access.Marketer))
	r.get("/v1/campaigns/:id/stats", found(s.Campaign.Stats), staff(access.Marketer, access.Finance))
	r.get("/v1/campaigns/:id/funnel", s.showFunnel, staff(access.Marketer, access.Finance))
	r.get("/v1/campaigns/:id/targets", s.showTargets, staff(access.Marketer, access.Finance))
	r.put("/v1/campaigns/:id/targets", s.setTargets, staff(access.Marketer))
	r.get("/v1/campaigns/:id/report", found(s.Campaign.Report), staff(access.Marketer, access.Finance))
	r.get("/v1/campaigns/:id/audience/preview", found(s.Campaign.PreviewAudience), staff(access.Marketer))
	r.post("/v1/campaigns/:id/items", s.addItem, staff(access.Marketer), keyed)
	r.delete("/v1/campaigns/:id/items/:item", s.dropItem, staff(access.Marketer))
	r.post("/v1/campaigns/:id/copy", s.copyCampaign, staff(access.Marketer), keyed)
	for _, verb := range []campaign.Verb{campaign.Publish, campaign.Pause, campaign.Resume, campaign.End, campaign.Cancel} {
		r.post("/v1/campaigns/:id/"+string(verb), s.turnCampaign(verb), staff(access.Marketer))
	}
}

func (s *Server) createCampaign(c *gin.Context) error {
	var in campaign.CampaignIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.unitThere(c, in.UnitID); err != nil {
		return err
	}
	cid, err := once(s.Campaign.CreateCampaign(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderCampaign(c, http.StatusCreated, cid)
}

func (s *Server) listCampaigns(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := campaign.CampaignFilter{Kind: c.Query("kind"), Status: campaign.Status(c.Query("status"))}
	list, err := s.Campaign.ListCampaigns(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findCampaign(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	return s.renderCampaign(c, http.StatusOK, cid)
}

func (s *Server) editCampaign(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in campaign.CampaignEdit
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Campaign.Edit(c.Request.Context(), cid, version, in); err != nil {
		return err
	}
	return s.renderCampaign(c, http.StatusOK, cid)
}

func (s *Server) addItem(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in campaign.ItemIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if _, err := once(s.Campaign.AddItem(c.Request.Context(), cid, version, in))(c); err != nil {
		return err
	}
	return s.renderCampaign(c, http.StatusCreated, cid)
}

func (s *Server) dropItem(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	item, err := pathID[id.Item](c, "item")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	if err := s.Campaign.DropItem(c.Request.Context(), cid, version, item); err != nil {
		return err
	}
	return s.renderCampaign(c, http.StatusOK, cid)
}

func (s *Server) copyCampaign(c *gin.Context) error {
	from, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	var in campaign.CopyIn
	if err := bind(c, &in); err != nil {
		return err
	}
	cid, err := once(s.Campaign.Copy(c.Request.Context(), from, in))(c)
	if err != nil {
		return err
	}
	return s.renderCampaign(c, http.StatusCreated, cid)
}

func (s *Server) turnCampaign(verb campaign.Verb) handler {
	return func(c *gin.Context) error {
		cid, err := pathID[id.Campaign](c, "id")
		if err != nil {
			return err
		}
		if err := s.Campaign.Turn(c.Request.Context(), cid, verb); err != nil {
			return err
		}
		return s.renderCampaign(c, http.StatusOK, cid)
	}
}

func (s *Server) renderCampaign(c *gin.Context, status int, cid id.Campaign) error {
	found, err := s.Campaign.FindCampaign(c.Request.Context(), cid)
	if err != nil {
		return err
	}
	etag(c, found.Version)
	return render(c, status, found)
}
