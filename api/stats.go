package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/id"
)

func (s *Server) showStats(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	stats, err := s.Campaign.Stats(c.Request.Context(), cid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, stats)
}

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

func (s *Server) showReport(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	report, err := s.Campaign.Report(c.Request.Context(), cid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, report)
}
