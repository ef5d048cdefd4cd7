package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// Who sees proposals of KOC rewards, makes, approves and refuses them, as the
// API has it.
var (
	readsKOC    = []access.Role{access.Admin, access.Marketer, access.Finance, access.GroupOwner}
	proposesKOC = []access.Role{access.Admin, access.Marketer, access.GroupOwner}
	approvesKOC = []access.Role{access.Admin, access.Marketer, access.Finance}
)

// kocPage is what is proposed for the KOC candidates of groups, and for one
// group the form that proposes.
type kocPage struct {
	page
	Tabs     []tab
	Group    string // of which all are; "" of every group
	GroupID  id.Group
	Leads    bool // who looks may see how the groups are
	Programs []referral.Program
	Proposes bool
	Cards    []kocCard
	Next     string
}

type kocCard struct {
	ID       id.KOCProposal
	Group    string
	GroupID  id.Group
	Program  string
	Month    string
	Day      string
	State    string
	Tone     string
	By       string
	At       time.Time
	Cost     money.Amount
	Reason   string
	People   []figure
	Approves bool // by who looks
	Refuses  bool
	Own      bool // who looks proposed it
}

// kocShown is how many proposals one page lists.
const kocShown = 20

// consoleKOC answers GET /console/koc-proposals, with ?status= and ?group=.
func (s *Server) consoleKOC(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsKOC); err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	status := c.DefaultQuery("status", string(referral.KOCProposed))
	f := referral.KOCFilter{Status: referral.KOCStatus(status)}
	if status == "all" {
		f.Status = ""
	}
	p := kocPage{page: s.base(c, ""), Leads: may(ctx, seesHealth) == nil}
	p.Title, p.Now = choose(p.Lang, "KOC 月度奖励", "KOC rewards of a month"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	if text := c.Query("group"); text != "" {
		if err := read(text, &f.Group); err != nil {
			return err
		}
		if err := s.fillGroupKOC(ctx, &p, f.Group); err != nil {
			return err
		}
	}
	for _, one := range kocTabs {
		p.Tabs = append(p.Tabs, tab{choose(p.Lang, one.zh, one.en), listAt("/console/koc-proposals", one.status, "group", idText(f.Group), ""), one.status == status})
	}
	list, err := s.Referral.ListKOC(ctx, f, database.Page{Before: before, Limit: kocShown})
	if err != nil {
		return err
	}
	if p.Cards, err = s.kocCards(ctx, p.Lang, list.Items); err != nil {
		return err
	}
	if list.NextCursor != "" {
		p.Next = listAt("/console/koc-proposals", status, "group", idText(f.Group), list.NextCursor)
	}
	return s.show(c, http.StatusOK, "koc", p.page, p)
}

var kocTabs = []statusTab{{string(referral.KOCProposed), "待批准", "Waiting"}, {string(referral.KOCApproved), "已批准", "Approved"},
	{string(referral.KOCRefused), "已驳回", "Refused"}, {"all", "全部", "All"}}

// fillGroupKOC adds the group and what may be proposed for it.
func (s *Server) fillGroupKOC(ctx context.Context, p *kocPage, gid id.Group) error {
	g, err := s.Community.FindGroup(ctx, gid)
	if err != nil {
		return err
	}
	p.Group, p.GroupID = clean(g.Name), gid
	if p.Proposes = may(ctx, proposesKOC) == nil; !p.Proposes {
		return nil
	}
	p.Programs, err = s.Referral.MonthlyPrograms(ctx)
	return err
}

