package main

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"siyu/campaign/flashsale"
	"siyu/internal/clock"
	"siyu/internal/money"
)

// checkWindow looks whether the live campaign has still to come or runs.
func (s *script) checkWindow() (string, error) {
	c := s.stage.play.Campaign
	if c.EndsAt <= s.stage.play.At {
		return "", fmt.Errorf("活动已在 %[1]s 结束，请改时间或复制活动 · it ended at %[1]s; move it or copy the campaign", c.EndsAt)
	}
	return fmt.Sprintf("%s – %s", c.StartsAt, c.EndsAt), nil
}

// checkAddresses looks for dead ends: on the stage both addresses are its own.
func (s *script) checkAddresses() (string, error) {
	c := s.stage.play.Campaign
	var list []error
	if c.PayURL == "" {
		list = append(list, errors.New("没有 pay_url：订单页上无处付款 · no pay_url: the order page leads to no payment"))
	}
	if c.LoginURL == "" && s.first().PerMember > 0 {
		list = append(list, errors.New("没有 login_url：商品限购，扫码进来的访客无处登录 · no login_url: the item is limited, and who scans a code cannot sign in"))
	}
	return c.PayURL, errors.Join(list...)
}

// claim asks for stock with a member's own token.
func (s *script) claim(member int, path string, body map[string]any) (o orderView, err error) {
	token, err := s.shop().token(s.ctx, s.members[member])
	if err != nil {
		return o, err
	}
	return o, s.do(token, "POST", path, body, &o)
}

// buy is one order in the sale; in a group-buy it opens a team.
func (s *script) buy(member, qty int) (orderView, error) {
	return s.claim(member, s.wayIn(), map[string]any{"item_id": s.saleItem, "qty": qty})
}

func (s *script) wayIn() string {
	if s.stage.play.Campaign.Kind == "group_buy" {
		return "/v1/campaigns/" + s.sale + "/teams"
	}
	return "/v1/campaigns/" + s.sale + "/claims"
}

// notSold asks as somebody for what must be refused with the code.
func (s *script) notSold(member, code string) error {
	token, err := s.shop().token(s.ctx, member)
	if err != nil {
		return err
	}
	return s.refused(token, "POST", s.wayIn(), map[string]any{"item_id": s.saleItem, "qty": 1}, code)
}

func (s *script) tooEarly() (string, error) {
	return "campaign.not_started", s.notSold(s.members[early], "campaign.not_started")
}

// opens goes to the first moment at which something can be had.
func (s *script) opens() (string, error) {
	from, _ := s.opening()
	if from == 0 {
		return "", errors.New("活动期内没有任何一场 · no session is ever open within the window")
	}
	if err := s.jump(from.Time().Add(time.Second)); err != nil {
		return "", err
	}
	err := s.until("the campaign to open", func() (bool, error) {
		var c campaignView
		err := s.do(s.marketer, "GET", "/v1/campaigns/"+s.campaign, nil, &c)
		return c.Status == "running", err
	})
	return from.String(), err
}

// firstOrder is the inviter's own: many programs ask for one.
func (s *script) firstOrder() (string, error) {
	o, err := s.buy(inviter, 1)
	if err != nil {
		return "", err
	}
	if err := s.shop().pay(s.ctx, o); err != nil {
		return "", err
	}
	return o.ID, s.fill(o.TeamID, fillers)
}

// fill lets others join a team and pay, from the n-th member on.
func (s *script) fill(team string, from int) error {
	if team == "" {
		return nil
	}
	for i := range s.size() - 1 {
		o, err := s.claim(from+i, "/v1/teams/"+team+"/join", map[string]any{"qty": 1})
		if err != nil {
			return err
		}
		if err := s.shop().pay(s.ctx, o); err != nil {
			return err
		}
	}
	return s.until("the team to form", func() (bool, error) {
		var t struct{ Status string }
		err := s.do(s.marketer, "GET", "/v1/teams/"+team, nil, &t)
		return t.Status == "formed", err
	})
}

