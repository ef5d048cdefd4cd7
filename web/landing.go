package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// landingPage is what a QR opens.
type landingPage struct {
	page
	Code       string
	Signed     string // which program version the page shows, for the binding
	Name       string
	Kind       string
	State      string // hidden, soon, open, between, session_out, sold_out, paused, ended
	Picture    string
	Face       face
	Remind     time.Time // the start the visitor may ask to be reminded of
	Reminded   bool      // and he has
	Banner     banner
	Clock      countdown
	Inviter    string // masked
	Own        bool   // the visitor is the inviter
	Items      []itemView
	Chosen     itemView
	Qty        int
	Offer      meansView
	Line       *lineView
	Early      earlyView
	Steps      *stepsView
	Board      *boardView
	Teams      []teamView
	Sizes      []groupbuy.Size // of a group-buy, smallest first
	Size       int             // chosen
	TeamFor    time.Duration
	Gifts      []giftView
	GiftRules  []string
	Charter    *charterView
	Session    sessionView
	StartsAt   time.Time
	EndsAt     time.Time
	ZoneName   string
	PayWithin  time.Duration
	LoginURL   string
	NeedsLogin bool // some item or reward wants a strong identity
	Strong     bool // and this visitor has one
}

// Quantities are what one order may hold of the chosen item. A team's seat is
// one order, of any quantity the item allows.
func (p landingPage) Quantities() []int {
	most := int64(0)
	for _, item := range p.Items {
		if item.Left > 0 {
			most = max(most, item.Most())
		}
	}
	list := make([]int, 0, most)
	for n := range int(most) {
		list = append(list, n+1)
	}
	return list
}

// MustLogin says that everything on offer is out of a guest's reach.
func (p landingPage) MustLogin() bool {
	if p.Strong || p.LoginURL == "" {
		return false
	}
	limited := 0
	for _, item := range p.Items {
		switch {
		case item.Left == 0:
		case item.PerMember == 0:
			return false
		default:
			limited++
		}
	}
	return limited > 0
}

// keep is what the visitor chose before the page came back with a refusal.
func (p *landingPage) keep(item, qty, size string) {
	for _, i := range p.Items {
		if i.ID.String() == item && i.Left > 0 {
			p.Chosen = i
		}
	}
	if n, err := strconv.Atoi(qty); err == nil && slices.Contains(p.Quantities(), n) {
		p.Qty = n
	}
	for _, o := range p.Sizes {
		if strconv.Itoa(o.Size) == size {
			p.Size = o.Size
		}
	}
}

// Sum is the total of what is chosen.
func (p landingPage) Sum() money.Amount {
	if p.Offer.Quoted() {
		return p.Offer.Quote.Payable
	}
	return p.Chosen.ToOpen(p.Size) * money.Amount(p.Qty)
}

// teamsShown is how many open teams the page offers to join.
const teamsShown = 3

// landing answers GET /i/{code}.
func (s *Server) landing(c *gin.Context, v visitor) error {
	l, err := s.Referral.Land(c.Request.Context(), c.Param("code"))
	if errors.Is(err, referral.ErrCode) {
		return s.deadCode(c)
	}
	if err != nil {
		return err
	}
	if v, err = s.greet(c, v); err != nil {
		return err
	}
	if err := s.Referral.Scan(c.Request.Context(), l, v.Member); err != nil {
		return err
	}
	p, err := s.landingPage(c, v, l)
	if err != nil {
		return err
	}
	if c.Query("reminded") != "" {
		p.Notice = &notice{Text: choose(p.Lang, "好的，开始前 5 分钟提醒你", "Done: you will be reminded 5 minutes before it starts")}
	}
	if c.Query("bound") != "" {
		p.Notice = &notice{Text: choose(p.Lang, "已接受邀请", "Invitation accepted")}
	}
	if c.Query("waiting") != "" && p.Line.waits() {
		p.Notice = &notice{Text: choose(p.Lang, "已排进候补，轮到时通知你", "You are in line and will be told when it is your turn")}
	}
	return s.show(c, http.StatusOK, "landing", p.page, p)
}

// deadCode is the one page of every code that does not work, whatever the
// reason: it says nothing about whether the code ever did.
func (s *Server) deadCode(c *gin.Context) error {
	p := plainPage{page: s.base(c, "")}
	// Its address would tell the codes apart, so it names only the question.
	p.Home, p.Other = "", "?lang="+choose(p.Lang, langEN, langZH)
	p.Head = choose(p.Lang, "这个邀请码用不了", "This code does not work")
	p.Body = choose(p.Lang, "可能输错了、过期了，或已被收回。请向邀请你的人要一个新的。",
		"It may be mistyped, too old or taken back. Ask who invited you for a new one.")
	p.Title = p.Head
	return s.show(c, http.StatusNotFound, "plain", p.page, p)
}

func (s *Server) landingPage(c *gin.Context, v visitor, l referral.Landing) (landingPage, error) {
	ctx := c.Request.Context()
	p := landingPage{
		page: s.base(c, ""), Code: l.Code, Signed: l.Page, Strong: v.Strong, Own: v.Member == l.InviterID, Qty: 1,
		Kind: "referral", State: "open", Name: clean(l.ProgramName),
	}
	p.at("/i/" + l.Code)
	s.armed(&p.page, v)
	if l.CampaignID != 0 {
		if err := s.showCampaign(ctx, &p, v, l.CampaignID); err != nil {
			return p, err
		}
	}
	p.Title = p.Name
	if p.Banner.Kind == "" {
		p.Banner = drawBanner(p.Kind, int64(l.CodeID)>>22, p.Size)
	}
	names, err := community.NamesIn(s.DB.Read(ctx), []id.Member{l.InviterID})
	if err != nil {
		return p, err
	}
	p.Inviter = called(p.Lang, names[l.InviterID])
	if l.ProgramStatus == referral.ProgramActive {
		coupons, err := s.couponNames(ctx, p.Lang, couponsIn(l.Rules))
		if err != nil {
			return p, err
		}
		p.Gifts, p.GiftRules = gifts(p.Lang, p.Inviter, l.Rules, coupons)
	}
	p.NeedsLogin = p.NeedsLogin || len(p.Gifts) > 0
	p.Charter, err = s.charter(ctx, p.Now, v, l)
	return p, err
}

