package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community/gate"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func (s *Server) gateRoutes(r *routes) {
	owners := staff(access.Marketer, access.GroupOwner)
	r.get("/v1/groups/:id/gate", s.findGate, owners, member)
	r.put("/v1/groups/:id/gate", s.setGate, owners)
	r.post("/v1/groups/:id/applications", s.apply, member, keyed)
	r.get("/v1/groups/:id/applications", s.listApplications, owners)
	r.post("/v1/groups/:id/vouches", s.vouch, member, keyed)
	r.post("/v1/groups/:id/agreement", s.agree, member)
	r.post("/v1/groups/:id/violations", s.noteViolation, owners, keyed)
	r.get("/v1/groups/:id/violations", listed(s.Gate.ListViolations), owners)
	r.get("/v1/applications/:id", s.findApplication, staff(access.Marketer, access.GroupOwner, access.Mall), member)
	r.post("/v1/applications/:id/decide", s.decideApplication, owners)
	r.post("/v1/applications/:id/withdraw", s.withdrawApplication, member)
	r.post("/v1/applications/:id/fee", s.payApplication, staff(access.Mall), keyed)
}

func (s *Server) findGate(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	found, err := s.Gate.Find(c.Request.Context(), g)
	if err != nil {
		return err
	}
	etag(c, found.Version)
	return render(c, http.StatusOK, found)
}

// setGate takes the version last read; a group without a gate is at version 0.
func (s *Server) setGate(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	version, err := versionFromZero(c)
	if err != nil {
		return err
	}
	var in gate.In
	if err := bind(c, &in); err != nil {
		return err
	}
	set, err := s.Gate.Set(c.Request.Context(), g, version, in)
	if err != nil {
		return err
	}
	etag(c, set.Version)
	return render(c, http.StatusOK, set)
}

func (s *Server) apply(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in gate.ApplyIn
	if err := bind(c, &in); err != nil {
		return err
	}
	a, err := once(s.Gate.Apply(c.Request.Context(), g, memberOf(c), in))(c)
	if err != nil {
		return err
	}
	return s.renderApplication(c, http.StatusCreated, a)
}

func (s *Server) renderApplication(c *gin.Context, status int, a id.Application) error {
	found, err := s.Gate.FindApplication(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return render(c, status, found)
}

func (s *Server) findApplication(c *gin.Context) error {
	a, err := pathID[id.Application](c, "id")
	if err != nil {
		return err
	}
	return s.renderApplication(c, http.StatusOK, a)
}

func (s *Server) listApplications(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Gate.ListApplications(c.Request.Context(), g, gate.Status(c.Query("status")), p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) decideApplication(c *gin.Context) error {
	var in gate.DecideIn
	return s.changeApplication(c, &in, func(a id.Application) error {
		return s.Gate.DecideApplication(c.Request.Context(), a, in)
	})
}

func (s *Server) withdrawApplication(c *gin.Context) error {
	return s.changeApplication(c, nil, func(a id.Application) error { return s.Gate.Withdraw(c.Request.Context(), a) })
}

func (s *Server) payApplication(c *gin.Context) error {
	var in gate.FeeIn
	return s.changeApplication(c, &in, func(a id.Application) error { return s.Gate.PayFee(c.Request.Context(), a, in) })
}

// changeApplication binds what, if anything, is said of the application in the path, applies
// it and shows the application as it stands then.
func (s *Server) changeApplication(c *gin.Context, in any, change func(id.Application) error) error {
	a, err := pathID[id.Application](c, "id")
	if err != nil {
		return err
	}
	if in != nil {
		if err := bind(c, in); err != nil {
			return err
		}
	}
	if err := done(change(a))(c); err != nil {
		return err
	}
	return s.renderApplication(c, http.StatusOK, a)
}

func (s *Server) vouch(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	v, err := once(s.Gate.Vouch(c.Request.Context(), g, memberOf(c)))(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, gin.H{"id": v})
}

// agreeRequest names the charter's version that the member was shown.
type agreeRequest struct {
	Charter int `json:"charter_version"`
}

// Validate checks the request.
func (in agreeRequest) Validate() error {
	var c fault.Check
	c.That(in.Charter > 0, "charter_version", "required", "必填", "is required")
	return c.Err()
}

func (s *Server) agree(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in agreeRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Gate.Agree(c.Request.Context(), g, memberOf(c), in.Charter); err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"group_id": g, "charter_version": in.Charter})
}

func (s *Server) noteViolation(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in gate.ViolationIn
	if err := bind(c, &in); err != nil {
		return err
	}
	v, err := once(s.Gate.Note(c.Request.Context(), g, in))(c)
	if err != nil {
		return err
	}
	found, err := s.Gate.FindViolation(c.Request.Context(), v)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, found)
}
