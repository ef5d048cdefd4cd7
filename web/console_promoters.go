package web

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/promoter"
)

// Who sees promoters and who decides on them, as the API has it.
var (
	readsPromoters   = []access.Role{access.Admin, access.Marketer, access.Finance}
	decidesPromoters = []access.Role{access.Admin, access.Marketer}
)

// promotersPage are promoters of one status.
type promotersPage struct {
	page
	Tabs  []tab
	Cards []promoterCard
	Next  string
}

type promoterCard struct {
	ID                                id.Promoter
	Who                               string // masked
	State, Tone                       string
	Level                             int
	At, Decided                       time.Time
	Reason                            string
	Approves, Refuses, Freezes, Thaws bool
}

// promotersShown is how many promoters one page lists.
const promotersShown = 30

var promoterTabs = []statusTab{
	{string(promoter.Applied), "待审核", "Applied"}, {string(promoter.Approved), "已通过", "Approved"}, {string(promoter.Frozen), "已冻结", "Frozen"}, {string(promoter.Refused), "未通过", "Refused"},
}

var promoterWords = map[promoter.Status]pair{
	promoter.Applied: {"待审核", "applied", "full"}, promoter.Approved: {"已通过", "approved", "good"}, promoter.Frozen: {"已冻结", "frozen", "warn"}, promoter.Refused: {"未通过", "refused", "dim"},
}

// consolePromoters answers GET /console/promoters, with ?status=.
func (s *Server) consolePromoters(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsPromoters); err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	status := c.DefaultQuery("status", string(promoter.Applied))
	p := promotersPage{page: s.base(c, "")}
	p.Title, p.Now = choose(p.Lang, "推广员", "Promoters"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	for _, one := range promoterTabs {
		p.Tabs = append(p.Tabs, tab{choose(p.Lang, one.zh, one.en), listAt("/console/promoters", one.status, "", "", ""), one.status == status})
	}
	list, err := s.Promoter.ListPromoters(ctx, promoter.Filter{Status: promoter.Status(status)}, database.Page{Before: before, Limit: promotersShown})
	if err != nil {
		return err
	}
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(x promoter.Promoter) id.Member { return x.MemberID })
	if err != nil {
		return err
	}
	decides := may(ctx, decidesPromoters) == nil
	for _, x := range list.Items {
		card := promoterCard{ID: x.ID, Who: called(p.Lang, names[x.MemberID]), Level: x.Level, At: x.AppliedAt.Time().In(shop), Reason: clean(x.Reason),
			Approves: decides && (x.Status == promoter.Applied || x.Status == promoter.Refused), Refuses: decides && x.Status == promoter.Applied, Freezes: decides && x.Status == promoter.Approved, Thaws: decides && x.Status == promoter.Frozen}
		if x.DecidedAt != 0 {
			card.Decided = x.DecidedAt.Time().In(shop)
		}
		card.State, card.Tone = word(p.Lang, promoterWords, x.Status)
		p.Cards = append(p.Cards, card)
	}
	if list.NextCursor != "" {
		p.Next = listAt("/console/promoters", status, "", "", list.NextCursor)
	}
	return s.show(c, http.StatusOK, "promoters", p.page, p)
}

// consoleDecidePromoter answers POST /console/promoters/{id}/{act}: approve,
// refuse, freeze, thaw. The state refuses a second tap.
func (s *Server) consoleDecidePromoter(c *gin.Context) error {
	ctx, err := s.tapped(c, decidesPromoters)
	if err != nil {
		return err
	}
	var which id.Promoter
	if err := read(c.Param("id"), &which); err != nil {
		return err
	}
	act := promoter.Act(c.Param("act"))
	switch act {
	case promoter.Approve, promoter.Refuse, promoter.Freeze, promoter.Thaw:
	default:
		return fault.NotFound
	}
	if err := s.Promoter.Decide(ctx, which, act, c.PostForm("reason")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/promoters")
	return nil
}
