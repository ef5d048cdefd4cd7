package web

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/tieout"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// readsTieOuts are the roles that see days held side by side, as the API has
// it.
var readsTieOuts = []access.Role{access.Admin, access.Finance, access.Cashier}

// tieOutsPage is the newest days, and one of them in full.
type tieOutsPage struct {
	page
	Days []tieOutRow
	Day  *tieOutView
	Next string
}

type tieOutRow struct {
	Href        string
	Day         string
	Payer       string
	State, Tone string
	Differ      string // "" when nothing does
}

// tieOutView is one day: what each side comes to, and what differs.
type tieOutView struct {
	tieOutRow
	ID     id.TieOut
	Run    int
	Form   string
	Totals []tieOutTotal
	Rows   []differRow
	Sorts  []sortChoice // of the rows shown, those that are not explained
	Open   int          // differences without a reason
	Asks   bool         // reasons or an approval are still wanted
	Own    bool         // who looks has explained one of the rows
	More   string
	Later  string
}

// sortChoice is a sort of difference that one reason may explain at once.
type sortChoice struct{ Sort, Name string }

type tieOutTotal struct{ Kind, Mall, Siyu, Paper string }

type differRow struct {
	N                     int
	Sort, Kind, No, Other string
	Mall, Siyu, Paper     string
	Reason                string
}

// tieOutsShown and differShown bound what the page lists; the API pages
// through all.
const (
	tieOutsShown = 14
	differShown  = 100
)

// consoleTieOuts answers GET /console/tieouts, with ?id=tie_… for one day.
func (s *Server) consoleTieOuts(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsTieOuts); err != nil {
		return err
	}
	p := tieOutsPage{page: s.base(c, "")}
	p.Title = choose(p.Lang, "三方对账", "Tie-out")
	s.desk(ctx, &p.page)
	after, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	list, err := s.TieOut.List(ctx, tieout.Filter{}, database.Page{Before: after, Limit: tieOutsShown})
	if err != nil {
		return err
	}
	payers := make([]id.Payer, len(list.Items))
	for i, t := range list.Items {
		payers[i] = t.PayerID
	}
	names, err := s.payerNames(ctx, payers)
	if err != nil {
		return err
	}
	for _, t := range list.Items {
		p.Days = append(p.Days, tieOutRowOf(p.Lang, t, names[t.PayerID]))
	}
	if list.NextCursor != "" {
		p.Next = "/console/tieouts?cursor=" + list.NextCursor
	}
	if text := c.Query("id"); text != "" {
		var tid id.TieOut
		if tid.UnmarshalText([]byte(text)) != nil {
			return fault.NotFound
		}
		if p.Day, err = s.tieOutAsked(c, p.Lang, tid); err != nil {
			return err
		}
	}
	return s.show(c, http.StatusOK, "tieouts", p.page, p)
}

func (s *Server) tieOutAsked(c *gin.Context, lang string, tid id.TieOut) (*tieOutView, error) {
	ctx := c.Request.Context()
	t, err := s.TieOut.Find(ctx, tid)
	if err != nil {
		return nil, err
	}
	x, err := s.Payee.FindPayer(ctx, t.PayerID)
	if err != nil {
		return nil, err
	}
	after, err := database.ParseCursor(c.Query("after"))
	if err != nil {
		return nil, err
	}
	rows, err := s.TieOut.ListDifferences(ctx, tid, "", database.Page{Before: after, Limit: differShown})
	if err != nil {
		return nil, err
	}
	v := tieOutViewOf(lang, t, x.Name, rows.Items)
	if rows.NextCursor != "" {
		v.Later = v.Href + "&after=" + rows.NextCursor
	}
	v.Form, v.Own = s.formToken(deskOf(ctx), s.DB.Clock.Now().Add(formFor)), slices.ContainsFunc(rows.Items, func(d tieout.Difference) bool {
		return d.ExplainedBy == database.ActorOf(ctx).Staff
	})
	return &v, nil
}

