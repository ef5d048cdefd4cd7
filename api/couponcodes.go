package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/wallet"
)

func (s *Server) couponCodeRoutes(r *routes) {
	r.post("/v1/coupons/:id/codes", s.makeCodes, staff(access.Marketer), keyed)
	r.post("/v1/coupon-codes/use", s.useCode, member, keyed)
}

// makeCodes answers with the codes this once. A replay has the batch without
// them.
func (s *Server) makeCodes(c *gin.Context) error {
	coupon, err := pathID[id.Coupon](c, "id")
	if err != nil {
		return err
	}
	var in wallet.CodesIn
	if err := bind(c, &in); err != nil {
		return err
	}
	made, codes, err := s.Wallet.MakeCodes(c.Request.Context(), coupon, in)
	if made, err = once(made, err)(c); err != nil {
		return err
	}
	batch, err := s.Wallet.FindBatch(c.Request.Context(), made)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, struct {
		wallet.CouponBatch
		Codes []string `json:"codes,omitempty"`
	}{batch, codes})
}

// useCodeRequest is a code as somebody typed it.
type useCodeRequest struct {
	Code string `json:"code"`
}

// Validate checks the request.
func (in useCodeRequest) Validate() error {
	var c fault.Check
	c.Required(in.Code, "code")
	return c.Err()
}

func (s *Server) useCode(c *gin.Context) error {
	var in useCodeRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	who, err := s.known(c)
	if err != nil {
		return err
	}
	made, err := once(s.Wallet.UseCode(c.Request.Context(), in.Code, who))(c)
	if err != nil {
		return err
	}
	return s.renderMemberCoupon(c, http.StatusCreated, made)
}
