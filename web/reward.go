package web

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/settlement"
)

// rewardPage is one reward of the member's: what became of it, and what it
// rests on.
type rewardPage struct {
	page
	Reward  rewardView
	Confirm *confirmView // the payment that it is part of waits for his tap
	Steps   []rewardStep
	Proof   []figure
}

// rewardStep is one thing that happened to it.
type rewardStep struct {
	What   string
	When   time.Time
	Amount money.Amount
	Kind   string // points or a coupon in words
	Less   bool   // it took away
}

// reward answers GET /me/rewards/{id}.
func (s *Server) reward(c *gin.Context, v visitor) error {
	if v.Guest && !v.Strong {
		return s.stranger(c)
	}
	var rid id.Reward
	if err := read(c.Param("id"), &rid); err != nil {
		return err
	}
	ctx := c.Request.Context()
	r, err := s.Referral.FindReward(ctx, rid)
	if err != nil {
		return err
	}
	if r.BeneficiaryID != v.Member {
		return fault.NotFound
	}
	seen, err := s.Settlement.SeeAll(ctx, []referral.Reward{r})
	if err != nil {
		return err
	}
	p := rewardPage{page: s.base(c, "")}
	coupons, err := s.couponNames(ctx, p.Lang, couponsOf([]referral.Reward{r}))
	if err != nil {
		return err
	}
	p.Reward = rewardOf(p.Lang, p.Now, seen[0], coupons)
	p.Title = p.Reward.What
	p.Steps = stepsOf(p.Lang, r, seen[0], coupons)
	if seen[0].Why == settlement.WhyToConfirm {
		list, err := s.confirms(ctx, p.page, v.Member)
		if err != nil {
			return err
		}
		for _, b := range list {
			if b.payout == seen[0].Payment.PayoutID {
				p.Confirm = &b
			}
		}
	}
	if p.Proof, err = s.proof(ctx, p.page, r); err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "reward", p.page, p)
}

// ruleIn is why the invitation is this inviter's, and until when.
func ruleIn(lang string, e referral.Evidence, until string) string {
	switch {
	case e.Rule == referral.WinsLast:
		return choose(lang, "%d 天内最后一次扫码（共 %d 次），%s 前有效", "the last of %[2]d scans within %[1]d days, until %[3]s", e.TouchDays, e.Weighed, until)
	case e.TouchDays > 0:
		return choose(lang, "%d 天内第一次扫码（共 %d 次），%s 前有效", "the first of %[2]d scans within %[1]d days, until %[3]s", e.TouchDays, e.Weighed, until)
	}
	return choose(lang, "先邀请者优先，%s 前有效", "the first inviter counts, until %s", until)
}

// proof is what the reward rests on, as both sides of it are shown.
func (s *Server) proof(ctx context.Context, p page, r referral.Reward) ([]figure, error) {
	e := r.Evidence
	say := func(zh, en string, args ...any) string { return choose(p.Lang, zh, en, args...) }
	at := func(m clock.Milli) string { return moment(p.Lang, p.Now, m.Time().In(shop)) }
	program, err := s.Referral.FindProgram(ctx, e.ProgramID)
	if err != nil {
		return nil, err
	}
	promised := figure{say("按当时的方案", "Program as promised"), say("%s 第 %d 版 · %s", "%s version %d · %s", clean(program.Name), e.RulesVersion, e.RulesDigest[:8])}
	var from []figure
	if r.OrderID != 0 {
		from = []figure{{say("计算基数", "Counted from"), cny(r.Base)}, {say("订单", "Order"), r.OrderID.String()}}
	}
	if e.Code == "" { // a fee that no invitation earned
		return append([]figure{promised}, from...), nil
	}
	list := []figure{{say("邀请码", "Code"), e.Code}}
	if e.GroupID != 0 {
		groups, err := community.GroupsIn(s.DB.Read(ctx), []id.Group{e.GroupID})
		if err != nil {
			return nil, err
		}
		list = append(list, figure{say("来自的群", "From the group"), clean(groups[e.GroupID].Name)})
	}
	if e.TouchedAt != 0 {
		list = append(list, figure{say("扫码", "Scanned"), at(e.TouchedAt)})
	}
	if e.PageAt != 0 {
		list = append(list, figure{say("看到的页面", "Page seen"), at(e.PageAt)})
	}
	bound := at(e.BoundAt)
	if e.BoundBy != 0 {
		bound = say("%s（由员工或商城代办）", "%s (by staff or the mall)", bound)
	}
	list = append(list,
		figure{say("邀请关系成立", "Invitation made"), bound},
		figure{say("归属规则", "By the rule"), ruleIn(p.Lang, *e, at(e.LastsUntil))},
		promised,
	)
	return append(list, from...), nil
}
