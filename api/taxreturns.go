package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/taxreturn"
)

// taxReturnRoutes give out closed months of tax. The return names people, so
// it is made anew for each request and not kept.
func (s *Server) taxReturnRoutes(r *routes) {
	finance := staff(access.Finance)
	r.get("/v1/payers/:id/tax-months/:month/sheet", s.taxSheet, finance)
	r.get("/v1/payers/:id/tax-months/:month/return", s.taxReturn, finance)
}

func (s *Server) taxSheet(c *gin.Context) error {
	return s.sendTax(c, func(p id.Payer, month int, f taxreturn.Format) (taxreturn.File, error) {
		return s.TaxReturn.Write(c.Request.Context(), p, month, f)
	})
}

func (s *Server) taxReturn(c *gin.Context) error {
	return s.sendTax(c, func(p id.Payer, month int, f taxreturn.Format) (taxreturn.File, error) {
		return s.TaxReturn.Return(c.Request.Context(), p, month, f)
	})
}

func (s *Server) sendTax(c *gin.Context, make func(id.Payer, int, taxreturn.Format) (taxreturn.File, error)) error {
	pid, err := pathID[id.Payer](c, "id")
	if err != nil {
		return err
	}
	month, err := strconv.Atoi(c.Param("month"))
	if err != nil {
		return fault.NotFound
	}
	f, err := make(pid, month, taxreturn.Format(c.DefaultQuery("format", string(taxreturn.XLSX))))
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Disposition", `attachment; filename="`+f.Name+`"`)
	c.Header("Siyu-File-Sha256", f.SHA256)
	c.Data(http.StatusOK, f.Media, f.Body)
	return nil
}
