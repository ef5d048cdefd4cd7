package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/wallet"
)

func (s *Server) memberCouponRoutes(r *routes) {
	r.get("/v1/member-coupons/:id", s.findMemberCoupon, staff(access.Marketer, access.Finance, access.Mall), member)
	r.post("/v1/member-coupons/:id/redeem", s.redeemCoupon, staff(access.Mall), keyed)
	r.post("/v1/member-coupons/:id/return", s.returnCoupon, staff(access.Mall), keyed)
}

func (s *Server) findMemberCoupon(c *gin.Context) error {
	coupon, err := pathID[id.MemberCoupon](c, "id")
	if err != nil {
		return err
	}
	return s.renderMemberCoupon(c, http.StatusOK, coupon)
}

// renderMemberCoupon shows the coupon to whoever may see it. A keyed route
// keeps the member its token names, who may have been merged since.
func (s *Server) renderMemberCoupon(c *gin.Context, status int, coupon id.MemberCoupon) error {
	m, err := s.Wallet.FindMemberCoupon(c.Request.Context(), coupon)
	if err != nil {
		return err
	}
	if own := memberOf(c); own != 0 {
		who, err := s.Community.FindMember(c.Request.Context(), own)
		if err != nil {
			return err
		}
		if who.ID != m.MemberID {
			return fault.NotFound
		}
	}
	return render(c, status, m)
}

func (s *Server) redeemCoupon(c *gin.Context) error {
	coupon, err := pathID[id.MemberCoupon](c, "id")
	if err != nil {
		return err
	}
	var in wallet.Redeem
	if err := bind(c, &in); err != nil {
		return err
	}
	in.Coupon = coupon
	r, err := s.Wallet.RedeemCoupon(c.Request.Context(), in)
	return s.renderRedemption(c, in, r, err)
}

// returnRequest names the order that was refunded whole.
type returnRequest struct {
	OrderRef string `json:"order_ref"`
}

// Validate checks the request.
func (in returnRequest) Validate() error {
	var c fault.Check
	c.Required(in.OrderRef, "order_ref")
	return c.Err()
}

func (s *Server) returnCoupon(c *gin.Context) error {
	coupon, err := pathID[id.MemberCoupon](c, "id")
	if err != nil {
		return err
	}
	var in returnRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	r, err := s.Wallet.ReturnCoupon(c.Request.Context(), coupon, in.OrderRef)
	return s.renderRedemption(c, wallet.Redeem{Coupon: coupon, OrderRef: in.OrderRef}, r, err)
}

// renderRedemption shows what a use made, or what it had made before.
func (s *Server) renderRedemption(c *gin.Context, in wallet.Redeem, r wallet.Redemption, err error) error {
	_, again := replayOf(err)
	if err := done(err)(c); err != nil {
		return err
	}
	if again {
		if r, err = s.Wallet.FindRedemption(c.Request.Context(), in); err != nil {
			return err
		}
	}
	return render(c, http.StatusOK, r)
}
