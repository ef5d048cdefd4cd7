package web

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/money"
	"siyu/wallet"
)

// readsBooks are the roles that see the ledger, as the API has it; of a part
// of the brand they see none of it.
var readsBooks = []access.Role{access.Admin, access.Finance}

func seesBooks(a database.Actor) bool {
	return a.Units == nil && slices.Contains(readsBooks, access.Role(a.Role))
}

// ledgerPage is the books: what stands now, which days are closed, and one of
// them in full.
type ledgerPage struct {
	page
	Rows []heldRow
	Sums []figure
	Days []closedRow
	Day  *dayView
}

// heldRow is what accounts of one sort hold together.
type heldRow struct {
	Stage, Owner string
	Amount       string
	Below        bool
}

// closedRow is one closed day.
type closedRow struct {
	Href      string
	Day       string
	State     string
	Tone      string
	Transfers string
	Late      string // "" when none was
	Mark      string // the head of its digest
}

// dayView is one closed day in full.
type dayView struct {
	closedRow
	Digest string
	CSV    string
	Moved  []movedRow
	Stood  []stoodRow
}

type movedRow struct {
	Kind, Stage, Owner string
	In, Out            string
}

type stoodRow struct {
	Stage, Owner            string
	Opening, Moved, Closing string
}

// closesShown is how many closed days the page lists; the API pages through
// all.
const closesShown = 14

// consoleLedger answers GET /console/ledger, with ?day=20260301 for one day.
func (s *Server) consoleLedger(c *gin.Context) error {
	ctx := c.Request.Context()
	if !seesBooks(database.ActorOf(ctx)) {
		return fault.Forbidden
	}
	trial, err := s.Wallet.TrialBalance(ctx, 0)
	if err != nil {
		return err
	}
	list, err := s.Wallet.ListCloses(ctx, database.Page{Limit: closesShown})
	if err != nil {
		return err
	}
	p := ledgerPage{page: s.base(c, "")}
	p.Title, p.Now = choose(p.Lang, "账本", "Ledger"), p.Now.In(shop)
	p.Rows, p.Sums = heldRows(p.Lang, trial)
	for _, x := range list.Items {
		p.Days = append(p.Days, closedRowOf(p.Lang, x))
	}
	if c.Query("day") != "" {
		found, err := s.closeAsked(c)
		if err != nil {
			return err
		}
		v := dayViewOf(p.Lang, found)
		p.Day = &v
	}
	return s.show(c, http.StatusOK, "ledger", p.page, p)
}

// closeAsked is the close of the day in the query.
func (s *Server) closeAsked(c *gin.Context) (wallet.Close, error) {
	day, err := strconv.Atoi(c.Query("day"))
	if err != nil {
		return wallet.Close{}, fault.NotFound
	}
	return s.Wallet.FindClose(c.Request.Context(), day)
}

