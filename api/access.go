package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func (s *Server) accessRoutes(r *routes) {
	r.post("/v1/units", s.createUnit, staff(), keyed)
	r.get("/v1/units", paged(s.Access.ListUnits), staff(access.Marketer, access.Finance, access.Mall))
	r.get("/v1/units/:id", s.findUnit, staff(access.Marketer, access.Finance, access.Mall))
	r.patch("/v1/units/:id", s.renameUnit, staff())

	r.post("/v1/staff", s.addStaff, staff(), keyed)
	r.get("/v1/staff", paged(s.Access.ListStaff), staff())
	r.get("/v1/staff/:id", s.findStaff, staff())
	r.patch("/v1/staff/:id", s.updateStaff, staff())

	r.post("/v1/api-keys", s.addKey, staff(), keyed)
	r.get("/v1/api-keys", paged(s.Access.ListKeys), staff())
	r.get("/v1/api-keys/:id", s.findKey, staff())
	r.post("/v1/api-keys/:id/revoke", s.revokeKey, staff())

	r.get("/v1/audit", s.listAudit, staff(access.Finance))
}

func (s *Server) createUnit(c *gin.Context) error {
	var in access.UnitIn
	if err := bind(c, &in); err != nil {
		return err
	}
	unit, err := once(s.Access.CreateUnit(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderUnit(c, http.StatusCreated, unit)
}

func (s *Server) renderUnit(c *gin.Context, status int, unit id.Unit) error {
	u, err := s.Access.FindUnit(c.Request.Context(), unit)
	if err != nil {
		return err
	}
	etag(c, u.Version)
	return render(c, status, u)
}

var errNoUnit = fault.Invalid.Field("unit_id", "unknown_value", "没有这个组织，请从组织列表取编号", "there is no such unit; take its id from the list of units")

// unitThere refuses to make a thing in a unit that there is not, which somebody
// who sees all of them could name: rooms ask only whether the caller sees it.
// Zero stands for the caller's own.
func (s *Server) unitThere(c *gin.Context, unit id.Unit) error {
	ctx := c.Request.Context()
	if unit == 0 || !database.ActorOf(ctx).Sees(unit) {
		return nil // it is the room that refuses a foreign one
	}
	_, err := s.Access.FindUnit(ctx, unit)
	return instead(err, errNoUnit)
}

func (s *Server) findUnit(c *gin.Context) error {
	unit, err := pathID[id.Unit](c, "id")
	if err != nil {
		return err
	}
	return s.renderUnit(c, http.StatusOK, unit)
}

func (s *Server) renameUnit(c *gin.Context) error {
	unit, err := pathID[id.Unit](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in struct {
		Name string `json:"name"`
	}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Access.RenameUnit(c.Request.Context(), unit, version, in.Name); err != nil {
		return err
	}
	return s.renderUnit(c, http.StatusOK, unit)
}
