package web

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/referral/tax"
)

// readsPayers see who pays, how it is taxed and what is owed.
var readsPayers = []access.Role{access.Admin, access.Finance, access.Cashier}

// payersPage is who pays members: each payer with how it taxes, its limit of a
// day, its terms and what it owes. It only reads.
type payersPage struct {
	page
	Cards []payerCard
	Next  string
}

type payerCard struct {
	ID                           id.Payer
	Name, TaxNo                  string
	Strategy, Income, Bearer     string
	Needed                       bool // a payee's name and account, before anything is paid
	CostCentre, BudgetNo         string
	Limit, Left                  money.Amount // of a day; Limit 0 is none
	Due                          string       // in no settlement yet
	DueNote                      string
	Settlements                  int
	Sealed, Flying, Today, Month money.Amount
	Asked                        bool // paid on request
	Terms                        string
	TermsNo                      int
}

// UsedTo is where the used part of the day's bar ends, in hundredths.
func (p payerCard) UsedTo() int64 { return min(part(int64(p.Today), int64(p.Limit)), 100) }

// payersShown is how many payers one page lists.
const payersShown = 20

// consolePayers answers GET /console/payers.
func (s *Server) consolePayers(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsPayers); err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	p := payersPage{page: s.base(c, "")}
	p.Title, p.Now = choose(p.Lang, "付款主体", "Payers"), p.Now.In(shop)
	list, err := s.Payee.ListPayers(ctx, database.Page{Before: before, Limit: payersShown})
	if err != nil {
		return err
	}
	for _, x := range list.Items {
		card, err := s.payerCard(ctx, p.Lang, x)
		if err != nil {
			return err
		}
		p.Cards = append(p.Cards, card)
	}
	if list.NextCursor != "" {
		p.Next = "/console/payers?cursor=" + list.NextCursor
	}
	return s.show(c, http.StatusOK, "payers", p.page, p)
}

func (s *Server) payerCard(ctx context.Context, lang string, x payee.Payer) (payerCard, error) {
	owing, err := s.Settlement.FindOwing(ctx, x.ID)
	if err != nil {
		return payerCard{}, err
	}
	terms, err := s.Settlement.FindTerms(ctx, x.ID, 0)
	if err != nil {
		return payerCard{}, err
	}
	card := payerCard{
		ID: x.ID, Name: clean(x.Name), TaxNo: x.TaxNo, Needed: x.PayeeNeeded, CostCentre: clean(x.CostCentre), BudgetNo: clean(x.BudgetNo),
		Limit: x.DailyLimit, Left: max(0, x.DailyLimit-owing.Today), Settlements: owing.Settlements, Sealed: owing.Sealed, Flying: owing.Flying, Today: owing.Today, Month: owing.Month,
		Asked: terms.Mode == settlement.ModeOnRequest, Terms: termsText(lang, terms), TermsNo: terms.No,
	}
	card.due(lang, owing.Due)
	card.Strategy, _ = word(lang, strategyWords, x.Strategy)
	card.Income, _ = word(lang, incomeWords, x.IncomeType)
	card.Bearer, _ = word(lang, bearerWords, x.BorneBy)
	return card, nil
}

// due says what is due and in no settlement; of very much the oldest alone are
// counted.
func (p *payerCard) due(lang string, d settlement.Due) {
	p.Due = cny(d.Gross)
	switch {
	case d.More:
		p.Due = choose(lang, "≥ %s", "≥ %s", p.Due)
		p.DueNote = choose(lang, "到期未结的只数了最早的一批（%d 笔），全部看结算预览。", "of what is due the oldest alone are counted (%d); a preview of a settlement says all.", d.Rewards)
	case d.Rewards > 0:
		p.DueNote = choose(lang, "到期未结 %d 笔，最早 %s 到期。", "%d due and in no settlement, the oldest since %s.", d.Rewards, d.Since.Time().In(shop).Format("2006-01-02"))
	}
}

// termsText says in words when a payer's members are paid.
func termsText(lang string, t settlement.Terms) string {
	if t.Mode != settlement.ModeOnRequest {
		return choose(lang, "按期结算，到期全部付", "by period: all that is due")
	}
	fee := choose(lang, "免手续费", "no fee")
	switch {
	case t.FeeFixed > 0 && t.FeeRate > 0:
		fee = choose(lang, "手续费 ¥%s 加 %s", "a fee of ¥%s and %s", t.FeeFixed, rate(t.FeeRate))
	case t.FeeFixed > 0:
		fee = choose(lang, "手续费 ¥%s", "a fee of ¥%s", t.FeeFixed)
	case t.FeeRate > 0:
		fee = choose(lang, "手续费 %s", "a fee of %s", rate(t.FeeRate))
	}
	return choose(lang, "会员申请提现：每次 ¥%s–¥%s，每天 %d 次，%s", "on request: ¥%s to ¥%s each time, %d times a day, %s", t.Least, t.Most, t.PerDay, fee)
}

var strategyWords = map[tax.Strategy]pair{
	tax.NoneCoupon: {"折扣让利，不计税", "discounts, no income", ""}, tax.Incidental20: {"偶然所得 20%", "incidental income, 20%", ""},
	tax.Labor2018: {"劳务报酬（按月）", "labour, by month", ""}, tax.LaborCumulative2025: {"劳务报酬（累计预扣）", "labour, cumulative", ""},
	tax.ExternalAgent: {"外部机构代发代扣", "an agent pays and withholds", ""},
}

var incomeWords = map[tax.Income]pair{tax.IncomeLabor: {"劳务报酬", "labour", ""}, tax.IncomeIncidental: {"偶然所得", "incidental", ""}, tax.IncomeCoupon: {"折扣券", "coupons", ""},
	tax.IncomeBusiness: {"经营所得（凭发票）", "business, by invoice", ""}, tax.IncomeWages: {"工资薪金（工资系统代扣）", "wages, taxed by payroll", ""}}

var bearerWords = map[tax.Bearer]pair{tax.BornePayee: {"由收款人承担", "borne by the payee", ""}, tax.BorneCompany: {"由公司承担", "borne by the company", ""}}
