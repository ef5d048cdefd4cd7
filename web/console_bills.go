package web

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/settlement"
)

// readsBills are the roles that see transfer bills and call them off, as the
// API has it.
var readsBills = []access.Role{access.Admin, access.Finance, access.Cashier}

// billsPage is the newest payouts by transfer bills, and the bills of one.
type billsPage struct {
	page
	Payouts []billsRow
	ID      id.Payout
	Bills   []billRow
	Next    string // bills of the payout
	Older   string // payouts
}

type billsRow struct {
	ID          id.Payout
	Net         money.Amount
	At          time.Time
	State, Tone string
}

type billRow struct {
	No      string
	Who     string // masked
	Line    int
	Try     int
	Net     money.Amount
	State   string
	Tone    string
	Code    string
	Until   time.Time
	Calls   bool // may be called off
	Calling bool // was, and its end is not known
}

// billsShown and payoutsShown are how many bills and payouts one page lists.
const (
	billsShown   = 50
	payoutsShown = 20
)

// consoleBills answers GET /console/bills, with ?payout=pay_… for one payout.
func (s *Server) consoleBills(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsBills); err != nil {
		return err
	}
	p := billsPage{page: s.base(c, "")}
	p.Title, p.Now = choose(p.Lang, "微信转账单", "Transfer bills"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	before, err := database.ParseCursor(c.Query("before"))
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListPayouts(ctx, settlement.PayoutFilter{Channel: settlement.ChannelBills}, database.Page{Before: before, Limit: payoutsShown})
	if err != nil {
		return err
	}
	for _, x := range list.Items {
		row := payoutRowOf(p.Lang, x)
		p.Payouts = append(p.Payouts, billsRow{row.ID, row.Net, row.At, row.State, row.Tone})
	}
	if list.NextCursor != "" {
		p.Older = "/console/bills?before=" + list.NextCursor
	}
	if c.Query("payout") != "" {
		if err := s.fillBills(c, &p); err != nil {
			return err
		}
	}
	return s.show(c, http.StatusOK, "bills", p.page, p)
}

func (s *Server) fillBills(c *gin.Context, p *billsPage) error {
	ctx := c.Request.Context()
	if err := read(c.Query("payout"), &p.ID); err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	list, err := s.Settlement.ListBills(ctx, p.ID, database.Page{Before: before, Limit: billsShown})
	if err != nil {
		return err
	}
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(b settlement.Bill) id.Member { return b.MemberID })
	if err != nil {
		return err
	}
	for _, b := range list.Items {
		p.Bills = append(p.Bills, billRowOf(p.Lang, b, called(p.Lang, names[b.MemberID])))
	}
	if list.NextCursor != "" {
		p.Next = "/console/bills?payout=" + p.ID.String() + "&cursor=" + list.NextCursor
	}
	return nil
}

func billRowOf(lang string, b settlement.Bill, who string) billRow {
	r := billRow{No: b.No, Who: who, Line: b.LineNo, Try: b.Try, Net: b.Net, Code: failText(lang, b.Code)}
	r.State, r.Tone = word(lang, billWords, b.Status)
	open := b.Status == settlement.BillWaiting || b.Status == settlement.BillMoving
	r.Calling = open && b.CalledAt != 0
	if b.Status == settlement.BillWaiting {
		r.Until, r.Calls = b.UntilAt.Time().In(shop), b.CalledAt == 0
	}
	return r
}

// consoleCallOff answers POST /console/payouts/{id}/bills/{no}/cancel; a second
// tap changes nothing.
func (s *Server) consoleCallOff(c *gin.Context) error {
	ctx, err := s.tapped(c, readsBills)
	if err != nil {
		return err
	}
	var pid id.Payout
	if err := read(c.Param("id"), &pid); err != nil {
		return err
	}
	if err := s.Settlement.CallOff(ctx, pid, c.Param("no")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/bills?payout="+pid.String())
	return nil
}

var billWords = map[settlement.BillStatus]pair{
	settlement.BillMade: {"待发起", "made", ""}, settlement.BillAsked: {"已发起，待核实", "asked", ""}, settlement.BillWaiting: {"待收款人确认", "waiting", "full"},
	settlement.BillMoving: {"处理中", "moving", ""}, settlement.BillPaid: {"已到账", "paid", "good"}, settlement.BillFailed: {"失败", "failed", "bad"},
	settlement.BillCancelled: {"已撤销", "cancelled", "dim"}, settlement.BillExpired: {"逾期未确认", "expired", "dim"},
}
