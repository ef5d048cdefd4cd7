package web

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

// seatsDrawn bounds the circles of one team; larger teams show how many more.
const seatsDrawn = 12

// seatView is one seat of a team; without a name it is free.
type seatView struct {
	Name   string // masked
	Held   bool   // not paid yet
	Opener bool
	You    bool
}

// teamView is a team as a page shows it.
type teamView struct {
	ID      id.Team
	Opener  string // masked
	Size    int
	Seats   []seatView
	Missing int
	More    int // seats not drawn
	Clock   countdown
	Status  groupbuy.Status
	Mine    bool // the visitor sits in it
	Big     bool
	Text    string // its state in words
	Href    string
}

// teamPage shows one team to anybody who has its address.
type teamPage struct {
	page
	Campaign  string
	Code      string
	Team      teamView
	Item      itemView
	Mood      string
	StateText string
	StateMore string
	Share     string
	Charter   *charterView // of the group whose code led here
	CanJoin   bool
	MustLogin bool
	LoginURL  string
	Need      int          // paid seats that are enough at the deadline
	Refunds   []refundView // the visitor's own, of a failed team
	Reopen    bool         // the visitor may open it again
	Next      string       // the team that was opened again for this one
	QR        bool
	Offer     meansView
}

// Pays is the price, or what is left of it once a quote was asked for.
func (p teamPage) Pays() money.Amount {
	if p.Offer.Quoted() {
		return p.Offer.Quote.Payable
	}
	return p.Item.Price
}

// team answers GET /t/{team}.
func (s *Server) team(c *gin.Context, v visitor) error {
	var tid id.Team
	if err := read(c.Param("team"), &tid); err != nil {
		return err
	}
	p, err := s.teamPage(c, v, tid, c.Query("c"))
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "team", p.page, p)
}

func (s *Server) teamPage(c *gin.Context, v visitor, tid id.Team, code string) (teamPage, error) {
	ctx := c.Request.Context()
	t, err := s.GroupBuy.FindTeam(ctx, tid)
	if err != nil {
		return teamPage{}, err
	}
	run, err := s.Campaign.FindCampaign(ctx, t.CampaignID)
	if err != nil {
		return teamPage{}, err
	}
	if v, err = s.greet(c, v); err != nil {
		return teamPage{}, err
	}
	p := teamPage{page: s.base(c, ""), Campaign: clean(run.Name), Code: code}
	p.at(teamAddress(tid, code))
	views, err := s.teamViews(ctx, []groupbuy.Team{t}, run, p.page, v)
	if err != nil {
		return p, err
	}
	items, err := s.items(ctx, run)
	if err != nil {
		return p, err
	}
	for _, item := range items {
		if item.ID == t.ItemID {
			p.Item = item
		}
	}
	for i := range run.Items {
		if run.Items[i].ID == t.ItemID {
			p.Item.Price = t.Price(run.Items[i])
		}
	}
	if err := s.afterwards(ctx, &p, run, t, v); err != nil {
		return p, err
	}
	p.Team = views[0]
	p.Team.Big, p.Team.Clock.Reload = true, true
	p.Hue, p.LoginURL = hueOf(run.ID), s.loginURL(run, p.Home)
	p.Title = choose(p.Lang, "%s 的团", "%s's team", p.Team.Opener)
	sells, err := s.sells(ctx, run, v, p.Now)
	if err != nil {
		return p, err
	}
	p.tell(sells, t, v)
	s.armed(&p.page, v)
	if p.CanJoin {
		one := p.Item
		one.PerOrder = 1
		if p.Offer, err = s.offer(ctx, p.page, v, run, []itemView{one}); err != nil {
			return p, err
		}
		p.Offer.FormID = "join"
		if p.Charter, err = s.charterBy(ctx, p.Now, v, code); err != nil {
			return p, err
		}
	}
	if p.Mood != "wait" || !p.Team.Mine {
		return p, nil
	}
	own, err := s.ownCode(ctx, v, run)
	if err != nil {
		return p, err
	}
	p.Share = choose(p.Lang, "我在拼「%s」，%d 人成团 ¥%s，还差 %d 人：\n%s", "I am buying %s with a team of %d at ¥%s; %d to go:\n%s",
		p.Item.Name, p.Team.Size, p.Item.Price, p.Team.Missing, s.PublicURL+teamAddress(tid, own))
	return p, nil
}

