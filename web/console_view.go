package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// Each table of the console shows the newest rows; the API pages through all.
const (
	campaignsShown   = 10
	groupsShown      = 30
	decisionsShown   = 15
	settlementsShown = 10
)

// consolePage is the console: what runs, what the groups bear, what the guard
// said, what is owed. A part the role does not see stays empty.
type consolePage struct {
	page
	Role          string
	Campaigns     []campaignRow
	Groups        []groupRow
	Decisions     []decisionRow
	Settlements   []settlementRow
	SeesMoney     bool
	SeesGroups    bool
	SeesReviews   bool
	Answers       bool // objections of members
	SeesPlan      bool
	SeesBooks     bool
	SeesTieOuts   bool
	SeesBills     bool
	SeesInsight   bool
	SeesAsked     bool // withdrawal requests
	SeesKOC       bool
	SeesPromoters bool
	SeesApprovals bool
	Asked         []askedRow // groups he is asked to take over
}

type askedRow struct {
	ID        id.Handover
	Name, Why string
}

type campaignRow struct {
	Href  string // of its own page, where the role may see it
	Name  string
	Kind  string
	State string
	Tone  string
	From  time.Time
	To    time.Time
	Items []stockRow
}

type stockRow struct {
	Name              string
	Stock, Sold, Held int64
	Left              int64
}

// SoldTo is where the sold part of the bar ends, in hundredths.
func (r stockRow) SoldTo() int64 { return part(r.Sold, r.Stock) }

// HeldTo is where the unpaid ones end.
func (r stockRow) HeldTo() int64 { return part(r.Sold+r.Held, r.Stock) }

func part(n, of int64) int64 {
	if of <= 0 {
		return 0
	}
	return n * 100 / of
}

type groupRow struct {
	ID     id.Group
	Name   string
	Preset string
	Used   int
	Cap    int
	Full   bool
	Quiet  string
}

type decisionRow struct {
	Group   string
	Href    string // the group's week; none where it is not linked
	Outcome string
	Tone    string
	Why     string
	When    time.Time
	Times   int
}

// console answers GET /console.
func (s *Server) console(c *gin.Context) error {
	ctx := c.Request.Context()
	role := access.Role(database.ActorOf(ctx).Role)
	p := consolePage{
		page: s.base(c, ""), Role: roleName(s.lang(c), role),
		SeesGroups:  slices.Contains(seesGroups, role),
		SeesMoney:   slices.Contains([]access.Role{access.Admin, access.Finance, access.Cashier}, role),
		SeesReviews: slices.Contains(readsReviews, role), Answers: slices.Contains(answersObjections, role), SeesPlan: slices.Contains(plansPromotions, role), SeesInsight: slices.Contains(readsInsight, role), SeesBooks: seesBooks(database.ActorOf(ctx)), SeesTieOuts: slices.Contains(readsTieOuts, role), SeesBills: slices.Contains(readsBills, role),
		SeesAsked: slices.Contains(readsWithdrawals, role), SeesKOC: slices.Contains(readsKOC, role), SeesPromoters: slices.Contains(readsPromoters, role), SeesApprovals: slices.Contains(seesApprovals, role),
	}
	p.Title, p.Now = choose(p.Lang, "控制台", "Console"), p.Now.In(shop)
	for _, fill := range []func(context.Context, *consolePage) error{s.fillCampaigns, s.fillGroups, s.fillSettlements} {
		if err := fill(ctx, &p); err != nil {
			return err
		}
	}
	return s.show(c, http.StatusOK, "console", p.page, p)
}

func (s *Server) fillCampaigns(ctx context.Context, p *consolePage) error {
	list, err := s.Campaign.ListCampaigns(ctx, campaign.CampaignFilter{}, database.Page{Limit: campaignsShown})
	if err != nil {
		return err
	}
	for _, head := range list.Items {
		run, err := s.Campaign.FindCampaign(ctx, head.ID) // with its items
		if err != nil {
			return err
		}
		zone := zoneOf(run)
		row := campaignRow{Name: clean(run.Name), Kind: kindName(p.Lang, run.Kind), From: run.StartsAt.Time().In(zone), To: run.EndsAt.Time().In(zone)}
		if slices.Contains(readsCampaigns, access.Role(database.ActorOf(ctx).Role)) {
			row.Href = "/console/campaigns/" + run.ID.String()
		}
		row.State, row.Tone = phaseName(p.Lang, run.Phase(clock.MilliOf(p.Now)))
		for _, item := range run.Items {
			row.Items = append(row.Items, stockRow{clean(item.Name), item.Stock, item.Sold, item.Held, item.Left})
		}
		p.Campaigns = append(p.Campaigns, row)
	}
	return nil
}

