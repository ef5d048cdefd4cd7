package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
	"siyu/referral"
)

func (s *Server) rewardRoutes(r *routes) {
	readers := staff(access.Marketer, access.Finance, access.Cashier, access.Mall)
	r.get("/v1/rewards", s.listRewards, readers, member)
	r.get("/v1/rewards/:id", s.findReward, readers, member)
	r.post("/v1/rewards/:id/void", s.voidReward, staff(access.Finance), keyed)
}

func (s *Server) listRewards(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := referral.RewardFilter{State: referral.RewardState(c.Query("state"))}
	if f.Member, err = queryID[id.Member](c, "member_id"); err != nil {
		return err
	}
	if f.Campaign, err = queryID[id.Campaign](c, "campaign_id"); err != nil {
		return err
	}
	if f.Program, err = queryID[id.Program](c, "program_id"); err != nil {
		return err
	}
	if f.Order, err = queryID[id.Order](c, "order_id"); err != nil {
		return err
	}
	list, err := s.Referral.ListRewards(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findReward(c *gin.Context) error {
	reward, err := pathID[id.Reward](c, "id")
	if err != nil {
		return err
	}
	return s.renderReward(c, reward)
}

func (s *Server) renderReward(c *gin.Context, reward id.Reward) error {
	r, err := s.Referral.FindReward(c.Request.Context(), reward)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, r)
}

// voidRequest says why a reward is taken back.
type voidRequest struct {
	Reason string `json:"reason"`
}

func (s *Server) voidReward(c *gin.Context) error {
	reward, err := pathID[id.Reward](c, "id")
	if err != nil {
		return err
	}
	var in voidRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.Referral.VoidReward(c.Request.Context(), reward, in.Reason))(c); err != nil {
		return err
	}
	return s.renderReward(c, reward)
}
