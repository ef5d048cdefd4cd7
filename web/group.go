package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/community/gate"
	"siyu/community/grade"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// groupPage is a group as anybody may see it: what it promises, how much of
// this week's ads is used, and how one gets in.
type groupPage struct {
	page
	ID      id.Group
	Name    string
	Charter charterView
	Looser  []looserView
	Used    int // of the week's ads
	Coming  *comingView
	Gated   bool
	Gate    gate.Gate
	Ask     gate.ApplyIn // what he wrote before the page came back
	In      bool         // the visitor is in the group
	Agreed  bool         // and to the charter as it stands
	Strong  bool
	Mine    *applicationView
	EndsAt  time.Time // its planned end, if any
	Why     string    // it ends
	Invite  *inviteView
	Place   *placeView      // in a sub-group
	Grade   *grade.Standing // of who is in the group, once he was judged
}

// inviteView is an invitation of who is in one group into another, seen from
// either: Here is the other one, where he may accept.
type inviteView struct {
	ID   id.Merger
	Into id.Group
	Name string
	Why  string
	By   time.Time
	Here bool
}

// Fee is what the gate costs.
func (p groupPage) Fee() money.Amount { return p.Gate.Fee }

// Asks says whether the gate asks anything at all.
func (p groupPage) Asks() bool {
	g := p.Gate
	return g.Review || g.PaidWithinDays > 0 || g.Fee > 0 || g.VouchDays > 0
}

// comingView is a charter that was announced and does not count yet.
type comingView struct {
	AdsPerDay  int
	AdsPerWeek int
	At         time.Time
}

// looserView is a policy of the group's ads that was announced and does not
// count yet. What it says is never more than the charter promises.
type looserView struct {
	AdsPerDay  int
	AdsPerWeek int
	GapHours   int
	QuietFrom  string
	QuietTo    string
	At         time.Time
}

// orMost is a cap, at most what the charter promises; nil is none.
func orMost(n *int, promised int) int {
	if n == nil {
		return promised
	}
	return min(*n, promised)
}

// applicationView is the visitor's newest application.
type applicationView struct {
	ID   id.Application
	Text string
	More string
	Open bool
}

// answerInvite joins the other group, or notes that the visitor stays.
func (s *Server) answerInvite(c *gin.Context, ctx context.Context, v visitor, charter int) error {
	ctx = database.WithoutKey(ctx) // either may be said again
	if c.PostForm("split") != "" {
		return s.answerSplit(c, ctx, v, charter)
	}
	var m id.Merger
	if err := read(c.PostForm("merger"), &m); err != nil {
		return err
	}
	if c.Param("act") == "accept" {
		return s.Life.Accept(ctx, m, v.Member, charter)
	}
	return s.Life.Decline(ctx, m, v.Member)
}

// group answers GET /g/{group}.
func (s *Server) group(c *gin.Context, v visitor) error {
	p, err := s.groupPage(c, &v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "group", p.page, p)
}

func (s *Server) groupPage(c *gin.Context, v *visitor) (groupPage, error) {
	var p groupPage
	if err := read(c.Param("group"), &p.ID); err != nil {
		return p, err
	}
	ctx := c.Request.Context()
	g, err := s.Community.FindGroup(ctx, p.ID)
	if err == nil && g.Status != community.GroupActive {
		err = fault.NotFound
	}
	if err != nil {
		return p, err
	}
	if *v, err = s.greet(c, *v); err != nil {
		return p, err
	}
	p.page, p.Name, p.Gated, p.Strong = s.base(c, clean(g.Name)), clean(g.Name), g.Gated, v.Strong
	p.at("/g/" + p.ID.String())
	s.armed(&p.page, *v)
	list, err := s.Community.ListCharters(ctx, p.ID)
	if err != nil {
		return p, err
	}
	now := list.InForce
	p.Charter = viewCharter(p.Name, now)
	if next := list.Versions[0]; next.EffectiveAt.Time().After(p.Now) {
		p.Coming = &comingView{next.AdsPerDay, next.AdsPerWeek, next.EffectiveAt.Time().In(shop)}
	}
	looser, err := s.Guard.ComingTo(ctx, p.ID)
	if err != nil {
		return p, err
	}
	for _, l := range looser {
		p.Looser = append(p.Looser, looserView{orMost(l.AdsPerDay, now.AdsPerDay), orMost(l.AdsPerWeek, now.AdsPerWeek), l.GapHours,
			hourOf(l.QuietFrom), hourOf(l.QuietTo), l.EffectiveAt.Time().In(shop)})
	}
	week, err := s.Guard.ThisWeek(ctx, []id.Group{p.ID})
	if err != nil {
		return p, err
	}
	p.Used = week[p.ID].Used
	if g.EndsAt != 0 {
		p.EndsAt, p.Why = g.EndsAt.Time().In(shop), clean(g.EndReason)
	}
	if err := s.fillInvite(c, *v, &p); err != nil {
		return p, err
	}
	if err := s.fillPlace(c, *v, &p); err != nil {
		return p, err
	}
	return p, s.fillGate(c, *v, &p)
}

