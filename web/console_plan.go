package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/campaign/promotion"
	"siyu/internal/database"
	"siyu/internal/fault"
)

// plansPromotions are the roles that see the plan, as the API has it.
var plansPromotions = []access.Role{access.Admin, access.Marketer}

// planPage is the plan of all promotions: a row each, a column a day.
type planPage struct {
	page
	Days   []dayHead
	Rows   []planRow
	Groups int
	More   bool
}

// dayHead is a day above its column.
type dayHead struct {
	Day     int
	Weekday string
	Weekend bool
}

// planRow is one promotion: what is planned by day, and what is left out.
type planRow struct {
	Name     string
	Worth    string
	Days     []planCell
	Placed   int
	Sends    int
	Outranks int // sends left to promotions worth more
	Causes   []figure
}

// planCell is the sends of a day; its bar reaches from Y down to a hundred,
// which is the most of any day.
type planCell struct {
	Sends  int
	Y      int
	Height int
}

// consolePlan answers GET /console/plan.
func (s *Server) consolePlan(c *gin.Context) error {
	ctx := c.Request.Context()
	if !slices.Contains(plansPromotions, access.Role(database.ActorOf(ctx).Role)) {
		return fault.Forbidden
	}
	plan, err := s.Promotion.Calendar(ctx)
	if err != nil {
		return err
	}
	p := planPage{page: s.base(c, ""), Groups: plan.Groups, More: plan.GroupsMore}
	p.Title, p.Now = choose(p.Lang, "推送排期", "Plan of promotions"), p.Now.In(shop)
	for i := range plan.Days {
		at := plan.From.Time().In(shop).Add(time.Duration(i) * 24 * time.Hour)
		p.Days = append(p.Days, dayHead{at.Day(), weekdays(p.Lang, []int{(int(at.Weekday())+6)%7 + 1}), at.Weekday() == time.Saturday || at.Weekday() == time.Sunday})
	}
	most := 1
	for _, e := range plan.Promotions {
		most = max(most, slices.Max(e.ByDay))
	}
	for _, e := range plan.Promotions {
		p.Rows = append(p.Rows, planRowOf(p.Lang, e, most))
	}
	return s.show(c, http.StatusOK, "plan", p.page, p)
}

func planRowOf(lang string, e promotion.Entry, most int) planRow {
	r := planRow{Name: clean(e.Name), Placed: e.Placed, Sends: e.Sends,
		Worth: choose(lang, "每群 ¥%s · 优先级 %d", "¥%s a group · priority %d", e.Value, e.Priority)}
	for _, n := range e.ByDay {
		cell := planCell{Sends: n, Height: n * 100 / most}
		if n > 0 {
			cell.Height = max(cell.Height, 6)
		}
		cell.Y = 100 - cell.Height
		r.Days = append(r.Days, cell)
	}
	for _, cause := range e.LeftOut {
		r.Outranks += cause.Outranked
		if alone := cause.Sends - cause.Outranked; alone > 0 {
			r.Causes = append(r.Causes, figure{ruleName(lang, cause.Rule), count(int64(alone))})
		}
	}
	return r
}

// ruleName is a rule in a few words; its id says which it is exactly.
func ruleName(lang string, r guard.Rule) string {
	switch r {
	case guard.RuleGap:
		return choose(lang, "间隔不足", "too near another ad")
	case guard.RuleDay, guard.RuleCharterDay:
		return choose(lang, "当天已满", "the day is full")
	case guard.RuleWeek, guard.RuleWeekSliding, guard.RuleCharterWeek, guard.RuleCharterSliding:
		return choose(lang, "当周已满", "the week is full")
	case guard.RuleMonth, guard.RuleMonthSliding:
		return choose(lang, "当月已满", "the month is full")
	case guard.RuleLife:
		return choose(lang, "累计已满", "no ads are left")
	case guard.RuleQuiet, guard.RuleCharterQuiet:
		return choose(lang, "时段都在免打扰内", "quiet hours only")
	case guard.RuleWarmUp:
		return choose(lang, "群还太新", "the group is too young")
	case guard.RuleWindow:
		return choose(lang, "时段已过", "the window is over")
	case guard.RuleOwner, guard.RuleClosed:
		return choose(lang, "没有负责人或已关闭", "no owner, or closed")
	}
	return string(r)
}
