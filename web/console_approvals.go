package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// approvalsPage is what waits for a second person, one sort of it at a time:
// who asked, what, since when and why.
type approvalsPage struct {
	page
	Tabs  []tab
	Else  []tab // pages where other things may wait
	Sort  string
	Says  string // what approving does
	Cards []approvalCard
	Next  string
}

// approvalCard is one thing that waits. Of and Seen are what the form names
// besides: what it belongs to, and what was looked at, so that nobody approves
// what he did not see.
type approvalCard struct {
	ID, Of, Seen string
	Name         string
	What         []figure
	Texts        []string
	Why          string
	By           string
	by           id.Staff // of staff, whose name is put in for all cards at once
	At           time.Time
	Own          bool // who looks asked: he may only take it back
}

// decision is the word of a second person, as its form was sent.
type decision struct{ ID, Of, Seen, Reason string }

// approvalSort is a sort of thing that two people decide on, and the roles that
// may, as the API has it.
type approvalSort struct {
	name, zh, en    string
	says            pair
	roles           []access.Role
	asked           func(*Server, context.Context, asking) ([]approvalCard, string, error)
	approve, refuse func(*Server, context.Context, decision) error
}

// asking is who looks at a list and from where on.
type asking struct {
	lang string
	page database.Page
	me   id.Staff
}

var approvalSorts = []approvalSort{
	{"payees", "收款人变更", "Payees", pair{zh: "批准前他的付款都等着", en: "his payments wait until then"}, []access.Role{access.Admin, access.Finance},
		(*Server).payeesAsked, (*Server).approvePayee, (*Server).refusePayee},
	{"prices", "低于底价", "Prices", pair{zh: "批准后才能改成这个价", en: "the price may be set once it is approved"}, []access.Role{access.Admin, access.Marketer, access.Finance},
		(*Server).pricesAsked, (*Server).approvePrice, (*Server).refusePrice},
	{"materials", "素材", "Materials", pair{zh: "批准后不能再改", en: "once approved it never changes"}, []access.Role{access.Admin, access.Marketer},
		(*Server).materialsAsked, (*Server).approveMaterial, (*Server).refuseMaterial},
	{"permits", "护栏许可", "Permits", pair{zh: "只放宽护栏，不破群约定", en: "it lifts the guard's policy, never a charter"}, []access.Role{access.Admin, access.Marketer},
		(*Server).permitsAsked, (*Server).approvePermit, (*Server).refusePermit},
}

// approvalsShown is how many things one page lists.
const approvalsShown = 20

// seesApprovals are the roles that decide on something of the page.
var seesApprovals = []access.Role{access.Admin, access.Marketer, access.Finance}

// consoleApprovals answers GET /console/approvals, with ?sort=.
func (s *Server) consoleApprovals(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, seesApprovals); err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	p := approvalsPage{page: s.base(c, ""), Sort: c.Query("sort")}
	p.Title, p.Now = choose(p.Lang, "待复核", "For a second person"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	for _, one := range approvalSorts {
		if may(ctx, one.roles) != nil {
			continue
		}
		if p.Sort == "" {
			p.Sort = one.name
		}
		p.Tabs = append(p.Tabs, tab{choose(p.Lang, one.zh, one.en), "/console/approvals?sort=" + one.name, one.name == p.Sort})
	}
	sort, err := sortNamed(ctx, p.Sort)
	if err != nil {
		return err
	}
	p.Says, p.Else = sort.says.in(p.Lang), elsewhere(ctx, p.Lang)
	cards, next, err := sort.asked(s, ctx, asking{p.Lang, database.Page{Before: before, Limit: approvalsShown}, database.ActorOf(ctx).Staff})
	if err != nil {
		return err
	}
	by, err := colleagues(ctx, s, cards, func(x approvalCard) id.Staff { return x.by })
	if err != nil {
		return err
	}
	for i := range cards {
		cards[i].By = cmp.Or(cards[i].By, by(cards[i].by))
	}
	if p.Cards = cards; next != "" {
		p.Next = "/console/approvals?sort=" + p.Sort + "&cursor=" + next
	}
	return s.show(c, http.StatusOK, "approvals", p.page, p)
}

// sortNamed is a sort whose things the actor may decide on.
func sortNamed(ctx context.Context, name string) (approvalSort, error) {
	k := slices.IndexFunc(approvalSorts, func(x approvalSort) bool { return x.name == name })
	if k < 0 {
		return approvalSort{}, fault.NotFound
	}
	return approvalSorts[k], may(ctx, approvalSorts[k].roles)
}

// elsewhere are the pages of their own on which a second person decides.
func elsewhere(ctx context.Context, lang string) []tab {
	var list []tab
	for _, x := range []struct {
		zh, en, href string
		roles        []access.Role
	}{
		{"结算单审核", "Settlements", "/console/settlements?status=closed", makesSettlements}, {"推送计划", "Promotions", "/console/promotions", plansPromotions},
		{"推广员", "Promoters", "/console/promoters", decidesPromoters}, {"KOC 奖励", "KOC rewards", "/console/koc-proposals", approvesKOC},
		{"奖励审核", "Reward review", "/console/reviews", decidesReviews}, {"对账差异", "Tie-out", "/console/tieouts", readsTieOuts},
	} {
		if may(ctx, x.roles) == nil {
			list = append(list, tab{choose(lang, x.zh, x.en), x.href, false})
		}
	}
	return list
}

// consoleDecideApproval answers POST
// /console/approvals/{sort}/{id}/{approve|refuse}; the state refuses a second
// tap.
func (s *Server) consoleDecideApproval(c *gin.Context) error {
	sort, err := sortNamed(c.Request.Context(), c.Param("sort"))
	if err != nil {
		return err
	}
	ctx, err := s.tapped(c, sort.roles)
	if err != nil {
		return err
	}
	d := decision{c.Param("id"), c.PostForm("of"), c.PostForm("seen"), c.PostForm("reason")}
	switch c.Param("act") {
	case "approve":
		err = sort.approve(s, ctx, d)
	case "refuse":
		var check fault.Check
		check.Required(d.Reason, "reason")
		if err = check.Err(); err == nil {
			err = sort.refuse(s, ctx, d)
		}
	default:
		return fault.NotFound
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/approvals?sort="+sort.name)
	return nil
}
