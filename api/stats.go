package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/id"
)

func (s *Server) showFunnel(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	by := campaign.FunnelBy(c.DefaultQuery("by", string(campaign.FunnelByGroup)))
	funnel, err := s.Campaign.Funnel(c.Request.Context(), cid, by)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, funnel)
}

func (s *Server) showTargets(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	return s.renderTargets(c, cid)
}

func (s *Server) setTargets(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	version, err := versionFromZero(c)
	if err != nil {
		return err
	}
	var in campaign.Targets
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Campaign.SetTargets(c.Request.Context(), cid, version, in); err != nil {
		return err
	}
	return s.renderTargets(c, cid)
}

func (s *Server) renderTargets(c *gin.Context, cid id.Campaign) error {
	targets, err := s.Campaign.FindTargets(c.Request.Context(), cid)
	if err != nil {
		return err
	}
	etag(c, targets.Version)
	return render(c, http.StatusOK, targets)
}
