package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community/split"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func (s *Server) splitRoutes(r *routes) {
	owners := staff(access.Marketer, access.GroupOwner)
	r.post("/v1/groups/:id/splits", s.proposeSplit, owners, keyed)
	r.get("/v1/groups/:id/splits", s.listSplits, owners)
	r.get("/v1/splits/:id", s.findSplit, owners)
	r.get("/v1/splits/:id/seats", s.listSplitSeats, owners)
	r.post("/v1/splits/:id/approve", s.approveSplit, owners)
	r.post("/v1/splits/:id/reject", s.rejectSplit, owners)
	r.post("/v1/splits/:id/accept", s.acceptSplit, member)
	r.post("/v1/splits/:id/decline", s.declineSplit, member)
}

func (s *Server) proposeSplit(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in split.In
	if err := bind(c, &in); err != nil {
		return err
	}
	made, err := once(s.Split.Propose(c.Request.Context(), g, in))(c)
	if err != nil {
		return err
	}
	return s.renderSplit(c, http.StatusCreated, made)
}

func (s *Server) renderSplit(c *gin.Context, status int, p id.Split) error {
	found, err := s.Split.Find(c.Request.Context(), p)
	if err != nil {
		return err
	}
	etag(c, found.Version)
	return render(c, status, found)
}

func (s *Server) listSplits(c *gin.Context) error { return ofGroup(c, s.Split.List) }

func (s *Server) findSplit(c *gin.Context) error {
	p, err := pathID[id.Split](c, "id")
	if err != nil {
		return err
	}
	return s.renderSplit(c, http.StatusOK, p)
}

func (s *Server) listSplitSeats(c *gin.Context) error {
	p, err := pathID[id.Split](c, "id")
	if err != nil {
		return err
	}
	part := 0
	if text := c.Query("part"); text != "" {
		if part, err = strconv.Atoi(text); err != nil || part < 1 {
			return fault.Invalid.Field("part", "range", "应为从 1 起的整数", "must be an integer from 1")
		}
	}
	limits, err := page(c)
	if err != nil {
		return err
	}
	found, err := s.Split.Seats(c.Request.Context(), p, part, limits)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, found)
}

func (s *Server) approveSplit(c *gin.Context) error {
	return s.decideSplit(c, s.Split.Approve)
}

func (s *Server) rejectSplit(c *gin.Context) error {
	return s.decideSplit(c, func(ctx context.Context, p id.Split, version int) error {
		var in split.EndIn
		if err := bind(c, &in); err != nil {
			return err
		}
		return s.Split.Reject(ctx, p, version, in)
	})
}

// decideSplit decides on the version of a proposal that the caller has read.
func (s *Server) decideSplit(c *gin.Context, decide func(context.Context, id.Split, int) error) error {
	p, err := pathID[id.Split](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	if err := decide(c.Request.Context(), p, version); err != nil {
		return err
	}
	return s.renderSplit(c, http.StatusOK, p)
}

func (s *Server) acceptSplit(c *gin.Context) error {
	p, err := pathID[id.Split](c, "id")
	if err != nil {
		return err
	}
	var in agreeRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Split.Accept(c.Request.Context(), p, memberOf(c), in.Charter); err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"split_id": p, "joined": true})
}

func (s *Server) declineSplit(c *gin.Context) error {
	p, err := pathID[id.Split](c, "id")
	if err != nil {
		return err
	}
	if err := s.Split.Decline(c.Request.Context(), p, memberOf(c)); err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"split_id": p, "joined": false})
}