func (s *Server) kocCards(ctx context.Context, lang string, list []referral.KOCProposal) ([]kocCard, error) {
	var members []id.Member
	var groups []id.Group
	for _, x := range list {
		groups = append(groups, x.GroupID)
		for _, l := range x.Lines {
			members = append(members, l.MemberID)
		}
	}
	q := s.DB.Read(ctx)
	names, err := community.NamesOf(q, members)
	if err != nil {
		return nil, err
	}
	in, err := community.GroupsIn(q, groups)
	if err != nil {
		return nil, err
	}
	by, err := colleagues(ctx, s, list, func(x referral.KOCProposal) id.Staff { return x.ProposedBy })
	if err != nil {
		return nil, err
	}
	var cards []kocCard
	for _, x := range list {
		program, err := s.Referral.FindProgram(ctx, x.ProgramID)
		if err != nil {
			return nil, err
		}
		card := kocCardOf(lang, x, clean(in[x.GroupID].Name), clean(program.Name), by(x.ProposedBy), names)
		if x.Status == referral.KOCProposed {
			card.Own = x.ProposedBy == database.ActorOf(ctx).Staff
			card.Approves, card.Refuses = !card.Own && may(ctx, approvesKOC) == nil, may(ctx, readsKOC) == nil
		}
		cards = append(cards, card)
	}
	return cards, nil
}

func kocCardOf(lang string, x referral.KOCProposal, group, program, by string, names map[id.Member]string) kocCard {
	card := kocCard{ID: x.ID, Group: group, GroupID: x.GroupID, Program: program, Day: dayText(x.Day),
		Month: choose(lang, "%d 年 %d 月", "%[2]d/%[1]d", x.Month/100, x.Month%100), By: by, At: x.ProposedAt.Time().In(shop), Cost: x.Cost, Reason: cleanLong(x.Reason)}
	card.State, card.Tone = word(lang, kocWords, x.Status)
	for _, l := range x.Lines {
		why := choose(lang, "%d 分 · 活跃 %d 天 · 帮助 %d 人 · 留下 %d 人", "%d points · active on %d days · helped %d · kept %d", l.Score, l.ActiveDays, l.Helped, l.Kept)
		if x.Status == referral.KOCApproved {
			why += choose(lang, " · %d 笔奖励", " · rewards: %d", len(l.RewardIDs))
		}
		card.People = append(card.People, figure{called(lang, names[l.MemberID]), why})
	}
	return card
}

var kocWords = map[referral.KOCStatus]pair{
	referral.KOCProposed: {"待批准", "waiting", "full"}, referral.KOCApproved: {"已批准", "approved", "good"}, referral.KOCRefused: {"已驳回", "refused", "dim"},
}

// consoleProposeKOC answers POST /console/koc-proposals: it brings the group's
// work list of today to the program, as the API does.
func (s *Server) consoleProposeKOC(c *gin.Context) error {
	const route = "POST /console/koc-proposals"
	ctx, err := s.tappedOnce(c, proposesKOC, route, c.PostForm("group"), c.PostForm("program"))
	if err != nil {
		return err
	}
	var in referral.KOCProposalIn
	if err := read(c.PostForm("group"), &in.GroupID); err != nil {
		return err
	}
	if err := read(c.PostForm("program"), &in.ProgramID); err != nil {
		return err
	}
	list, err := s.Health.FindWorkList(ctx, in.GroupID)
	if err != nil {
		return err
	}
	if list.AsOf != nil {
		in.Day = list.AsOf.Day
	}
	for _, one := range list.Candidates {
		in.People = append(in.People, referral.KOCLine{MemberID: one.Member, KOCFacts: referral.KOCFacts(one.Merits)})
	}
	var again *database.Replayed // a second tap
	if _, err := s.Referral.ProposeKOC(ctx, in); err != nil && !errors.As(err, &again) {
		return err
	}
	c.Redirect(http.StatusSeeOther, listAt("/console/koc-proposals", string(referral.KOCProposed), "group", idText(in.GroupID), ""))
	return nil
}

// consoleDecideKOC answers POST /console/koc-proposals/{id}/{approve|refuse};
// the state refuses a second tap.
func (s *Server) consoleDecideKOC(c *gin.Context) error {
	roles := map[string][]access.Role{"approve": approvesKOC, "refuse": readsKOC}[c.Param("act")]
	if roles == nil {
		return fault.NotFound
	}
	ctx, err := s.tapped(c, roles)
	if err != nil {
		return err
	}
	var which id.KOCProposal
	if err := read(c.Param("id"), &which); err != nil {
		return err
	}
	if c.Param("act") == "approve" {
		err = s.Referral.ApproveKOC(ctx, which)
	} else {
		err = s.Referral.RefuseKOC(ctx, which, c.PostForm("reason"))
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/koc-proposals")
	return nil
}
