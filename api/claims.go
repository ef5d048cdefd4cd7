package api

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
)

func (s *Server) claimRoutes(r *routes) {
	r.post("/v1/campaigns/:id/claims", s.claim, member, keyed)
	r.post("/v1/campaigns/:id/teams", s.openTeam, member, keyed)
	r.post("/v1/teams/:id/join", s.joinTeam, member, keyed)
	r.get("/v1/teams/:id", s.findTeam, staff(access.Marketer, access.Mall), member)
}

// claimRequest is a member's request for stock. Code and page come from the
// landing page the member saw, when somebody invited him.
type claimRequest struct {
	ItemID id.Item `json:"item_id"`
	Qty    int     `json:"qty"`
	Code   string  `json:"code"`
	Page   string  `json:"page"`
}

// Validate checks the request.
func (in claimRequest) Validate() error {
	var c fault.Check
	c.That(in.ItemID != 0, "item_id", "required", "请选择商品", "name the item")
	c.Range(int64(in.Qty), "qty", 0, 100)
	return c.Err()
}

func (s *Server) claim(c *gin.Context) error { return s.claimIn(c, campaign.Claim{}) }

func (s *Server) openTeam(c *gin.Context) error { return s.claimIn(c, campaign.Claim{OpenTeam: true}) }

// claimIn claims in the campaign of the path.
func (s *Server) claimIn(c *gin.Context, claim campaign.Claim) error {
	var err error
	if claim.Campaign, err = pathID[id.Campaign](c, "id"); err != nil {
		return err
	}
	var in claimRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	claim.Item, claim.Qty = in.ItemID, in.Qty
	return s.submit(c, in, claim)
}

// joinRequest is a claim whose item is the team's.
type joinRequest struct {
	Qty  int    `json:"qty"`
	Code string `json:"code"`
	Page string `json:"page"`
}

func (s *Server) joinTeam(c *gin.Context) error {
	tid, err := pathID[id.Team](c, "id")
	if err != nil {
		return err
	}
	var in joinRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	claim, err := s.GroupBuy.Joining(c.Request.Context(), tid)
	if err != nil {
		return err
	}
	claim.Qty = in.Qty
	return s.submit(c, claimRequest{Code: in.Code, Page: in.Page}, claim)
}

// submit binds the member to his inviter, if a code came along, and claims. A
// binding that is refused (the member's own code, an older inviter) does not
// keep him from buying.
func (s *Server) submit(c *gin.Context, in claimRequest, claim campaign.Claim) error {
	claim.Member = memberOf(c)
	if in.Code != "" {
		if err := s.bindFirst(c.Request.Context(), in, claim.Member); err != nil {
			return err
		}
	}
	out, err := s.Campaign.Claim(c.Request.Context(), claim)
	if err != nil {
		return err
	}
	return renderGranted(c, &out)
}

// bindFirst binds the member to who invited him; a refused binding does not
// stop the claim.
func (s *Server) bindFirst(ctx context.Context, in claimRequest, invitee id.Member) error {
	bind := referral.Bind{Code: in.Code, Invitee: invitee, Page: in.Page}
	_, err := s.Referral.Bind(database.WithoutKey(ctx), bind)
	if f, refused := fault.As(err); err == nil || !refused || f.Kind >= fault.KindInternal {
		return err
	}
	slog.InfoContext(ctx, "claim without binding", "reason", err)
	return nil
}

func renderGranted(c *gin.Context, out *campaign.Outcome) error {
	if out.Replayed {
		c.Header("Idempotency-Replayed", "true")
	}
	etag(c, out.Order.Version)
	return render(c, http.StatusCreated, out.Order)
}

func (s *Server) findTeam(c *gin.Context) error {
	tid, err := pathID[id.Team](c, "id")
	if err != nil {
		return err
	}
	team, err := s.GroupBuy.FindTeam(c.Request.Context(), tid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, team)
}
