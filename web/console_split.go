package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/community/split"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// runsGroups are the roles that end, merge, split and hand over groups, as the
// API has it.
var runsGroups = []access.Role{access.Marketer, access.GroupOwner, access.Admin}

// groupDesk is the group of a console page about running it, for who may.
func (s *Server) groupDesk(c *gin.Context) (community.Group, error) {
	var g id.Group
	if err := mayRunGroups(c); err != nil {
		return community.Group{}, err
	}
	if err := read(c.Param("id"), &g); err != nil {
		return community.Group{}, err
	}
	return s.Community.FindGroup(c.Request.Context(), g)
}

func mayRunGroups(c *gin.Context) error {
	if !slices.Contains(runsGroups, access.Role(database.ActorOf(c.Request.Context()).Role)) {
		return fault.Forbidden
	}
	return nil
}

// deskSent refuses a form that was not sent from a page of the console.
func (s *Server) deskSent(c *gin.Context) error {
	if http.NewCrossOriginProtection().Check(c.Request) != nil || !s.formHolds(c.PostForm("form"), deskOf(c.Request.Context())) {
		return errForm
	}
	return nil
}

// splitPage is a group's newest proposal to split it, one part of it with its
// people.
type splitPage struct {
	page
	ID      id.Group
	Name    string
	Split   *split.Split
	State   string
	Tone    string
	Kept    string
	Chance  string
	Until   time.Time
	Parts   []splitPart
	Part    int
	People  []figure // a name and why
	Propose bool
}

type splitPart struct {
	Part, People              int
	Group                     id.Group
	Invited, Joined, Declined int
}

// consoleSplit answers GET /console/groups/{id}/split, with ?part=2 for the
// people of a part.
func (s *Server) consoleSplit(c *gin.Context) error {
	g, err := s.groupDesk(c)
	if err != nil {
		return err
	}
	p, err := s.splitPage(c, g)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "split", p.page, p)
}

func (s *Server) splitPage(c *gin.Context, g community.Group) (splitPage, error) {
	ctx := c.Request.Context()
	p := splitPage{page: s.base(c, ""), ID: g.ID, Name: clean(g.Name)}
	p.Title, p.Now = choose(p.Lang, "分小组", "Sub-groups"), p.Now.In(shop)
	p.Form = s.formToken(deskOf(ctx), s.DB.Clock.Now().Add(formFor))
	list, err := s.Split.List(ctx, g.ID, database.Page{Limit: 1})
	if err != nil || len(list.Items) == 0 {
		p.Propose = true
		return p, err
	}
	x := list.Items[0]
	p.fill(x)
	p.Part = 1
	if n, err := strconv.Atoi(c.Query("part")); err == nil {
		p.Part = min(max(n, 1), len(x.Parts))
	}
	seats, err := s.Split.Seats(ctx, x.ID, p.Part, database.Page{Limit: database.PageMax})
	if err != nil {
		return p, err
	}
	names, err := s.namesOf(ctx, seats.Items)
	if err != nil {
		return p, err
	}
	for _, seat := range seats.Items {
		p.People = append(p.People, figure{cmp.Or(clean(names[seat.Member]), seat.Member.String()), seatWhy(p.Lang, seat)})
	}
	return p, nil
}

func (p *splitPage) fill(x split.Split) {
	p.Split = &x
	p.State, p.Tone = word(p.Lang, splitWords, x.Status)
	p.Kept, p.Chance = amountOf(x.Kept, "basis_points"), amountOf(x.Chance, "basis_points")
	switch p.Until = x.ExpiresAt.Time().In(shop); x.Status {
	case split.StatusApproved:
		p.Until = x.ByAt.Time().In(shop)
	case split.StatusProposed:
	default:
		p.Propose = true
	}
	for _, one := range x.Parts {
		p.Parts = append(p.Parts, splitPart{one.Part, one.People, one.GroupID, one.Invited, one.Joined, one.Declined})
	}
}

func (s *Server) namesOf(ctx context.Context, seats []split.Seat) (map[id.Member]string, error) {
	ids := make([]id.Member, len(seats))
	for i, seat := range seats {
		ids[i] = seat.Member
	}
	return community.NamesOf(s.DB.Read(ctx), ids)
}

// seatWhy says in words why somebody has his place.
func seatWhy(lang string, x split.Seat) string {
	var parts []string
	for _, one := range []struct {
		n      int
		zh, en string
	}{
		{x.Talked, "聊过 %d 位", "talked with %d"}, {x.Met, "线下见过 %d 位", "met %d"}, {x.Team, "一起拼团 %d 位", "in a team with %d"},
		{x.Asked, "一起求购 %d 位", "asked for the same as %d"}, {x.Came, "同一邀请码 %d 位", "came by one code with %d"},
	} {
		if one.n > 0 {
			parts = append(parts, choose(lang, one.zh, one.en, one.n))
		}
	}
	if len(parts) == 0 {
		return choose(lang, "与谁都还没有往来", "has nothing to do with anybody yet")
	}
	return strings.Join(parts, " · ")
}

// consoleSplitAct answers POST /console/groups/{id}/split/{act}: propose,
// approve, reject. The version that was shown refuses a second tap.
func (s *Server) consoleSplitAct(c *gin.Context) error {
	g, err := s.groupDesk(c)
	if err != nil {
		return err
	}
	if err := s.deskSent(c); err != nil {
		return err
	}
	err = s.decideSplit(c, g)
	if f, ok := fault.As(err); ok && f.Kind != fault.KindNotFound && f.Kind != fault.KindInternal {
		p, err := s.splitPage(c, g)
		if err != nil {
			return err
		}
		p.Notice = noticeOf(p.Lang, f)
		return s.show(c, int(f.Kind), "split", p.page, p)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/groups/"+g.ID.String()+"/split")
	return nil
}

func (s *Server) decideSplit(c *gin.Context, g community.Group) error {
	ctx := c.Request.Context()
	if c.Param("act") == "propose" {
		_, err := s.Split.Propose(ctx, g.ID, split.In{})
		return err
	}
	var p id.Split
	if err := read(c.PostForm("split"), &p); err != nil {
		return err
	}
	version, err := strconv.Atoi(c.PostForm("version"))
	if err != nil {
		return errForm
	}
	switch c.Param("act") {
	case "approve":
		return s.Split.Approve(ctx, p, version)
	case "reject":
		return s.Split.Reject(ctx, p, version, split.EndIn{Reason: c.PostForm("reason")})
	}
	return fault.NotFound
}

// noticeOf is a refusal with what it says of each field.
func noticeOf(lang string, f *fault.Fault) *notice {
	n := &notice{Text: f.Text(lang)}
	var more []string
	for _, x := range f.Fields {
		more = append(more, x.Text(lang))
	}
	n.More = strings.Join(more, choose(lang, "；", "; "))
	return n
}

var splitWords = map[split.Status]pair{
	split.StatusProposed: {"待确认", "waits for your word", "full"}, split.StatusApproved: {"邀请中", "inviting", ""}, split.StatusDone: {"已完成", "done", "good"},
	split.StatusRejected: {"未采用", "turned down", "dim"}, split.StatusExpired: {"已过期", "expired", "dim"}, split.StatusCancelled: {"已停止", "stopped", "dim"},
}
