package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"siyu/api"
	"siyu/campaign"
	"siyu/campaign/flashsale"
	"siyu/campaign/groupbuy"
	"siyu/internal/clock"
)

// script plays the campaign on a stage as its people would: over REST with
// their keys and tokens, and over the pages with a phone's cookies. It keeps
// the pace of the wall while somebody acts, and jumps over what is only
// waiting.
type script struct {
	*stage
	ctx   context.Context
	steps []step

	cast
	scene
}

// step is one check. A step that is due to be skipped says why; when a vital
// one fails there is nothing to go on with.
type step struct {
	code, zh, en string
	skip         string
	vital        bool
	run          func() (detail string, err error)
}

func newScript(st *stage) *script {
	s := &script{stage: st, ctx: st.ctx}
	s.steps = append(append(s.selling(), s.paying()...),
		step{code: "phone_opened", zh: "手机打开落地页", en: "a phone opens the landing page"},
		step{code: "phone_paid", zh: "手机下单并假装付款", en: "a phone orders and pretends to pay"})
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, x := range s.steps {
		c := api.RehearsalCheck{Code: x.code, ZH: x.zh, EN: x.en, State: api.CheckPending, Detail: x.skip}
		if x.skip != "" {
			c.State = api.CheckSkipped
		}
		st.checks = append(st.checks, c)
	}
	return s
}

// selling is the part up to the end of the campaign.
func (s *script) selling() []step {
	c := s.stage.play.Campaign
	nothing, noTeams, noSessions := "", "", ""
	if !s.sells() {
		nothing = "邀请有礼活动没有可买的商品 · a referral campaign has nothing to claim"
	}
	if c.Kind != "group_buy" {
		noTeams = "此活动没有拼团 · this campaign has no teams"
	}
	if !s.hasSessions() {
		noSessions = "没有分场次 · it has no sessions"
	}
	return []step{
		{code: "window", zh: "活动时间没有过去", en: "the window is not over", run: s.checkWindow},
		{code: "addresses", zh: "登录和付款网址已填", en: "the addresses to sign in and to pay are given", skip: nothing, run: s.checkAddresses},
		{code: "publish", zh: "商品、价格、规则可以发布", en: "products, prices and rules can be published", vital: true, run: s.publish},
		{code: "before_start", zh: "开始之前买不到", en: "nothing is sold before the start", skip: nothing, run: s.tooEarly},
		{code: "opens", zh: "准时开始", en: "it opens in time", vital: true, run: s.opens},
		{code: "first_order", zh: "老会员先买一单并付款", en: "a member orders and pays", vital: true, run: s.firstOrder},
		{code: "landing", zh: "落地页有名称、价格和群约定", en: "the landing page shows name, price and charter", vital: true, run: s.landing},
		{code: "taking_part", zh: "受邀好友在页面上参加", en: "an invited friend takes part on the page", vital: true, run: s.takePart},
		{code: "pay", zh: "付款到账", en: "the payment counts", vital: true, run: s.payFriend},
		{code: "team_forms", zh: "人齐成团", en: "a team fills and forms", skip: noTeams, run: s.teamForms},
		{code: "limit", zh: "超过限购被拒", en: "more than the limit per member is refused", skip: or(nothing, s.noLimit()), run: s.limit},
		{code: "audience", zh: "群外的人买不了", en: "who is in no group of the audience is refused", skip: or(nothing, s.noAudience()), run: s.outsider},
		{code: "unpaid", zh: "超时未付自动取消", en: "an order not paid in time expires", skip: nothing, run: s.unpaid},
		{code: "team_fails", zh: "未成团自动退款", en: "a team that does not fill fails and refunds", skip: noTeams, run: s.teamFails},
		{code: "sessions", zh: "两场之间买不到", en: "nothing is sold between two sessions", skip: noSessions, run: s.betweenSessions},
		{code: "ends", zh: "结束之后买不到", en: "nothing is sold after the end", skip: nothing, run: s.ends},
	}
}

