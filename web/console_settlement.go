package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/settlement"
	"siyu/referral/tax"
)

// settlementPage is one settlement: what it holds, who did what to it, and
// what who looks may do next.
type settlementPage struct {
	page
	ID          id.Settlement
	Label       string
	State, Tone string
	Busy        bool // a job is at work on it
	Payer       string
	Unit        string
	Programs    int // 0: all
	Wanted, Cut time.Time
	Tax         string
	Gross       money.Amount
	Count       int
	Digest      string
	Reason      string // of its rejection
	People      []didRow
	Files       []settlement.File
	Preview     *settlementPreview
	Lines       []settledLine
	Next        string
	Payouts     []payoutRow
	Channels    []choice

	Closes, Reviews, Rejects, Pays bool // by who looks
	Own                            bool // who looks prepared it: another must review
}

// didRow is a step that somebody took.
type didRow struct {
	What, Who string
	At        time.Time
}

// settlementPreview is what an open one would hold if it were closed now.
type settlementPreview struct {
	Cut     time.Time
	Lines   int
	Members int
	Gross   money.Amount
	Kinds   []previewRow
}

type previewRow struct {
	Name  string
	Lines int
	Gross money.Amount
}

type settledLine struct {
	No    int
	What  string
	Note  string
	Who   string // masked
	At    time.Time
	Gross money.Amount
}

// linesShown is how many lines of a settlement or a payout one page lists.
const linesShown = 50

// consoleSettlement answers GET /console/settlements/{id}, with ?preview=1 for
// what an open one would hold.
func (s *Server) consoleSettlement(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsSettlements); err != nil {
		return err
	}
	var sid id.Settlement
	if err := read(c.Param("id"), &sid); err != nil {
		return err
	}
	x, err := s.Settlement.Find(ctx, sid)
	if err != nil {
		return err
	}
	p := settlementPage{page: s.base(c, "")}
	s.desk(ctx, &p.page)
	if err := s.fillSettlement(ctx, &p, x); err != nil {
		return err
	}
	if c.Query("preview") != "" && x.Status == settlement.StatusOpen {
		if err := s.fillPreview(ctx, &p); err != nil {
			return err
		}
	}
	if err := s.fillLines(c, &p); err != nil {
		return err
	}
	list, err := s.Settlement.ListPayouts(ctx, settlement.PayoutFilter{Settlement: sid}, database.Page{Limit: payoutsShown})
	if err != nil {
		return err
	}
	for _, one := range list.Items {
		p.Payouts = append(p.Payouts, payoutRowOf(p.Lang, one))
	}
	return s.show(c, http.StatusOK, "settlement", p.page, p)
}

func (s *Server) fillSettlement(ctx context.Context, p *settlementPage, x settlement.Settlement) error {
	payers, err := s.payerNames(ctx, []id.Payer{x.PayerID})
	if err != nil {
		return err
	}
	unit, err := s.Access.FindUnit(ctx, x.UnitID)
	if err != nil {
		return err
	}
	called, err := s.colleagues(ctx, x.CreatedBy, x.ClosedBy, x.ReviewedBy, x.RejectedBy, x.PaidBy)
	if err != nil {
		return err
	}
	p.show(x, payers[x.PayerID], clean(unit.Name), called)
	makes, me := may(ctx, makesSettlements) == nil, database.ActorOf(ctx).Staff
	p.Own = x.Status == settlement.StatusClosed && (me == x.CreatedBy || me == x.ClosedBy)
	p.Closes = makes && x.Status == settlement.StatusOpen
	p.Reviews = makes && x.Status == settlement.StatusClosed && !p.Own
	p.Rejects = makes && (x.Status == settlement.StatusClosed || x.Status == settlement.StatusReviewed)
	if p.Pays = x.Status == settlement.StatusReviewed; p.Pays {
		p.Channels = channels(p.Lang)
	}
	return nil
}