func (s *Server) fillGroups(ctx context.Context, p *consolePage) error {
	if !p.SeesGroups {
		return nil
	}
	list, err := s.Community.ListGroups(ctx, community.GroupFilter{}, database.Page{Limit: groupsShown})
	if err != nil {
		return err
	}
	ids := make([]id.Group, len(list.Items))
	for i, g := range list.Items {
		ids[i] = g.ID
	}
	weeks, err := s.Guard.ThisWeek(ctx, ids)
	if err != nil {
		return err
	}
	charters, err := community.Charters(s.DB.Read(ctx), ids, clock.MilliOf(p.Now))
	if err != nil {
		return err
	}
	for _, g := range list.Items {
		week, charter := weeks[g.ID], charters[g.ID]
		p.Groups = append(p.Groups, groupRow{
			ID: g.ID, Name: clean(g.Name), Preset: presetName(p.Lang, string(g.Preset)), Used: week.Used, Cap: week.Promised, Full: week.Used >= week.Promised,
			Quiet: hourOf(charter.QuietFrom) + "–" + hourOf(charter.QuietTo),
		})
	}
	if err := s.fillAsked(ctx, p); err != nil {
		return err
	}
	return s.fillDecisions(ctx, p)
}

func (s *Server) fillAsked(ctx context.Context, p *consolePage) error {
	list, err := s.Life.ListAsked(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	p.Form = s.formToken(deskOf(ctx), s.DB.Clock.Now().Add(formFor))
	ids := make([]id.Group, len(list))
	for i, h := range list {
		ids[i] = h.GroupID
	}
	groups, err := community.GroupsIn(s.DB.Read(ctx), ids)
	if err != nil {
		return err
	}
	for _, h := range list {
		p.Asked = append(p.Asked, askedRow{h.ID, clean(groups[h.GroupID].Name), clean(h.Reason)})
	}
	return nil
}

func (s *Server) fillDecisions(ctx context.Context, p *consolePage) error {
	list, err := s.Guard.ListDecisions(ctx, guard.SlotFilter{}, database.Page{Limit: decisionsShown})
	if err != nil {
		return err
	}
	ids := make([]id.Group, len(list.Items))
	for i, d := range list.Items {
		ids[i] = d.GroupID
	}
	groups, err := community.GroupsIn(s.DB.Read(ctx), ids)
	if err != nil {
		return err
	}
	for _, d := range list.Items {
		row := decisionRow{Group: clean(groups[d.GroupID].Name), Href: "/console/groups/" + d.GroupID.String(), When: d.LastAt.Time().In(shop), Times: d.Times}
		row.Outcome, row.Tone = outcomeName(p.Lang, d.Outcome)
		row.Why = why(p.Lang, p.Now, d)
		p.Decisions = append(p.Decisions, row)
	}
	return nil
}

// why is the first reason of a decision in words, and when it would pass.
func why(lang string, now time.Time, d guard.Kept) string {
	text := ""
	if len(d.Reasons) > 0 {
		text = d.Reasons[0].Text(lang)
	}
	if d.NotBefore != 0 {
		text += choose(lang, "；最早 %s", "; not before %s", moment(lang, now, d.NotBefore.Time().In(shop)))
	}
	return text
}

func (s *Server) fillSettlements(ctx context.Context, p *consolePage) error {
	if !p.SeesMoney {
		return nil
	}
	list, err := s.Settlement.List(ctx, settlement.Filter{}, database.Page{Limit: settlementsShown})
	if err != nil {
		return err
	}
	for _, x := range list.Items {
		p.Settlements = append(p.Settlements, settlementRowOf(p.Lang, x))
	}
	return nil
}
