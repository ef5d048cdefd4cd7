package main

import (
	"fmt"
	"net/url"
	"time"

	"siyu/internal/english"
)

// tell plays the whole main job, part by part.
func (s *story) tell() error {
	s.printf("\nSiyu 私域 · the main job on a fresh store · %s · queue %s · %s · %s\n",
		s.houses[0].db.Dialect.Name, queueName(s.houses[0].cfg), english.One(fmt.Sprintf("%d replicas", len(s.houses))), s.houses[0].url())
	s.printf("Each → is a request over HTTP and each ← what came of it; the colleague who sends it has a key of the least role. Amounts in requests are in fen, 1/100 yuan.\n")
	for _, part := range []func() error{
		s.found, s.invitePeople, s.plan, s.publish, s.invitation, s.scan, s.rush,
		s.fillTeam, s.failTeam, s.promote, s.promoteAgain, s.showPlanned, s.mature, s.giveBack, s.closeBooks, s.payOut,
		s.sellSessions, s.reachSteps, s.showCalendar, s.proof,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// plan puts products and the reward program.
func (s *story) plan() error {
	s.step("Products with floor prices, and a two-sided reward program 商品与奖励方案")
	products := []map[string]any{
		{"sku": "APPLE-5", "name": "烟台红富士 5斤", "list_price_fen": 5990, "cost_fen": 2100, "floor_price_fen": 2900, "unit_id": s.store},
		{"sku": "MILK-12", "name": "鲜牛奶 12盒", "list_price_fen": 7200, "cost_fen": 4100, "floor_price_fen": 4500, "unit_id": s.store},
		{"sku": "TEA-1", "name": "明前龙井 100g", "list_price_fen": 19900, "cost_fen": 8800, "floor_price_fen": 12800, "unit_id": s.store},
	}
	if err := s.show(s.marketer, "PUT", "/v1/products", map[string]any{"products": products}, nil, func() string { return "3 products" }); err != nil {
		return err
	}
	var made idOf
	program := map[string]any{
		"name": "老带新：邀请人 5%，新客立减红包 3 元", "unit_id": s.store, "budget_fen": 500000,
		"rules": map[string]any{
			"trigger": "every_paid_order", "attribution_days": 30,
			"rewards": []map[string]any{
				{"rule": "inviter_share", "to": "inviter", "mode": "percent", "rate_bp": 500, "cap_fen": 2000},
				{"rule": "invitee_gift", "to": "invitee", "mode": "fixed", "amount_fen": 300},
			},
		},
	}
	err := s.show(s.marketer, "POST", "/v1/programs", program, &made, func() string { return made.ID + ", budget 5000.00 yuan in the ledger" })
	s.program = made.ID
	if err != nil {
		return err
	}
	paidShare := map[string]any{"name": "转发领红包", "rules": map[string]any{"trigger": "share", "rewards": program["rules"].(map[string]any)["rewards"]}}
	s.printf("    a program that pays for sharing breaks WeChat's rules and is refused:\n")
	return s.refused(s.marketer, "POST", "/v1/programs", paidShare, "referral.share_reward")
}

// publish makes three campaigns and sets them running.
func (s *story) publish() error {
	s.step("Three campaigns: flash sale, group-buy, referral 秒杀、拼团、邀请有礼")
	now := s.clk.Now()
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	milk := []map[string]any{{"sku": "MILK-12", "price_fen": 4990, "stock": 60, "per_member": 2, "per_order": 2,
		"team_prices": []map[string]any{{"size": 5, "price_fen": 4690, "opener_price_fen": 4590}}}}
	item := func(sku string, price, stock, perMember int) []map[string]any {
		return []map[string]any{{"sku": sku, "price_fen": price, "stock": stock, "per_member": perMember, "per_order": 2}}
	}
	for _, c := range []struct {
		body map[string]any
		into *string
		item *string
	}{
		{map[string]any{"kind": "flash_sale", "name": "周一早市：红富士秒杀", "starts_at": at(time.Minute), "ends_at": at(20 * 24 * time.Hour),
			"program_id": s.program, "items": item("APPLE-5", 2990, 30, 2)}, &s.flash, &s.flashItem},
		{map[string]any{"kind": "group_buy", "name": "三人团、五人团：鲜牛奶", "starts_at": at(0), "ends_at": at(20 * 24 * time.Hour),
			"rules": map[string]any{"sizes": []map[string]any{{"size": 3}, {"size": 5, "min_size": 3}}, "open_for_s": 7200}, "items": milk}, &s.team, &s.teamItem},
		{map[string]any{"kind": "referral", "name": "邀请好友喝龙井", "starts_at": at(0), "ends_at": at(30 * 24 * time.Hour), "program_id": s.program, "rules": inviteSteps}, &s.referral, nil},
	} {
		var made campaignView
		c.body["unit_id"] = s.store
		if err := s.show(s.marketer, "POST", "/v1/campaigns", c.body, &made, func() string { return made.ID + " " + made.Status }); err != nil {
			return err
		}
		*c.into = made.ID
		if c.item != nil {
			*c.item = made.Items[0].ID
		}
		if err := s.show(s.marketer, "POST", "/v1/campaigns/"+made.ID+"/publish", nil, &made, func() string { return made.ID + " " + made.Status }); err != nil {
			return err
		}
	}
	s.printf("    before the bell nobody gets anything:\n")
	token, err := s.tokenOf(s.members[0])
	if err != nil {
		return err
	}
	if err := s.refused(token, "POST", "/v1/campaigns/"+s.flash+"/claims", map[string]any{"item_id": s.flashItem}, "campaign.not_started"); err != nil {
		return err
	}
	if err := s.jump(time.Minute, "the flash sale opens, by the worker"); err != nil {
		return err
	}
	return s.until("the sale to open", func() (bool, error) {
		var c campaignView
		err := s.do(s.marketer, "GET", "/v1/campaigns/"+s.flash, nil, &c)
		return c.Status == "running", err
	})
}

type campaignView struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Items  []struct {
		ID    string `json:"id"`
		Stock int    `json:"stock"`
		Left  int    `json:"left"`
		Held  int    `json:"held"`
		Sold  int    `json:"sold"`
	} `json:"items"`
}

type orderView struct {
	ID      string `json:"id"`
	TeamID  string `json:"team_id"`
	Status  string `json:"status"`
	Amount  int64  `json:"amount_fen"`
	Refunds []struct {
		RefundNo string `json:"refund_no"`
		Amount   int64  `json:"amount_fen"`
		Status   string `json:"status"`
		Reason   string `json:"reason"`
	} `json:"refunds"`
}

// tokenOf asks the mall's key for a member's token.
func (s *story) tokenOf(member string) (string, error) {
	var t struct{ Token string }
	err := s.do(s.mall, "POST", "/v1/members/"+member+"/tokens", map[string]any{"ttl_seconds": 600}, &t)
	return t.Token, err
}

// claim lets a member claim with his own token.
func (s *story) claim(member, path string, body map[string]any) (orderView, error) {
	var o orderView
	token, err := s.tokenOf(member)
	if err != nil {
		return o, err
	}
	return o, s.do(token, "POST", path, body, &o)
}

// pay is the mall reporting a payment in full.
func (s *story) pay(o orderView) error {
	body := map[string]any{"provider": "wechat", "payment_no": "wx" + o.ID, "goods_fen": o.Amount, "amount_fen": o.Amount}
	return s.do(s.mall, "POST", "/v1/orders/"+o.ID+"/payments", body, nil)
}

// invite says where to look while the houses stay up: a page for each who works
// with it. What a visitor may do is bound to who he is, so the member's and the
// owner's pages carry that.
func (s *story) invite() error {
	buyer, err := s.tokenOf(s.members[102])
	if err != nil {
		return err
	}
	inviter, err := s.tokenOf(s.members[100])
	if err != nil {
		return err
	}
	var work struct {
		URL string `json:"url"`
	}
	if err := s.do(s.owner, "POST", "/v1/work-links", map[string]any{}, &work); err != nil {
		return err
	}
	at := s.houses[0].url()
	s.printf("\nThe house stays up; stop it with Ctrl-C. Open on a phone or in a narrow window:\n")
	s.printf("  landing page  %s\n", s.code.URL)
	s.printf("  member        %s?token=%s  buys there as %s\n", s.code.URL, url.QueryEscape(buyer), memberName(102))
	s.printf("  my rewards    %s/me?token=%s  of %s, who invited\n", at, url.QueryEscape(inviter), memberName(100))
	s.printf("  team          %s/t/%s\n", at, s.formed)
	s.printf("  group owner   %s  opens once\n", work.URL)
	s.printf("Members' links hold for 10 minutes, the owner's for 30. On a desk:\n")
	s.printf("  console       %s/console  (sign in with %s)\n", at, s.admin)
	s.printf("  finance       %s/console/settlements/%s\n", at, s.settlement.ID)
	s.printf("  REST          %s/docs, key as above\n  log           %s/siyu.log\n", at, s.folder)
	return nil
}

// proof ends the story with verify.
func (s *story) proof() error {
	s.step("siyu verify proves the invariants on the live store 核验")
	for _, h := range s.houses {
		if err := h.db.MarkNow(s.ctx); err != nil {
			return err
		}
	}
	if err := s.until("the queue to be empty", s.quietQueue); err != nil {
		return err
	}
	if err := prove(s.ctx, s.houses[0].db, proving{strict: true}, s.out); err != nil {
		return err
	}
	s.printf("\n    %d steps over real HTTP. Settlement files: %s\n", s.steps, s.sealed())
	return nil
}

// quietQueue says whether the houses' queue is idle.
func (s *story) quietQueue() (bool, error) { return s.houses[0].idle(s.ctx) }

// who prints a member by name and id.
func (s *story) who(n int) string { return fmt.Sprintf("%s (%s)", memberName(n), s.members[n]) }
