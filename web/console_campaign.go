package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/invite"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// readsCampaigns are the roles that see a campaign's figures, as the API has it.
var readsCampaigns = []access.Role{access.Admin, access.Marketer, access.Finance}

// campaignPage is one campaign on the console: its figures and, after the end,
// its report.
type campaignPage struct {
	page
	Name    string
	Kind    string
	State   string
	Tone    string
	From    time.Time
	To      time.Time
	Figures []figure
	Funnel  []chartBar
	Hours   *columns
	Groups  []chartBar
	Items   []stockRow
	Targets []targetRow
	Report  *reportView
	Steps   *stepsDesk
}

// figure is a number with its name.
type figure struct{ Name, Value string }

// funnelGroups is how many groups the page names.
const funnelGroups = 8

// consoleCampaign answers GET /console/campaigns/{id}.
func (s *Server) consoleCampaign(c *gin.Context) error {
	ctx := c.Request.Context()
	role := access.Role(database.ActorOf(ctx).Role)
	if !slices.Contains(readsCampaigns, role) {
		return fault.Forbidden
	}
	var cid id.Campaign
	if err := read(c.Param("id"), &cid); err != nil {
		return err
	}
	run, err := s.Campaign.FindCampaign(ctx, cid)
	if err != nil {
		return err
	}
	zone := zoneOf(run)
	p := campaignPage{page: s.base(c, ""), Name: clean(run.Name), From: run.StartsAt.Time().In(zone), To: run.EndsAt.Time().In(zone)}
	p.Title, p.Now, p.Kind = p.Name, p.Now.In(zone), kindName(p.Lang, run.Kind)
	phase := run.Phase(clock.MilliOf(p.Now))
	p.State, p.Tone = phaseName(p.Lang, phase)
	if err := s.fillFigures(ctx, &p, run); err != nil {
		return err
	}
	if err := s.fillFunnel(ctx, &p, run, zone); err != nil {
		return err
	}
	if phase == campaign.StatusEnded {
		if err := s.fillReport(ctx, &p, run); err != nil {
			return err
		}
	}
	if run.Kind == invite.Kind().Name && role != access.Finance {
		if err := s.fillDesk(ctx, &p, run); err != nil {
			return err
		}
	}
	return s.show(c, http.StatusOK, "campaign", p.page, p)
}

func (s *Server) fillFigures(ctx context.Context, p *campaignPage, run campaign.Campaign) error {
	stats, err := s.Campaign.Stats(ctx, run.ID)
	if err != nil {
		return err
	}
	say := func(zh, en string) string { return choose(p.Lang, zh, en) }
	net := stats.Total.Gross - stats.Total.Refunded
	paid := say("未知", "unknown")
	if stats.Total.Conversion != nil {
		paid = rate(*stats.Total.Conversion)
	}
	p.Figures = []figure{
		{say("订单", "Orders"), count(stats.Total.Orders.Made)}, {say("已付款", "Paid"), count(stats.Total.Orders.Bought)},
		{say("付款率", "Paid of made"), paid}, {say("净额", "Net"), cny(net)},
		{say("退款", "Refunded"), cny(stats.Total.Refunded)}, {say("奖励", "Rewards"), cny(stats.Total.RewardsPromised)},
	}
	if b := stats.Budget; b != nil {
		p.Figures = append(p.Figures, figure{say("预算剩余", "Budget left"), cny(b.Left)})
	}
	sold := int64(0)
	for _, x := range stats.Items {
		p.Items = append(p.Items, stockRow{clean(x.Name), x.Stock, x.Sold, x.Held, x.Left})
		sold += x.Sold
	}
	targets, err := s.Campaign.FindTargets(ctx, run.ID)
	if err != nil {
		return err
	}
	for _, a := range targets.Beside(stats.Total.Orders.Bought, sold, net) {
		p.Targets = append(p.Targets, targetOf(p.Lang, a))
	}
	return nil
}

func (s *Server) fillFunnel(ctx context.Context, p *campaignPage, run campaign.Campaign, zone *time.Location) error {
	by, err := s.Campaign.Funnel(ctx, run.ID, campaign.FunnelByGroup)
	if err != nil {
		return err
	}
	p.Funnel = funnelBars(p.Lang, by.Total)
	var groups []id.Group
	for _, r := range by.Rows {
		groups = append(groups, r.GroupID)
	}
	named, err := community.GroupsIn(s.DB.Read(ctx), groups[:min(len(groups), funnelGroups)])
	if err != nil {
		return err
	}
	for _, r := range by.Rows[:min(len(by.Rows), funnelGroups)] {
		name := clean(named[r.GroupID].Name)
		if name == "" {
			name = choose(p.Lang, "不经群", "outside groups")
		}
		p.Groups = append(p.Groups, chartBar{Name: name, Value: choose(p.Lang, "扫码 %d · 付款 %d", "%d scans · %d paid", r.Touches, r.Paid), N: r.Paid})
	}
	scale(p.Groups)
	hours, err := s.Campaign.Funnel(ctx, run.ID, campaign.FunnelByHour)
	if err != nil {
		return err
	}
	p.Hours = drawHours(p.Lang, p.Now, zone, hours.Rows)
	return nil
}