// tell puts the team's state into words.
func (p *teamPage) tell(sells bool, team groupbuy.Team, v visitor) {
	t := p.Team
	say := func(mood, zh, en string, args ...any) { p.Mood, p.StateText = mood, choose(p.Lang, zh, en, args...) }
	more := func(zh, en string, args ...any) { p.StateMore = choose(p.Lang, zh, en, args...) }
	switch {
	case t.Status == groupbuy.StatusFormed:
		say("good", "已成团", "The team is complete")
		paid := t.Size
		if team.Counted > 0 {
			paid = team.Counted
		}
		more("%d 人已付款，商城会尽快发货。", "%d people have paid; the mall ships soon.", paid)
	case t.Status == groupbuy.StatusFailed || !p.Now.Before(t.Clock.Until):
		say("gone", "没有成团", "The team did not fill")
		switch team.EndReason {
		case groupbuy.EndTooFew:
			more("截止时 %d 人付款，需要 %d 人。已付的款全部原路退回，无需申请。", "%d had paid at the deadline, %d were needed. All payments go back the way they came.", team.Counted, team.Need())
		case groupbuy.EndEmpty:
			more("团里的人都离开了。已付的款全部原路退回，无需申请。", "Everybody in it has left. All payments go back the way they came.")
		default:
			more("已付的款全部原路退回，无需申请。", "All payments go back the way they came.")
		}
	case t.Missing == 0:
		say("wait", "人已到齐，等付款", "Everybody is here; payments are awaited")
		more("有人逾期未付，席位会再放出来。", "A seat not paid in time is offered again.")
	default:
		say("wait", "还差 %d 人成团", "%d more to complete the team", t.Missing)
		more("满 %d 人付款即成团，先到先得。", "It forms when %d people have paid; first come, first served.", t.Size)
		p.QR = true
		p.CanJoin = sells && !t.Mine && p.Item.Left > 0
		p.MustLogin = p.Item.PerMember > 0 && !v.Strong && p.LoginURL != ""
	}
}

// afterwards is what is left to do once a team has failed.
func (s *Server) afterwards(ctx context.Context, p *teamPage, run campaign.Campaign, t groupbuy.Team, v visitor) error {
	p.Need = t.Need()
	if t.Status != groupbuy.StatusFailed {
		return nil
	}
	if t.AgainAs != 0 {
		p.Next = "/t/" + t.AgainAs.String()
	}
	if t.Refunds != nil && v.Member != 0 {
		for _, r := range t.Refunds.List {
			p.Refunds = append(p.Refunds, refundOf(p.Lang, zoneOf(run), campaign.Refund{
				RefundNo: r.RefundNo, Amount: r.Amount, Status: r.Status, CreatedAt: r.RequestedAt, DoneAt: r.DoneAt,
			}))
		}
	}
	if run.Phase(clock.MilliOf(p.Now)) != campaign.StatusRunning || v.Member == 0 {
		return nil
	}
	var err error
	p.Reopen, err = groupbuy.SatIn(s.DB.Read(ctx), t.ID, v.Member)
	return err
}

// teamAddress is a team's page; the code of who shares it comes along, so that
// whoever joins from there is bound to him.
func teamAddress(tid id.Team, code string) string {
	if code == "" {
		return "/t/" + tid.String()
	}
	return withQuery("/t/"+tid.String(), "c", code)
}