// landing reads the page of the inviter's code as a guest.
func (s *script) landing() (string, error) {
	var err error
	if s.code, err = s.invite(s.ctx, s.campaign); err != nil {
		return "", err
	}
	page, _, err := s.phone().open("/i/" + s.code.Code)
	if err != nil {
		return "", err
	}
	want := []string{s.stage.play.Campaign.Name, s.charter}
	if s.sells() {
		whole, _, _ := strings.Cut(money.Amount(s.price).String(), ".")
		want = append(want, s.stage.play.Products[s.first().ProductID].Name, whole)
	}
	text := strings.ReplaceAll(strings.Join(strings.Fields(html.UnescapeString(page)), " "), ",", "")
	for _, w := range want {
		if w = strings.ReplaceAll(strings.Join(strings.Fields(w), " "), ",", ""); !strings.Contains(text, w) {
			return "", fmt.Errorf("落地页没有「%s」 · the landing page lacks %q", w, w)
		}
	}
	return "/i/" + s.code.Code, nil
}

// takePart is the friend who signs in, sends the page's form and, where there
// is something to buy, comes to the page of his order with the way to pay.
func (s *script) takePart() (string, error) {
	token, err := s.shop().token(s.ctx, s.members[friend])
	if err != nil {
		return "", err
	}
	phone := s.phone()
	page, _, err := phone.open("/i/" + s.code.Code + "?token=" + url.QueryEscape(token))
	if err != nil {
		return "", err
	}
	if !s.sells() {
		if _, _, err := phone.send("/i/"+s.code.Code+"/bind", page, nil); err != nil {
			return "", err
		}
		s.friendOrder, err = s.buy(friend, 1)
		return "已接受邀请，奖励用彩排商品试 · bound; the reward is tried on a stand-in", err
	}
	act := "claim"
	if s.stage.play.Campaign.Kind == "group_buy" {
		act = "open"
	}
	page, at, err := phone.send("/i/"+s.code.Code+"/"+act, page, url.Values{"item": {s.item}, "qty": {"1"}})
	if err != nil {
		return "", err
	}
	order, found := strings.CutPrefix(at, "/o/")
	if !found {
		return "", fmt.Errorf("没有到订单页，而是 %[1]s · the form led to %[1]s, not to an order", at)
	}
	if !strings.Contains(html.UnescapeString(page), doorPath+"pay?order_id="+order) {
		return "", errors.New("订单页没有付款按钮 · the order's page has no way to pay")
	}
	s.friendOrder, err = s.shop().order(s.ctx, order)
	return order, err
}

func (s *script) payFriend() (string, error) {
	if err := s.shop().pay(s.ctx, s.friendOrder); err != nil {
		return "", err
	}
	o, err := s.shop().order(s.ctx, s.friendOrder.ID)
	if err == nil && o.Status != "paid" {
		err = fmt.Errorf("order %s is %s after its payment", o.ID, o.Status)
	}
	s.friendOrder = o
	return o.ID, err
}

func (s *script) teamForms() (string, error) {
	return s.friendOrder.TeamID, s.fill(s.friendOrder.TeamID, fillers+s.size())
}

// limit buys as much as one member may, and then one piece more.
func (s *script) limit() (string, error) {
	item := s.first()
	for left := item.PerMember; left > 0; {
		n := min(left, max(item.PerOrder, 1))
		if _, err := s.buy(greedy, n); err != nil {
			return "", err
		}
		left -= n
	}
	return fmt.Sprintf("每人 %[1]d 件 · %[1]d per member", item.PerMember), s.notSold(s.members[greedy], "campaign.limit_reached")
}

func (s *script) outsider() (string, error) {
	return "campaign.not_eligible", s.notSold(s.outsiderID, "campaign.not_eligible")
}

