package web

import (
	"errors"
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
)

// statementPage is 月度对账单: what settlements of a month hold of the member,
// with a form to object per line while there is time.
type statementPage struct {
	page
	Heading       string
	Month         int
	Before, After int // 0: none
	Count         int
	Gross         money.Amount
	Lines         []statementRow
	Next          string
}

// statementRow is a line in words.
type statementRow struct {
	Settlement id.Settlement
	Line       int
	What       string
	Label      string
	At         time.Time
	Amount     money.Amount
	Less       bool
	State      string
	Tone       string
	Until      time.Time // to object; zero: no longer, or done
	Reason     string    // his objection
	Answer     string
}

// statementShown is how many lines one page lists.
const statementShown = 30

// statement answers GET /me/statements: the month of the address, or this one.
func (s *Server) statement(c *gin.Context, v visitor) error {
	month, err := monthIn(c.DefaultQuery("month", strconv.Itoa(monthNow(s.DB.Clock.Now()))))
	if err != nil {
		return err
	}
	return s.showStatement(c, v, month, http.StatusOK, nil)
}

// monthIn reads a month like 202603; another text does not exist.
func monthIn(text string) (int, error) {
	at, err := time.Parse("200601", text)
	if err != nil || at.Year() < 2000 || at.Year() > 2998 {
		return 0, fault.NotFound
	}
	return at.Year()*100 + int(at.Month()), nil
}

func (s *Server) showStatement(c *gin.Context, v visitor, month, status int, n *notice) error {
	if v.Guest && !v.Strong {
		return s.stranger(c)
	}
	after, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	st, err := s.Settlement.MonthStatement(c.Request.Context(), v.Member, month, database.Page{Before: after, Limit: statementShown})
	if err != nil {
		return err
	}
	first := time.Date(month/100, time.Month(month%100), 1, 0, 0, 0, 0, shop)
	p := statementPage{page: s.base(c, ""), Month: month, Before: monthNow(first.AddDate(0, -1, 0)), Count: st.Count, Gross: st.Gross}
	p.Title, p.Notice = choose(p.Lang, "对账单", "Statement"), n
	p.Heading = choose(p.Lang, "%d 年 %d 月", "%[2]d/%[1]d", month/100, month%100)
	p.at("/me/statements?month=" + strconv.Itoa(month))
	s.armed(&p.page, v)
	if month < monthNow(p.Now) {
		p.After = monthNow(first.AddDate(0, 1, 0))
	}
	for _, l := range st.Lines.Items {
		p.Lines = append(p.Lines, statementOf(p.Lang, clock.MilliOf(p.Now), l))
	}
	if st.Lines.NextCursor != "" {
		p.Next = "/me/statements?month=" + strconv.Itoa(month) + "&cursor=" + st.Lines.NextCursor
	}
	return s.show(c, status, "statement", p.page, p)
}

// statementOf puts a line into words.
func statementOf(lang string, now clock.Milli, l settlement.StatementLine) statementRow {
	r := statementRow{Settlement: l.SettlementID, Line: l.LineNo, What: lineName(lang, l.Kind), Label: clean(l.Label), At: l.OccurredAt.Time().In(shop),
		Amount: max(l.Gross, -l.Gross), Less: l.Gross < 0, Reason: cleanLong(l.Reason), Answer: cleanLong(l.Answer)}
	r.State, r.Tone = choose(lang, "待打款", "to be paid"), ""
	switch l.Payment {
	case settlement.PayoutLineSent, settlement.PayoutLineUnknown:
		r.State, r.Tone = choose(lang, "打款中", "on its way"), "good"
	case settlement.PayoutLinePaid:
		r.State, r.Tone = choose(lang, "已付", "paid"), "dim"
	case settlement.PayoutLineFailed:
		r.State = choose(lang, "退回，下期再付", "came back; the next one pays")
	}
	switch {
	case l.Objection == settlement.ObjectionOpen:
		r.State, r.Tone = choose(lang, "异议处理中", "objected"), "full"
	case l.Objection == "" && now < l.ObjectUntil:
		r.Until = l.ObjectUntil.Time().In(shop)
	}
	return r
}

// lineName is why a line is there.
func lineName(lang string, k settlement.Kind) string {
	switch k {
	case settlement.KindReward:
		return choose(lang, "奖励", "reward")
	case settlement.KindClawback:
		return choose(lang, "退款扣回", "taken back by a refund")
	case settlement.KindFailed:
		return choose(lang, "上次退回，再付", "an earlier payment that came back")
	case settlement.KindFee:
		return choose(lang, "提现手续费", "fee of a withdrawal")
	case settlement.KindDebt:
		return choose(lang, "抵扣上期欠款", "owed from before")
	}
	return choose(lang, "不足部分转下期", "owed, carried to the next one")
}

// objectLine answers POST /me/statements.
func (s *Server) objectLine(c *gin.Context, v visitor) error {
	month, err := monthIn(c.PostForm("month"))
	if err != nil {
		return errForm
	}
	in := settlement.ObjectIn{Reason: c.PostForm("reason")}
	if err := read(c.PostForm("settlement"), &in.SettlementID); err != nil {
		return errForm
	}
	if in.LineNo, err = strconv.Atoi(c.PostForm("line")); err != nil {
		return errForm
	}
	ctx, err := s.sent(c, v, c.FullPath(), in.SettlementID.String(), c.PostForm("line"), in.Reason)
	if err != nil {
		return err
	}
	_, err = s.Settlement.Object(ctx, v.Member, in)
	var again *database.Replayed // a second tap
	if f, ok := fault.As(err); ok && f.Kind != fault.KindNotFound && !errors.As(err, &again) {
		n := &notice{Text: f.Text(s.lang(c))}
		for _, x := range f.Fields {
			n.More = x.Text(s.lang(c))
		}
		return s.showStatement(c, v, month, int(f.Kind), n)
	}
	if err != nil && !errors.As(err, &again) {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/me/statements?month="+strconv.Itoa(month))
	return nil
}
