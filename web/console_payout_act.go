package web

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/internal/fault"
	"siyu/internal/httpd"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payfile"
	"siyu/referral/settlement"
)

// consoleMakePayout answers POST /console/payouts.
func (s *Server) consoleMakePayout(c *gin.Context) error {
	limit, carry := c.PostForm("limit"), c.PostForm("carry_held")
	in := settlement.PayoutIn{Channel: settlement.Channel(c.PostForm("channel")), CarryHeld: carry != ""}
	ctx, err := s.tappedOnce(c, readsSettlements, "POST /console/payouts", c.PostForm("settlement"), string(in.Channel), limit, carry)
	if err != nil {
		return err
	}
	if err := read(c.PostForm("settlement"), &in.SettlementID); err != nil {
		return err
	}
	if limit != "" {
		if in.Limit, err = money.Parse(limit); err != nil {
			return fault.Invalid.Field("limit_fen", "format", "请填写金额，如 10000 或 10000.50；不填为不限", "an amount like 10000 or 10000.50; none is no limit")
		}
	}
	pid, err := s.Settlement.CreatePayout(ctx, in)
	if made, again := tappedAgain(err); again {
		pid, err = id.Payout(made), nil
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/payouts/"+pid.String())
	return nil
}

// consoleTurnPayout answers POST /console/payouts/{id}/{pay|results|imports|file}.
func (s *Server) consoleTurnPayout(c *gin.Context) error {
	var pid id.Payout
	if err := read(c.Param("id"), &pid); err != nil {
		return err
	}
	act := c.Param("act")
	if act == "file" {
		return s.takeFile(c, pid)
	}
	turn := map[string]func(*gin.Context, id.Payout) (string, error){"pay": s.payPayout, "results": s.reportLine, "imports": s.importAnswer}[act]
	if turn == nil {
		return fault.NotFound
	}
	show, err := turn(c, pid)
	if _, again := tappedAgain(err); err != nil && !again {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/payouts/"+pid.String()+show)
	return nil
}

func (s *Server) payPayout(c *gin.Context, pid id.Payout) (string, error) {
	ctx, err := s.tappedOnce(c, readsSettlements, "POST "+c.FullPath(), c.Param("id"), "pay")
	if err != nil {
		return "", err
	}
	return "", s.Settlement.Pay(ctx, pid)
}

// reportLine takes one payment back that came back outside of any file.
func (s *Server) reportLine(c *gin.Context, pid id.Payout) (string, error) {
	ctx, err := s.tappedOnce(c, readsSettlements, "POST "+c.FullPath(), c.Param("id"), "results", c.PostForm("line"), c.PostForm("reason"))
	if err != nil {
		return "", err
	}
	line, _ := strconv.Atoi(c.PostForm("line")) // none is refused as 0
	return "", s.Settlement.PayoutResults(ctx, pid, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: line, Reason: c.PostForm("reason")}}})
}

// importAnswer reads the bank's answer and shows what it did; the same bytes
// again are the same import, which is all that a second tap needs.
func (s *Server) importAnswer(c *gin.Context, pid id.Payout) (string, error) {
	const around = 64 << 10 // of a form about its file
	httpd.Widen(c, payfile.BytesMax+around)
	upload, missing := c.FormFile("answer")
	var large *http.MaxBytesError
	if errors.As(missing, &large) {
		return "", httpd.ErrTooLarge.With("limit", httpd.Size(payfile.BytesMax))
	}
	ctx, err := s.tapped(c, readsSettlements)
	switch {
	case err != nil:
		return "", err
	case missing != nil:
		return "", fault.Invalid.Field("answer", "required", "请选择回单文件", "choose the file that the bank answered")
	}
	f, err := upload.Open()
	if err != nil {
		return "", err
	}
	defer f.Close()
	body, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	no, err := s.Settlement.ImportResults(ctx, pid, body)
	return "?import=" + strconv.Itoa(no), err
}

// takeFile hands out one part of the payout's file. It is a form and no link,
// because each making opens the vault and is audited.
func (s *Server) takeFile(c *gin.Context, pid id.Payout) error {
	ctx, err := s.tapped(c, makesFiles)
	if err != nil {
		return err
	}
	part, _ := strconv.Atoi(c.PostForm("part")) // none is refused as 0
	f, err := s.Settlement.MakeFile(ctx, pid, part)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Disposition", `attachment; filename="`+f.Name+`"`)
	c.Header("Siyu-File-Sha256", f.SHA256)
	c.Data(http.StatusOK, "text/csv", f.Body)
	return nil
}