// paying is the part after it.
func (s *script) paying() []step {
	none := ""
	if s.stage.play.Program == nil {
		none = "没有奖励方案 · it has no reward program"
	}
	return []step{
		{code: "shipment", zh: "发货、收货", en: "the goods are sent and received", run: s.ship},
		{code: "reward_promised", zh: "奖励已承诺", en: "the rewards are promised", skip: none, run: s.promised},
		{code: "reward_cleared", zh: "奖励到期入账", en: "the rewards mature and clear", skip: none, run: s.cleared},
		{code: "clawback", zh: "部分退款按比例扣回", en: "a partial refund claws back its share", skip: none, run: s.clawback},
		{code: "settlement", zh: "结算单封存并复核，本人不能复核", en: "a settlement is sealed and reviewed, not by who prepared it", skip: none, run: s.settle},
		{code: "payout", zh: "第三人付款", en: "a third person pays", skip: none, run: s.payOut},
		{code: "files", zh: "结算文件可下载且校验一致", en: "the files can be fetched and are what was sealed", skip: none, run: s.files},
		{code: "verify", zh: "核验全部通过", en: "verify holds", run: s.verify},
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// play runs the steps in order and then opens the house to phones.
func (s *script) play() error {
	for _, x := range s.steps {
		if x.skip != "" || x.run == nil {
			continue
		}
		detail, err := x.run()
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		if err == nil {
			s.note(x.code, api.CheckPassed, detail)
			continue
		}
		s.note(x.code, api.CheckFailed, err.Error())
		if x.vital {
			s.stopped()
			return fmt.Errorf("%s: %w", x.code, err)
		}
	}
	landing, err := s.again()
	if err != nil {
		s.stopped()
		return err
	}
	s.opened(landing)
	return nil
}

// sells says whether the campaign itself has something to claim.
func (s *script) sells() bool { return s.stage.play.Campaign.Kind != "referral" }

func (s *script) hasSessions() bool {
	c := s.stage.play.Campaign
	if c.Kind != "flash_sale" {
		return false
	}
	r, err := flashsale.Terms(c)
	return err == nil && len(r.Sessions) > 0
}

func (s *script) noLimit() string {
	switch i := s.stage.first(); {
	case i.PerMember == 0:
		return "没有每人限购 · there is no limit per member"
	case i.PerMember > claimsMost*max(i.PerOrder, 1):
		return "限购太高，排练买不到那么多 · the limit is too high to be reached here"
	}
	return ""
}

func (s *script) noAudience() string {
	if len(s.stage.play.Groups) == 0 {
		return "面向所有人 · everybody may take part"
	}
	return ""
}

// first is the item that is played, or nothing.
func (st *stage) first() campaign.Item {
	if len(st.play.Campaign.Items) == 0 {
		return campaign.Item{}
	}
	return st.play.Campaign.Items[0]
}

// size is how many make a team.
func (st *stage) size() int {
	if st.play.Campaign.Kind != "group_buy" {
		return 1
	}
	r, err := groupbuy.Terms(st.play.Campaign)
	if err != nil {
		return 2
	}
	return r.Size
}

// do calls as whose key it is.
func (s *script) do(key, method, path string, body, answer any) error {
	return s.shop().do(s.ctx, key, method, path, body, answer)
}

// refused calls what must be refused with the code.
func (s *script) refused(key, method, path string, body any, code string) error {
	err := s.do(key, method, path, body, nil)
	var p *problem
	if errors.As(err, &p) && p.Code == code {
		return nil
	}
	if err == nil {
		return fmt.Errorf("%s %s was not refused; want %s", method, path, code)
	}
	return fmt.Errorf("want the refusal %s: %w", code, err)
}

// jump moves the stage's own clock to a moment, never back.
func (s *script) jump(to time.Time) error {
	if d := to.Sub(s.clk.Now()); d > 0 {
		s.clk.Jump(d)
	}
	return s.house.db.MarkNow(s.ctx)
}

func (s *script) ahead(d time.Duration) error { return s.jump(s.clk.Now().Add(d)) }

// until waits for the stage's worker, in wall time.
func (s *script) until(what string, done func() (bool, error)) error {
	limit := time.Now().Add(time.Minute)
	for time.Now().Before(limit) {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("waited a minute for %s", what)
}

// opening is when the campaign may first be claimed from, and when that ends;
// zero is never.
func (s *script) opening() (from, to clock.Milli) {
	c := s.stage.play.Campaign
	if !s.hasSessions() {
		return c.StartsAt, c.EndsAt
	}
	rules, err := flashsale.Terms(c)
	if err != nil {
		return 0, 0
	}
	w := flashsale.Window{From: c.StartsAt, To: c.EndsAt}
	from = c.StartsAt
	open, edge := flashsale.Open(rules, w, from)
	if !open {
		if from = edge; from == 0 {
			return 0, 0
		}
		_, edge = flashsale.Open(rules, w, from)
	}
	return from, edge
}
