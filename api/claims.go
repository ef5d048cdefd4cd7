package api

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

func (s *Server) claimRoutes(r *routes) {
	r.post("/v1/campaigns/:id/claims", s.claim, member, keyed, claims)
}

// claimRequest is a member's request for stock. Code and page come from the
// landing page the member saw, when somebody invited him.
type claimRequest struct {
	ItemID id.Item `json:"item_id"`
	Qty    int     `json:"qty"`
	Code   string  `json:"code"`
	Page   string  `json:"page"`

	Coupon id.MemberCoupon `json:"member_coupon"`
	Points money.Amount    `json:"points"`
}

// pointsMax is the most points one claim may name: what the dearest order costs.
const pointsMax = 10_000_000_000

// Validate checks the request.
func (in claimRequest) Validate() error {
	var c fault.Check
	c.That(in.ItemID != 0, "item_id", "required", "请选择商品", "name the item")
	c.Range(int64(in.Qty), "qty", 0, 100)
	c.Range(int64(in.Points), "points", 0, pointsMax)
	return c.Err()
}

func (s *Server) claim(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	var in claimRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	return s.submit(c, in, campaign.Claim{Campaign: cid, Item: in.ItemID, Qty: in.Qty, Coupon: in.Coupon, Points: in.Points})
}

// claimOf is the claim that asks for a seat in, or after, a team.
type claimOf func(ctx context.Context, team id.Team) (campaign.Claim, error)

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