// consoleLedgerCSV answers GET /console/ledger.csv: the trial balance, or what
// a closed day moved, for a spreadsheet.
func (s *Server) consoleLedgerCSV(c *gin.Context) error {
	ctx := c.Request.Context()
	if !seesBooks(database.ActorOf(ctx)) {
		return fault.Forbidden
	}
	var b bytes.Buffer
	name := "trial-balance"
	if c.Query("day") != "" {
		found, err := s.closeAsked(c)
		if err != nil {
			return err
		}
		name = "ledger-" + strconv.Itoa(found.Day)
		if err := found.WriteCSV(&b, wallet.Marked); err != nil {
			return err
		}
	} else {
		trial, err := s.Wallet.TrialBalance(ctx, 0)
		if err != nil {
			return err
		}
		if err := trial.WriteCSV(&b, wallet.Marked); err != nil {
			return err
		}
	}
	c.Header("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	c.Header("Cache-Control", "private, no-store")
	c.Data(http.StatusOK, "text/csv; charset=utf-8", b.Bytes())
	return nil
}

func heldRows(lang string, t wallet.Trial) (list []heldRow, sums []figure) {
	for _, r := range t.Rows {
		list = append(list, heldRow{stageName(lang, r.Stage), ownerName(lang, r.OwnerKind), worth(lang, r.Currency, r.Balance), r.Balance < 0})
	}
	for _, x := range t.Sums {
		sums = append(sums, figure{x.Currency, worth(lang, x.Currency, x.Above) + " − " + worth(lang, x.Currency, -x.Below) + " = " + worth(lang, x.Currency, x.Sum)})
	}
	return list, sums
}

func closedRowOf(lang string, c wallet.Close) closedRow {
	day := strconv.Itoa(c.Day)
	r := closedRow{Href: "/console/ledger?day=" + day, Day: dayText(c.Day), Transfers: count(c.Transfers), State: choose(lang, "日结中", "closing")}
	if c.Status == wallet.CloseSealed {
		r.State, r.Tone, r.Mark = choose(lang, "已日结", "closed"), "good", c.Digest[:8]
	}
	if c.Late > 0 {
		r.Late = choose(lang, "含迟到 %s 笔", "%s of them late", count(c.Late))
	}
	return r
}

func dayViewOf(lang string, c wallet.Close) dayView {
	v := dayView{closedRow: closedRowOf(lang, c), Digest: c.Digest, CSV: "/console/ledger.csv?day=" + strconv.Itoa(c.Day)}
	for _, l := range c.Lines {
		v.Moved = append(v.Moved, movedRow{moveName(lang, l.Kind), stageName(lang, l.Stage), ownerName(lang, l.OwnerKind), some(lang, l.Currency, l.Came), some(lang, l.Currency, l.Went)})
	}
	for _, b := range c.Balances {
		v.Stood = append(v.Stood, stoodRow{stageName(lang, b.Stage), ownerName(lang, b.OwnerKind), worth(lang, b.Currency, b.Opening), worth(lang, b.Currency, b.Moved), worth(lang, b.Currency, b.Closing)})
	}
	return v
}

// worth is an amount of money, or of points.
func worth(lang, currency string, n money.Amount) string {
	switch {
	case currency == money.PTS:
		return choose(lang, "%s 积分", "%s points", count(int64(n)))
	case n < 0:
		return "−¥" + (-n).String()
	}
	return cny(n)
}

// some is worth, and nothing for nothing.
func some(lang, currency string, n money.Amount) string {
	if n == 0 {
		return ""
	}
	return worth(lang, currency, n)
}

// dayText is a local day like 2026-03-01.
func dayText(day int) string {
	return time.Date(day/10000, time.Month(day/100%100), day%100, 0, 0, 0, 0, time.UTC).Format("2006-01-02")
}

var stageWords = map[wallet.Stage]pair{
	wallet.StageSource: {"外部资金", "outside money", ""}, wallet.StageBudget: {"预算", "budget", ""}, wallet.StageReserved: {"已预提", "reserved", ""},
	wallet.StagePayable: {"应付", "payable", ""}, wallet.StagePaying: {"付款在途", "on its way", ""}, wallet.StagePaid: {"已付", "paid", ""},
	wallet.StageTax: {"代扣税款", "tax withheld", ""}, wallet.StagePoints: {"可用积分", "points", ""}, wallet.StageFrozen: {"冻结积分", "points set aside", ""},
}

func stageName(lang string, s wallet.Stage) string { text, _ := word(lang, stageWords, s); return text }

var ownerWords = map[wallet.OwnerKind]pair{
	wallet.OwnerBrand: {"品牌", "brand", ""}, wallet.OwnerProgram: {"奖励方案", "programs", ""},
	wallet.OwnerCampaign: {"活动", "campaigns", ""}, wallet.OwnerMember: {"会员", "members", ""},
}

func ownerName(lang string, o wallet.OwnerKind) string {
	text, _ := word(lang, ownerWords, o)
	return text
}

// moveWords are the kinds of transfers; a kind that is not here shows as it is.
var moveWords = map[string]pair{
	"fund": {"预算拨入", "funded", ""}, "reward_earn": {"奖励记账", "rewards earned", ""}, "reward_clear": {"奖励到期", "rewards cleared", ""},
	"reward_reduced": {"奖励按退款扣减", "rewards reduced", ""}, "reward_voided": {"奖励取消", "rewards voided", ""}, "reward_clawed_back": {"奖励追回", "rewards clawed back", ""},
	"payout": {"付款", "payouts", ""}, "payout_arrived": {"付款到账", "payouts arrived", ""}, "payout_failed": {"付款退回", "payouts returned", ""},
	"discount": {"优惠核销", "discounts", ""}, "merge": {"会员合并", "members merged", ""},
}

func moveName(lang, kind string) string { text, _ := word(lang, moveWords, kind); return text }