func tieOutRowOf(lang string, t tieout.TieOut, payer string) tieOutRow {
	r := tieOutRow{Href: "/console/tieouts?id=" + t.ID.String(), Day: dayText(t.Day), Payer: payer}
	r.State, r.Tone = word(lang, tieOutWords, t.Status)
	if t.Differences > 0 {
		r.Differ = choose(lang, "%s 笔差异，%s 笔未说明", "%s differ, %s not explained", count(int64(t.Differences)), count(int64(t.Open)))
	}
	if t.Status == tieout.StatusRunning {
		r.Differ = choose(lang, "已核对 %s 个单号", "%s numbers gone through", count(int64(t.Matched)))
	}
	return r
}

func tieOutViewOf(lang string, t tieout.TieOut, payer string, rows []tieout.Difference) tieOutView {
	v := tieOutView{tieOutRow: tieOutRowOf(lang, t, payer), ID: t.ID, Run: t.Run, Open: t.Open, Asks: t.Status == tieout.StatusDiffers}
	for _, kind := range []tieout.Kind{tieout.KindPayment, tieout.KindRefund, tieout.KindPayout, tieout.KindOther} {
		sums := map[tieout.Side]string{}
		for _, x := range t.Totals {
			if x.Kind == kind {
				sums[x.Side] = choose(lang, "%s 笔 ¥%s", "%s, ¥%s", count(int64(x.Lines)), x.Amount)
			}
		}
		if len(sums) > 0 {
			name, _ := word(lang, movedWords, kind)
			v.Totals = append(v.Totals, tieOutTotal{name, sums[tieout.SideMall], sums[tieout.SideSiyu], sums[tieout.SideStatement]})
		}
	}
	for _, d := range rows {
		r := differRow{N: d.DiffNo, No: d.No, Mall: told(d.MallLines, d.Mall), Siyu: told(d.SiyuLines, d.Siyu), Paper: told(d.PaperLines, d.Paper), Reason: cleanLong(d.Reason)}
		r.Sort, _ = word(lang, differWords, d.Sort)
		r.Kind, _ = word(lang, movedWords, d.Kind)
		if choice := (sortChoice{string(d.Sort), r.Sort}); d.ExplainedBy == 0 && !slices.Contains(v.Sorts, choice) {
			v.Sorts = append(v.Sorts, choice)
		}
		if d.OtherDay != 0 {
			r.Other = dayText(d.OtherDay)
		}
		v.Rows = append(v.Rows, r)
	}
	if t.Differences > len(rows) {
		v.More = choose(lang, "本页 %s 笔，共 %s 笔；全部见 CSV（GET /v1/tieouts/%s/differences.csv）", "%s of %s here; all are in the CSV (GET /v1/tieouts/%s/differences.csv)", count(int64(len(rows))), count(int64(t.Differences)), t.ID.String())
	}
	return v
}

// told is what a side says, and a dash where it says nothing.
func told(lines int, a money.Amount) string {
	if lines == 0 {
		return "—"
	}
	return cny(a)
}

var tieOutWords = map[tieout.Status]pair{
	tieout.StatusOpen: {"待对账", "not run", ""}, tieout.StatusRunning: {"对账中", "running", ""}, tieout.StatusTied: {"三方一致", "tied", "good"},
	tieout.StatusDiffers: {"有差异", "differs", "bad"}, tieout.StatusExplained: {"差异已说明", "explained", "good"},
}

var movedWords = map[tieout.Kind]pair{
	tieout.KindPayment: {"支付", "payments", ""}, tieout.KindRefund: {"退款", "refunds", ""}, tieout.KindPayout: {"付款", "payouts", ""}, tieout.KindOther: {"其他", "other", ""},
}

var differWords = map[tieout.Sort]pair{
	tieout.OnlyMall: {"仅商城有", "only the mall", ""}, tieout.OnlySiyu: {"仅私域有", "only Siyu", ""}, tieout.OnlyPaper: {"仅账单有", "only the statement", ""},
	tieout.NoMall: {"商城缺", "not the mall", ""}, tieout.NoSiyu: {"私域缺", "not Siyu", ""}, tieout.NoPaper: {"账单缺", "not the statement", ""},
	tieout.Amounts: {"金额不符", "amounts differ", ""}, tieout.OtherDay: {"跨日", "another day", ""}, tieout.OtherPayer: {"属其他付款主体", "another payer", ""}, tieout.MoreThanOne: {"单号重复", "more than once", ""},
}
