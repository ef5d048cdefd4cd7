package main

import (
	"context"
	"fmt"
	"time"

	"siyu/access"
	"siyu/internal/clock"
)

// cast are who acts on a stage: keys of staff, and members by number.
type cast struct {
	brand                       string // the unit
	admin, marketer             string
	preparer, reviewer, cashier string
	members                     []string
	outsiderID                  string
}

// scene is what they act with.
type scene struct {
	group, charter string
	program        string
	campaign, item string // the campaign that is rehearsed
	sale, saleItem string // what is bought; a referral campaign has a stand-in
	price          int64
	code           codeView
	friendOrder    orderView
	lonely         orderView // paid, of a team that stays alone
	settlement     settlementView
	rewards        []stageReward
}

// The members by what they do.
const (
	inviter = 0
	friend  = 1
	early   = 2
	greedy  = 3
	forgets = 4
	alone   = 5
	late    = 6
	fillers = 7 // from here on they fill teams
)

// claimsMost is how many orders the check of a limit makes at most.
const claimsMost = 30

// hire opens the brand of the stage with staff of the least roles.
func (s *script) hire() error {
	key, err := s.house.access.Bootstrap(s.ctx, access.First{Name: "彩排", Role: access.Admin, Unit: "彩排"})
	if err != nil {
		return err
	}
	s.admin = key
	m := mall{handler: s.house.handler}
	var units struct{ Items []idOf }
	if err := m.do(s.ctx, key, "GET", "/v1/units", nil, &units); err != nil {
		return err
	}
	s.brand = units.Items[0].ID
	for _, p := range []struct {
		role string
		key  *string
	}{{"marketer", &s.marketer}, {"mall", &m.key}, {"finance", &s.preparer}, {"finance", &s.reviewer}, {"cashier", &s.cashier}} {
		var staff idOf
		body := map[string]any{"unit_id": s.brand, "name": "彩排 " + p.role, "role": p.role}
		if err := m.do(s.ctx, key, "POST", "/v1/staff", body, &staff); err != nil {
			return err
		}
		var made struct{ Key string }
		if err := m.do(s.ctx, key, "POST", "/v1/api-keys", map[string]any{"staff_id": staff.ID, "name": "rehearsal"}, &made); err != nil {
			return err
		}
		*p.key = made.Key
	}
	m.marketer = s.marketer
	return s.seat(m)
}

