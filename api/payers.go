package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/payee"
)

func (s *Server) payerRoutes(r *routes) {
	finance, both := staff(access.Finance), staff(access.Finance, access.Cashier)
	r.post("/v1/payers", s.createPayer, finance, keyed)
	r.get("/v1/payers", paged(s.Payee.ListPayers), staff(access.Finance, access.Cashier, access.Marketer))
	r.get("/v1/payers/:id", s.findPayer, staff(access.Finance, access.Cashier, access.Marketer))
	r.put("/v1/payers/:id", s.changePayer, finance)
	r.get("/v1/payers/:id/tax-months", s.listTaxMonths, both)
	r.get("/v1/payers/:id/tax-lines", listed(s.Payee.ListLines), both)
	r.post("/v1/payers/:id/closes", s.closeTaxMonth, finance)
	r.get("/v1/payers/:id/closes", listed(s.Payee.ListCloses), both)
}

func (s *Server) createPayer(c *gin.Context) error {
	var in payee.PayerIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.unitThere(c, in.UnitID); err != nil {
		return err
	}
	pid, err := once(s.Payee.CreatePayer(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderPayer(c, http.StatusCreated, pid)
}

func (s *Server) findPayer(c *gin.Context) error {
	pid, err := pathID[id.Payer](c, "id")
	if err != nil {
		return err
	}
	return s.renderPayer(c, http.StatusOK, pid)
}

func (s *Server) changePayer(c *gin.Context) error {
	pid, err := pathID[id.Payer](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in payee.PayerIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Payee.ChangePayer(c.Request.Context(), pid, version, in); err != nil {
		return err
	}
	return s.renderPayer(c, http.StatusOK, pid)
}

func (s *Server) renderPayer(c *gin.Context, status int, pid id.Payer) error {
	found, err := s.Payee.FindPayer(c.Request.Context(), pid)
	if err != nil {
		return err
	}
	etag(c, found.Version)
	return render(c, status, found)
}

// listTaxMonths shows what was withheld in a month, this one if none is named.
func (s *Server) listTaxMonths(c *gin.Context) error {
	pid, err := pathID[id.Payer](c, "id")
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	month := payee.MonthOf(clock.MilliOf(s.DB.Clock.Now()))
	if text := c.Query("month"); text != "" {
		if month, err = strconv.Atoi(text); err != nil {
			return fault.Invalid.Field("month", "format", "应为 yyyymm 形式的月份", "must be a month like 202611")
		}
	}
	list, err := s.Payee.ListMonths(c.Request.Context(), pid, month, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

// closeMonthRequest names the month to close.
type closeMonthRequest struct {
	Month int `json:"month"`
}

// Validate checks the request.
func (in closeMonthRequest) Validate() error {
	var c fault.Check
	c.That(in.Month != 0, "month", "required", "请指定月份", "name the month")
	return c.Err()
}

func (s *Server) closeTaxMonth(c *gin.Context) error {
	pid, err := pathID[id.Payer](c, "id")
	if err != nil {
		return err
	}
	var in closeMonthRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Payee.CloseMonth(c.Request.Context(), pid, in.Month); err != nil {
		return err
	}
	return s.renderPayer(c, http.StatusCreated, pid)
}
