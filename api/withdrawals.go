package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// withdrawalRoutes are what members ask to be paid, and the terms of payers
// for it.
func (s *Server) withdrawalRoutes(r *routes) {
	finance, both := staff(access.Finance), staff(access.Finance, access.Cashier)
	r.get("/v1/payers/:id/withdrawal-terms", s.findTerms, staff(access.Finance, access.Cashier, access.Marketer))
	r.put("/v1/payers/:id/withdrawal-terms", s.setTerms, finance)
	r.get("/v1/members/:id/withdrawal-offers", s.listOffers, finance, member)
	r.get("/v1/members/:id/withdrawals", s.memberWithdrawals, both, member)
	r.post("/v1/members/:id/withdrawals", s.askWithdrawal, member, keyed)
	r.get("/v1/withdrawals", s.listWithdrawals, both)
	r.get("/v1/withdrawals/:id", s.findWithdrawal, both, member)
	r.post("/v1/withdrawals/:id/cancel", s.cancelWithdrawal, member)
	r.post("/v1/withdrawals/:id/refuse", s.refuseWithdrawal, finance)
}

// findTerms shows the terms in force, or those of a number.
func (s *Server) findTerms(c *gin.Context) error {
	pid, err := pathID[id.Payer](c, "id")
	if err != nil {
		return err
	}
	no := 0
	if text := c.Query("no"); text != "" {
		if no, err = strconv.Atoi(text); err != nil || no < 1 {
			return fault.Invalid.Field("no", "format", "应为从 1 起的版本号", "must be a number from 1")
		}
	}
	t, err := s.Settlement.FindTerms(c.Request.Context(), pid, no)
	if err != nil {
		return err
	}
	if no == 0 {
		etag(c, t.No)
	}
	return render(c, http.StatusOK, t)
}

func (s *Server) setTerms(c *gin.Context) error {
	pid, err := pathID[id.Payer](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in settlement.TermsIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Settlement.SetTerms(c.Request.Context(), pid, version, in); err != nil {
		return err
	}
	return s.findTerms(c)
}

// offerView is what a member could ask for now, and why he cannot.
type offerView struct {
	settlement.Offer
	Refusal string `json:"refusal"` // its code; empty: he can
}

func (s *Server) listOffers(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	list, err := s.Settlement.Offers(c.Request.Context(), m)
	if err != nil {
		return err
	}
	out := make([]offerView, len(list))
	for i, o := range list {
		if out[i] = (offerView{Offer: o}); o.Refusal != nil {
			out[i].Refusal = o.Refusal.Code
		}
	}
	return render(c, http.StatusOK, map[string]any{"items": out})
}

func (s *Server) memberWithdrawals(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	return s.renderWithdrawals(c, settlement.WithdrawalFilter{Member: m})
}

func (s *Server) listWithdrawals(c *gin.Context) error {
	payer, err := queryID[id.Payer](c, "payer_id")
	if err != nil {
		return err
	}
	return s.renderWithdrawals(c, settlement.WithdrawalFilter{Payer: payer, Status: settlement.WithdrawalStatus(c.Query("status"))})
}

func (s *Server) renderWithdrawals(c *gin.Context, f settlement.WithdrawalFilter) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListWithdrawals(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) askWithdrawal(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	var in settlement.AskIn
	if err := bind(c, &in); err != nil {
		return err
	}
	wid, err := once(s.Settlement.Ask(c.Request.Context(), m, in))(c)
	if err != nil {
		return err
	}
	return s.renderWithdrawal(c, http.StatusCreated, wid)
}

func (s *Server) findWithdrawal(c *gin.Context) error {
	wid, err := pathID[id.Withdrawal](c, "id")
	if err != nil {
		return err
	}
	return s.renderWithdrawal(c, http.StatusOK, wid)
}

func (s *Server) cancelWithdrawal(c *gin.Context) error {
	wid, err := pathID[id.Withdrawal](c, "id")
	if err != nil {
		return err
	}
	if err := s.Settlement.CancelWithdrawal(c.Request.Context(), wid); err != nil {
		return err
	}
	return s.renderWithdrawal(c, http.StatusOK, wid)
}

func (s *Server) refuseWithdrawal(c *gin.Context) error {
	wid, err := pathID[id.Withdrawal](c, "id")
	if err != nil {
		return err
	}
	var in settlement.RefuseIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Settlement.RefuseWithdrawal(c.Request.Context(), wid, in); err != nil {
		return err
	}
	return s.renderWithdrawal(c, http.StatusOK, wid)
}

func (s *Server) renderWithdrawal(c *gin.Context, status int, wid id.Withdrawal) error {
	w, err := s.Settlement.FindWithdrawal(c.Request.Context(), wid)
	if err != nil {
		return err
	}
	return render(c, status, w)
}
