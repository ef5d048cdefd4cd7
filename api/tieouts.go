package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/tieout"
	"siyu/internal/fault"
	"siyu/internal/httpd"
	"siyu/internal/id"
)

// tieOutRoutes hold a day side by side. The mall delivers its own side alone.
func (s *Server) tieOutRoutes(r *routes) {
	both, all := staff(access.Finance, access.Cashier), staff(access.Finance, access.Cashier, access.Mall)
	r.get("/v1/statement-forms", s.listStatementForms, both)
	r.post("/v1/tieouts", s.beginTieOut, all, keyed)
	r.get("/v1/tieouts", s.listTieOuts, all)
	r.get("/v1/tieouts/:id", s.findTieOut, all)
	r.post("/v1/tieouts/:id/mall", s.deliverMall, staff(access.Finance, access.Mall), keyed, bodyLimit(tieout.BytesMax))
	r.post("/v1/tieouts/:id/statement", s.deliverStatement, both, keyed, bodyLimit(tieout.BytesMax))
	r.post("/v1/tieouts/:id/run", s.runTieOut, both, keyed)
	r.get("/v1/tieouts/:id/differences", s.listDifferences, both)
	r.get("/v1/tieouts/:id/differences.csv", s.readDifferences, both)
	r.post("/v1/tieouts/:id/explain", s.explainTieOut, both)
	r.post("/v1/tieouts/:id/approve", s.approveTieOut, both)
}

func (s *Server) listStatementForms(c *gin.Context) error {
	return render(c, http.StatusOK, map[string]any{"items": tieout.Forms()})
}

func (s *Server) beginTieOut(c *gin.Context) error {
	var in tieout.OpenIn
	if err := bind(c, &in); err != nil {
		return err
	}
	tid, err := once(s.TieOut.Open(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderTieOut(c, http.StatusCreated, tid)
}

func (s *Server) listTieOuts(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := tieout.Filter{Status: tieout.Status(c.Query("status"))}
	if f.PayerID, err = queryID[id.Payer](c, "payer_id"); err != nil {
		return err
	}
	if f.Day, err = queryInt(c, "day", 0); err != nil {
		return err
	}
	list, err := s.TieOut.List(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findTieOut(c *gin.Context) error {
	tid, err := pathID[id.TieOut](c, "id")
	if err != nil {
		return err
	}
	return s.renderTieOut(c, http.StatusOK, tid)
}

func (s *Server) renderTieOut(c *gin.Context, status int, tid id.TieOut) error {
	t, err := s.TieOut.Find(c.Request.Context(), tid)
	if err != nil {
		return err
	}
	return render(c, status, t)
}

// deliverMall takes the mall's day as CSV, or as NDJSON with a line each.
func (s *Server) deliverMall(c *gin.Context) error {
	return s.deliver(c, tieout.SideMall, func(body []byte, day int) (string, []tieout.Line, error) {
		kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
		if err != nil || kind != ndjsonFormat {
			lines, err := tieout.ReadMall(body, day)
			return "csv", lines, err
		}
		list, err := mallLines(body)
		if err != nil {
			return "", nil, err
		}
		lines, err := tieout.MallLines(list, day)
		return "ndjson", lines, err
	})
}

// mallLines reads one JSON object a line; empty lines are passed over.
func mallLines(body []byte) ([]tieout.MallLine, error) {
	var list []tieout.MallLine
	no := 0
	for text := range bytes.Lines(body) {
		no++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		if len(list) == tieout.LinesMax {
			return nil, tieout.ErrLarge
		}
		var in tieout.MallLine
		if err := httpd.Decode(text, &in); err != nil {
			if f, ok := fault.As(err); ok {
				return nil, f.With("line", no)
			}
			return nil, err
		}
		list = append(list, in)
	}
	return list, nil
}

// deliverStatement takes a statement in the form named.
func (s *Server) deliverStatement(c *gin.Context) error {
	form, err := tieout.FindForm(c.DefaultQuery("form", "wechat_trade"))
	if err != nil {
		return err
	}
	by := c.DefaultQuery("numbers", "merchant")
	if by != "merchant" && by != "provider" {
		return fault.Invalid.Field("numbers", "unknown_value", "应为 merchant 或 provider", "must be merchant or provider")
	}
	return s.deliver(c, tieout.SideStatement, func(body []byte, day int) (string, []tieout.Line, error) {
		lines, err := form.Read(body, day, by == "provider")
		return form.Name + "/" + by, lines, err
	})
}

// deliver reads a part of a side and keeps it.
func (s *Server) deliver(c *gin.Context, side tieout.Side, read func(body []byte, day int) (string, []tieout.Line, error)) error {
	tid, err := pathID[id.TieOut](c, "id")
	if err != nil {
		return err
	}
	part, err := queryInt(c, "part", 1)
	if err != nil {
		return err
	}
	t, err := s.TieOut.Find(c.Request.Context(), tid)
	if err != nil {
		return err
	}
	body, err := httpd.Body(c)
	if err != nil {
		return err
	}
	form, lines, err := read(body, t.Day)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	d := tieout.Delivery{Side: side, Part: part, Form: form, SHA256: hex.EncodeToString(sum[:]), Lines: lines}
	if err := done(s.TieOut.Deliver(c.Request.Context(), tid, d))(c); err != nil {
		return err
	}
	return s.renderTieOut(c, http.StatusCreated, tid)
}

func (s *Server) runTieOut(c *gin.Context) error {
	tid, err := pathID[id.TieOut](c, "id")
	if err != nil {
		return err
	}
	var in struct{}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.TieOut.Start(c.Request.Context(), tid))(c); err != nil {
		return err
	}
	return s.renderTieOut(c, http.StatusAccepted, tid)
}

func (s *Server) listDifferences(c *gin.Context) error {
	tid, err := pathID[id.TieOut](c, "id")
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.TieOut.ListDifferences(c.Request.Context(), tid, tieout.Sort(c.Query("difference")), p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) readDifferences(c *gin.Context) error {
	tid, err := pathID[id.TieOut](c, "id")
	if err != nil {
		return err
	}
	t, err := s.TieOut.Find(c.Request.Context(), tid)
	if err != nil {
		return err
	}
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="`+tid.String()+`.csv"`)
	c.Header("Cache-Control", "private, no-store")
	c.Status(http.StatusOK)
	if c.Query("bom") == "true" {
		if _, err := c.Writer.WriteString("\uFEFF"); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	if err := s.TieOut.WriteCSV(c.Request.Context(), t, c.Writer); err != nil {
		panic(http.ErrAbortHandler) // the head has gone out
	}
	return nil
}

func (s *Server) explainTieOut(c *gin.Context) error {
	tid, err := pathID[id.TieOut](c, "id")
	if err != nil {
		return err
	}
	var in tieout.ExplainIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.TieOut.Explain(c.Request.Context(), tid, in); err != nil {
		return err
	}
	return s.renderTieOut(c, http.StatusOK, tid)
}

func (s *Server) approveTieOut(c *gin.Context) error {
	tid, err := pathID[id.TieOut](c, "id")
	if err != nil {
		return err
	}
	var in tieout.ApproveIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.TieOut.Approve(c.Request.Context(), tid, in); err != nil {
		return err
	}
	return s.renderTieOut(c, http.StatusOK, tid)
}
