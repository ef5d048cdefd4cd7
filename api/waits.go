package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/id"
)

func (s *Server) waitRoutes(r *routes) {
	r.post("/v1/campaigns/:id/waits", s.wait, member, keyed)
	r.get("/v1/campaigns/:id/waits", s.listWaits, member)
	r.delete("/v1/waits/:id", s.leaveLine, member)
}

func (s *Server) wait(c *gin.Context) error {
	var in campaign.WaitIn
	if err := bind(c, &in); err != nil {
		return err
	}
	var err error
	if in.Campaign, err = pathID[id.Campaign](c, "id"); err != nil {
		return err
	}
	in.Member = memberOf(c)
	wid, err := once(s.Campaign.Wait(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderWait(c, http.StatusCreated, wid)
}

func (s *Server) listWaits(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	list, err := s.Campaign.ListWaits(c.Request.Context(), cid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"items": list})
}

func (s *Server) leaveLine(c *gin.Context) error {
	wid, err := pathID[id.Wait](c, "id")
	if err != nil {
		return err
	}
	if err := s.Campaign.LeaveLine(c.Request.Context(), wid); err != nil {
		return err
	}
	return s.renderWait(c, http.StatusOK, wid)
}

func (s *Server) renderWait(c *gin.Context, status int, wid id.Wait) error {
	w, err := s.Campaign.FindWait(c.Request.Context(), wid)
	if err != nil {
		return err
	}
	return render(c, status, w)
}
