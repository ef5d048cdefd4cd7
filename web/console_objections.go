package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/settlement"
)

// answersObjections are the roles that see and answer objections, as the API
// has it.
var answersObjections = []access.Role{access.Admin, access.Finance}

// objectionsPage is what members object to in their statements, what is open
// first.
type objectionsPage struct {
	page
	Cards []objectionCard
	All   bool // answered ones too
	Next  string
}

type objectionCard struct {
	ID     id.Objection
	Who    string // masked
	Line   string // stl_…/3
	What   string
	Amount money.Amount
	Less   bool
	At     time.Time
	Reason string
	Answer string
	Open   bool
}

// objectionsShown is how many objections one page lists.
const objectionsShown = 20

// consoleObjections answers GET /console/objections.
func (s *Server) consoleObjections(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, answersObjections); err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	p := objectionsPage{page: s.base(c, ""), All: c.Query("all") != ""}
	p.Title, p.Now = choose(p.Lang, "对账异议", "Objections"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	status, more := settlement.ObjectionOpen, ""
	if p.All {
		status, more = "", "all=1&"
	}
	list, err := s.Settlement.ListObjections(ctx, status, database.Page{Before: before, Limit: objectionsShown})
	if err != nil {
		return err
	}
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(o settlement.Objection) id.Member { return o.MemberID })
	if err != nil {
		return err
	}
	for _, o := range list.Items {
		p.Cards = append(p.Cards, objectionCard{ID: o.ID, Who: called(p.Lang, names[o.MemberID]), Line: o.SettlementID.String() + "/" + strconv.Itoa(o.LineNo),
			What: lineName(p.Lang, o.Kind), Amount: max(o.Gross, -o.Gross), Less: o.Gross < 0, At: o.RaisedAt.Time().In(shop),
			Reason: cleanLong(o.Reason), Answer: cleanLong(o.Answer), Open: o.Status == settlement.ObjectionOpen})
	}
	if list.NextCursor != "" {
		p.Next = "/console/objections?" + more + "cursor=" + list.NextCursor
	}
	return s.show(c, http.StatusOK, "objections", p.page, p)
}

// consoleAnswer answers POST /console/objections/{id}/answer; the state refuses
// a second tap.
func (s *Server) consoleAnswer(c *gin.Context) error {
	ctx, err := s.tapped(c, answersObjections)
	if err != nil {
		return err
	}
	var oid id.Objection
	if err := read(c.Param("id"), &oid); err != nil {
		return err
	}
	if err := s.Settlement.Answer(ctx, oid, settlement.AnswerIn{Answer: c.PostForm("answer")}); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/objections")
	return nil
}
