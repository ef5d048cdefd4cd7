package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// simulationView is what a simulation found.
type simulationView struct {
	Publishable bool `json:"publishable"`
	Overlaps    []struct {
		SKUs []string `json:"skus"`
	} `json:"overlaps"`
	Prices []struct {
		SKU      string `json:"sku"`
		Lowest   int64  `json:"lowest_fen"`
		Margin   int64  `json:"margin_fen"`
		MarginBp int64  `json:"margin_bp"`
	} `json:"prices"`
	Budget struct {
		Pieces  int   `json:"pieces"`
		Rewards int64 `json:"rewards_fen"`
		Left    int64 `json:"budget_left_fen"`
	} `json:"budget"`
	Checks []struct {
		ID     string `json:"id"`
		Result string `json:"result"`
		Reason string `json:"reason_en"`
	} `json:"checks"`
	Ask []struct {
		Question string `json:"question_en"`
	} `json:"ask"`
}

// sellSessions simulates a sale in sessions, publishes it and sells one
// session out, partly to friends of two inviters.
func (s *story) sellSessions() error {
	s.step("A sale in sessions is simulated, then published; each session sells its own stock 模拟与分场库存")
	now := s.clk.Now()
	var made campaignView
	body := map[string]any{
		"kind": "flash_sale", "name": "龙井分场秒杀", "unit_id": s.store, "program_id": s.program, "sort": 10,
		"starts_at": now.Format(time.RFC3339), "ends_at": now.Add(5 * 24 * time.Hour).Format(time.RFC3339),
		"rules": map[string]any{"sessions": []map[string]string{{"from": "12:00", "to": "13:00"}, {"from": "20:00", "to": "21:00"}}},
		"items": []map[string]any{{"sku": "TEA-1", "price_fen": 12900, "stock": 50, "per_member": 1, "session_stock": 5}},
	}
	if err := s.show(s.marketer, "POST", "/v1/campaigns", body, &made, func() string { return made.ID + " " + made.Status }); err != nil {
		return err
	}
	if err := s.simulate(made.ID); err != nil {
		return err
	}
	if err := s.do(s.marketer, "POST", "/v1/campaigns/"+made.ID+"/publish", nil, nil); err != nil {
		return err
	}
	friends, err := s.bringFriends()
	if err != nil {
		return err
	}
	granted, soldOut := 0, 0
	for _, member := range append(friends, s.members[230:234]...) {
		o, err := s.claim(member, "/v1/campaigns/"+made.ID+"/claims", map[string]any{"item_id": made.Items[0].ID})
		var p *problem
		if errors.As(err, &p) && p.Code == "campaign.session_sold_out" {
			soldOut++
			continue
		}
		if err != nil {
			return err
		}
		granted++
		if err := s.pay(o); err != nil {
			return err
		}
	}
	if err := s.do(s.marketer, "GET", "/v1/campaigns/"+made.ID, nil, &made); err != nil {
		return err
	}
	s.printf("    ← eight ask in the session of noon: granted %d, session sold out %d; %d are left for the next ones\n", granted, soldOut, made.Items[0].Left)
	return nil
}

func (s *story) simulate(campaign string) error {
	var x simulationView
	if err := s.do(s.marketer, "POST", "/v1/campaigns/"+campaign+"/simulate", map[string]any{}, &x); err != nil {
		return err
	}
	if !x.Publishable || len(x.Prices) != 1 || len(x.Ask) == 0 {
		return fmt.Errorf("the simulation of %s found %+v", campaign, x)
	}
	shared, warned, passed := 0, []string{}, 0
	for _, o := range x.Overlaps {
		if len(o.SKUs) > 0 {
			shared++
		}
	}
	for _, c := range x.Checks {
		if c.Result == "pass" {
			passed++
			continue
		}
		warned = append(warned, "\n        "+c.Result+" "+c.ID+": "+c.Reason)
	}
	p := x.Prices[0]
	s.printf("    → POST /v1/campaigns/%s/simulate\n", campaign)
	s.printf("    ← overlaps %d campaigns, %d of them with the same product\n", len(x.Overlaps), shared)
	s.printf("      the least anybody pays for %s is %s yuan, which leaves %s (%d.%02d %%)\n", p.SKU, yuan(p.Lowest), yuan(p.Margin), p.MarginBp/100, p.MarginBp%100)
	s.printf("      rewards of all %d pieces come to at most %s yuan; the budget has %s\n", x.Budget.Pieces, yuan(x.Budget.Rewards), yuan(x.Budget.Left))
	s.printf("      %d checks pass, %d do not:%s\n", passed, len(warned), strings.Join(warned, ""))
	s.printf("      a person must answer %d questions, like: %s\n", len(x.Ask), x.Ask[0].Question)
	return nil
}
