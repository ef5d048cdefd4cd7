package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

func (s *Server) programRoutes(r *routes) {
	readers := staff(access.Marketer, access.Finance, access.GroupOwner, access.Mall)
	r.post("/v1/programs", s.createProgram, staff(access.Marketer), keyed)
	r.get("/v1/programs", paged(s.Referral.ListPrograms), readers)
	r.get("/v1/programs/:id", s.findProgram, readers)
	r.post("/v1/programs/:id/versions", s.addProgramVersion, staff(access.Marketer), keyed)
	r.get("/v1/programs/:id/versions", listed(s.Referral.ListVersions), readers)
	r.post("/v1/programs/:id/pause", s.moveProgram((*referral.Service).PauseProgram), staff(access.Marketer))
	r.post("/v1/programs/:id/resume", s.moveProgram((*referral.Service).ResumeProgram), staff(access.Marketer))
	r.post("/v1/programs/:id/end", s.moveProgram((*referral.Service).EndProgram), staff(access.Marketer))
	r.post("/v1/programs/:id/budget", s.topUpProgram, staff(access.Marketer, access.Finance), keyed)
}

func (s *Server) createProgram(c *gin.Context) error {
	var in referral.ProgramIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.unitThere(c, in.UnitID); err != nil {
		return err
	}
	program, err := once(s.Referral.CreateProgram(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderProgram(c, http.StatusCreated, program)
}

func (s *Server) renderProgram(c *gin.Context, status int, program id.Program) error {
	p, err := s.Referral.FindProgram(c.Request.Context(), program)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, status, p)
}

func (s *Server) findProgram(c *gin.Context) error {
	program, err := pathID[id.Program](c, "id")
	if err != nil {
		return err
	}
	return s.renderProgram(c, http.StatusOK, program)
}

// versionRequest is a new version of a program's rules.
type versionRequest struct {
	Rules referral.RulesIn `json:"rules"`
}

// Validate checks the rules.
func (in versionRequest) Validate() error { return in.Rules.Validate() }

func (s *Server) addProgramVersion(c *gin.Context) error {
	program, err := pathID[id.Program](c, "id")
	if err != nil {
		return err
	}
	var in versionRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	_, err = s.Referral.NewVersion(c.Request.Context(), program, in.Rules)
	if err := done(err)(c); err != nil {
		return err
	}
	return s.renderProgram(c, http.StatusCreated, program)
}

// moveProgram answers one of the moves of a program's status.
func (s *Server) moveProgram(move func(*referral.Service, context.Context, id.Program) error) handler {
	return func(c *gin.Context) error {
		program, err := pathID[id.Program](c, "id")
		if err != nil {
			return err
		}
		if err := move(s.Referral, c.Request.Context(), program); err != nil {
			return err
		}
		return s.renderProgram(c, http.StatusOK, program)
	}
}

// budgetRequest adds to a program's budget.
type budgetRequest struct {
	Amount money.Amount `json:"amount_fen"`
}

func (s *Server) topUpProgram(c *gin.Context) error {
	program, err := pathID[id.Program](c, "id")
	if err != nil {
		return err
	}
	var in budgetRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.Referral.TopUp(c.Request.Context(), program, in.Amount))(c); err != nil {
		return err
	}
	return s.renderProgram(c, http.StatusOK, program)
}
