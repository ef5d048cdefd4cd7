package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
)

func (s *Server) codeRoutes(r *routes) {
	makers := staff(access.Marketer, access.GroupOwner, access.Mall)
	r.post("/v1/codes", s.createCode, makers, member, keyed)
	// Not keyed: the same place always has the same code.
	r.post("/v1/codes/batch", s.createCodes, staff(access.Marketer, access.Mall))
	r.get("/v1/codes", s.listCodes, makers, member)
	r.get("/v1/codes/:code", s.findCode, makers, member)
	r.get("/v1/codes/:code/qr.png", s.codeQR(referral.FormPNG), makers, member)
	r.get("/v1/codes/:code/qr.svg", s.codeQR(referral.FormSVG), makers, member)
	r.post("/v1/codes/:code/bind", s.bindCode, staff(access.Mall), member, keyed)
	r.post("/v1/codes/:code/revoke", s.revokeCode, makers, member)
	r.post("/v1/codes/:code/rotate", s.rotateCode, makers, member, keyed)
	r.get("/v1/codes/:code/funnel", s.showCodeFunnel, staff(access.Marketer, access.GroupOwner, access.Finance), member)
	r.get("/v1/referrals/tree", s.referralTree, staff(access.Marketer, access.Finance), member)
}

func (s *Server) createCode(c *gin.Context) error {
	var in referral.CodeIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.placesExist(c, []referral.CodeIn{in}, theOne); err != nil {
		return err
	}
	code, err := once(s.Referral.CreateCode(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.madeCode(c, code)
}

// madeCode renders a code that was just made.
func (s *Server) madeCode(c *gin.Context, code id.Code) error {
	list, err := s.Referral.CodesByID(c.Request.Context(), []id.Code{code})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return fault.NotFound
	}
	etag(c, list[0].Version)
	return render(c, http.StatusCreated, list[0])
}

// placesExist looks at what the referral room cannot see or need not know:
// campaigns lie above it, and a group must be one the caller may see.
// At begins the names of a row's fields in refusals.
func (s *Server) placesExist(c *gin.Context, list []referral.CodeIn, at func(row int) string) error {
	campaigns, groups := map[id.Campaign]bool{}, map[id.Group]bool{}
	for i, in := range list {
		if in.CampaignID != 0 && !campaigns[in.CampaignID] {
			campaigns[in.CampaignID] = true
			if _, err := s.Campaign.FindCampaign(c.Request.Context(), in.CampaignID); err != nil {
				return unknownField(err, at(i)+"campaign_id", "没有这个活动", "there is no such campaign")
			}
		}
		if in.GroupID != 0 && !groups[in.GroupID] {
			groups[in.GroupID] = true
			if _, err := s.Community.FindGroup(c.Request.Context(), in.GroupID); err != nil {
				return unknownField(err, at(i)+"group_id", "没有这个群", "there is no such group")
			}
		}
	}
	return nil
}

// unknownField turns "not found" about something named in the body into a
// fault of that field.
func unknownField(err error, name, zh, en string) error {
	if f, ok := fault.As(err); ok && f.Kind == fault.KindNotFound {
		return fault.Invalid.Field(name, "unknown", zh, en)
	}
	return err
}

// codeBatch asks for many codes at once.
type codeBatch struct {
	Codes []referral.CodeIn `json:"codes"`
}

func (s *Server) createCodes(c *gin.Context) error {
	var in codeBatch
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.placesExist(c, in.Codes, func(row int) string { return fmt.Sprintf("codes[%d].", row) }); err != nil {
		return err
	}
	made, err := s.Referral.CreateCodes(c.Request.Context(), in.Codes)
	if err != nil {
		return err
	}
	list, err := s.Referral.CodesByID(c.Request.Context(), made)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, database.Paged[referral.Code]{Items: list})
}

// theOne names the fields of a body that is one row.
func theOne(int) string { return "" }

