package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
	"siyu/referral/voucher"
)

// voucherRoutes book closed days for the general ledger: finance of the whole
// brand.
func (s *Server) voucherRoutes(r *routes) {
	finance := staff(access.Finance)
	r.get("/v1/voucher-forms", s.listVoucherForms, finance)
	r.get("/v1/voucher-chart", s.findVoucherChart, finance)
	r.put("/v1/voucher-chart", s.setVoucherChart, finance)
	r.post("/v1/ledger/closes/:day/vouchers", s.makeVouchers, finance, keyed)
	r.get("/v1/ledger/closes/:day/vouchers", s.findVouchers, finance)
	r.get("/v1/ledger/closes/:day/vouchers/file", s.voucherFile, finance)
	r.get("/v1/settlements/:id/vouchers", s.findSettlementVouchers, finance)
	r.get("/v1/settlements/:id/vouchers/file", s.settlementVoucherFile, finance)
}

func (s *Server) listVoucherForms(c *gin.Context) error {
	return render(c, http.StatusOK, map[string]any{"items": voucher.Forms()})
}

func (s *Server) findVoucherChart(c *gin.Context) error {
	chart, err := s.Voucher.Chart(c.Request.Context())
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, chart)
}

func (s *Server) setVoucherChart(c *gin.Context) error {
	var in voucher.ChartIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Voucher.SetChart(c.Request.Context(), in); err != nil {
		return err
	}
	return s.findVoucherChart(c)
}

func (s *Server) makeVouchers(c *gin.Context) error {
	day, err := pathDay(c)
	if err != nil {
		return err
	}
	var in struct{}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.Voucher.Make(c.Request.Context(), day))(c); err != nil {
		return err
	}
	return s.renderVouchers(c, http.StatusCreated, day)
}

func (s *Server) findVouchers(c *gin.Context) error {
	set, err := s.vouchersAsked(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, set)
}

// vouchersAsked is a day's set, or what of it is one payer's, or nobody's.
func (s *Server) vouchersAsked(c *gin.Context) (voucher.Set, error) {
	day, err := pathDay(c)
	if err != nil {
		return voucher.Set{}, err
	}
	switch c.Query("payer_id") {
	case "":
		return s.Voucher.Find(c.Request.Context(), day)
	case "none":
		return s.Voucher.OfPayer(c.Request.Context(), day, 0)
	}
	payer, err := queryID[id.Payer](c, "payer_id")
	if err != nil {
		return voucher.Set{}, err
	}
	return s.Voucher.OfPayer(c.Request.Context(), day, payer)
}

func (s *Server) settlementVouchers(c *gin.Context) (voucher.Set, error) {
	sid, err := pathID[id.Settlement](c, "id")
	if err != nil {
		return voucher.Set{}, err
	}
	return s.Voucher.OfSettlement(c.Request.Context(), sid)
}

func (s *Server) findSettlementVouchers(c *gin.Context) error {
	set, err := s.settlementVouchers(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, set)
}

func (s *Server) renderVouchers(c *gin.Context, status, day int) error {
	set, err := s.Voucher.Find(c.Request.Context(), day)
	if err != nil {
		return err
	}
	return render(c, status, set)
}

func (s *Server) voucherFile(c *gin.Context) error {
	set, err := s.vouchersAsked(c)
	if err != nil {
		return err
	}
	name := "vouchers-" + c.Param("day")
	if payer := c.Query("payer_id"); payer != "" { // read already, so a plain id
		name += "-" + payer
	}
	return sendVouchers(c, set, name)
}

func (s *Server) settlementVoucherFile(c *gin.Context) error {
	set, err := s.settlementVouchers(c)
	if err != nil {
		return err
	}
	if set.Count == 0 && set.Open > 0 {
		return voucher.ErrOpen.With("open", set.Open)
	}
	return sendVouchers(c, set, "vouchers-"+set.SettlementID.String())
}

func sendVouchers(c *gin.Context, set voucher.Set, name string) error {
	f, err := voucher.FindForm(c.DefaultQuery("form", "csv"))
	if err != nil {
		return err
	}
	body, err := f.Write(set)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "private, no-store")
	c.Header("Content-Disposition", `attachment; filename="`+name+"."+string(f.Format)+`"`)
	c.Data(http.StatusOK, f.Media(), body)
	return nil
}
