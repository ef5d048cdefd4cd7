package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/community/health"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// seesHealth are the roles that see a group's health, as the API has it.
var seesHealth = []access.Role{access.Admin, access.Marketer, access.GroupOwner}

// healthPage is one group's health: its last 90 days drawn, its figures, what
// to do next, and its work of today.
type healthPage struct {
	page
	ID          id.Group
	Name, Sort  string // a community 社群 only once it passed
	State, Tone string
	Since       string
	Life        int // the day of the group's life
	Chart       *healthChart
	Advice      []adviceRow
	Figures     []healthFigure
	Incubation  []healthFigure
	Passed      string // the day on which it had passed; "" if it has not
	Praise      []string
	Candidates  []figure
	Propose     string // where they are proposed for a reward
	SwapOut     int
	Feedback    string
}

// healthFigure is a figure beside what it is held to.
type healthFigure struct{ Name, Value, Limit, Tone string }

// adviceRow is what to do, and where if there is a page for it.
type adviceRow struct{ Text, Link string }

// consoleHealth answers GET /console/groups/{id}/health.
func (s *Server) consoleHealth(c *gin.Context) error {
	ctx := c.Request.Context()
	if !slices.Contains(seesHealth, access.Role(database.ActorOf(ctx).Role)) {
		return fault.Forbidden
	}
	var gid id.Group
	if err := read(c.Param("id"), &gid); err != nil {
		return err
	}
	report, err := s.Health.FindReport(ctx, gid)
	if err != nil {
		return err
	}
	work, err := s.Health.FindWorkList(ctx, gid)
	if err != nil {
		return err
	}
	names, err := s.candidateNames(ctx, work.Candidates)
	if err != nil {
		return err
	}
	p := healthPageOf(s.base(c, ""), report, work, names)
	if may(ctx, proposesKOC) == nil {
		p.Propose = "/console/koc-proposals?group=" + gid.String()
	}
	return s.show(c, http.StatusOK, "health", p.page, p)
}

func (s *Server) candidateNames(ctx context.Context, list []health.Candidate) (map[id.Member]string, error) {
	var ids []id.Member
	for _, one := range list[:min(len(list), candidatesShown)] {
		ids = append(ids, one.Member)
	}
	return community.NamesOf(s.DB.Read(ctx), ids)
}

// candidatesShown is how many candidates the page names.
const candidatesShown = 5

func healthPageOf(base page, r health.Report, w health.WorkList, names map[id.Member]string) healthPage {
	p := healthPage{page: base, ID: r.GroupID, Name: clean(r.Name), Life: r.Incubation.Day, SwapOut: len(w.SwapOut)}
	lang := p.Lang
	p.Title, p.Sort = p.Name, choose(lang, "群", "Group")
	if r.Community {
		p.Sort = choose(lang, "社群", "Community")
	}
	p.State, p.Tone = word(lang, healthStates, health.StateUnknown)
	if r.Standing != nil {
		p.State, p.Tone = word(lang, healthStates, r.Standing.State)
		p.Since = dayOf(r.Standing.Since)
	}
	p.Chart = drawHealth(lang, r.History)
	for _, a := range r.Advice {
		p.Advice = append(p.Advice, adviceRow{choose(lang, a.Zh, a.En), a.Link})
	}
	for _, m := range r.Metrics {
		p.Figures = append(p.Figures, figureOf(lang, m.Name, m.Value, m.Limit, m.Meets, m.Unit, m.Unknown))
	}
	criteria := r.Incubation.Criteria
	if r.Pass != nil {
		p.Passed, criteria = dateOf(r.Pass.Day), r.Pass.Criteria
	}
	for _, k := range criteria {
		p.Incubation = append(p.Incubation, figureOf(lang, k.Name, k.Observed, &k.Limit, k.Passed, k.Unit, k.Unknown))
	}
	for _, one := range w.Praise {
		p.Praise = append(p.Praise, choose(lang, clean(one.Name)+strings.TrimPrefix(one.Zh, one.Name), one.En))
	}
	for _, one := range w.Candidates[:min(len(w.Candidates), candidatesShown)] {
		p.Candidates = append(p.Candidates, figure{cmp.Or(clean(names[one.Member]), one.Member.String()), choose(lang, "%d 分 · 活跃 %d 天 · 帮助 %d 人", "%d points · active on %d days · helped %d", one.Score, one.ActiveDays, one.Helped)})
	}
	if w.Feedback.Minutes != health.Unknown {
		p.Feedback = choose(lang, "30 天内 %d 件好事，%d 件得到回应，一般等 %s", "%d deeds in 30 days, %d were thanked for, usually after %s",
			w.Feedback.Deeds, w.Feedback.Thanked, waitOf(lang, int(w.Feedback.Minutes)))
	}
	return p
}

func figureOf(lang, name string, value, limit *int, meets *bool, unit health.Unit, why health.Reason) healthFigure {
	f := healthFigure{Value: choose(lang, "未知", "unknown"), Tone: "dim"}
	f.Name, _ = word(lang, healthNames, name)
	if value == nil {
		f.Limit, _ = word(lang, healthReasons, why)
		return f
	}
	f.Value, f.Tone = amountOf(*value, unit), ""
	if limit != nil && meets != nil {
		f.Limit = choose(lang, "标准 ", "held to ") + amountOf(*limit, unit)
		if f.Tone = "warn"; *meets {
			f.Tone = "good"
		}
	}
	return f
}

func amountOf(n int, unit health.Unit) string {
	if unit == health.UnitBP {
		return fmt.Sprintf("%d.%d%%", n/100, n/10%10)
	}
	return count(int64(n))
}

func waitOf(lang string, minutes int) string {
	if minutes < 60 {
		return choose(lang, "%d 分钟", "%d min", minutes)
	}
	return choose(lang, "%d 小时 %d 分", "%d h %d min", minutes/60, minutes%60)
}

// dateOf is a day with its year: what is history may be years old.
func dateOf(day int) string { return fmt.Sprintf("%d-%s", day/10000, dayOf(day)) }

func dayOf(day int) string { return fmt.Sprintf("%02d-%02d", day/100%100, day%100) }
