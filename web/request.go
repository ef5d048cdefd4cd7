package web

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/community/request"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// requestsPage are a group's requests, for who is in it.
type requestsPage struct {
	page
	ID    id.Group
	Group string
	Kind  string
	Line  string // what he wrote before the page came back
	List  []requestView
}

// Fives are the stars there are.
func (requestsPage) Fives() []int { return []int{1, 2, 3, 4, 5} }

// requestView is a request as somebody in the group sees it.
type requestView struct {
	ID     id.Request
	Line   string
	Buy    bool
	State  string
	Tone   string // of the tag: good, dim or none
	Answer string
	By     string // when an answer is owed at the latest
	Wants  int    // with the asker
	Mine   bool
	Wanted bool // the visitor wants it too
	Can    bool // and could
	Rate   bool // his own, with an outcome, not rated yet
	Stars  int
	Team   bool // a group-buy of it is being prepared
}

// requestsShown is how many requests the page shows.
const requestsShown = 30

// requests answers GET /g/{group}/requests. For who is not in the group it
// does not exist.
func (s *Server) requests(c *gin.Context, v visitor) error {
	p, err := s.requestsPage(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "requests", p.page, p)
}

func (s *Server) requestsPage(c *gin.Context, v visitor) (requestsPage, error) {
	p := requestsPage{Kind: string(request.KindBuy)}
	if err := read(c.Param("group"), &p.ID); err != nil {
		return p, err
	}
	ctx := c.Request.Context()
	list, err := s.Request.List(ctx, request.Filter{Group: p.ID}, database.Page{Limit: requestsShown})
	if err != nil {
		return p, err
	}
	g, err := s.Community.FindGroup(ctx, p.ID)
	if err != nil {
		return p, err
	}
	p.page, p.Group = s.base(c, ""), clean(g.Name)
	p.Title = choose(p.Lang, "求购求助", "Requests")
	p.at("/g/" + p.ID.String() + "/requests")
	s.armed(&p.page, v)
	ids := make([]id.Request, len(list.Items))
	askers := make([]id.Member, len(list.Items))
	for i, r := range list.Items {
		ids[i], askers[i] = r.ID, r.MemberID
	}
	wanted, err := s.Request.WantedBy(ctx, v.Member, ids)
	if err != nil {
		return p, err
	}
	live, err := community.FollowMerges(s.DB.Read(ctx), askers)
	if err != nil {
		return p, err
	}
	for _, r := range list.Items {
		p.List = append(p.List, requestOf(p.page, r, live[r.MemberID] == v.Member, wanted[r.ID]))
	}
	return p, nil
}

func requestOf(p page, r request.Request, mine, wanted bool) requestView {
	v := requestView{ID: r.ID, Line: clean(r.Line), Buy: r.Kind == request.KindBuy, Answer: clean(r.Answer), Wants: r.Wants + 1, Mine: mine, Wanted: wanted, Stars: r.Rating}
	over := true
	switch r.Status {
	case request.StatusOpen:
		v.State, over = choose(p.Lang, "等答复", "waits"), false
		if r.AnswerBy > clock.MilliOf(p.Now) {
			v.By = moment(p.Lang, p.Now, r.AnswerBy.Time().In(shop))
		}
	case request.StatusAnswered:
		v.State, over = choose(p.Lang, "已答复", "answered"), false
	case request.StatusSolved:
		v.State, v.Tone = choose(p.Lang, "已解决", "solved"), "good"
	case request.StatusOffered:
		v.State, v.Tone = choose(p.Lang, "有替代", "something else"), "good"
	case request.StatusDeclined:
		v.State, v.Tone = choose(p.Lang, "没有", "not this time"), "dim"
	}
	v.Team = r.CampaignID != 0 && !over
	v.Can, v.Rate = !mine && !wanted && !over, mine && over && r.Rating == 0
	return v
}

// requestAct answers POST /g/{group}/requests/{act}: ask, want, rate.
func (s *Server) requestAct(c *gin.Context, v visitor) error {
	err := s.actOnRequest(c, v)
	f, ok := fault.As(err)
	if !ok || f.Kind == fault.KindNotFound {
		return err
	}
	p, err := s.requestsPage(c, v)
	if err != nil {
		return err
	}
	p.Notice = &notice{Text: f.Text(p.Lang)}
	if len(f.Fields) > 0 {
		p.Notice.More = f.Fields[0].Text(p.Lang)
	}
	p.Line, p.Kind = c.PostForm("line"), c.PostForm("kind")
	return s.show(c, int(f.Kind), "requests", p.page, p)
}

func (s *Server) actOnRequest(c *gin.Context, v visitor) error {
	var group id.Group
	if err := read(c.Param("group"), &group); err != nil {
		return err
	}
	ctx, err := s.sent(c, v, c.FullPath(), group.String(), c.Param("act"), c.PostForm("request"))
	if err != nil {
		return err
	}
	var r id.Request
	if c.Param("act") != "ask" {
		if err := read(c.PostForm("request"), &r); err != nil {
			return err
		}
	}
	switch c.Param("act") {
	case "ask":
		_, err = s.Request.Ask(ctx, v.Member, request.In{GroupID: group, Kind: request.Kind(c.PostForm("kind")), Line: c.PostForm("line")})
	case "want":
		err = s.Request.Want(database.WithoutKey(ctx), r, v.Member)
	case "rate":
		stars, bad := strconv.Atoi(c.PostForm("stars"))
		if bad != nil {
			return errForm
		}
		err = s.Request.Rate(database.WithoutKey(ctx), r, v.Member, stars)
	default:
		return fault.NotFound
	}
	var again *database.Replayed // a second tap: it stands already
	if err != nil && !errors.As(err, &again) {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/g/"+group.String()+"/requests")
	return nil
}
