package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/httpd"
	"siyu/internal/id"
	"siyu/referral/payfile"
	"siyu/referral/settlement"
)

// payoutFileRoutes let cashiers alone fetch a file: it names people and their
// accounts.
func (s *Server) payoutFileRoutes(r *routes) {
	both := staff(access.Finance, access.Cashier)
	r.get("/v1/payout-forms", s.listPayoutForms, both)
	r.get("/v1/payouts/:id/file", s.makePayoutFile, staff(access.Cashier))
	r.get("/v1/payouts/:id/files", s.listPayoutFiles, both)
	r.post("/v1/payouts/:id/imports", s.importResults, both, bodyLimit(payfile.BytesMax))
	r.get("/v1/payouts/:id/imports", s.listImports, both)
	r.get("/v1/payouts/:id/imports/:no/rows", s.listImportRows, both)
}

func (s *Server) listPayoutForms(c *gin.Context) error {
	return render(c, http.StatusOK, map[string]any{"items": payfile.Profiles()})
}

func (s *Server) makePayoutFile(c *gin.Context) error {
	pid, err := pathID[id.Payout](c, "id")
	if err != nil {
		return err
	}
	part, err := strconv.Atoi(c.DefaultQuery("part", "1"))
	if err != nil {
		return fault.Invalid.Field("part", "format", "应为从 1 起的整数", "must be an integer from 1")
	}
	f, err := s.Settlement.MakeFile(c.Request.Context(), pid, part)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Disposition", `attachment; filename="`+f.Name+`"`)
	c.Header("Siyu-File-Sha256", f.SHA256)
	c.Data(http.StatusOK, "text/csv", f.Body)
	return nil
}

func (s *Server) listPayoutFiles(c *gin.Context) error {
	pid, err := pathID[id.Payout](c, "id")
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListFiles(c.Request.Context(), pid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, map[string]any{"items": list})
}

func (s *Server) importResults(c *gin.Context) error {
	pid, err := pathID[id.Payout](c, "id")
	if err != nil {
		return err
	}
	body, err := httpd.Body(c)
	if err != nil {
		return err
	}
	no, err := s.Settlement.ImportResults(c.Request.Context(), pid, body)
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListImports(c.Request.Context(), pid)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.No == no {
			return render(c, http.StatusAccepted, m)
		}
	}
	return fault.NotFound
}

func (s *Server) listImports(c *gin.Context) error {
	pid, err := pathID[id.Payout](c, "id")
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListImports(c.Request.Context(), pid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, struct {
		Items []settlement.Import `json:"items"`
	}{list})
}

func (s *Server) listImportRows(c *gin.Context) error {
	pid, err := pathID[id.Payout](c, "id")
	if err != nil {
		return err
	}
	no, err := strconv.Atoi(c.Param("no"))
	if err != nil {
		return fault.NotFound
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListImportRows(c.Request.Context(), pid, no, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}
