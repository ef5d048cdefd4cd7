package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// payoutRoutes let finance as well as cashiers pay; that nobody pays what he
// prepared or reviewed is compared by staff id in the room.
func (s *Server) payoutRoutes(r *routes) {
	both := staff(access.Finance, access.Cashier)
	r.post("/v1/payouts", s.createPayout, both, keyed)
	r.get("/v1/payouts", s.listPayouts, both)
	r.get("/v1/payouts/:id", s.findPayout, both)
	r.get("/v1/payouts/:id/holds", listed(s.Settlement.ListHolds), both)
	r.post("/v1/payouts/:id/pay", s.payPayout, both, keyed)
	r.post("/v1/payouts/:id/results", s.reportPayout, both, keyed)
}

func (s *Server) createPayout(c *gin.Context) error {
	var in settlement.PayoutIn
	if err := bind(c, &in); err != nil {
		return err
	}
	pid, err := once(s.Settlement.CreatePayout(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderPayout(c, http.StatusCreated, pid)
}

func (s *Server) listPayouts(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	sid, err := queryID[id.Settlement](c, "settlement_id")
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListPayouts(c.Request.Context(), settlement.PayoutFilter{Settlement: sid}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findPayout(c *gin.Context) error {
	pid, err := pathID[id.Payout](c, "id")
	if err != nil {
		return err
	}
	return s.renderPayout(c, http.StatusOK, pid)
}

func (s *Server) payPayout(c *gin.Context) error {
	var in struct{}
	return s.movePayout(c, http.StatusAccepted, &in, func(pid id.Payout) error {
		return s.Settlement.Pay(c.Request.Context(), pid)
	})
}

func (s *Server) reportPayout(c *gin.Context) error {
	var in settlement.ResultsIn
	return s.movePayout(c, http.StatusOK, &in, func(pid id.Payout) error {
		return s.Settlement.PayoutResults(c.Request.Context(), pid, in)
	})
}

// movePayout binds what a step needs, takes it once and shows the payout as it
// stands then.
func (s *Server) movePayout(c *gin.Context, status int, in any, step func(id.Payout) error) error {
	pid, err := pathID[id.Payout](c, "id")
	if err != nil {
		return err
	}
	if err := bind(c, in); err != nil {
		return err
	}
	if err := done(step(pid))(c); err != nil {
		return err
	}
	return s.renderPayout(c, status, pid)
}

// renderPayout shows the payout with a page of its lines.
func (s *Server) renderPayout(c *gin.Context, status int, pid id.Payout) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	found, err := s.Settlement.FindPayout(c.Request.Context(), pid)
	if err != nil {
		return err
	}
	lines, err := s.Settlement.ListPayoutLines(c.Request.Context(), pid, p)
	if err != nil {
		return err
	}
	held, err := s.Settlement.SumHolds(c.Request.Context(), pid)
	if err != nil {
		return err
	}
	return render(c, status, struct {
		settlement.Payout
		Held  []settlement.HeldSum                  `json:"held"`
		Lines database.Paged[settlement.PayoutLine] `json:"lines"`
	}{found, held, lines})
}
