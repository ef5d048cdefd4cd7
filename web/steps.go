package web

import (
	"context"
	"time"

	"siyu/campaign"
	"siyu/campaign/invite"
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/referral"
)

// stepsView is how far the visitor has come in a referral campaign; nobody
// sees another's.
type stepsView struct {
	Rows     []stepRow
	Next     *stepRow // the first that is not reached
	Done     bool     // every step is
	Paused   bool     // new steps are stopped
	Measured time.Time
	Maturing int64
	NextStay time.Time // when the next of them counts
	StayDays int
}

// stepRow is one step with its reward.
type stepRow struct {
	What  string
	Gift  string
	Have  int64
	Count int
	Hold  int // days from reaching it until it is given
	State string
	More  string
	Tone  string
}

// Missing is how many more the step needs.
func (r stepRow) Missing() int64 { return max(int64(r.Count)-r.Have, 0) }

// showSteps adds the visitor's progress and the leaderboard.
func (s *Server) showSteps(ctx context.Context, p *landingPage, run campaign.Campaign, v visitor) error {
	if run.Kind != invite.Kind().Name {
		return nil
	}
	rules, err := invite.Terms(run)
	if err != nil {
		return err
	}
	if len(rules.Steps) > 0 && (p.Own || !v.Guest) { // a guest has invited nobody
		steps, began, err := s.steps(ctx, p.page, run, rules, v.Member)
		if err != nil {
			return err
		}
		if p.Own || began {
			p.Steps = steps
		}
	}
	if rules.Leaderboard == nil {
		return nil
	}
	p.Board, err = s.board(ctx, p.page, run)
	return err
}

// steps reads a member's progress; began says that somebody he invited counts
// or will.
func (s *Server) steps(ctx context.Context, p page, run campaign.Campaign, rules invite.Rules, m id.Member) (view *stepsView, began bool, err error) {
	got, err := s.Invite.FindProgress(ctx, run.ID, m)
	if err != nil {
		return nil, false, err
	}
	zone := zoneOf(run)
	view = &stepsView{Paused: got.Paused, Maturing: got.Maturing, StayDays: got.StayDays, Done: true}
	if got.MeasuredAt != 0 {
		view.Measured = got.MeasuredAt.Time().In(zone)
	}
	if got.NextStayAt != 0 {
		view.NextStay = got.NextStayAt.Time().In(zone)
	}
	began = got.Stayed+got.Bought+got.Maturing > 0
	coupons := map[id.Coupon]string{}
	for i, step := range got.Steps {
		row := stepRow{Have: step.Have, Count: step.Count, Hold: rules.Steps[i].HoldDays}
		row.What = choose(p.Lang, "%d 位好友进群留满 %d 天", "%d friends stay in a group for %d days", step.Count, got.StayDays)
		if step.Kind == invite.StepBought {
			row.What = choose(p.Lang, "%d 位好友下单付款", "%d friends order and pay", step.Count)
		}
		if row.Gift, err = s.giftName(ctx, p.Lang, step.Gift, coupons); err != nil {
			return nil, false, err
		}
		row.tell(p, zone, step.Reward)
		view.Rows = append(view.Rows, row)
		if step.Reward == nil && row.Missing() > 0 {
			view.Done = false
		}
		began = began || step.Reward != nil
	}
	for i := range view.Rows {
		if view.Rows[i].Missing() > 0 {
			view.Next = &view.Rows[i]
			break
		}
	}
	return view, began, nil
}

// giftName is what a step gives; coupons already read are in known.
func (s *Server) giftName(ctx context.Context, lang string, g invite.Gift, known map[id.Coupon]string) (string, error) {
	switch g.Kind {
	case invite.GiftPoints:
		return choose(lang, "%d 积分", "%d points", g.Points), nil
	case invite.GiftGoods:
		return clean(g.Name) + choose(lang, " ×%d", " ×%d", g.Qty), nil
	}
	name, read := known[g.Coupon]
	if !read {
		c, err := s.Wallet.FindCoupon(ctx, g.Coupon)
		if err != nil {
			return "", err
		}
		name = choose(lang, "优惠券「", "coupon ") + clean(choose(lang, c.NameZH, c.NameEN)) + choose(lang, "」", "")
		known[g.Coupon] = name
	}
	return name, nil
}