// show puts a settlement into words.
func (p *settlementPage) show(x settlement.Settlement, payer, unit string, called func(id.Staff) string) {
	say := func(zh, en string) string { return choose(p.Lang, zh, en) }
	p.ID, p.Label, p.Payer, p.Unit, p.Programs, p.Gross, p.Count, p.Digest, p.Reason, p.Files =
		x.ID, clean(x.Label), payer, unit, len(x.Programs), x.Gross, x.LineCount, x.Digest, cleanLong(x.RejectReason), x.Files
	p.Title, p.Now = p.Label, p.Now.In(shop)
	p.State, p.Tone = settledName(p.Lang, x.Status)
	p.Busy = x.Status == settlement.StatusClosing || x.Status == settlement.StatusSealing
	p.Tax, _ = word(p.Lang, strategyWords, tax.Strategy(x.TaxRule))
	if x.AllPrograms == 1 {
		p.Programs = 0
	}
	if x.WantedCutAt != 0 {
		p.Wanted = x.WantedCutAt.Time().In(shop)
	}
	if x.CutAt != 0 {
		p.Cut = x.CutAt.Time().In(shop)
	}
	for _, d := range []struct {
		what string
		who  id.Staff
		at   clock.Milli
	}{
		{say("制单", "prepared"), x.CreatedBy, x.CreatedAt}, {say("关账", "closed"), x.ClosedBy, x.ClosingAt}, {say("审核", "reviewed"), x.ReviewedBy, x.ReviewedAt},
		{say("驳回", "rejected"), x.RejectedBy, x.RejectedAt}, {say("付清", "paid"), x.PaidBy, x.PaidAt},
	} {
		if d.at != 0 {
			p.People = append(p.People, didRow{d.what, called(d.who), d.at.Time().In(shop)})
		}
	}
}

func (s *Server) fillPreview(ctx context.Context, p *settlementPage) error {
	found, err := s.Settlement.Preview(ctx, p.ID)
	if err != nil {
		return err
	}
	p.Preview = &settlementPreview{Cut: found.CutAt.Time().In(shop), Lines: found.LineCount, Members: found.MemberCount, Gross: found.Gross}
	for _, k := range found.Kinds {
		p.Preview.Kinds = append(p.Preview.Kinds, previewRow{lineName(p.Lang, k.Kind), k.LineCount, k.Gross})
	}
	return nil
}

func (s *Server) fillLines(c *gin.Context, p *settlementPage) error {
	ctx := c.Request.Context()
	after, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListLines(ctx, p.ID, database.Page{Before: after, Limit: linesShown})
	if err != nil {
		return err
	}
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(l settlement.Line) id.Member { return l.MemberID })
	if err != nil {
		return err
	}
	for _, l := range list.Items {
		p.Lines = append(p.Lines, settledLine{l.LineNo, lineName(p.Lang, l.Kind), cleanLong(l.Corrects), called(p.Lang, names[l.MemberID]), l.OccurredAt.Time().In(shop), l.Gross})
	}
	if list.NextCursor != "" {
		p.Next = settlementAt(p.ID) + "?cursor=" + list.NextCursor
	}
	return nil
}

// consoleTurnSettlement answers POST
// /console/settlements/{id}/{close|discard|review|reject}.
func (s *Server) consoleTurnSettlement(c *gin.Context) error {
	ctx, err := s.tappedOnce(c, makesSettlements, "POST "+c.FullPath(), c.Param("id"), c.Param("act"), c.PostForm("digest"), c.PostForm("reason"))
	if err != nil {
		return err
	}
	var sid id.Settlement
	if err := read(c.Param("id"), &sid); err != nil {
		return err
	}
	switch c.Param("act") {
	case "close":
		err = s.Settlement.Close(ctx, sid)
	case "discard":
		err = s.Settlement.Discard(ctx, sid)
	case "review":
		err = s.Settlement.Review(ctx, sid, settlement.ReviewIn{Digest: c.PostForm("digest")})
	case "reject":
		err = s.Settlement.Reject(ctx, sid, settlement.RejectIn{Reason: c.PostForm("reason")})
	default:
		return fault.NotFound
	}
	if _, again := tappedAgain(err); err != nil && !again {
		return err
	}
	c.Redirect(http.StatusSeeOther, settlementAt(sid))
	return nil
}

// consoleSettlementFile answers GET /console/settlements/{id}/files/{name}: the
// sealed bytes. Should the store fail halfway the connection is dropped, so
// that a part is never taken for the whole.
func (s *Server) consoleSettlementFile(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsSettlements); err != nil {
		return err
	}
	var sid id.Settlement
	if err := read(c.Param("id"), &sid); err != nil {
		return err
	}
	f, err := s.Settlement.FindFile(ctx, sid, c.Param("name"))
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "private, no-cache")
	c.Header("Content-Type", f.Media)
	c.Header("Content-Length", strconv.FormatInt(f.Size, 10))
	c.Header("Content-Disposition", `attachment; filename="`+sid.String()+"-"+f.Name+`"`)
	c.Status(http.StatusOK)
	if err := s.Settlement.ReadFile(ctx, f, c.Writer); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}
