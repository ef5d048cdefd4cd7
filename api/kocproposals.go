package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community/health"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
)

func (s *Server) kocRoutes(r *routes) {
	readers := staff(access.Marketer, access.Finance, access.GroupOwner)
	r.post("/v1/koc-proposals", s.proposeKOC, staff(access.Marketer, access.GroupOwner), keyed)
	r.get("/v1/koc-proposals", s.listKOC, readers)
	r.get("/v1/koc-proposals/:id", s.findKOC, readers)
	r.post("/v1/koc-proposals/:id/approve", s.approveKOC, staff(access.Marketer, access.Finance), keyed)
	r.post("/v1/koc-proposals/:id/refuse", s.refuseKOC, staff(access.Marketer, access.Finance, access.GroupOwner))
}

// kocRequest names a group whose KOC candidates are to be rewarded.
type kocRequest struct {
	ProgramID id.Program `json:"program_id"`
	GroupID   id.Group   `json:"group_id"`
}

// Validate checks the request.
func (in kocRequest) Validate() error {
	var c fault.Check
	c.That(in.ProgramID != 0, "program_id", "required", "必填", "is required")
	c.That(in.GroupID != 0, "group_id", "required", "必填", "is required")
	return c.Err()
}

// proposeKOC brings the group's work list of today to the program. Whom it
// names is counted, never typed in.
func (s *Server) proposeKOC(c *gin.Context) error {
	var in kocRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	list, err := s.Health.FindWorkList(ctx, in.GroupID)
	if err != nil {
		return err
	}
	made, err := once(s.Referral.ProposeKOC(ctx, kocOf(in, list)))(c)
	if err != nil {
		return err
	}
	return s.renderKOC(c, http.StatusCreated, made)
}

func kocOf(in kocRequest, list health.WorkList) referral.KOCProposalIn {
	out := referral.KOCProposalIn{ProgramID: in.ProgramID, GroupID: in.GroupID}
	if list.AsOf == nil {
		return out // nobody is a candidate of days that nobody knows
	}
	out.Day = list.AsOf.Day
	for _, p := range list.Candidates {
		out.People = append(out.People, referral.KOCLine{MemberID: p.Member, KOCFacts: referral.KOCFacts(p.Merits)})
	}
	return out
}

func (s *Server) listKOC(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	group, err := queryID[id.Group](c, "group_id")
	if err != nil {
		return err
	}
	list, err := s.Referral.ListKOC(c.Request.Context(), referral.KOCFilter{Group: group, Status: referral.KOCStatus(c.Query("status"))}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findKOC(c *gin.Context) error {
	proposal, err := pathID[id.KOCProposal](c, "id")
	if err != nil {
		return err
	}
	return s.renderKOC(c, http.StatusOK, proposal)
}

func (s *Server) renderKOC(c *gin.Context, status int, proposal id.KOCProposal) error {
	p, err := s.Referral.FindKOC(c.Request.Context(), proposal)
	if err != nil {
		return err
	}
	return render(c, status, p)
}

func (s *Server) approveKOC(c *gin.Context) error {
	proposal, err := pathID[id.KOCProposal](c, "id")
	if err != nil {
		return err
	}
	if err := done(s.Referral.ApproveKOC(c.Request.Context(), proposal))(c); err != nil {
		return err
	}
	return s.renderKOC(c, http.StatusOK, proposal)
}

func (s *Server) refuseKOC(c *gin.Context) error {
	proposal, err := pathID[id.KOCProposal](c, "id")
	if err != nil {
		return err
	}
	var in struct {
		Reason string `json:"reason"`
	}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Referral.RefuseKOC(c.Request.Context(), proposal, in.Reason); err != nil {
		return err
	}
	return s.renderKOC(c, http.StatusOK, proposal)
}
