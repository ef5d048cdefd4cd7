package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/groupbuy"
	"siyu/community/request"
	"siyu/internal/id"
)

func (s *Server) requestRoutes(r *routes) {
	owners := staff(access.Marketer, access.GroupOwner)
	r.post("/v1/requests", s.askRequest, member, keyed)
	r.get("/v1/requests", s.listRequests, owners, member)
	r.get("/v1/requests/:id", s.findRequest, owners, member)
	r.post("/v1/requests/:id/wants", s.wantRequest, member)
	r.post("/v1/requests/:id/rating", s.rateRequest, member)
	r.post("/v1/requests/:id/answer", s.answerRequest, owners, keyed)
	r.post("/v1/requests/:id/group-buy", s.draftGroupBuy, staff(access.Marketer), keyed)
}

func (s *Server) askRequest(c *gin.Context) error {
	var in request.In
	if err := bind(c, &in); err != nil {
		return err
	}
	r, err := once(s.Request.Ask(c.Request.Context(), memberOf(c), in))(c)
	if err != nil {
		return err
	}
	return s.renderRequest(c, http.StatusCreated, r)
}

func (s *Server) renderRequest(c *gin.Context, status int, r id.Request) error {
	found, err := s.Request.Find(c.Request.Context(), r)
	if err != nil {
		return err
	}
	return render(c, status, found)
}

func (s *Server) findRequest(c *gin.Context) error {
	r, err := pathID[id.Request](c, "id")
	if err != nil {
		return err
	}
	return s.renderRequest(c, http.StatusOK, r)
}

func (s *Server) listRequests(c *gin.Context) error {
	g, err := queryID[id.Group](c, "group_id")
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Request.List(c.Request.Context(), request.Filter{Group: g, Status: request.Status(c.Query("status"))}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) wantRequest(c *gin.Context) error {
	return s.changeRequest(c, nil, func(r id.Request) error { return s.Request.Want(c.Request.Context(), r, memberOf(c)) })
}

// rateRequest is the asker's word, of one to five stars.
func (s *Server) rateRequest(c *gin.Context) error {
	var in struct {
		Stars int `json:"stars"`
	}
	return s.changeRequest(c, &in, func(r id.Request) error { return s.Request.Rate(c.Request.Context(), r, memberOf(c), in.Stars) })
}

func (s *Server) answerRequest(c *gin.Context) error {
	var in request.AnswerIn
	return s.changeRequest(c, &in, func(r id.Request) error { return s.Request.Answer(c.Request.Context(), r, in) })
}

// changeRequest binds what, if anything, is said of the request in the path,
// applies it and shows the request as it stands then.
func (s *Server) changeRequest(c *gin.Context, in any, change func(id.Request) error) error {
	r, err := pathID[id.Request](c, "id")
	if err != nil {
		return err
	}
	if in != nil {
		if err := bind(c, in); err != nil {
			return err
		}
	}
	if err := done(change(r))(c); err != nil {
		return err
	}
	return s.renderRequest(c, http.StatusOK, r)
}

// draftGroupBuy makes a draft of a group-buy from a request; one that has its
// draft already shows it.
func (s *Server) draftGroupBuy(c *gin.Context) error {
	r, err := pathID[id.Request](c, "id")
	if err != nil {
		return err
	}
	var in groupbuy.DraftIn
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	made, err := once(s.GroupBuy.Draft(ctx, r, in))(c)
	if err != nil {
		return err
	}
	found, err := s.Campaign.FindCampaign(ctx, made)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, found)
}