// fillInvite says whether the visitor is invited out of or into the group.
func (s *Server) fillInvite(c *gin.Context, v visitor, p *groupPage) error {
	ctx := c.Request.Context()
	m, invited, err := s.Life.Invitation(ctx, v.Member, p.ID)
	if err != nil || !invited {
		return err
	}
	into, err := s.Community.FindGroup(ctx, m.IntoID)
	if err != nil {
		return err
	}
	p.Invite = &inviteView{m.ID, m.IntoID, clean(into.Name), clean(m.Reason), m.ByAt.Time().In(shop), m.IntoID == p.ID}
	return nil
}

// fillGate says how the visitor stands to the group.
func (s *Server) fillGate(c *gin.Context, v visitor, p *groupPage) error {
	ctx := c.Request.Context()
	stays, err := community.StaysOf(s.DB.Read(ctx), []id.Member{v.Member})
	if err != nil {
		return err
	}
	for _, m := range stays[v.Member] {
		if m.GroupID == p.ID && m.LeftAt == 0 {
			p.In, p.Agreed = true, m.CharterVersion == p.Charter.Version
		}
	}
	if p.In {
		switch found, err := s.Grade.Of(ctx, p.ID, v.Member); {
		case err == nil:
			p.Grade = &found
		case !errors.Is(err, fault.NotFound):
			return err
		}
	}
	if !p.Gated {
		return nil
	}
	if p.Gate, err = s.Gate.Find(ctx, p.ID); err != nil {
		return err
	}
	a, had, err := s.Gate.Mine(ctx, p.ID, v.Member)
	if err != nil || !had || p.In && a.Status == gate.StatusAdmitted {
		return err
	}
	p.Mine = applicationOf(p.Lang, a)
	return nil
}

func applicationOf(lang string, a gate.Application) *applicationView {
	v := &applicationView{ID: a.ID, Open: true}
	switch a.Status {
	case gate.StatusFee:
		v.Text = choose(lang, "待付费用 ¥%s", "¥%s to pay", a.Fee)
		v.More = choose(lang, "在商城付款后自动往下走", "pay it at the mall and this goes on by itself")
	case gate.StatusReview:
		v.Text, v.More = choose(lang, "群主正在看你的申请", "The owner is looking at it"), choose(lang, "通过后会通知你", "you are told when it is decided")
	case gate.StatusWaiting:
		v.Text = choose(lang, "候补中，前面还有 %d 位", "In the line, %d before you", a.Ahead)
		v.More = choose(lang, "有人退群时按顺序轮到你", "places come free in this order")
	case gate.StatusAdmitted:
		v.Text, v.Open = choose(lang, "曾经通过，现在不在群里", "You were let in once and are not in now"), false
	case gate.StatusRefused:
		v.Text, v.More, v.Open = choose(lang, "没有通过", "Not this time"), clean(a.Reason), false
	case gate.StatusWithdrawn:
		v.Text, v.Open = choose(lang, "申请已撤回", "You took it back"), false
	}
	return v
}

// groupAct answers POST /g/{group}/{act}: apply, withdraw, agree, accept,
// decline. What is
// refused is said on the same page.
func (s *Server) groupAct(c *gin.Context, v visitor) error {
	var in gate.ApplyIn
	err := s.actOnGroup(c, v, &in)
	f, ok := fault.As(err)
	if !ok || f.Kind == fault.KindNotFound {
		return err
	}
	p, err := s.groupPage(c, &v)
	if err != nil {
		return err
	}
	p.Ask = in
	p.Notice = noticeOf(p.Lang, f)
	return s.show(c, int(f.Kind), "group", p.page, p)
}

func (s *Server) actOnGroup(c *gin.Context, v visitor, in *gate.ApplyIn) error {
	var group id.Group
	if err := read(c.Param("group"), &group); err != nil {
		return err
	}
	ctx, err := s.sent(c, v, c.FullPath(), group.String(), c.Param("act"))
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(c.PostForm("charter"))
	if err != nil {
		return errForm
	}
	switch c.Param("act") {
	case "apply":
		in.Charter, in.Region, in.Answers = version, strings.TrimSpace(c.PostForm("region")), map[string]string{}
		for name, values := range c.Request.PostForm {
			if key, ok := strings.CutPrefix(name, "answer-"); ok && strings.TrimSpace(values[0]) != "" {
				in.Answers[key] = strings.TrimSpace(values[0])
			}
		}
		if text := strings.TrimSpace(c.PostForm("vouch")); text != "" && in.Vouch.UnmarshalText([]byte(text)) != nil {
			return gate.ErrRefused.Field("vouch_id", "format", "邀请码不对", "is no voucher")
		}
		_, err = s.Gate.Apply(ctx, group, v.Member, *in)
	case "withdraw":
		var a id.Application
		if err := read(c.PostForm("application"), &a); err != nil {
			return err
		}
		err = s.Gate.Withdraw(ctx, a)
	case "accept", "decline":
		err = s.answerInvite(c, ctx, v, version)
	case "agree":
		err = s.Gate.Agree(database.WithoutKey(ctx), group, v.Member, version)
	default:
		return fault.NotFound
	}
	var again *database.Replayed // a second tap: it stands already
	if err != nil && !errors.As(err, &again) {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/g/"+group.String())
	return nil
}