func (s *Server) listCodes(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	var f referral.CodeFilter
	if f.Inviter, err = queryID[id.Member](c, "inviter_id"); err != nil {
		return err
	}
	if f.Program, err = queryID[id.Program](c, "program_id"); err != nil {
		return err
	}
	if f.Campaign, err = queryID[id.Campaign](c, "campaign_id"); err != nil {
		return err
	}
	if f.Group, err = queryID[id.Group](c, "group_id"); err != nil {
		return err
	}
	list, err := s.Referral.ListCodes(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findCode(c *gin.Context) error {
	code, err := s.Referral.FindCode(c.Request.Context(), c.Param("code"))
	if err != nil {
		return err
	}
	etag(c, code.Version)
	return render(c, http.StatusOK, code)
}

// codeQR answers a picture. It depends on the code, its form and its size
// alone, so a client may keep it; whether the code still counts is decided at
// the scan.
func (s *Server) codeQR(f referral.Form) handler {
	return func(c *gin.Context) error {
		module, err := qrModule(c)
		if err != nil {
			return err
		}
		p, err := s.Referral.CodePicture(c.Request.Context(), c.Param("code"), f, module)
		if err != nil {
			return err
		}
		picture(c, p)
		return nil
	}
}

func qrModule(c *gin.Context) (int, error) {
	text := c.Query("module")
	if text == "" {
		return referral.QRModule, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n == 0 {
		return 0, fault.Invalid.Field("module", "format", "应为正整数", "must be a positive integer")
	}
	return n, nil
}

// bindRequest binds a person to the inviter of the code: the member himself,
// or whom the mall names.
type bindRequest struct {
	InviteeID id.Member `json:"invitee_id"`
	Page      string    `json:"page"`
}

// bindAnswer names the binding that stands now.
type bindAnswer struct {
	BindingID id.Binding `json:"binding_id"`
}

func (s *Server) bindCode(c *gin.Context) error {
	var in bindRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if m := memberOf(c); m != 0 {
		if in.InviteeID != 0 && !actor(c).Is(in.InviteeID) {
			return fault.Forbidden
		}
		in.InviteeID = m
	}
	want := referral.Bind{Code: c.Param("code"), Invitee: in.InviteeID, Page: in.Page}
	bound, err := once(s.Referral.Bind(c.Request.Context(), want))(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, bindAnswer{bound})
}

func (s *Server) revokeCode(c *gin.Context) error {
	if _, err := s.Referral.RevokeCode(c.Request.Context(), c.Param("code")); err != nil {
		return err
	}
	return s.findCode(c)
}

// rotateCode gives the code's place a new one, to which the old leads on.
func (s *Server) rotateCode(c *gin.Context) error {
	var in referral.RotateIn
	if err := bind(c, &in); err != nil {
		return err
	}
	code, err := once(s.Referral.RotateCode(c.Request.Context(), c.Param("code"), in))(c)
	if err != nil {
		return err
	}
	return s.madeCode(c, code)
}

// showCodeFunnel is how far a code reached; a member sees his own codes.
func (s *Server) showCodeFunnel(c *gin.Context) error {
	code, err := s.Referral.FindCode(c.Request.Context(), c.Param("code"))
	if err != nil {
		return err
	}
	funnel, err := s.Campaign.CodeFunnel(c.Request.Context(), code)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, funnel)
}

// referralTree shows a member's invitations one step up and down; a member
// sees his own.
func (s *Server) referralTree(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	m, err := queryID[id.Member](c, "member_id")
	if err != nil {
		return err
	}
	switch own := memberOf(c); {
	case own != 0 && m != 0 && !actor(c).Is(m):
		return fault.NotFound
	case own != 0:
		m = own
	case m == 0:
		return fault.Invalid.Field("member_id", "required", "请填写会员编号", "name the member")
	}
	who, err := s.Community.FindMember(c.Request.Context(), m)
	if err != nil {
		return err
	}
	tree, err := s.Referral.Tree(c.Request.Context(), who.ID, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, tree)
}