func (s *Server) showCampaign(ctx context.Context, p *landingPage, v visitor, cid id.Campaign) error {
	run, err := s.Campaign.FindCampaign(ctx, cid)
	if errors.Is(err, fault.NotFound) {
		p.State = "hidden" // not published yet
		return nil
	}
	if err != nil {
		return err
	}
	zone := zoneOf(run)
	p.Kind, p.Hue = run.Kind, hueOf(run.ID)
	s.dress(p, run)
	p.StartsAt, p.EndsAt = run.StartsAt.Time().In(zone), run.EndsAt.Time().In(zone)
	p.ZoneName, p.PayWithin = zoneName(p.Lang, zone), time.Duration(run.PayWithinS)*time.Second
	p.LoginURL = s.loginURL(run, p.Home)
	if p.Items, err = s.items(ctx, run); err != nil {
		return err
	}
	if err := p.readSessions(run); err != nil {
		return err
	}
	p.choose()
	if p.Offer, err = s.offer(ctx, p.page, v, run, p.Items); err != nil {
		return err
	}
	p.Card.finish(p.Picture)
	p.State = stateOf(run, p.Items, p.Now)
	p.Clock = countdown{Until: p.EndsAt, Now: p.Now, Reload: true}
	if p.State == "soon" {
		p.Clock.Until = p.StartsAt
	}
	p.Banner = drawBanner(run.Kind, int64(run.ID)>>22, 0)
	if err := s.showEarly(ctx, p, run, v); err != nil {
		return err
	}
	if run.Kind == "group_buy" {
		return s.showTeams(ctx, p, run, v)
	}
	p.applySessions()
	if err := s.showLine(ctx, p, run, v); err != nil {
		return err
	}
	if err := s.showSteps(ctx, p, run, v); err != nil {
		return err
	}
	return s.showReminder(ctx, p, run)
}

// choose picks the first item that is still there.
func (p *landingPage) choose() {
	for _, item := range p.Items {
		p.NeedsLogin = p.NeedsLogin || item.PerMember > 0
		if p.Picture == "" {
			p.Picture = item.Picture
		}
		if p.Chosen.Left == 0 && (item.Left > 0 || p.Chosen.ID == 0) {
			p.Chosen = item
		}
	}
}

func (s *Server) showTeams(ctx context.Context, p *landingPage, run campaign.Campaign, v visitor) error {
	terms, err := groupbuy.Terms(run)
	if err != nil {
		return err
	}
	p.Sizes, p.TeamFor = terms.Offers(), time.Duration(terms.OpenForS)*time.Second
	p.Size = p.Sizes[0].Size
	p.Banner = drawBanner(run.Kind, int64(run.ID)>>22, p.Size)
	p.offer(run)
	teams, err := s.GroupBuy.ListOpenTeams(ctx, run.ID, teamsShown)
	if err != nil {
		return err
	}
	if p.Teams, err = s.teamViews(ctx, teams, run, p.page, v); err != nil {
		return err
	}
	return s.showReminder(ctx, p, run)
}

// items are the campaign's items with their products' pictures and prices.
func (s *Server) items(ctx context.Context, run campaign.Campaign) ([]itemView, error) {
	ids := make([]id.Product, len(run.Items))
	for i, item := range run.Items {
		ids[i] = item.ProductID
	}
	products, err := campaign.ProductsIn(s.DB.Read(ctx), ids)
	if err != nil {
		return nil, err
	}
	views := make([]itemView, len(run.Items))
	for i, item := range run.Items {
		product := products[item.ProductID]
		views[i] = itemView{
			ID: item.ID, Name: clean(item.Name), Picture: pictureOf(product.Picture), Art: i % 3, Price: item.Price, List: product.ListPrice, Reference: item.Reference,
			Stock: item.Stock, Left: item.Free(), Rest: item.Free(), PerMember: item.PerMember, PerOrder: item.PerOrder,
			Product: item.ProductID, SKU: product.SKU,
		}
	}
	return views, nil
}

// stateOf is what a visitor needs to know of the campaign's state.
func stateOf(run campaign.Campaign, items []itemView, now time.Time) string {
	switch run.Phase(clock.MilliOf(now)) {
	case campaign.StatusScheduled, campaign.StatusDraft:
		return "soon"
	case campaign.StatusPaused:
		return "paused"
	case campaign.StatusRunning:
		return onSale(items)
	}
	return "ended"
}

// onSale is the state of what may be claimed: open while any is left.
func onSale(items []itemView) string {
	if len(items) > 0 && !slices.ContainsFunc(items, func(i itemView) bool { return i.Left > 0 }) {
		return "sold_out"
	}
	return "open"
}

// loginURL is the mall's sign-in, told to come back to this page.
func (s *Server) loginURL(run campaign.Campaign, home string) string {
	return withQuery(run.LoginURL, "return_to", s.PublicURL+home)
}