// unpaid leaves an order unpaid past its time. The lonely team begins here,
// while the campaign surely runs.
func (s *script) unpaid() (string, error) {
	o, err := s.buy(forgets, 1)
	if err != nil {
		return "", err
	}
	if s.stage.play.Campaign.Kind == "group_buy" {
		if s.lonely, err = s.buy(alone, 1); err != nil {
			return "", err
		}
		if err := s.shop().pay(s.ctx, s.lonely); err != nil {
			return "", err
		}
	}
	if err := s.ahead(time.Duration(s.stage.play.Campaign.PayWithinS)*time.Second + time.Minute); err != nil {
		return "", err
	}
	return o.ID, s.until("the order to expire", func() (bool, error) {
		o, err := s.shop().order(s.ctx, o.ID)
		return o.Status == "expired", err
	})
}

// teamFails lets the lonely team run out of time; the mall then reports the
// refund that was asked for.
func (s *script) teamFails() (string, error) {
	if s.lonely.ID == "" {
		return "", errors.New("no team was opened for it")
	}
	var t struct {
		Deadline clock.Milli `json:"deadline_at"`
	}
	if err := s.do(s.marketer, "GET", "/v1/teams/"+s.lonely.TeamID, nil, &t); err != nil {
		return "", err
	}
	if err := s.jump(t.Deadline.Time().Add(time.Minute)); err != nil {
		return "", err
	}
	var o orderView
	err := s.until("the refund to be asked for", func() (done bool, err error) {
		o, err = s.shop().order(s.ctx, s.lonely.ID)
		return len(o.Refunds) > 0, err
	})
	if err != nil {
		return "", err
	}
	if r := o.Refunds[0]; r.Amount != o.Amount {
		return "", fmt.Errorf("the refund is %s of %s yuan", yuan(r.Amount), yuan(o.Amount))
	}
	if err := s.shop().refund(s.ctx, o.ID, o.Refunds[0].RefundNo, o.Amount); err != nil {
		return "", err
	}
	o, err = s.shop().order(s.ctx, o.ID)
	if err == nil && o.Status != "refunded" {
		err = fmt.Errorf("order %s is %s after its refund", o.ID, o.Status)
	}
	return "¥" + yuan(o.Amount), err
}

// betweenSessions goes to the end of the session that is open or comes next.
func (s *script) betweenSessions() (string, error) {
	c := s.stage.play.Campaign
	_, edge := s.opening()
	if edge == 0 || edge >= c.EndsAt {
		return "只有一场 · there is only one session", nil
	}
	if err := s.jump(edge.Time().Add(time.Second)); err != nil {
		return "", err
	}
	rules, err := flashsale.Terms(c)
	if err != nil {
		return "", err
	}
	open, next := flashsale.Open(rules, flashsale.Window{From: c.StartsAt, To: c.EndsAt}, clock.MilliOf(s.clk.Now()))
	switch {
	case open:
		return "此刻正有一场 · a session is open at that moment", nil
	case next == 0:
		return "之后没有场次 · no session follows", nil
	}
	return edge.String(), s.notSold(s.members[late], "campaign.between_sessions")
}

func (s *script) ends() (string, error) {
	end := s.stage.play.Campaign.EndsAt
	if err := s.jump(end.Time().Add(time.Second)); err != nil {
		return "", err
	}
	return end.String(), s.notSold(s.members[late], "campaign.not_running")
}

// phone is a browser inside the stage.
type phone struct{ http http.Client }

func (s *script) phone() *phone {
	jar, _ := cookiejar.New(nil) // it never fails
	return &phone{http.Client{Jar: jar, Transport: inside{s.shop().handler}}}
}

// open reads a page, and where redirects led.
func (p *phone) open(path string) (body, at string, err error) {
	return pageOf(p.http.Get(home + path))
}

// send fills in the form of a page and sends it.
func (p *phone) send(path, page string, more url.Values) (body, at string, err error) {
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for name := range more {
		form.Set(name, more.Get(name))
	}
	return pageOf(p.http.PostForm(home+path, form))
}

func pageOf(res *http.Response, err error) (body, at string, _ error) {
	body, at, err = fetch(res, err)
	if err != nil {
		return "", "", err
	}
	u, err := url.Parse(at)
	if err != nil {
		return "", "", err
	}
	return body, u.Path, nil
}
