package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/invite"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func (s *Server) inviteRoutes(r *routes) {
	r.get("/v1/campaigns/:id/progress", s.inviteProgress, member)
	r.get("/v1/campaigns/:id/leaderboard", s.leaderboard, staff(access.Marketer), member)
	r.get("/v1/campaigns/:id/breaker", s.findBreaker, staff(access.Marketer))
	r.post("/v1/campaigns/:id/breaker/resume", s.resumeInvite, staff(access.Marketer), keyed)
	r.get("/v1/campaigns/:id/step-rewards", s.campaignStepRewards, staff(access.Marketer, access.Mall))
	r.get("/v1/members/:id/step-rewards", s.memberStepRewards, staff(access.Marketer, access.Mall), member)
	r.get("/v1/step-rewards/:id", s.findStepReward, staff(access.Marketer, access.Mall))
	r.post("/v1/step-rewards/:id/hand-over", s.handOver, staff(access.Marketer, access.Mall), keyed)
}

func (s *Server) inviteProgress(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	p, err := s.Invite.FindProgress(c.Request.Context(), cid, memberOf(c))
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, p)
}

func (s *Server) leaderboard(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	n := 10
	if text := c.Query("limit"); text != "" {
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > 100 {
			return fault.Invalid.Field("limit", "range", "应为 1 到 100 的整数", "must be an integer from 1 to 100")
		}
	}
	b, err := s.Invite.Leaderboard(c.Request.Context(), cid, n)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, b)
}

func (s *Server) findBreaker(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	return s.renderRun(c, cid)
}

func (s *Server) renderRun(c *gin.Context, cid id.Campaign) error {
	run, err := s.Invite.FindRun(c.Request.Context(), cid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, run)
}

func (s *Server) resumeInvite(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	var in invite.Resume
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.Invite.Resume(c.Request.Context(), cid, in))(c); err != nil {
		return err
	}
	return s.renderRun(c, cid)
}

func (s *Server) campaignStepRewards(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	return s.listStepRewards(c, invite.RewardFilter{Campaign: cid})
}

func (s *Server) memberStepRewards(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	return s.listStepRewards(c, invite.RewardFilter{Member: m})
}

func (s *Server) listStepRewards(c *gin.Context, f invite.RewardFilter) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f.State = invite.RewardState(c.Query("state"))
	list, err := s.Invite.ListRewards(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findStepReward(c *gin.Context) error {
	rid, err := pathID[id.StepReward](c, "id")
	if err != nil {
		return err
	}
	return s.renderStepReward(c, rid)
}

func (s *Server) renderStepReward(c *gin.Context, rid id.StepReward) error {
	w, err := s.Invite.FindReward(c.Request.Context(), rid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, w)
}

func (s *Server) handOver(c *gin.Context) error {
	rid, err := pathID[id.StepReward](c, "id")
	if err != nil {
		return err
	}
	var in invite.HandOver
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.Invite.HandOver(c.Request.Context(), rid, in))(c); err != nil {
		return err
	}
	return s.renderStepReward(c, rid)
}
