package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// objectionRoutes show members what settlements of a month hold of them, and
// take what they object to.
func (s *Server) objectionRoutes(r *routes) {
	finance := staff(access.Finance)
	r.get("/v1/members/:id/statements/:month", s.monthStatement, finance, member)
	r.post("/v1/members/:id/objections", s.object, finance, member, keyed)
	r.get("/v1/objections", s.listObjections, finance)
	r.get("/v1/objections/:id", s.findObjection, finance)
	r.post("/v1/objections/:id/answer", s.answerObjection, finance)
}

func (s *Server) monthStatement(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	month, err := strconv.Atoi(c.Param("month"))
	if err != nil {
		return fault.NotFound
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	st, err := s.Settlement.MonthStatement(c.Request.Context(), m, month, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, st)
}

func (s *Server) object(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	var in settlement.ObjectIn
	if err := bind(c, &in); err != nil {
		return err
	}
	oid, err := once(s.Settlement.Object(c.Request.Context(), m, in))(c)
	if err != nil {
		return err
	}
	return s.renderObjection(c, http.StatusCreated, oid)
}

func (s *Server) renderObjection(c *gin.Context, status int, oid id.Objection) error {
	found, err := s.Settlement.FindObjection(c.Request.Context(), oid)
	if err != nil {
		return err
	}
	return render(c, status, found)
}

func (s *Server) listObjections(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListObjections(c.Request.Context(), settlement.ObjectionStatus(c.Query("status")), p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findObjection(c *gin.Context) error {
	oid, err := pathID[id.Objection](c, "id")
	if err != nil {
		return err
	}
	return s.renderObjection(c, http.StatusOK, oid)
}

func (s *Server) answerObjection(c *gin.Context) error {
	oid, err := pathID[id.Objection](c, "id")
	if err != nil {
		return err
	}
	var in settlement.AnswerIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Settlement.Answer(c.Request.Context(), oid, in); err != nil {
		return err
	}
	return s.renderObjection(c, http.StatusOK, oid)
}
