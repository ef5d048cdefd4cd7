package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/review"
)

func (s *Server) reviewRoutes(r *routes) {
	r.get("/v1/review-cases", s.listCases, staff(access.Marketer, access.Finance))
	r.get("/v1/review-cases/:id", found(s.Review.FindCase), staff(access.Marketer, access.Finance))
	r.post("/v1/rewards/:id/review", s.reviewReward, staff(access.Marketer, access.Finance), keyed)
	r.post("/v1/rewards/:id/release", s.releaseReward, staff(access.Finance), keyed)
	r.get("/v1/review-policy", s.findReviewPolicy, staff(access.Marketer, access.Finance))
	r.put("/v1/sightings", s.reportSightings, staff(access.Mall))
	r.put("/v1/review-policy", replace(s.Review.SetPolicy, s.findReviewPolicy), staff(access.Finance))
}

func (s *Server) listCases(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := review.Filter{State: review.State(c.Query("state"))}
	if f.Member, err = queryID[id.Member](c, "member_id"); err != nil {
		return err
	}
	list, err := s.Review.ListCases(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) reviewReward(c *gin.Context) error {
	reward, err := pathID[id.Reward](c, "id")
	if err != nil {
		return err
	}
	var in referral.Finding
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.Referral.ReviewReward(c.Request.Context(), reward, in))(c); err != nil {
		return err
	}
	return s.renderReward(c, reward)
}

func (s *Server) releaseReward(c *gin.Context) error {
	reward, err := pathID[id.Reward](c, "id")
	if err != nil {
		return err
	}
	var in struct {
		Reason string `json:"reason"`
	}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.Referral.ReleaseReward(c.Request.Context(), reward, in.Reason))(c); err != nil {
		return err
	}
	return s.renderReward(c, reward)
}

func (s *Server) findReviewPolicy(c *gin.Context) error {
	p, err := s.Review.FindPolicy(c.Request.Context())
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, http.StatusOK, p)
}

func (s *Server) reportSightings(c *gin.Context) error {
	var in review.SightingsIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Review.Report(c.Request.Context(), in); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
