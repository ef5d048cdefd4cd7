package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/settlement"
)

// Who sees settlements and pays them, and who prepares, reviews and rejects
// them, as the API has it. That these are three people the room compares.
var (
	readsSettlements = []access.Role{access.Admin, access.Finance, access.Cashier}
	makesSettlements = []access.Role{access.Admin, access.Finance}
)

// settlementsPage is settlements of one status, newest first, and the form
// that prepares one.
type settlementsPage struct {
	page
	Tabs   []tab
	Rows   []settlementRow
	Makes  bool
	Payers []choice
	Units  []choice
	Next   string
}

// settlementRow is a settlement in a list.
type settlementRow struct {
	Href  string
	Label string
	Payer string // "" on the console's first page
	State string
	Tone  string
	Lines int
	Net   money.Amount
	Cut   time.Time
	Mark  string // the head of its digest
}

func settlementRowOf(lang string, x settlement.Settlement) settlementRow {
	row := settlementRow{Href: settlementAt(x.ID), Label: clean(x.Label), Lines: x.LineCount, Net: x.Net}
	row.State, row.Tone = settledName(lang, x.Status)
	if x.CutAt != 0 {
		row.Cut = x.CutAt.Time().In(shop)
	}
	if len(x.Digest) >= 8 {
		row.Mark = x.Digest[:8]
	}
	if row.Label == "" {
		row.Label = x.ID.String()
	}
	return row
}

func settlementAt(sid id.Settlement) string { return "/console/settlements/" + sid.String() }

// settlementsListed is how many settlements one page lists.
const settlementsListed = 20

var settlementTabs = []statusTab{
	{"all", "全部", "All"}, {string(settlement.StatusOpen), "待关账", "Open"}, {string(settlement.StatusClosed), "待审核", "To review"},
	{string(settlement.StatusReviewed), "待付款", "To pay"}, {string(settlement.StatusPaid), "已付款", "Paid"}, {string(settlement.StatusRejected), "已驳回", "Rejected"},
}

// consoleSettlements answers GET /console/settlements, with ?status=.
func (s *Server) consoleSettlements(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsSettlements); err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	status := c.DefaultQuery("status", "all")
	f := settlement.Filter{Status: settlement.Status(status)}
	if status == "all" {
		f.Status = ""
	}
	p := settlementsPage{page: s.base(c, ""), Makes: may(ctx, makesSettlements) == nil}
	p.Title, p.Now = choose(p.Lang, "结算单", "Settlements"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	for _, one := range settlementTabs {
		p.Tabs = append(p.Tabs, tab{choose(p.Lang, one.zh, one.en), listAt("/console/settlements", one.status, "", "", ""), one.status == status})
	}
	list, err := s.Settlement.List(ctx, f, database.Page{Before: before, Limit: settlementsListed})
	if err != nil {
		return err
	}
	payers := make([]id.Payer, len(list.Items))
	for i, x := range list.Items {
		payers[i] = x.PayerID
	}
	names, err := s.payerNames(ctx, payers)
	if err != nil {
		return err
	}
	for _, x := range list.Items {
		row := settlementRowOf(p.Lang, x)
		row.Payer = names[x.PayerID]
		p.Rows = append(p.Rows, row)
	}
	if list.NextCursor != "" {
		p.Next = listAt("/console/settlements", status, "", "", list.NextCursor)
	}
	if p.Makes {
		if err := s.fillChoices(ctx, &p); err != nil {
			return err
		}
	}
	return s.show(c, http.StatusOK, "settlements", p.page, p)
}

// fillChoices adds who may pay and whose rewards may be settled.
func (s *Server) fillChoices(ctx context.Context, p *settlementsPage) error {
	payers, err := s.Payee.ListPayers(ctx, database.Page{Limit: database.PageMax})
	if err != nil {
		return err
	}
	for _, x := range payers.Items {
		p.Payers = append(p.Payers, choice{x.ID.String(), clean(x.Name)})
	}
	units, err := s.Access.ListUnits(ctx, database.Page{Limit: database.PageMax})
	if err != nil {
		return err
	}
	for _, x := range units.Items {
		p.Units = append(p.Units, choice{x.ID.String(), clean(x.Name)})
	}
	return nil
}

// consoleMakeSettlement answers POST /console/settlements.
func (s *Server) consoleMakeSettlement(c *gin.Context) error {
	in := settlement.CreateIn{Label: c.PostForm("label")}
	unit, payer, cut := c.PostForm("unit"), c.PostForm("payer"), c.PostForm("cut")
	ctx, err := s.tappedOnce(c, makesSettlements, "POST /console/settlements", in.Label, unit, payer, cut)
	if err != nil {
		return err
	}
	if unit != "" {
		if err := read(unit, &in.UnitID); err != nil {
			return err
		}
	}
	if payer != "" {
		if err := read(payer, &in.PayerID); err != nil {
			return err
		}
	}
	if in.CutOffAt, err = momentIn(cut, "cut_off_at"); err != nil {
		return err
	}
	sid, err := s.Settlement.Create(ctx, in)
	if made, again := tappedAgain(err); again {
		sid, err = id.Settlement(made), nil
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, settlementAt(sid))
	return nil
}

// tappedAgain says that a form was sent a second time, and what the first one
// made.
func tappedAgain(err error) (made int64, again bool) {
	var first *database.Replayed
	if !errors.As(err, &first) {
		return 0, false
	}
	return first.ID, true
}
