package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/httpd"
	"siyu/internal/id"
)

// batchBody lets the largest batch of a room pass.
const batchBody = 4 << 20

func (s *Server) memberRoutes(r *routes) {
	r.put("/v1/members", s.upsertMembers, staff(access.Mall, access.Marketer), bodyLimit(batchBody))
	r.get("/v1/members", s.listMembers, staff(access.Mall, access.Marketer))
	r.get("/v1/members/:id", s.findMember, staff(access.Mall, access.Marketer))
	r.post("/v1/members/:id/tokens", s.issueMemberToken, staff(access.Mall))
	r.put("/v1/members/:id/consents", s.setConsents, staff(access.Mall, access.Marketer), member)
}

// rowError is why one row of a batch could not stand.
type rowError struct {
	Code    string               `json:"code"`
	Message string               `json:"message"`
	Fields  []httpd.ProblemField `json:"fields,omitempty"`
	Params  map[string]any       `json:"params,omitempty"`
}

func rowErrorOf(c *gin.Context, f *fault.Fault) *rowError {
	if f == nil {
		return nil
	}
	lang := httpd.Lang(c)
	return &rowError{f.Code, f.Text(lang), httpd.FieldsOf(f, lang), f.Params}
}

func (s *Server) upsertMembers(c *gin.Context) error {
	var in community.MemberBatch
	if err := bind(c, &in); err != nil {
		return err
	}
	units := map[id.Unit]bool{}
	for _, m := range in.Members {
		units[m.UnitID] = true
	}
	if err := s.knownUnits(c.Request.Context(), units); err != nil {
		return err
	}
	out, err := s.Community.UpsertMembers(c.Request.Context(), in.Members)
	if err != nil {
		return err
	}
	type row struct {
		community.MemberResult
		Error *rowError `json:"error,omitempty"`
	}
	rows := make([]row, len(out))
	for i, r := range out {
		rows[i] = row{r, rowErrorOf(c, r.Err)}
	}
	return render(c, http.StatusOK, gin.H{"results": rows})
}

// knownUnits refuses units that do not exist or that the caller does not see;
// zero stands for the caller's own. The community room cannot know units.
func (s *Server) knownUnits(ctx context.Context, units map[id.Unit]bool) error {
	for u := range units {
		if u == 0 {
			continue
		}
		if _, err := s.Access.FindUnit(ctx, u); err != nil {
			return instead(err, community.ErrUnitUnknown)
		}
	}
	return nil
}

// instead is the refusal to give when what an input names is not found.
func instead(err error, refusal *fault.Fault) error {
	if errors.Is(err, fault.NotFound) {
		return refusal
	}
	return err
}

func (s *Server) listMembers(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	unit, err := queryID[id.Unit](c, "unit_id")
	if err != nil {
		return err
	}
	f := community.MemberFilter{Unit: unit, Identity: community.Identity{
		Kind: community.IdentityKind(c.Query("kind")), App: c.Query("app"), Value: c.Query("value"),
	}}
	if f.Identity.Kind == community.IdentityPhone {
		// Addresses end up in the logs of every proxy on the way.
		return fault.Invalid.Field("kind", "not_allowed", "不能在地址中查询手机号", "a phone number does not belong into an address")
	}
	list, err := s.Community.ListMembers(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findMember(c *gin.Context) error {
	mid, err := pathID[id.Member](c, "id")
	if err != nil {
		return err
	}
	return s.renderMember(c, mid)
}

func (s *Server) renderMember(c *gin.Context, mid id.Member) error {
	m, err := s.Community.FindMember(c.Request.Context(), mid)
	if err != nil {
		return err
	}
	etag(c, m.Version)
	return render(c, http.StatusOK, m)
}

// errTokenForGuest keeps a promise claims rely on: whom a token names has a
// strong identity.
var errTokenForGuest = fault.New(fault.KindUnprocessable, "identity_required",
	"该会员没有商城号、unionid、企微或手机号身份，请先补充", "this member has no mall id, unionid, WeCom id or phone; add one first")

func (s *Server) issueMemberToken(c *gin.Context) error {
	mid, err := pathID[id.Member](c, "id")
	if err != nil {
		return err
	}
	var in struct {
		TTLSeconds *int `json:"ttl_seconds"`
	}
	if err := bind(c, &in); err != nil {
		return err
	}
	m, err := s.Community.FindMember(c.Request.Context(), mid)
	if err != nil {
		return err
	}
	if m.Status != community.MemberActive {
		return community.ErrMemberErased.With("member", m.ID)
	}
	known, err := community.StrongIn(s.DB.Read(c.Request.Context()), []id.Member{m.ID})
	if err != nil {
		return err
	}
	if !known[m.ID] {
		return errTokenForGuest
	}
	ttl := access.MemberTokenFor
	if in.TTLSeconds != nil {
		ttl = time.Duration(min(*in.TTLSeconds, 1<<20)) * time.Second
	}
	token, err := s.Access.IssueMemberToken(c.Request.Context(), m.ID, ttl)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	return render(c, http.StatusCreated, gin.H{
		"token": token, "member_id": m.ID, "expires_at": clock.MilliOf(s.DB.Clock.Now().Add(ttl)),
	})
}

func (s *Server) setConsents(c *gin.Context) error {
	mid, err := pathID[id.Member](c, "id")
	if err != nil {
		return err
	}
	if actor(c).Kind != database.ActorStaff && !actor(c).Is(mid) {
		return fault.NotFound
	}
	var in community.ConsentBatch
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Community.SetConsents(c.Request.Context(), mid, in.Consents); err != nil {
		return err
	}
	m, err := s.Community.FindMember(c.Request.Context(), mid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"consents": m.Consents})
}
