package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
)

// orderPage shows one order to whom it belongs.
type orderPage struct {
	page
	ID        id.Order
	Campaign  string
	Item      string
	Qty       int
	UnitPrice money.Amount
	Amount    money.Amount
	CreatedAt time.Time
	Mood      string // good, wait, gone: how the page feels about it
	StateText string
	StateMore string
	Clock     *countdown
	PayURL    string
	Waiting   bool // something may still happen soon
	Team      *teamView
	Refunds   []refundView
	Late      *lateView
}

type refundView struct {
	No     string
	At     time.Time
	Amount money.Amount
	Done   bool
	Text   string
}

// order answers GET /o/{order}. Another member's order is not found.
func (s *Server) order(c *gin.Context, v visitor) error {
	var oid id.Order
	if err := read(c.Param("order"), &oid); err != nil {
		return err
	}
	p, err := s.orderOf(c, oid, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "order", p.page, p)
}

func (s *Server) orderOf(c *gin.Context, oid id.Order, v visitor) (orderPage, error) {
	ctx := c.Request.Context()
	o, err := s.Campaign.FindOrder(ctx, oid)
	if err != nil {
		return orderPage{}, err
	}
	run, err := s.Campaign.FindCampaign(ctx, o.CampaignID)
	if err != nil {
		return orderPage{}, err
	}
	p := s.base(c, "")
	p.at("/o/" + oid.String())
	s.armed(&p, v)
	return s.orderPage(ctx, p, run, o, v)
}

func (s *Server) orderPage(ctx context.Context, base page, run campaign.Campaign, o campaign.Order, v visitor) (orderPage, error) {
	zone := zoneOf(run)
	p := orderPage{
		page: base, ID: o.ID, Campaign: clean(run.Name), Qty: o.Qty, UnitPrice: o.UnitPrice, Amount: o.Amount,
		CreatedAt: o.CreatedAt.Time().In(zone),
	}
	p.Hue = hueOf(run.ID)
	p.Title = choose(p.Lang, "我的订单", "My order")
	for _, item := range run.Items {
		if item.ID == o.ItemID {
			p.Item = clean(item.Name)
		}
	}
	for _, r := range o.Refunds {
		p.Refunds = append(p.Refunds, refundOf(p.Lang, zone, r))
	}
	if o.TeamID != 0 {
		team, err := s.teamOf(ctx, o.TeamID, run, p.page, v)
		if err != nil {
			return p, err
		}
		p.Team = &team
	}
	var err error
	if p.Late, err = s.late(ctx, p, run, o, v); err != nil {
		return p, err
	}
	p.tell(run, o)
	return p, nil
}

// tell puts the order's state into words.
func (p *orderPage) tell(run campaign.Campaign, o campaign.Order) {
	say := func(mood, zh, en string) { p.Mood, p.StateText = mood, choose(p.Lang, zh, en) }
	more := func(zh, en string) { p.StateMore = choose(p.Lang, zh, en) }
	due := o.DeadlineAt.Time().In(zoneOf(run))
	switch {
	case p.Late != nil:
		say("wait", "付款到晚了，请选择", "Your payment came too late; please choose")
		more("原来的团已不能加入。可换入同价的团；到时未选，已付的款自动原路退回。", "Your team can no longer take you. Move to a team of the same price; without a choice the money goes back by itself.")
	case o.Status == campaign.OrderHeld && !p.Now.Before(due):
		say("gone", "付款时间已过", "The time to pay is over")
		more("订单即将取消，名额会放回。", "The order is being cancelled and its stock returns.")
		p.Waiting = true
	case o.Status == campaign.OrderHeld:
		say("wait", "等你付款", "Waiting for your payment")
		more("付款前，名额先为你留着。", "Until then it is kept for you.")
		p.Clock = &countdown{Until: due, Now: p.Now, Reload: true}
		p.PayURL = withQuery(run.PayURL, "order_id", o.ID.String())
		p.Waiting = true
	case o.Status == campaign.OrderPaid && p.Team != nil && p.Team.Status == groupbuy.StatusOpen:
		say("wait", "已付款，等成团", "Paid, waiting for the team")
		more("到时人数不够，会全部原路退回。", "If it does not fill, you are refunded in full.")
		p.Waiting = true
	case o.Status == campaign.OrderPaid && p.Team != nil && p.Team.Status == groupbuy.StatusFailed:
		say("gone", "没有成团，正在退款", "The team did not fill; a refund is on its way")
		more("已付的款全部原路退回，无需申请。", "You get everything back the way you paid, without asking.")
		p.Waiting = true
	case o.Status == campaign.OrderPaid && p.Team != nil:
		say("good", "已成团", "The team is complete")
		more("商城会尽快发货。", "The mall ships soon.")
	case o.Status == campaign.OrderPaid && o.ReceivedAt != 0:
		say("good", "已收货", "Received")
	case o.Status == campaign.OrderPaid:
		say("good", "已付款", "Paid")
		more("商城会尽快发货。", "The mall ships soon.")
	case o.Status == campaign.OrderRefunded && p.Team != nil && p.Team.Status == groupbuy.StatusFailed:
		say("gone", "没有成团，已退款", "The team did not fill; refunded")
		more("已付的款全部原路退回。", "Everything went back the way you paid.")
	case o.Status == campaign.OrderRefunded:
		say("gone", "已退款", "Refunded")
	case o.Status == campaign.OrderExpired:
		say("gone", "超时未付，已取消", "Cancelled: it was not paid in time")
		more("名额已放回，活动还在时可以再来。", "Its stock has returned; come again while it runs.")
	default:
		say("gone", "已取消", "Cancelled")
	}
}

func refundOf(lang string, zone *time.Location, r campaign.Refund) refundView {
	v := refundView{No: clean(r.RefundNo), At: r.CreatedAt.Time().In(zone), Amount: r.Amount}
	switch r.Status {
	case campaign.RefundDone:
		v.Done, v.At = true, r.DoneAt.Time().In(zone)
		v.Text = choose(lang, "已退回", "refunded")
	case campaign.RefundFailed:
		v.Text = choose(lang, "未成功，商城会再处理", "failed; the mall will try again")
	default:
		v.Text = choose(lang, "退款中", "on its way")
	}
	return v
}

// zoneOf is the campaign's zone; one that this machine does not know falls
// back to UTC, and the page says so.
func zoneOf(run campaign.Campaign) *time.Location {
	loc, err := time.LoadLocation(run.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// zoneName is the zone in words for the pages' usual one, else its name.
func zoneName(lang string, zone *time.Location) string {
	if zone.String() == clock.Shanghai {
		return choose(lang, "北京时间", "Beijing time")
	}
	return zone.String()
}

// hueOf spreads campaigns over the four colour sets, by the moment they were
// made.
func hueOf(c id.Campaign) int { return int(uint64(c)>>22) % 4 }

// withQuery adds a parameter to an address, ours or the mall's; what is no web
// address becomes "".
func withQuery(address, name, value string) string {
	u, err := url.Parse(address)
	if err != nil || address == "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "" {
		return ""
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}
