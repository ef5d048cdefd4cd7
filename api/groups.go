package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/id"
)

func (s *Server) groupRoutes(r *routes) {
	r.post("/v1/groups", s.createGroup, staff(access.Marketer), keyed)
	r.put("/v1/groups", s.putGroups, staff(access.Marketer))
	r.get("/v1/groups", s.listGroups, staff(access.Marketer, access.GroupOwner, access.Mall))
	r.get("/v1/groups/:id", s.findGroup, staff(access.Marketer, access.GroupOwner, access.Mall))
	r.patch("/v1/groups/:id", s.updateGroup, staff(access.Marketer))
	r.get("/v1/groups/:id/charter", found(s.Community.ListCharters), staff(access.Marketer, access.GroupOwner, access.Mall))
	r.post("/v1/groups/:id/charter", s.publishCharter, staff(access.Marketer, access.GroupOwner), keyed)
}

func (s *Server) createGroup(c *gin.Context) error {
	var in community.GroupIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.knownPlaces(c.Request.Context(), in); err != nil {
		return err
	}
	gid, err := once(s.Community.CreateGroup(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderGroup(c, http.StatusCreated, gid)
}

// knownPlaces refuses groups whose unit or owner does not exist for the
// caller; the community room knows neither.
func (s *Server) knownPlaces(ctx context.Context, groups ...community.GroupIn) error {
	units, owners := map[id.Unit]bool{}, map[id.Staff]bool{}
	for _, g := range groups {
		units[g.UnitID], owners[g.OwnerID] = true, true
	}
	if err := s.knownUnits(ctx, units); err != nil {
		return err
	}
	for o := range owners {
		if o == 0 {
			continue
		}
		if _, err := s.Access.FindStaff(ctx, o); err != nil {
			return instead(err, community.ErrOwnerUnknown)
		}
	}
	return nil
}

func (s *Server) putGroups(c *gin.Context) error {
	var in community.GroupBatch
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.knownPlaces(c.Request.Context(), in.Groups...); err != nil {
		return err
	}
	out, err := s.Community.PutGroups(c.Request.Context(), in.Groups)
	if err != nil {
		return err
	}
	type row struct {
		community.GroupResult
		Error *rowError `json:"error,omitempty"`
	}
	rows := make([]row, len(out))
	for i, r := range out {
		rows[i] = row{r, rowErrorOf(c, r.Err)}
	}
	return render(c, http.StatusOK, gin.H{"results": rows})
}

func (s *Server) listGroups(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	unit, err := queryID[id.Unit](c, "unit_id")
	if err != nil {
		return err
	}
	owner, err := queryID[id.Staff](c, "owner_id")
	if err != nil {
		return err
	}
	list, err := s.Community.ListGroups(c.Request.Context(), community.GroupFilter{
		Unit: unit, Owner: owner, Preset: community.Preset(c.Query("preset")), Status: community.GroupStatus(c.Query("status")),
	}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findGroup(c *gin.Context) error {
	gid, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	return s.renderGroup(c, http.StatusOK, gid)
}

func (s *Server) renderGroup(c *gin.Context, status int, gid id.Group) error {
	g, err := s.Community.FindGroup(c.Request.Context(), gid)
	if err != nil {
		return err
	}
	etag(c, g.Version)
	return render(c, status, g)
}

func (s *Server) updateGroup(c *gin.Context) error {
	gid, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in community.GroupChange
	if err := bind(c, &in); err != nil {
		return err
	}
	var named community.GroupIn
	if in.UnitID != nil {
		named.UnitID = *in.UnitID
	}
	if in.OwnerID != nil {
		named.OwnerID = *in.OwnerID
	}
	if err := s.knownPlaces(c.Request.Context(), named); err != nil {
		return err
	}
	g, err := s.Community.UpdateGroup(c.Request.Context(), gid, version, in)
	if err != nil {
		return err
	}
	etag(c, g.Version)
	return render(c, http.StatusOK, g)
}

func (s *Server) publishCharter(c *gin.Context) error {
	gid, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in community.CharterIn
	if err := bind(c, &in); err != nil {
		return err
	}
	charter, err := s.Community.PublishCharter(c.Request.Context(), gid, in)
	if r, ok := replayOf(err); ok {
		c.Header("Idempotency-Replayed", "true")
		charter, err = s.Community.FindCharter(c.Request.Context(), gid, int(r.ID))
	}
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, charter)
}
