package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func (s *Server) priceApprovalRoutes(r *routes) {
	r.post("/v1/campaigns/:id/price-approvals", s.askPrice, staff(access.Marketer), keyed)
	r.get("/v1/campaigns/:id/price-approvals", listed(s.Campaign.ListPriceApprovals), staff(access.Marketer, access.Finance))
	r.post("/v1/campaigns/:id/price-approvals/:approval/approve", s.approvePrice, staff(access.Marketer, access.Finance))
	r.post("/v1/campaigns/:id/price-approvals/:approval/reject", s.rejectPrice, staff(access.Marketer, access.Finance))
}

// seenIn names what a person approves by the digest he has seen.
type seenIn struct {
	Digest string `json:"digest"`
}

// Validate asks for it.
func (in seenIn) Validate() error {
	var c fault.Check
	c.Required(in.Digest, "digest")
	return c.Err()
}

func (s *Server) askPrice(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	var in campaign.PriceIn
	if err := bind(c, &in); err != nil {
		return err
	}
	approval, err := once(s.Campaign.AskPrice(c.Request.Context(), cid, in))(c)
	if err != nil {
		return err
	}
	return s.renderPriceApproval(c, http.StatusCreated, cid, approval)
}

func (s *Server) approvePrice(c *gin.Context) error {
	var in seenIn
	if err := bind(c, &in); err != nil {
		return err
	}
	return s.decidePrice(c, campaign.PriceDecision{To: campaign.ApprovalApproved, Digest: in.Digest})
}

func (s *Server) rejectPrice(c *gin.Context) error {
	var in struct {
		Refusal string `json:"refusal"`
	}
	if err := bind(c, &in); err != nil {
		return err
	}
	return s.decidePrice(c, campaign.PriceDecision{To: campaign.ApprovalRejected, Refusal: in.Refusal})
}

func (s *Server) decidePrice(c *gin.Context, d campaign.PriceDecision) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	approval, err := pathID[id.PriceApproval](c, "approval")
	if err != nil {
		return err
	}
	if err := s.Campaign.DecidePrice(c.Request.Context(), cid, approval, d); err != nil {
		return err
	}
	return s.renderPriceApproval(c, http.StatusOK, cid, approval)
}

func (s *Server) renderPriceApproval(c *gin.Context, status int, cid id.Campaign, approval id.PriceApproval) error {
	found, err := s.Campaign.FindPriceApproval(c.Request.Context(), cid, approval)
	if err != nil {
		return err
	}
	return render(c, status, found)
}
