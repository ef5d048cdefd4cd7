package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// exposurePage is how many ads people see across their groups, and the groups
// whose members see as many as they may.
type exposurePage struct {
	page
	AsOf    time.Time // of the newest count, zero before there was one
	Part    bool      // of a unit, not of the brand
	Rule    string
	Mode    string
	Tone    string
	Coming  []string
	Figures []figure
	Spread  []chartBar
	Groups  []exposedRow
	Next    string
}

// exposedRow is a group; Width is the share at the ceiling in hundredths.
type exposedRow struct {
	ID                  id.Group
	Name, Share, Covers string
	Width               int
	State, Tone         string
}

var exposureModes = map[guard.Mode]pair{
	guard.ModeOff: {"不统计", "off", "dim"}, guard.ModeAdvise: {"只提示", "advises", ""}, guard.ModeEnforce: {"到上限先不发", "leaves out", "good"},
}

// exposedShown is how many groups one page lists.
const exposedShown = 50

// consoleExposure answers GET /console/exposure.
func (s *Server) consoleExposure(c *gin.Context) error {
	ctx := c.Request.Context()
	actor := database.ActorOf(ctx)
	if !slices.Contains(seesGroups, access.Role(actor.Role)) {
		return fault.Forbidden
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	of := id.Unit(0)
	if actor.Units != nil {
		of = actor.Unit
	}
	is, err := s.Exposure.Find(ctx, of)
	if err != nil {
		return err
	}
	groups, err := s.Exposure.ListGroups(ctx, database.Page{Before: before, Limit: exposedShown})
	if err != nil {
		return err
	}
	p := exposurePage{page: s.base(c, ""), Part: of != 0}
	p.Title, p.Now = choose(p.Lang, "群友曝光", "Exposure"), p.Now.In(shop)
	p.show(is)
	for _, g := range groups.Items {
		p.Groups = append(p.Groups, exposedRowOf(p.Lang, g))
	}
	if groups.NextCursor != "" {
		p.Next = "/console/exposure?cursor=" + groups.NextCursor
	}
	return s.show(c, http.StatusOK, "exposure", p.page, p)
}

// show puts the policy and the newest count into what the page draws.
func (p *exposurePage) show(is exposure.Shown) {
	say := func(zh, en string, args ...any) string { return choose(p.Lang, zh, en, args...) }
	ceiling, days, share := is.Numbers[0].Value, is.Numbers[1].Value, is.Numbers[2].Value
	p.Mode, p.Tone = word(p.Lang, exposureModes, is.Mode)
	p.Rule = exposureRule(p.Lang, ceiling, days, share)
	for _, next := range is.Coming {
		mode, _ := word(p.Lang, exposureModes, next.Mode)
		p.Coming = append(p.Coming, moment(p.Lang, p.Now, next.EffectiveAt.Time().In(shop))+say("起：", " on: ")+mode+say("，", ", ")+exposureRule(p.Lang, next.Ceiling, next.WindowDays, next.ShareBP))
	}
	n := is.Counted
	if n == nil {
		return
	}
	p.AsOf = n.AsOf.Time().In(shop)
	at := int64(0)
	for _, x := range n.Seen {
		bar := chartBar{Name: say("%d 条", "%d ads", x.Ads), N: int64(x.Members)}
		if x.Ads >= ceiling {
			at += bar.N
			bar.Name += say(" · 已到上限", " · at the ceiling")
		}
		bar.Value = count(bar.N) + " · " + rate(money.Bps(part(bar.N*100, n.People)))
		p.Spread = append(p.Spread, bar)
	}
	scale(p.Spread)
	p.Figures = []figure{
		{say("群里的人", "people in groups"), count(n.People)}, {say("看到过推广", "saw any"), count(n.Members)},
		{say("已到上限", "at the ceiling"), count(at)}, {say("所在群全部已知", "all groups known"), rate(money.Bps(part(n.Known*100, n.People)))},
		{say("推广条数", "ads"), count(int64(n.Ads))}, {say("有群友的群", "groups with members"), count(int64(n.Groups))},
	}
}

func exposureRule(lang string, ceiling, days, share int) string {
	return choose(lang, "一个人 %d 天内在所有群一共最多 %d 条；超过 %s 的群友已到上限的群先不发", "at most %[2]d ads for one person in %[1]d days, all groups together; a group is left out once more than %[3]s of its members have seen that many",
		days, ceiling, rate(money.Bps(share)))
}

func exposedRowOf(lang string, g exposure.Listed) exposedRow {
	r := exposedRow{ID: g.GroupID, Name: clean(g.Name), Width: g.ShareBP / 100,
		Share:  choose(lang, "%d / %d 人 · %s", "%d of %d · %s", g.Over, g.Members, rate(money.Bps(g.ShareBP))),
		Covers: rate(money.Bps(g.CoverageBP))}
	switch above := len(g.Reasons) > 0; {
	case !g.Known:
		r.Share, r.Covers, r.Width = "–", "–", 0
		r.State, r.Tone = choose(lang, "未知", "unknown"), "dim"
	case above && g.Mode == guard.ModeEnforce:
		r.State, r.Tone = choose(lang, "先不发", "left out"), "full"
	case above:
		r.State = choose(lang, "提示", "advised")
	default:
		r.State, r.Tone = choose(lang, "可发", "open"), "good"
	}
	return r
}
