package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
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
	day, err := pathDay(c)
	if err != nil {
		return err
	}
	return s.renderVouchers(c, http.StatusOK, day)
}

func (s *Server) renderVouchers(c *gin.Context, status, day int) error {
	set, err := s.Voucher.Find(c.Request.Context(), day)
	if err != nil {
		return err
	}
	return render(c, status, set)
}

func (s *Server) voucherFile(c *gin.Context) error {
	day, err := pathDay(c)
	if err != nil {
		return err
	}
	f, err := voucher.FindForm(c.DefaultQuery("form", "csv"))
	if err != nil {
		return err
	}
	set, err := s.Voucher.Find(c.Request.Context(), day)
	if err != nil {
		return err
	}
	body, err := f.Write(set)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "private, no-store")
	c.Header("Content-Disposition", `attachment; filename="vouchers-`+strconv.Itoa(day)+"."+string(f.Format)+`"`)
	c.Data(http.StatusOK, f.Media(), body)
	return nil
}
