package api

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/community/request"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
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

// groupBuyRequest is a group-buy to draft for a request; its name is the
// request's line and its audience the request's group.
type groupBuyRequest struct {
	SKU      string       `json:"sku"`
	Price    money.Amount `json:"price_fen"`
	Stock    int64        `json:"stock"`
	Size     int          `json:"size"`
	StartsAt clock.Milli  `json:"starts_at"`
	EndsAt   clock.Milli  `json:"ends_at"`
}

// Validate checks what the campaign's own check would name otherwise.
func (in groupBuyRequest) Validate() error {
	var c fault.Check
	c.Required(in.SKU, "sku")
	c.Range(int64(in.Size), "size", 2, 100)
	return c.Err()
}

// draftGroupBuy makes a draft of a group-buy from a request; one that has its
// draft already shows it.
func (s *Server) draftGroupBuy(c *gin.Context) error {
	rid, err := pathID[id.Request](c, "id")
	if err != nil {
		return err
	}
	var in groupBuyRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	r, err := s.Request.Buys(ctx, rid)
	if err != nil {
		return err
	}
	if r.CampaignID == 0 {
		rules, err := json.Marshal(map[string]int{"size": in.Size})
		if err != nil {
			return err
		}
		r.CampaignID, err = once(s.Campaign.CreateCampaign(ctx, campaign.CampaignIn{
			Kind: "group_buy", Name: r.Line, StartsAt: in.StartsAt, EndsAt: in.EndsAt, Rules: rules,
			Audience: campaign.Audience{Groups: []id.Group{r.GroupID}},
			Items:    []campaign.ItemIn{{SKU: in.SKU, Price: in.Price, Stock: in.Stock}},
		}))(c)
		if err != nil {
			return err
		}
		if err := s.Request.GroupBuy(database.WithoutKey(ctx), rid, r.CampaignID); err != nil {
			return err
		}
	}
	found, err := s.Campaign.FindCampaign(ctx, r.CampaignID)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, found)
}
