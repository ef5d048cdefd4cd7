package web

import (
	"siyu/community"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// giftView is what one side of an invitation gets: an amount, or a share of
// the order.
type giftView struct {
	Who    string
	Amount money.Amount
	Kind   string // points or a coupon in words
	Rate   string
	Note   string
}

// gifts puts a program's rules into plain words: what each side gets, and
// when, and what undoes it.
func gifts(lang, inviter string, r referral.Rules, coupons map[id.Coupon]string) ([]giftView, []string) {
	if len(r.Rewards) == 0 {
		return nil, nil
	}
	list := make([]giftView, 0, len(r.Rewards))
	for _, side := range []referral.Side{referral.SideInvitee, referral.SideInviter, referral.SideOpener} {
		for _, promise := range r.Rewards {
			if promise.To == side {
				list = append(list, giftOf(lang, inviter, r.Trigger, promise, coupons))
			}
		}
	}
	say := func(zh, en string, args ...any) string { return choose(lang, zh, en, args...) }
	rules := terms(say, r)
	if r.InviterHasOrdered {
		rules = append(rules, say("邀请人自己也下过单，才有邀请人那一份。", "The inviter's part needs an order of his own."))
	}
	return list, rules
}

// terms say what must be done for it and when it is due.
func terms(say func(zh, en string, args ...any) string, r referral.Rules) []string {
	if r.Trigger.WithoutOrder() {
		what := say("你进群并连续留满 %d 天后记下，再过 %d 天发放；中途退群不计。", "Noted once you have been in the group for %d days without leaving, and given %d days later.", r.Terms.Days, r.HoldDaysAfterReceipt)
		if r.Trigger == referral.TriggerActivity {
			what = say("你进群后 %[1]d 天内发言满 %[2]d 次后记下，再过 %[3]d 天发放；每天最多计 3 次。", "Noted if you write %[2]d messages in the group within %[1]d days, of a day at most 3; given %[3]d days later.", r.Terms.Days, r.Terms.Count, r.HoldDaysAfterReceipt)
			if r.Terms.Kind == community.ActivityCheckin {
				what = say("你进群后 %[1]d 天内打卡满 %[2]d 次后记下，再过 %[3]d 天发放；每天最多计 3 次。", "Noted if you check in %[2]d times in the group within %[1]d days, of a day at most 3; given %[3]d days later.", r.Terms.Days, r.Terms.Count, r.HoldDaysAfterReceipt)
			}
		}
		return []string{what, say("只奖励直接邀请，不看层级；分享本身没有奖励。一人一次。", "Only direct invitations count, and sharing as such earns nothing. Once for each person.")}
	}
	noted := say("你付款后记下", "Noted once you have paid")
	if r.Trigger == referral.TriggerTeamFormed {
		noted = say("你的团成团后记下", "Noted once your team has formed")
	}
	rules := []string{
		noted + say("，确认收货满 %[1]d 天（没有收货记录则付款满 %[2]d 天）后到期。",
			"; due %[1]d days after you received the goods, or %[2]d days after payment if no receipt is known.", r.HoldDaysAfterReceipt, r.HoldDaysAfterPayment),
		say("订单退款，奖励按退款比例取消。只奖励直接邀请，不看层级；分享本身没有奖励。",
			"A refund takes its share of the reward back. Only direct invitations count, and sharing as such earns nothing."),
	}
	if r.Trigger == referral.TriggerFirstPaidOrder {
		return append(rules, say("限第一次下单的新会员，一人一次。", "For a new member's first order, once."))
	}
	if r.Trigger == referral.TriggerOrderAbove {
		rules = append(rules, say("实付商品满 %s 元的订单才有。", "For orders of at least %s yuan paid for goods.", r.Terms.Above))
	}
	return append(rules, say("接受邀请后 %d 天内的订单有效。", "It holds for orders within %d days of the invitation.", r.AttributionDays))
}

func giftOf(lang, inviter string, t referral.Trigger, p referral.Promise, coupons map[id.Coupon]string) giftView {
	g := giftView{Who: choose(lang, "你（被邀请）", "You, invited"), Amount: p.Amount}
	if p.To == referral.SideInviter {
		g.Who = choose(lang, "%s（邀请人）", "%s, inviter", inviter)
	}
	g.Note = choose(lang, "付款后记下", "once you have paid")
	switch {
	case p.To == referral.SideOpener:
		g.Who, g.Note = choose(lang, "你（若由你开团）", "You, if you open a team"), choose(lang, "成团后记下，每团一笔", "once your team has formed, one for each")
	case t.WithoutOrder():
		g.Note = choose(lang, "做到后记下", "once it is done")
	case t == referral.TriggerTeamFormed:
		g.Note = choose(lang, "成团后记下", "once the team has formed")
	}
	g.Kind = inKind(lang, p.Currency, p.Qty, coupons[p.CouponID])
	switch {
	case p.Mode == referral.ModePercent && p.Currency == money.PTS:
		g.Kind, g.Note = choose(lang, "%s 积分/元", "%s points a yuan", hundredth(p.Rate)), choose(lang, "按实付商品金额", "of what is paid for the goods")
		if p.CapQty > 0 {
			g.Note = choose(lang, "按实付商品金额，最多 %d 积分", "of the goods paid, at most %d points", p.CapQty)
		}
	case p.Mode == referral.ModePercent:
		g.Amount, g.Rate, g.Note = 0, rate(p.Rate), choose(lang, "按实付商品金额", "of what is paid for the goods")
		if p.Cap > 0 {
			g.Note = choose(lang, "按实付商品金额，最多 ¥%s", "of the goods paid, at most ¥%s", p.Cap)
		}
	}
	if len(p.Steps) > 0 {
		g.Note += choose(lang, "；", "; ") + climbs(lang, p, coupons)
	}
	return g
}
