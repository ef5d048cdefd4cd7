package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// seesGroups are the roles that see groups and their decisions.
var seesGroups = []access.Role{access.Admin, access.Marketer, access.GroupOwner}

// weekPage is a group's week: what the guard let through, put off and refused,
// and why, and when an ad may come next.
type weekPage struct {
	page
	ID                 id.Group
	Name, Preset, Mode string
	Used, Cap          int
	Full               bool
	Counts             []figure
	Days               []aheadDay
	Room               int
	Decisions          []verdictRow
}

// aheadDay is a day of the forecast.
type aheadDay struct {
	Day     int
	Weekday string
	Open    bool
	Ads     int
	Text    string // from when an ad may be shown, or why none
}

// verdictRow is a decision with every reason and piece of advice.
type verdictRow struct {
	Outcome, Tone string
	When          time.Time
	Times         int
	NotBefore     time.Time
	Permit        string
	Reasons       []string
	Advice        []string
}

// weekDecisions is how many decisions of a week are shown, newest first.
const weekDecisions = 100

// consoleGroup answers GET /console/groups/:id.
func (s *Server) consoleGroup(c *gin.Context) error {
	ctx := c.Request.Context()
	if !slices.Contains(seesGroups, access.Role(database.ActorOf(ctx).Role)) {
		return fault.Forbidden
	}
	var g id.Group
	if err := g.UnmarshalText([]byte(c.Param("id"))); err != nil {
		return fault.NotFound
	}
	group, err := s.Community.FindGroup(ctx, g)
	if err != nil {
		return err
	}
	ahead, err := s.Guard.Forecast(ctx, g)
	if err != nil {
		return err
	}
	week, err := s.Guard.ThisWeek(ctx, []id.Group{g})
	if err != nil {
		return err
	}
	list, err := s.Guard.ListDecisions(ctx, guard.SlotFilter{Group: g}, database.Page{Limit: weekDecisions})
	if err != nil {
		return err
	}
	p := weekPage{page: s.base(c, ""), ID: g, Name: clean(group.Name), Room: ahead.Room, Used: week[g].Used, Cap: week[g].Promised, Full: week[g].Used >= week[g].Promised}
	p.Title, p.Now = choose(p.Lang, "群的一周", "A group's week"), p.Now.In(shop)
	p.Preset, p.Mode = presetName(p.Lang, string(ahead.Preset)), modeName(p.Lang, ahead.Mode)
	for _, d := range ahead.Days {
		p.Days = append(p.Days, aheadOf(p.Lang, p.Now, d))
	}
	_, span, _ := guard.Spans(shop, clock.MilliOf(p.Now))
	p.fill(list.Items, span.From)
	return s.show(c, http.StatusOK, "week", p.page, p)
}

// fill takes the decisions of the week that began at monday.
func (p *weekPage) fill(list []guard.Kept, monday clock.Milli) {
	counts := map[guard.Outcome]int{}
	for _, d := range list {
		if d.LastAt < monday {
			continue
		}
		counts[d.Outcome] += d.Times
		row := verdictRow{When: d.LastAt.Time().In(shop), Times: d.Times, Permit: permitName(p.Lang, d.By)}
		row.Outcome, row.Tone = outcomeName(p.Lang, d.Outcome)
		if d.NotBefore != 0 {
			row.NotBefore = d.NotBefore.Time().In(shop)
		}
		for _, r := range d.Reasons {
			row.Reasons = append(row.Reasons, string(r.Rule)+" "+r.Text(p.Lang))
		}
		for _, r := range d.Advice {
			row.Advice = append(row.Advice, string(r.Rule)+" "+r.Text(p.Lang))
		}
		p.Decisions = append(p.Decisions, row)
	}
	for _, o := range []guard.Outcome{guard.OutcomeAllow, guard.OutcomeDefer, guard.OutcomeDeny, guard.OutcomeLate, guard.OutcomeUnplanned, guard.OutcomeTaken, guard.OutcomeDigest} {
		name, _ := outcomeName(p.Lang, o)
		p.Counts = append(p.Counts, figure{name, count(int64(counts[o]))})
	}
}

func aheadOf(lang string, now time.Time, d guard.ForecastDay) aheadDay {
	at := time.Date(d.Day/10000, time.Month(d.Day/100%100), d.Day%100, 12, 0, 0, 0, shop)
	out := aheadDay{Day: at.Day(), Weekday: weekdays(lang, []int{(int(at.Weekday())+6)%7 + 1}), Open: d.Open, Ads: d.Ads}
	switch {
	case d.Open:
		out.Text = choose(lang, "%s 起可发", "from %s", moment(lang, now, d.FirstAt.Time().In(shop)))
	case len(d.Reasons) > 0:
		out.Text = string(d.Reasons[0].Rule) + " " + d.Reasons[0].Text(lang)
	}
	return out
}

func modeName(lang string, m guard.Mode) string {
	switch m {
	case guard.ModeEnforce:
		return choose(lang, "严格执行", "enforced")
	case guard.ModeAdvise:
		return choose(lang, "只观察", "observed only")
	}
	return choose(lang, "只守群约定", "charter alone")
}

func permitName(lang string, k guard.PermitKind) string {
	switch k {
	case guard.PermitOverride:
		return choose(lang, "特批", "override")
	case guard.PermitPass:
		return choose(lang, "大促通行证", "pass")
	case guard.PermitAdvance:
		return choose(lang, "预支", "advance")
	}
	return ""
}
