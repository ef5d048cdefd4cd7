package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/promoter"
)

func (s *Server) promoterRoutes(r *routes) {
	readers := staff(access.Marketer, access.Finance, access.Mall)
	r.post("/v1/promoters", s.applyPromoter, staff(access.Marketer, access.Mall), member, keyed)
	r.get("/v1/promoters", s.listPromoters, readers, member)
	r.get("/v1/promoters/:id", s.findPromoter, readers, member)
	r.get("/v1/promoter-levels", s.findLadder, readers)
	r.put("/v1/promoter-levels", replace(s.Promoter.SetLadder, s.findLadder), staff(access.Marketer))
	for _, act := range []promoter.Act{promoter.Approve, promoter.Refuse, promoter.Freeze, promoter.Thaw} {
		r.post("/v1/promoters/:id/"+string(act), s.decidePromoter(act), staff(access.Marketer))
	}
}

func (s *Server) applyPromoter(c *gin.Context) error {
	var in referral.ApplyIn
	if err := bind(c, &in); err != nil {
		return err
	}
	made, err := once(s.Referral.ApplyPromoter(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderPromoter(c, http.StatusCreated, made)
}

func (s *Server) renderPromoter(c *gin.Context, status int, pid id.Promoter) error {
	p, err := s.Promoter.FindPromoter(c.Request.Context(), pid)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, status, p)
}

func (s *Server) listPromoters(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := promoter.Filter{Status: promoter.Status(c.Query("status"))}
	if f.Member, err = queryID[id.Member](c, "member_id"); err != nil {
		return err
	}
	if f.Unit, err = queryID[id.Unit](c, "unit_id"); err != nil {
		return err
	}
	if c.Query("level") != "" {
		if f.Level, err = strconv.Atoi(c.Query("level")); err != nil || f.Level < 1 || f.Level > 9 {
			return fault.Invalid.Field("level", "range", "应为 1 到 9 的整数", "must be an integer from 1 to 9")
		}
	}
	list, err := s.Promoter.ListPromoters(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findPromoter(c *gin.Context) error {
	pid, err := pathID[id.Promoter](c, "id")
	if err != nil {
		return err
	}
	return s.renderPromoter(c, http.StatusOK, pid)
}

func (s *Server) decidePromoter(act promoter.Act) handler {
	return func(c *gin.Context) error {
		pid, err := pathID[id.Promoter](c, "id")
		if err != nil {
			return err
		}
		var in struct {
			Reason string `json:"reason"`
		}
		if err := bind(c, &in); err != nil {
			return err
		}
		if err := done(s.Promoter.Decide(c.Request.Context(), pid, act, in.Reason))(c); err != nil {
			return err
		}
		return s.renderPromoter(c, http.StatusOK, pid)
	}
}

func (s *Server) findLadder(c *gin.Context) error {
	l, err := s.Promoter.FindLadder(c.Request.Context())
	if err != nil {
		return err
	}
	etag(c, l.Version)
	return render(c, http.StatusOK, l)
}
