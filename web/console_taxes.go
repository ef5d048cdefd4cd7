package web

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/taxreturn"
)

// readsTaxes see what was withheld, closesTaxes close a month and take what is
// declared of it, as the API has it.
var (
	readsTaxes  = []access.Role{access.Admin, access.Finance, access.Cashier}
	closesTaxes = []access.Role{access.Admin, access.Finance}
)

// taxesPage is the months of tax of each payer, and one of them person by
// person.
type taxesPage struct {
	page
	Closes bool // by who looks
	Cards  []taxCard
	Next   string
	Month  *taxMonthView
}

// taxCard is one payer with the months of its tax number.
type taxCard struct {
	ID              id.Payer
	Name, TaxNo     string
	Strategy        string
	Months          []taxMonthRow
	Earlier, Latest string
}

// taxMonthRow is one month of a payer's tax number.
type taxMonthRow struct {
	Href        string
	Payer       id.Payer
	No          int
	Month       string
	State, Tone string
	Shut, Over  bool
	People      string
	Gross, Tax  money.Amount
}

// taxMonthView is one month person by person.
type taxMonthView struct {
	taxMonthRow
	Name, Strategy string
	Rows           []taxPersonRow
	More           string
}

type taxPersonRow struct {
	Who, Income     string
	Gross, Due, Tax money.Amount
	Payments        string
}

// monthsShown is how many months a card lists, taxPayersShown how many cards
// a page.
const (
	monthsShown    = 13
	taxPayersShown = 10
)

// consoleTaxes answers GET /console/taxes, with ?payer= for one payer, and
// &month=202603 for one of its months.
func (s *Server) consoleTaxes(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsTaxes); err != nil {
		return err
	}
	p := taxesPage{page: s.base(c, ""), Closes: may(ctx, closesTaxes) == nil}
	p.Title, p.Now = choose(p.Lang, "税期", "Months of tax"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	if c.Query("payer") == "" {
		list, err := s.Payee.ListPayers(ctx, database.Page{Before: before, Limit: taxPayersShown})
		if err != nil {
			return err
		}
		for _, x := range list.Items {
			card, err := s.taxCard(ctx, p.Lang, x, 0)
			if err != nil {
				return err
			}
			p.Cards = append(p.Cards, card)
		}
		if list.NextCursor != "" {
			p.Next = "/console/taxes?cursor=" + list.NextCursor
		}
		return s.show(c, http.StatusOK, "taxes", p.page, p)
	}
	var pid id.Payer
	if err := read(c.Query("payer"), &pid); err != nil {
		return err
	}
	x, err := s.Payee.FindPayer(ctx, pid)
	if err != nil {
		return err
	}
	if c.Query("month") != "" {
		if p.Month, err = s.taxMonth(c, p.Lang, x); err != nil {
			return err
		}
		before = 0 // it is of the people of the month
	}
	card, err := s.taxCard(ctx, p.Lang, x, before)
	if err != nil {
		return err
	}
	p.Cards = []taxCard{card}
	return s.show(c, http.StatusOK, "taxes", p.page, p)
}

func (s *Server) taxCard(ctx context.Context, lang string, x payee.Payer, before int64) (taxCard, error) {
	card := taxCard{ID: x.ID, Name: clean(x.Name), TaxNo: x.TaxNo}
	card.Strategy, _ = word(lang, strategyWords, x.Strategy)
	list, err := s.Payee.ListMonthSums(ctx, x.ID, database.Page{Before: before, Limit: monthsShown})
	if err != nil {
		return card, err
	}
	for _, m := range list.Items {
		card.Months = append(card.Months, taxMonthOf(lang, x.ID, m))
	}
	if list.NextCursor != "" {
		card.Earlier = taxesAt(x.ID) + "&cursor=" + list.NextCursor
	}
	if before != 0 {
		card.Latest = taxesAt(x.ID)
	}
	return card, nil
}

func taxesAt(pid id.Payer) string { return "/console/taxes?payer=" + pid.String() }

func taxMonthOf(lang string, pid id.Payer, m payee.MonthSum) taxMonthRow {
	r := taxMonthRow{Href: taxesAt(pid) + "&month=" + strconv.Itoa(m.Month), Payer: pid, No: m.Month, Month: monthText(lang, m.Month), Gross: m.Gross, Tax: m.Tax,
		Shut: m.State == payee.MonthClosed, Over: m.State == payee.MonthOver, People: choose(lang, "%s 人 · %s 笔", "people: %s · payments: %s", count(int64(m.People)), count(int64(m.Lines)))}
	r.State, r.Tone = word(lang, monthWords, m.State)
	return r
}