// seat makes the group and the members, and opens the mall.
func (s *script) seat(m mall) error {
	if err := s.makeGroup(&m); err != nil {
		return err
	}
	names := make([]string, fillers+2*s.size())
	for i := range names {
		names[i] = fmt.Sprintf("m%03d", i)
	}
	for from := 0; from < len(names); from += 100 {
		made, err := m.members(s.ctx, names[from:min(from+100, len(names))]...)
		if err != nil {
			return err
		}
		if err := m.joined(s.ctx, made...); err != nil {
			return err
		}
		s.members = append(s.members, made...)
	}
	out, err := m.members(s.ctx, "outsider")
	if err != nil {
		return err
	}
	s.outsiderID = out[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mall = m
	return nil
}

// makeGroup makes the audience's first group with what it promises, or one
// that promises what its preset does.
func (s *script) makeGroup(m *mall) error {
	body := map[string]any{"name": "彩排群", "preset": "interest"}
	if groups := s.stage.play.Groups; len(groups) > 0 {
		g := groups[0]
		body = map[string]any{"name": g.Name, "preset": g.Preset, "zone": g.Zone}
		if c := g.Charter; c.Version > 0 {
			charter := map[string]any{"purpose": c.Purpose, "ads_per_day": c.AdsPerDay, "ads_per_week": c.AdsPerWeek, "quiet_from": c.QuietFrom, "quiet_to": c.QuietTo,
				"audience": c.Audience, "benefits": c.Benefits, "rules": c.Rules}
			if c.EndsAt != 0 {
				charter["ends_at"] = clock.MilliOf(s.clk.Now()).Add(10 * 24 * time.Hour)
			}
			body["charter"] = charter
		}
	}
	var made idOf
	if err := m.do(s.ctx, s.marketer, "POST", "/v1/groups", body, &made); err != nil {
		return err
	}
	s.group, m.group = made.ID, made.ID
	var list struct {
		InForce struct {
			Purpose string `json:"purpose"`
		} `json:"in_force"`
	}
	err := m.do(s.ctx, s.marketer, "GET", "/v1/groups/"+made.ID+"/charter", nil, &list)
	s.charter = list.InForce.Purpose
	return err
}

// stock puts the products as they are.
func (s *script) stock() error {
	var list []map[string]any
	for _, item := range s.stage.play.Campaign.Items {
		p := s.stage.play.Products[item.ProductID]
		list = append(list, map[string]any{
			"sku": p.SKU, "name": p.Name, "picture": p.Picture, "list_price_fen": p.ListPrice, "cost_fen": p.Cost,
			"floor_price_fen": p.FloorPrice, "on_sale": p.OnSale,
		})
	}
	if !s.sells() {
		list = append(list, map[string]any{"sku": standIn, "name": "彩排商品", "list_price_fen": standInPrice})
	}
	return s.do(s.marketer, "PUT", "/v1/products", map[string]any{"products": list}, nil)
}

// What is bought where the campaign itself sells nothing.
const (
	standIn      = "rehearsal-stand-in"
	standInPrice = 10_000
)

// promise makes the program with the budget it has left. A campaign without
// one needs some program for its codes; then rewards are not looked at.
func (s *script) promise() error {
	body := map[string]any{
		"name": "彩排", "budget_fen": 0,
		"rules": map[string]any{"trigger": "every_paid_order", "rewards": []map[string]any{{"rule": "none", "to": "inviter", "mode": "fixed", "amount_fen": 1}}},
	}
	if p := s.stage.play.Program; p != nil {
		body = map[string]any{"name": p.Name, "budget_fen": p.BudgetLeft, "rules": p.Rules}
	}
	var made idOf
	err := s.do(s.marketer, "POST", "/v1/programs", body, &made)
	s.program = made.ID
	return err
}

// publish hires everybody and makes the campaign as it is, but for its stock,
// which is enough for all who act, and the mall's addresses.
func (s *script) publish() (string, error) {
	for _, part := range []func() error{s.hire, s.stock, s.promise, s.makeCampaign, s.makeSale} {
		if err := part(); err != nil {
			return "", err
		}
	}
	return s.campaign, nil
}

func (s *script) makeCampaign() error {
	c := s.stage.play.Campaign
	body := map[string]any{
		"kind": c.Kind, "name": c.Name, "starts_at": c.StartsAt, "ends_at": c.EndsAt, "zone": c.Zone, "rules": c.Rules, "pay_within_s": c.PayWithinS,
		"login_url": s.cfg.PublicURL + doorPath + "sign-in", "pay_url": s.cfg.PublicURL + doorPath + "pay", "items": s.items(),
	}
	if s.stage.play.Program != nil {
		body["program_id"] = s.program
	}
	if len(s.stage.play.Groups) > 0 {
		body["audience"] = map[string]any{"groups": []string{s.group}}
	}
	made, err := s.run(body)
	if err != nil {
		return err
	}
	s.campaign, s.sale = made.ID, made.ID
	if len(made.Items) > 0 {
		s.item, s.saleItem, s.price = made.Items[0].ID, made.Items[0].ID, int64(s.first().Price)
	}
	return nil
}

func (s *script) items() []map[string]any {
	enough := int64(claimsMost*100 + 4*s.size() + fillers)
	list := []map[string]any{}
	for i, item := range s.stage.play.Campaign.Items {
		stock, session := max(item.Stock, 1), item.SessionStock
		if i == 0 {
			stock = max(stock, enough)
			if session > 0 {
				session = max(session, enough)
			}
		}
		row := map[string]any{
			"sku": s.stage.play.Products[item.ProductID].SKU, "price_fen": item.Price, "stock": stock, "per_member": item.PerMember, "per_order": item.PerOrder,
		}
		if session > 0 {
			row["session_stock"] = session
		}
		if len(item.TeamPrices) > 0 {
			row["team_prices"] = item.TeamPrices
		}
		list = append(list, row)
	}
	return list
}

// makeSale is a sale under the same program where the campaign has nothing to
// buy, because only an order earns a reward.
func (s *script) makeSale() error {
	if s.sells() {
		return nil
	}
	c := s.stage.play.Campaign
	body := map[string]any{
		"kind": "flash_sale", "name": "彩排", "starts_at": c.StartsAt, "ends_at": c.EndsAt,
		"items": []map[string]any{{"sku": standIn, "price_fen": standInPrice, "stock": 100}},
	}
	if s.stage.play.Program != nil {
		body["program_id"] = s.program
	}
	made, err := s.run(body)
	if err != nil {
		return err
	}
	s.sale, s.saleItem, s.price = made.ID, made.Items[0].ID, standInPrice
	return nil
}

// run makes a campaign and publishes it.
func (s *script) run(body map[string]any) (made campaignView, err error) {
	if err := s.do(s.marketer, "POST", "/v1/campaigns", body, &made); err != nil {
		return made, err
	}
	return made, s.do(s.marketer, "POST", "/v1/campaigns/"+made.ID+"/publish", nil, nil)
}

// invite makes the inviter's code of a campaign.
func (s *script) invite(ctx context.Context, campaign string) (c codeView, err error) {
	token, err := s.shop().token(ctx, s.members[inviter])
	if err != nil {
		return c, err
	}
	body := map[string]any{"program_id": s.program, "campaign_id": campaign, "group_id": s.group}
	return c, s.do(token, "POST", "/v1/codes", body, &c)
}

// again opens the campaign once more, from now on, for phones, and gives the
// address of its landing page.
func (s *script) again() (string, error) {
	c := s.stage.play.Campaign
	now := clock.MilliOf(s.clk.Now())
	var made campaignView
	body := map[string]any{"starts_at": now, "ends_at": now + max(c.EndsAt-c.StartsAt, clock.Milli(30*24*time.Hour.Milliseconds()))}
	if err := s.do(s.marketer, "POST", "/v1/campaigns/"+s.campaign+"/copy", body, &made); err != nil {
		return "", err
	}
	if err := s.do(s.marketer, "POST", "/v1/campaigns/"+made.ID+"/publish", nil, nil); err != nil {
		return "", err
	}
	code, err := s.invite(s.ctx, made.ID)
	return "/i/" + code.Code, err
}
