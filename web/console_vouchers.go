package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/voucher"
	"siyu/wallet"
)

// vouchersPage is the days of the books for whoever keeps the general ledger:
// which day is closed next, which are closed, and the vouchers of each.
type vouchersPage struct {
	page
	Chart string // in force
	Next  *nextDay
	Days  []voucherDay
	More  string
	Day   *voucherView
}

// nextDay is the day that is closed next.
type nextDay struct {
	No    int
	Day   string
	From  time.Time // from when on it can be
	May   bool
	Going bool
}

// voucherDay is one closed day.
type voucherDay struct {
	closedRow
	No    int
	Made  bool
	Old   bool // made by a chart that is no longer in force
	Ready bool // it may be booked
}

// voucherView is one day's vouchers, and what to take them as.
type voucherView struct {
	voucherDay
	Rows   []voucherRow
	Sum    string // of debit, which is that of credit
	Forms  []choice
	Payers []choice
}

type voucherRow struct {
	First         bool // of its voucher
	No            int
	Summary       string
	Code, Title   string
	Debit, Credit string
}

// consoleVouchers answers GET /console/vouchers, with ?day=20260301 for one
// day.
func (s *Server) consoleVouchers(c *gin.Context) error {
	ctx := c.Request.Context()
	if !seesBooks(database.ActorOf(ctx)) {
		return fault.Forbidden
	}
	p := vouchersPage{page: s.base(c, "")}
	p.Title, p.Now = choose(p.Lang, "日结与凭证", "Days and vouchers"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	chart, err := s.Voucher.Chart(ctx)
	if err != nil {
		return err
	}
	p.Chart = chartName(p.Lang, chart.No)
	next, err := s.Wallet.NextDay(ctx)
	if err != nil {
		return err
	}
	if next.Day != 0 {
		from := next.From.Time().In(shop)
		p.Next = &nextDay{No: next.Day, Day: dayText(next.Day), From: from, May: !next.Closing && !p.Now.Before(from), Going: next.Closing}
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	list, err := s.Wallet.ListCloses(ctx, database.Page{Before: before, Limit: closesShown})
	if err != nil {
		return err
	}
	if p.Days, err = s.voucherDays(ctx, p.Lang, list.Items, chart.No); err != nil {
		return err
	}
	if list.NextCursor != "" {
		p.More = "/console/vouchers?cursor=" + list.NextCursor
	}
	if c.Query("day") != "" {
		if p.Day, err = s.vouchersOf(c, p.Lang, chart.No); err != nil {
			return err
		}
	}
	return s.show(c, http.StatusOK, "vouchers", p.page, p)
}

// chartName is a version of the mapping of accounts.
func chartName(lang string, no int) string {
	if no == 0 {
		return choose(lang, "内置科目对照", "the house's own chart")
	}
	return choose(lang, "第 %d 版科目对照", "version %d of the chart", no)
}

func (s *Server) voucherDays(ctx context.Context, lang string, closes []wallet.Close, chart int) ([]voucherDay, error) {
	days := make([]int, len(closes))
	for i, x := range closes {
		days[i] = x.Day
	}
	sets, err := s.Voucher.SetsOf(ctx, days)
	if err != nil {
		return nil, err
	}
	out := make([]voucherDay, len(closes))
	for i, x := range closes {
		set, made := sets[x.Day]
		out[i] = voucherDayOf(lang, x, set, made, chart)
	}
	return out, nil
}

func voucherDayOf(lang string, x wallet.Close, set voucher.Set, made bool, chart int) voucherDay {
	d := voucherDay{closedRow: closedRowOf(lang, x), No: x.Day, Made: made, Old: made && set.ChartNo != chart, Ready: x.Status == wallet.CloseSealed}
	d.Href = "/console/vouchers?day=" + strconv.Itoa(x.Day)
	return d
}

// vouchersOf is the day in the query, with its vouchers if they are made.
func (s *Server) vouchersOf(c *gin.Context, lang string, chart int) (*voucherView, error) {
	ctx := c.Request.Context()
	x, err := s.closeAsked(c)
	if err != nil {
		return nil, err
	}
	set, err := s.Voucher.Find(ctx, x.Day)
	made := err == nil
	if err != nil && !errors.Is(err, fault.NotFound) {
		return nil, err
	}
	v := voucherViewOf(lang, voucherDayOf(lang, x, set, made, chart), set)
	payers, err := s.Payee.ListPayers(ctx, database.Page{Limit: database.PageMax})
	if err != nil {
		return nil, err
	}
	for _, one := range payers.Items {
		v.Payers = append(v.Payers, choice{one.ID.String(), clean(one.Name)})
	}
	return &v, nil
}

func voucherViewOf(lang string, d voucherDay, set voucher.Set) voucherView {
	v := voucherView{voucherDay: d}
	last, sum := 0, money.Amount(0)
	for _, r := range set.Rows() {
		v.Rows = append(v.Rows, voucherRow{r.No != last, r.No, clean(r.Summary), r.Code, clean(r.Title), some(lang, money.CNY, r.Debit), some(lang, money.CNY, r.Credit)})
		last, sum = r.No, sum+r.Debit
	}
	v.Sum = worth(lang, money.CNY, sum)
	for _, f := range voucher.Forms() {
		v.Forms = append(v.Forms, choice{f.Name, choose(lang, f.TitleZH, f.TitleEN)})
	}
	return v
}

// consoleTurnDay answers POST /console/vouchers/{close|make}. Each is once by
// itself: a day is closed once, and a day's vouchers stand as they were made.
func (s *Server) consoleTurnDay(c *gin.Context) error {
	ctx, err := s.tapped(c, readsBooks)
	if err != nil {
		return err
	}
	day, err := strconv.Atoi(c.PostForm("day"))
	if err != nil {
		return fault.Invalid.Field("day", "format", "应为 yyyymmdd 形式的日期", "must be a day like 20260301")
	}
	to := "/console/vouchers"
	switch c.Param("act") {
	case "close":
		err = s.Wallet.CloseDay(ctx, day)
		if errors.Is(err, wallet.ErrDayShut) {
			err = nil // the first tap closed it, or the hourly run did
		}
	case "make":
		to, err = to+"?day="+strconv.Itoa(day), s.Voucher.Make(ctx, day)
	default:
		err = fault.NotFound
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

// errNothingBooked answers for a part of a day of which there is nothing to
// import: an empty file would look like one that got lost.
var errNothingBooked = fault.New(fault.KindConflict, "web.nothing_booked", "{day} 的这个范围没有要记的账，不用导入", "there is nothing to book of this part of {day}; no file is needed")

// consoleVoucherFile answers GET /console/vouchers/file: a day's vouchers in a
// form, whole or what of them is one payer's.
func (s *Server) consoleVoucherFile(c *gin.Context) error {
	ctx := c.Request.Context()
	if !seesBooks(database.ActorOf(ctx)) {
		return fault.Forbidden
	}
	day, err := strconv.Atoi(c.Query("day"))
	if err != nil {
		return fault.NotFound
	}
	var set voucher.Set
	switch c.Query("payer") {
	case "":
		set, err = s.Voucher.Find(ctx, day)
	case "none":
		set, err = s.Voucher.OfPayer(ctx, day, 0)
	default:
		var payer id.Payer
		if err := read(c.Query("payer"), &payer); err != nil {
			return err
		}
		set, err = s.Voucher.OfPayer(ctx, day, payer)
	}
	if err != nil {
		return err
	}
	f, err := voucher.FindForm(c.Query("form"))
	if err != nil {
		return err
	}
	if len(set.Rows()) == 0 {
		return errNothingBooked.With("day", dayText(day))
	}
	body, err := f.Write(set)
	if err != nil {
		return err
	}
	name := "vouchers-" + strconv.Itoa(day)
	if part := c.Query("payer"); part != "" {
		name += "-" + part
	}
	c.Header("Cache-Control", "private, no-store")
	c.Header("Content-Disposition", `attachment; filename="`+name+"."+string(f.Format)+`"`)
	c.Data(http.StatusOK, f.Media(), body)
	return nil
}