// tell says where a step and its reward stand, and when it can be taken.
func (r *stepRow) tell(p page, zone *time.Location, w *invite.Reward) {
	say := func(tone, zh, en string, args ...any) { r.Tone, r.State = tone, choose(p.Lang, zh, en, args...) }
	at := func(m clock.Milli) string { return moment(p.Lang, p.Now, m.Time().In(zone)) }
	switch {
	case w == nil && r.Missing() > 0:
		say("dim", "还差 %d 位", "%d to go", r.Missing())
		if r.Hold > 0 {
			r.More = choose(p.Lang, "达成 %d 天后发放", "given %d days after it is reached", r.Hold)
		}
	case w == nil:
		say("", "已达成，统计中", "reached, being counted")
	case w.State == invite.RewardMaturing:
		say("", "已达成", "reached")
		r.More = choose(p.Lang, "%s 可领", "can be taken from %s", at(w.AvailableAt))
	case w.State == invite.RewardWaiting:
		say("", "等待发放", "waiting")
		r.More = waitingFor(p.Lang, w.Reason)
		if w.NextAt != 0 {
			r.More += choose(p.Lang, "，最早 %s", "; at the earliest %s", at(w.NextAt))
		}
	case w.State == invite.RewardReady:
		say("good", "可领取", "ready")
		r.More = choose(p.Lang, "请联系群主或门店领取", "ask your group owner or the store for it")
	case w.State == invite.RewardGiven:
		say("good", "已发放", "given")
		r.More = at(w.GivenAt)
		if w.Reason == invite.ReasonPointsClamped {
			r.More += choose(p.Lang, "，实发 %d 积分（已到上限）", "; %d points, all that was left", w.Points)
		}
	default:
		say("dim", "未发放", "not given")
		r.More = waitingFor(p.Lang, w.Reason)
	}
}

// waitingFor is why a step reward waits or was skipped.
func waitingFor(lang string, r invite.Reason) string {
	switch r {
	case invite.ReasonInviterDayCap:
		return choose(lang, "今天的奖励已达上限", "today's rewards are used up")
	case invite.ReasonInviterCap:
		return choose(lang, "每人可得的奖励已满", "you have as many as one may have")
	case invite.ReasonCampaignCap, invite.ReasonPointsCap:
		return choose(lang, "活动奖励已发完", "the campaign's rewards are used up")
	case invite.ReasonIdentity:
		return choose(lang, "请先登录商城会员", "please sign in at the mall first")
	case invite.ReasonReview:
		return choose(lang, "核实中：人工核实后发放", "being checked: people look at it before it is given")
	case invite.ReasonHold:
		return ""
	}
	return choose(lang, "暂时发不出，会再试", "it could not be given yet and is tried again")
}

// goalView is one referral campaign on the reward page.
type goalView struct {
	Name  string
	Href  string
	Steps *stepsView
}

// goals are the campaigns with steps that the member has a live code of.
func (s *Server) goals(ctx context.Context, p page, m id.Member, codes []referral.Code) ([]goalView, error) {
	var list []goalView
	seen := map[id.Campaign]bool{}
	for _, code := range codes {
		if code.Status != referral.CodeLive || code.CampaignID == 0 || seen[code.CampaignID] {
			continue
		}
		seen[code.CampaignID] = true
		run, err := s.Campaign.FindCampaign(ctx, code.CampaignID)
		if err != nil {
			if missing(err) {
				continue // not published yet
			}
			return nil, err
		}
		if run.Kind != invite.Kind().Name {
			continue
		}
		rules, err := invite.Terms(run)
		if err != nil {
			return nil, err
		}
		if len(rules.Steps) == 0 {
			continue
		}
		steps, _, err := s.steps(ctx, p, run, rules, m)
		if err != nil {
			return nil, err
		}
		list = append(list, goalView{clean(run.Name), "/i/" + code.Code, steps})
	}
	return list, nil
}
