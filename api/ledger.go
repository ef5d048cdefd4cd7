package api

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/wallet"
)

// ledgerRoutes are the brand's books: finance of the whole brand alone. An
// account is also seen by finance of its owner's unit.
func (s *Server) ledgerRoutes(r *routes) {
	finance := staff(access.Finance)
	r.get("/v1/ledger/trial-balance", s.trialBalance, finance)
	r.get("/v1/ledger/trial-balance.csv", s.trialBalanceCSV, finance)
	r.get("/v1/ledger/closes", paged(s.Wallet.ListCloses), finance)
	r.post("/v1/ledger/closes", s.closeLedgerDay, finance, keyed)
	r.get("/v1/ledger/closes/:day", s.findLedgerClose, finance)
	r.get("/v1/ledger/closes/:day/lines.csv", s.ledgerCloseCSV, finance)
	r.get("/v1/ledger/accounts", s.listAccounts, finance)
	r.get("/v1/ledger/accounts/:id/statement", s.accountStatement, finance)
	r.get("/v1/ledger/accounts/:id/statement.csv", s.accountStatementCSV, finance)
}

func (s *Server) trialOf(c *gin.Context) (wallet.Trial, error) {
	at, err := queryTime(c, "at")
	if err != nil {
		return wallet.Trial{}, err
	}
	return s.Wallet.TrialBalance(c.Request.Context(), at)
}

func (s *Server) trialBalance(c *gin.Context) error {
	t, err := s.trialOf(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, t)
}

func (s *Server) trialBalanceCSV(c *gin.Context) error {
	mark, err := byteOrder(c)
	if err != nil {
		return err
	}
	t, err := s.trialOf(c)
	if err != nil {
		return err
	}
	return sendCSV(c, "trial-balance", func(w io.Writer) error { return t.WriteCSV(w, mark) })
}

func (s *Server) closeLedgerDay(c *gin.Context) error {
	var in struct {
		Day int `json:"day"`
	}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.Wallet.CloseDay(c.Request.Context(), in.Day))(c); err != nil {
		return err
	}
	return s.renderClose(c, http.StatusAccepted, in.Day)
}

func (s *Server) renderClose(c *gin.Context, status, day int) error {
	found, err := s.Wallet.FindClose(c.Request.Context(), day)
	if err != nil {
		return err
	}
	return render(c, status, found)
}

// pathDay is the local day in the path; a text that is none names nothing.
func pathDay(c *gin.Context) (int, error) {
	day, err := strconv.Atoi(c.Param("day"))
	if err != nil {
		return 0, fault.NotFound
	}
	return day, nil
}

func (s *Server) findLedgerClose(c *gin.Context) error {
	day, err := pathDay(c)
	if err != nil {
		return err
	}
	return s.renderClose(c, http.StatusOK, day)
}

func (s *Server) ledgerCloseCSV(c *gin.Context) error {
	day, err := pathDay(c)
	if err != nil {
		return err
	}
	mark, err := byteOrder(c)
	if err != nil {
		return err
	}
	found, err := s.Wallet.FindClose(c.Request.Context(), day)
	if err != nil {
		return err
	}
	return sendCSV(c, "ledger-"+strconv.Itoa(day), func(w io.Writer) error { return found.WriteCSV(w, mark) })
}

// queryTime is the moment in the query under the name; none when not given.
func queryTime(c *gin.Context, name string) (clock.Milli, error) {
	text := c.Query(name)
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fault.Invalid.Field(name, "format", "应为 RFC 3339 时间，如 2026-03-01T10:00:00+08:00", "must be a time like 2026-03-01T10:00:00+08:00")
	}
	return clock.MilliOf(t), nil
}

// byteOrder is the query's `bom`: whether the CSV is for a spreadsheet.
func byteOrder(c *gin.Context) (wallet.ByteOrder, error) {
	switch c.DefaultQuery("bom", "false") {
	case "true":
		return wallet.Marked, nil
	case "false":
		return wallet.Unmarked, nil
	}
	return "", fault.Invalid.Field("bom", "unknown_value", "应为 true 或 false", "must be true or false")
}

// sendCSV answers a small CSV, made whole before its head goes out.
func sendCSV(c *gin.Context, name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	c.Header("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	c.Header("Cache-Control", "private, no-store")
	c.Data(http.StatusOK, "text/csv; charset=utf-8", b.Bytes())
	return nil
}