// monthText is a month like 2026 年 3 月.
func monthText(lang string, month int) string {
	return choose(lang, "%d 年 %d 月", "%d-%02d", month/100, month%100)
}

var monthWords = map[payee.MonthState]pair{
	payee.MonthCurrent: {"进行中", "this month", ""}, payee.MonthOver: {"待关账", "to close", "full"}, payee.MonthClosed: {"已关账", "closed", "good"},
}

// taxMonth is the month in the query person by person, names masked.
func (s *Server) taxMonth(c *gin.Context, lang string, x payee.Payer) (*taxMonthView, error) {
	ctx := c.Request.Context()
	month, err := strconv.Atoi(c.Query("month"))
	if err != nil {
		return nil, fault.NotFound
	}
	after, err := database.ParseCursor(c.Query("people"))
	if err != nil {
		return nil, err
	}
	list, err := s.Payee.ListMonths(ctx, x.ID, month, database.Page{Before: after, Limit: linesShown})
	if err != nil {
		return nil, err
	}
	sums, err := s.Payee.ListMonthSums(ctx, x.ID, database.Page{Before: int64(month) + 1, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(sums.Items) == 0 || sums.Items[0].Month != month {
		return nil, fault.NotFound // nobody was paid in it
	}
	v := taxMonthView{taxMonthRow: taxMonthOf(lang, x.ID, sums.Items[0]), Name: clean(x.Name)}
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(m payee.Month) id.Member { return m.MemberID })
	if err != nil {
		return nil, err
	}
	v.Rows = taxPeople(lang, list.Items, names)
	if list.NextCursor != "" {
		v.More = v.Href + "&people=" + list.NextCursor
	}
	return &v, nil
}

// taxPeople names each person by the mask of his payee, and who entered none by
// his own.
func taxPeople(lang string, list []payee.Month, names map[id.Member]string) []taxPersonRow {
	var rows []taxPersonRow
	for _, m := range list {
		r := taxPersonRow{Who: cmp.Or(clean(m.Name), choose(lang, "%s（未登记）", "%s (no payee)", called(lang, names[m.MemberID]))), Gross: m.Gross, Due: m.Due, Tax: m.Tax, Payments: count(int64(m.Lines))}
		r.Income, _ = word(lang, incomeWords, m.IncomeType)
		rows = append(rows, r)
	}
	return rows
}

// consoleTurnMonth answers POST /console/taxes/{close|return}. A month is
// closed once by itself; the return names people and is made for the request.
func (s *Server) consoleTurnMonth(c *gin.Context) error {
	ctx, err := s.tapped(c, closesTaxes)
	if err != nil {
		return err
	}
	pid, month, err := monthNamed(c.PostForm("payer"), c.PostForm("month"))
	if err != nil {
		return err
	}
	switch c.Param("act") {
	case "close":
		if err := s.Payee.CloseMonth(ctx, pid, month); err != nil {
			return err
		}
		c.Redirect(http.StatusSeeOther, taxesAt(pid))
		return nil
	case "return":
		f, err := s.TaxReturn.Return(ctx, pid, month, taxreturn.Format(c.PostForm("format")))
		return sendTax(c, f, err)
	}
	return fault.NotFound
}

// consoleTaxSheet answers GET /console/taxes/sheet: a closed month by masks.
func (s *Server) consoleTaxSheet(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, closesTaxes); err != nil {
		return err
	}
	pid, month, err := monthNamed(c.Query("payer"), c.Query("month"))
	if err != nil {
		return err
	}
	f, err := s.TaxReturn.Write(ctx, pid, month, taxreturn.Format(c.DefaultQuery("format", string(taxreturn.XLSX))))
	return sendTax(c, f, err)
}

func monthNamed(payer, month string) (id.Payer, int, error) {
	var pid id.Payer
	if err := read(payer, &pid); err != nil {
		return 0, 0, err
	}
	no, err := strconv.Atoi(month)
	if err != nil {
		return 0, 0, fault.Invalid.Field("month", "format", "应为 yyyymm 形式的月份", "must be a month like 202611")
	}
	return pid, no, nil
}

func sendTax(c *gin.Context, f taxreturn.File, err error) error {
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "private, no-store")
	c.Header("Content-Disposition", `attachment; filename="`+f.Name+`"`)
	c.Header("Siyu-File-Sha256", f.SHA256)
	c.Data(http.StatusOK, f.Media, f.Body)
	return nil
}
