package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/settlement"
	"siyu/wallet"
)

func (s *Server) settlementRoutes(r *routes) {
	finance, both := staff(access.Finance), staff(access.Finance, access.Cashier)
	r.post("/v1/settlements", s.createSettlement, finance, keyed)
	r.get("/v1/settlements", s.listSettlements, both)
	r.get("/v1/settlements/:id", s.findSettlement, both)
	r.get("/v1/settlements/:id/lines", listed(s.Settlement.ListLines), both)
	r.get("/v1/settlements/:id/files/:name", s.readSettlementFile, both)
	r.get("/v1/settlements/:id/verify", found(s.Settlement.VerifyOne), both)
	r.get("/v1/settlements/:id/preview", found(s.Settlement.Preview), both)
	r.post("/v1/settlements/:id/discard", s.discardSettlement, finance)
	r.post("/v1/settlements/:id/close", s.closeSettlement, finance)
	r.post("/v1/settlements/:id/review", s.reviewSettlement, finance)
	r.post("/v1/settlements/:id/reject", s.rejectSettlement, finance)
}

func (s *Server) createSettlement(c *gin.Context) error {
	var in settlement.CreateIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.unitThere(c, in.UnitID); err != nil {
		return err
	}
	sid, err := once(s.Settlement.Create(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderSettlement(c, http.StatusCreated, sid)
}

func (s *Server) listSettlements(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	unit, err := queryID[id.Unit](c, "unit_id")
	if err != nil {
		return err
	}
	list, err := s.Settlement.List(c.Request.Context(), settlement.Filter{Unit: unit, Status: settlement.Status(c.Query("status"))}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findSettlement(c *gin.Context) error {
	sid, err := pathID[id.Settlement](c, "id")
	if err != nil {
		return err
	}
	return s.renderSettlement(c, http.StatusOK, sid)
}

// readSettlementFile serves the stored bytes, a CSV behind a byte order mark if
// asked. Should the store fail halfway the connection is dropped, so that a part
// is never taken for the whole.
func (s *Server) readSettlementFile(c *gin.Context) error {
	sid, err := pathID[id.Settlement](c, "id")
	if err != nil {
		return err
	}
	f, err := s.Settlement.FindFile(c.Request.Context(), sid, c.Param("name"))
	if err != nil {
		return err
	}
	mark, err := byteOrder(c)
	switch {
	case err != nil:
		return err
	case mark != wallet.Unmarked && f.Name != settlement.FileLines:
		return fault.Invalid.Field("bom", "not_here", "只有 CSV 可以带字节顺序标记", "only a CSV may begin with a byte order mark")
	}
	tag := `"` + f.SHA256 + `"`
	if mark != wallet.Unmarked {
		tag = `"` + f.SHA256 + `-bom"`
	}
	c.Header("ETag", tag)
	c.Header("Cache-Control", "private, no-cache")
	if c.GetHeader("If-None-Match") == tag {
		c.Status(http.StatusNotModified)
		return nil
	}
	c.Header("Content-Type", f.Media)
	c.Header("Content-Length", strconv.FormatInt(f.Size+int64(len(mark)), 10))
	c.Header("Content-Disposition", `attachment; filename="`+sid.String()+"-"+f.Name+`"`)
	c.Status(http.StatusOK)
	if _, err := c.Writer.WriteString(string(mark)); err != nil {
		panic(http.ErrAbortHandler)
	}
	if err := s.Settlement.ReadFile(c.Request.Context(), f, c.Writer); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (s *Server) discardSettlement(c *gin.Context) error {
	var in struct{}
	return s.moveSettlement(c, http.StatusOK, &in, func(sid id.Settlement) error {
		return s.Settlement.Discard(c.Request.Context(), sid)
	})
}

func (s *Server) closeSettlement(c *gin.Context) error {
	var in struct{}
	return s.moveSettlement(c, http.StatusAccepted, &in, func(sid id.Settlement) error {
		return s.Settlement.Close(c.Request.Context(), sid)
	})
}

func (s *Server) reviewSettlement(c *gin.Context) error {
	var in settlement.ReviewIn
	return s.moveSettlement(c, http.StatusOK, &in, func(sid id.Settlement) error {
		return s.Settlement.Review(c.Request.Context(), sid, in)
	})
}

func (s *Server) rejectSettlement(c *gin.Context) error {
	var in settlement.RejectIn
	return s.moveSettlement(c, http.StatusOK, &in, func(sid id.Settlement) error {
		return s.Settlement.Reject(c.Request.Context(), sid, in)
	})
}

// moveSettlement binds what a step needs, takes it and shows the settlement as
// it stands then.
func (s *Server) moveSettlement(c *gin.Context, status int, in any, step func(id.Settlement) error) error {
	sid, err := pathID[id.Settlement](c, "id")
	if err != nil {
		return err
	}
	if err := bind(c, in); err != nil {
		return err
	}
	if err := step(sid); err != nil {
		return err
	}
	return s.renderSettlement(c, status, sid)
}

func (s *Server) renderSettlement(c *gin.Context, status int, sid id.Settlement) error {
	found, err := s.Settlement.Find(c.Request.Context(), sid)
	if err != nil {
		return err
	}
	return render(c, status, found)
}
