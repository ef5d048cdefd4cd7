package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/insight"
)

// readsInsight are the roles that see the figures of invitations, as the API
// has it.
var readsInsight = []access.Role{access.Admin, access.Marketer, access.Finance}

// insightPage is what the invitations of the last 90 days came to.
type insightPage struct {
	page
	From, To  time.Time
	Truncated bool
	Figures   []figure
	Warning   string
	Depths    []chartBar
	Heads     []chartBar
	Cohorts   cohortGrid
	Promise   []chartBar
}

// cohortGrid is who bought in which week after he was brought, drawn as one
// square per cohort and week, darker the more did.
type cohortGrid struct {
	Rows   []cohortRow
	Height int
}

type cohortRow struct {
	Name  string
	Y     int
	Cells []cohortCell
}

type cohortCell struct {
	X     int
	Shade int // 0 to 5
	Text  string
	Title string
}

// Measures of the grid, in units of its view box of 340 wide.
const (
	gridLeft, gridCell, gridRow = 76, 32, 26
	gridRows                    = 13 // the latest weeks
)

// consoleInsight answers GET /console/insight.
func (s *Server) consoleInsight(c *gin.Context) error {
	ctx := c.Request.Context()
	if !slices.Contains(readsInsight, access.Role(database.ActorOf(ctx).Role)) {
		return fault.Forbidden
	}
	var w insight.Window
	if text := c.Query("program"); text != "" {
		if err := read(text, &w.Program); err != nil {
			return err
		}
	}
	w = w.Filled(clock.MilliOf(s.DB.Clock.Now()))
	f, err := s.Insight.Read(ctx, w)
	if err != nil {
		return err
	}
	took, err := s.Campaign.RefundTimes(ctx, w.From, w.To)
	if err != nil {
		return err
	}
	p := insightPage{page: s.base(c, "")}
	p.Title = choose(p.Lang, "邀请分析", "Invitations")
	p.show(f)
	median := choose(p.Lang, "未知", "unknown")
	if took.Done > 0 {
		median = span(p.Lang, took.Median)
	}
	p.Figures = append(p.Figures, figure{choose(p.Lang, "退款用时中位数", "median refund time"), median})
	if p.Heads, err = s.headBars(ctx, p.Lang, f.Heads.List); err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "insight", p.page, p)
}

// show puts the figures into what the page draws.
func (p *insightPage) show(f insight.Figures) {
	say := func(zh, en string, args ...any) string { return choose(p.Lang, zh, en, args...) }
	known := func(bps *int64, text func(money.Bps) string) string {
		if bps == nil {
			return say("未知", "unknown")
		}
		return text(money.Bps(*bps))
	}
	cost := say("未知", "unknown")
	if f.Kept.Cost != nil {
		cost = cny(*f.Kept.Cost)
	}
	p.From, p.To, p.Truncated = f.From.Time().In(shop), f.To.Time().In(shop), f.Truncated
	p.Figures = []figure{
		{say("被邀请", "brought"), count(int64(f.Invitees))}, {say("其中下单付款", "of them bought"), count(int64(f.Bought))},
		{say("K 因子", "K factor"), known(f.K.Bps, func(b money.Bps) string { return hundredth(b / 100) })}, {say("满 30 天仍在", "still there after 30 days"), known(f.Kept.Bps, rate)},
		{say("每留住一人的奖励", "rewards per member kept"), cost}, {say("按时兑现", "promises kept on time"), known(f.Promise.Bps, rate)},
		{say("前 1 位带来", "brought by the first"), known(f.Heads.One, rate)}, {say("前 10 位带来", "brought by the first ten"), known(f.Heads.Ten, rate)},
	}
	switch f.Heads.Warning {
	case insight.WarnOne:
		p.Warning = say("%s 的新人由同一位推广员带来：他一走，来源就断了。", "One promoter brought %s of them: when he leaves, so do they.", known(f.Heads.One, rate))
	case insight.WarnTen:
		p.Warning = say("%s 的新人由前 10 位推广员带来，过于集中。", "Ten promoters brought %s of them: too much hangs on few.", known(f.Heads.Ten, rate))
	}
	for _, d := range f.Depths {
		p.Depths = append(p.Depths, chartBar{Name: say("第 %d 层", "step %d", d.Depth), Value: count(int64(d.Invitees)), N: int64(d.Invitees)})
	}
	scale(p.Depths)
	p.Promise = []chartBar{
		{Name: say("按时", "on time"), N: int64(f.Promise.OnTime)}, {Name: say("晚了", "late"), N: int64(f.Promise.Late)}, {Name: say("逾期未兑现", "overdue"), N: int64(f.Promise.Open)},
	}
	for i := range p.Promise {
		p.Promise[i].Value = count(p.Promise[i].N)
	}
	scale(p.Promise)
	p.Cohorts = drawCohorts(p.Lang, f.Cohorts)
}

// drawCohorts draws the latest cohorts, the newest on top.
func drawCohorts(lang string, list []insight.Cohort) cohortGrid {
	list = slices.Clone(list)
	slices.Reverse(list)
	list = list[:min(len(list), gridRows)]
	g := cohortGrid{Height: len(list)*gridRow + 4}
	for i, c := range list {
		row := cohortRow{Name: choose(lang, "%02d-%02d（%d）", "%02d-%02d (%d)", c.Week/100%100, c.Week%100, c.Size), Y: i * gridRow}
		for n, w := range c.Weeks {
			if w.Of == 0 {
				break
			}
			bps := int64(w.Bought) * 10_000 / int64(w.Of)
			row.Cells = append(row.Cells, cohortCell{X: gridLeft + n*gridCell, Shade: int(min(bps+1999, 9999) / 2000), Text: strconv.FormatInt(bps/100, 10),
				Title: choose(lang, "第 %d 周：%d 人中 %d 人下单", "week %d: of %d bought %d", n+1, w.Of, w.Bought)})
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// headBars are the inviters who brought most.
func (s *Server) headBars(ctx context.Context, lang string, list []insight.Head) ([]chartBar, error) {
	ids := make([]id.Member, len(list))
	for i, h := range list {
		ids[i] = h.Member
	}
	names, err := community.NamesIn(s.DB.Read(ctx), ids)
	if err != nil {
		return nil, err
	}
	bars := make([]chartBar, len(list))
	for i, h := range list {
		bars[i] = chartBar{Name: called(lang, names[h.Member]), N: int64(h.Invitees),
			Value: choose(lang, "%d 人 · 下单 %d · ¥%s", "%d · bought %d · ¥%s", h.Invitees, h.Bought, h.Rewards)}
	}
	scale(bars)
	return bars, nil
}
