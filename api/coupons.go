package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/community"
	"siyu/internal/id"
	"siyu/wallet"
)

func (s *Server) couponRoutes(r *routes) {
	readers := staff(access.Marketer, access.Finance, access.Mall)
	r.post("/v1/coupons", s.createCoupon, staff(access.Marketer), keyed)
	r.get("/v1/coupons", s.listCoupons, readers)
	r.get("/v1/coupons/:id", s.findCoupon, readers)
	r.patch("/v1/coupons/:id", s.editCoupon, staff(access.Marketer))
	r.post("/v1/coupons/:id/issue", s.issueCoupon, staff(access.Marketer, access.Mall), keyed)
	r.post("/v1/coupons/:id/take", s.takeCoupon, member, keyed)
	r.get("/v1/members/:id/coupons", s.memberCoupons, readers, member)
}

func (s *Server) createCoupon(c *gin.Context) error {
	var in wallet.CouponIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.unitThere(c, in.UnitID); err != nil {
		return err
	}
	coupon, err := once(s.Wallet.CreateCoupon(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderCoupon(c, http.StatusCreated, coupon)
}

func (s *Server) listCoupons(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Wallet.ListCoupons(c.Request.Context(), wallet.CouponStatus(c.Query("status")), p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findCoupon(c *gin.Context) error {
	coupon, err := pathID[id.Coupon](c, "id")
	if err != nil {
		return err
	}
	return s.renderCoupon(c, http.StatusOK, coupon)
}

func (s *Server) editCoupon(c *gin.Context) error {
	coupon, err := pathID[id.Coupon](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in wallet.CouponEdit
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Wallet.EditCoupon(c.Request.Context(), coupon, version, in); err != nil {
		return err
	}
	return s.renderCoupon(c, http.StatusOK, coupon)
}

func (s *Server) renderCoupon(c *gin.Context, status int, coupon id.Coupon) error {
	found, err := s.Wallet.FindCoupon(c.Request.Context(), coupon)
	if err != nil {
		return err
	}
	etag(c, found.Version)
	return render(c, status, found)
}

func (s *Server) issueCoupon(c *gin.Context) error {
	coupon, err := pathID[id.Coupon](c, "id")
	if err != nil {
		return err
	}
	var in wallet.IssueIn
	if err := bind(c, &in); err != nil {
		return err
	}
	who, err := s.Community.FindMember(c.Request.Context(), in.Member)
	if err != nil {
		return err
	}
	in.Member = who.ID
	made, err := once(s.Wallet.IssueCoupon(c.Request.Context(), coupon, in))(c)
	if err != nil {
		return err
	}
	return s.renderMemberCoupon(c, http.StatusCreated, made)
}

func (s *Server) takeCoupon(c *gin.Context) error {
	coupon, err := pathID[id.Coupon](c, "id")
	if err != nil {
		return err
	}
	who, err := s.known(c)
	if err != nil {
		return err
	}
	made, err := once(s.Wallet.TakeCoupon(c.Request.Context(), coupon, who))(c)
	if err != nil {
		return err
	}
	return s.renderMemberCoupon(c, http.StatusCreated, made)
}

// known is the live member who calls. What is limited per person needs a
// strong identity; a guest can be anybody, as often as he likes.
func (s *Server) known(c *gin.Context) (id.Member, error) {
	who, err := s.Community.FindMember(c.Request.Context(), memberOf(c))
	if err != nil {
		return 0, err
	}
	strong, err := community.StrongIn(s.DB.Read(c.Request.Context()), []id.Member{who.ID})
	if err != nil {
		return 0, err
	}
	if !strong[who.ID] {
		return 0, campaign.ErrIdentity
	}
	return who.ID, nil
}

func (s *Server) memberCoupons(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Wallet.ListMemberCoupons(c.Request.Context(), m, wallet.HoldStatus(c.Query("status")), p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}
