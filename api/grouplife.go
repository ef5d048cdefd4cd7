package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/community/life"
	"siyu/internal/database"
	"siyu/internal/id"
)

func (s *Server) groupLifeRoutes(r *routes) {
	owners := staff(access.Marketer, access.GroupOwner)
	r.put("/v1/groups/:id/end", s.planEnd, owners)
	r.post("/v1/groups/:id/close", s.closeGroup, owners)
	r.post("/v1/groups/:id/handovers", s.startHandover, owners, keyed)
	r.get("/v1/groups/:id/handovers", s.listHandovers, owners)
	r.get("/v1/handovers/:id", s.findHandover, owners)
	r.post("/v1/handovers/:id/confirm", s.confirmHandover, owners)
	r.post("/v1/handovers/:id/cancel", s.cancelHandover, owners)
	r.post("/v1/groups/:id/mergers", s.startMerger, owners, keyed)
	r.get("/v1/groups/:id/mergers", s.listMergers, owners)
	r.get("/v1/mergers/:id", s.findMerger, owners)
	r.post("/v1/mergers/:id/cancel", s.cancelMerger, owners)
	r.post("/v1/mergers/:id/accept", s.acceptMerger, member)
	r.post("/v1/mergers/:id/decline", s.declineMerger, member)
}

// ofGroup renders a page of what the group in the path has.
func ofGroup[T any](c *gin.Context, list func(context.Context, id.Group, database.Page) (database.Paged[T], error)) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	found, err := list(c.Request.Context(), g, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, found)
}

func (s *Server) planEnd(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in life.EndIn
	if err := bind(c, &in); err != nil {
		return err
	}
	after, err := s.Life.PlanEnd(c.Request.Context(), g, version, in)
	if err != nil {
		return err
	}
	etag(c, after.Version)
	return render(c, http.StatusOK, after)
}

func (s *Server) closeGroup(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in life.CloseIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Life.Close(c.Request.Context(), g, in); err != nil {
		return err
	}
	return s.renderGroup(c, http.StatusOK, g)
}

func (s *Server) startHandover(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in life.HandoverIn
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if _, err := s.Community.FindGroup(ctx, g); err != nil {
		return err
	}
	if err := s.knownPlaces(ctx, community.GroupIn{OwnerID: in.ToID}); err != nil {
		return err
	}
	made, err := once(s.Life.StartHandover(ctx, g, in))(c)
	if err != nil {
		return err
	}
	return s.renderHandover(c, http.StatusCreated, made)
}

func (s *Server) renderHandover(c *gin.Context, status int, h id.Handover) error {
	found, err := s.Life.FindHandover(c.Request.Context(), h)
	if err != nil {
		return err
	}
	return render(c, status, found)
}

func (s *Server) findHandover(c *gin.Context) error {
	h, err := pathID[id.Handover](c, "id")
	if err != nil {
		return err
	}
	return s.renderHandover(c, http.StatusOK, h)
}

func (s *Server) listHandovers(c *gin.Context) error {
	return ofGroup(c, s.Life.ListHandovers)
}

func (s *Server) confirmHandover(c *gin.Context) error {
	return s.changeHandover(c, s.Life.ConfirmHandover)
}

func (s *Server) cancelHandover(c *gin.Context) error {
	return s.changeHandover(c, s.Life.CancelHandover)
}

// changeHandover renders the hand-over as it stands after the change. Who gave
// a group away still sees the hand-over.
func (s *Server) changeHandover(c *gin.Context, change func(context.Context, id.Handover) error) error {
	h, err := pathID[id.Handover](c, "id")
	if err != nil {
		return err
	}
	if err := change(c.Request.Context(), h); err != nil {
		return err
	}
	return s.renderHandover(c, http.StatusOK, h)
}

func (s *Server) startMerger(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in life.MergerIn
	if err := bind(c, &in); err != nil {
		return err
	}
	made, err := once(s.Life.StartMerger(c.Request.Context(), g, in))(c)
	if err != nil {
		return err
	}
	return s.renderMerger(c, http.StatusCreated, made)
}

func (s *Server) renderMerger(c *gin.Context, status int, m id.Merger) error {
	found, err := s.Life.FindMerger(c.Request.Context(), m)
	if err != nil {
		return err
	}
	return render(c, status, found)
}

func (s *Server) findMerger(c *gin.Context) error {
	m, err := pathID[id.Merger](c, "id")
	if err != nil {
		return err
	}
	return s.renderMerger(c, http.StatusOK, m)
}

func (s *Server) listMergers(c *gin.Context) error {
	return ofGroup(c, s.Life.ListMergers)
}

func (s *Server) cancelMerger(c *gin.Context) error {
	m, err := pathID[id.Merger](c, "id")
	if err != nil {
		return err
	}
	if err := s.Life.CancelMerger(c.Request.Context(), m); err != nil {
		return err
	}
	return s.renderMerger(c, http.StatusOK, m)
}

func (s *Server) acceptMerger(c *gin.Context) error {
	m, err := pathID[id.Merger](c, "id")
	if err != nil {
		return err
	}
	var in agreeRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Life.Accept(c.Request.Context(), m, memberOf(c), in.Charter); err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"merger_id": m, "joined": true})
}

func (s *Server) declineMerger(c *gin.Context) error {
	m, err := pathID[id.Merger](c, "id")
	if err != nil {
		return err
	}
	if err := s.Life.Decline(c.Request.Context(), m, memberOf(c)); err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"merger_id": m, "joined": false})
}