// ownCode is a member's own live code of the campaign, or "".
func (s *Server) ownCode(ctx context.Context, v visitor, run campaign.Campaign) (string, error) {
	list, err := s.Referral.ListCodes(ctx, referral.CodeFilter{Inviter: v.Member, Campaign: run.ID}, database.Page{Limit: 10})
	if err != nil {
		return "", err
	}
	for _, c := range list.Items {
		if c.Status == referral.CodeLive {
			return c.Code, nil
		}
	}
	return "", nil
}

// teamOf is one team for an order's page.
func (s *Server) teamOf(ctx context.Context, tid id.Team, run campaign.Campaign, base page, v visitor) (teamView, error) {
	t, err := s.GroupBuy.FindTeam(ctx, tid)
	if err != nil {
		return teamView{}, err
	}
	views, err := s.teamViews(ctx, []groupbuy.Team{t}, run, base, v)
	if err != nil {
		return teamView{}, err
	}
	view := views[0]
	view.Href = "/t/" + tid.String()
	switch {
	case view.Status == groupbuy.StatusFormed:
		view.Text = choose(base.Lang, "已成团", "complete")
	case view.Status == groupbuy.StatusFailed:
		view.Text = choose(base.Lang, "没有成团", "did not fill")
	case view.Missing == 0:
		view.Text = choose(base.Lang, "人已到齐，等付款", "awaiting payments")
	default:
		view.Text = choose(base.Lang, "还差 %d 人", "%d to go", view.Missing)
	}
	return view, nil
}

// joinTeam answers POST /t/{team}/join.
func (s *Server) joinTeam(c *gin.Context, v visitor) error {
	return s.takeSeat(c, v, s.GroupBuy.Joining)
}

// reopenTeam answers POST /t/{team}/reopen.
func (s *Server) reopenTeam(c *gin.Context, v visitor) error {
	return s.takeSeat(c, v, s.GroupBuy.Again)
}

// takeSeat claims a seat in, or after, the team; what is refused is said on its
// page.
func (s *Server) takeSeat(c *gin.Context, v visitor, of func(context.Context, id.Team) (campaign.Claim, error)) error {
	var tid id.Team
	if err := read(c.Param("team"), &tid); err != nil {
		return err
	}
	claim, err := of(c.Request.Context(), tid)
	if err != nil {
		return err
	}
	claim.Member, claim.Qty = v.Member, 1
	if c.PostForm("quote") != "" {
		return s.teamAgain(c, v, tid, nil)
	}
	if err = payWith(c, &claim); err == nil {
		err = s.take(c, v, claim, c.PostForm("code"))
	}
	f, ok := fault.As(err)
	if !ok {
		return err // nil, or nothing a visitor should read
	}
	return s.teamAgain(c, v, tid, f)
}

// teamAgain shows the team with what was refused, or with what the choice
// would come to.
func (s *Server) teamAgain(c *gin.Context, v visitor, tid id.Team, f *fault.Fault) error {
	p, err := s.teamPage(c, v, tid, c.PostForm("code"))
	if err != nil {
		return err
	}
	p.Offer.keep(c)
	if f == nil {
		p.Offer.quote(p.page, wallet.Line{Product: p.Item.Product, SKU: p.Item.SKU, Amount: p.Item.Price})
		return s.show(c, http.StatusOK, "team", p.page, p)
	}
	p.Notice = p.noticeOf(f, p.LoginURL, p.Team.Clock.Until.Location())
	return s.show(c, int(f.Kind), "team", p.page, p)
}

// teamPicture answers GET /t/{team}/qr.png, the QR of the team's page.
func (s *Server) teamPicture(c *gin.Context, _ visitor) error {
	var tid id.Team
	if err := read(c.Param("team"), &tid); err != nil {
		return err
	}
	if _, err := s.GroupBuy.FindTeam(c.Request.Context(), tid); err != nil {
		return err
	}
	p, err := s.Referral.PagePicture("/t/"+tid.String(), referral.FormPNG, 0)
	if err != nil {
		return err
	}
	picture(c, p)
	return nil
}
