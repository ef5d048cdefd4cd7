package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/referral/insight"
)

func (s *Server) insightRoutes(r *routes) {
	r.get("/v1/insight", s.showInsight, staff(access.Marketer, access.Finance))
}

// insightView is the figures of invitations beside those of refunds, which
// another room knows.
type insightView struct {
	insight.Figures
	Refunds refundTimes `json:"refunds"`
}

// refundTimes is how long the refunds that Siyu asked for took.
type refundTimes struct {
	Done    int    `json:"done"`
	Open    int    `json:"open"`
	MedianS *int64 `json:"median_s"` // null: none was done
}

func (s *Server) showInsight(c *gin.Context) error {
	var w insight.Window
	var err error
	if w.Program, err = queryID[id.Program](c, "program_id"); err != nil {
		return err
	}
	if w.To, err = queryTime(c, "to"); err != nil {
		return err
	}
	if w.From, err = queryTime(c, "from"); err != nil {
		return err
	}
	w = w.Filled(clock.MilliOf(s.DB.Clock.Now()))
	ctx := c.Request.Context()
	var out insightView
	if out.Figures, err = s.Insight.Read(ctx, w); err != nil {
		return err
	}
	took, err := s.Campaign.RefundTimes(ctx, w.From, w.To)
	if err != nil {
		return err
	}
	out.Refunds = refundTimes{Done: took.Done, Open: took.Open}
	if took.Done > 0 {
		out.Refunds.MedianS = new(int64(took.Median / time.Second))
	}
	return render(c, http.StatusOK, out)
}
