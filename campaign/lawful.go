package campaign

import (
	"fmt"

	"siyu/internal/id"
	"siyu/referral"
	"siyu/wallet"
)

// Case is what the checks of law and carrier look at.
type Case struct {
	Outlook
	Texts   []Text          // what members read beside the campaign's own names
	Rules   *referral.Rules // of the program, if there is one
	Stacks  []Stack
	Coupons map[id.Coupon]wallet.Coupon
}

// The checks that are no words, with what each rests on.
var (
	lawReference = rule{id: "reference_price", lawZH: "规范促销行为暂行规定（价格促销）", lawEN: "Interim Provisions on Promotion: price promotion"}
	lawCountdown = rule{id: "countdown", lawZH: "反不正当竞争法（虚假宣传）", lawEN: "Anti-Unfair Competition Law: false publicity"}
	lawDumping   = rule{id: "below_cost", lawZH: "价格法第十四条第二项", lawEN: "Price Law art. 14(2)"}
	lawTeams     = rule{id: "invented_members", lawZH: "微信外部链接内容管理规范（虚假拼团）", lawEN: "WeChat rules on external links: false group-buys"}
	lawDepth     = rule{id: "reward_depth", lawZH: "禁止传销条例第七条；微信 2016 年分销公告", lawEN: "Regulation on Prohibiting Pyramid Selling art. 7; WeChat's notice of 2016"}
	lawEntry     = rule{id: "reward_entry", lawZH: "禁止传销条例第七条第二项", lawEN: "Regulation on Prohibiting Pyramid Selling art. 7(2)"}
	lawSales     = rule{id: "reward_by_sales", lawZH: "禁止传销条例第七条第三项；微信 2016 年分销公告", lawEN: "Regulation on Prohibiting Pyramid Selling art. 7(3); WeChat's notice of 2016"}
	lawTrigger   = rule{id: "reward_trigger", lawZH: "微信外部链接内容管理规范（诱导分享）", lawEN: "WeChat rules on external links: inducement to share"}
	lawPrize     = rule{id: "prize_cap", lawZH: "反不正当竞争法（有奖销售）：抽奖最高奖不超过 50,000 元", lawEN: "Anti-Unfair Competition Law, prizes: no lottery prize above 50,000 yuan"}
	lawFrozen    = rule{id: "rules_frozen", lawZH: "规范促销行为暂行规定：开始后不得不利变更", lawEN: "Interim Provisions on Promotion: no change to members' loss once begun"}
	lawQuantity  = rule{id: "quantity_shown", lawZH: "规范促销行为暂行规定：限量须明示", lawEN: "Interim Provisions on Promotion: limited quantities are stated"}
	lawCoupon    = rule{id: "coupon_conditions", lawZH: "规范促销行为暂行规定：使用条件须显著标明", lawEN: "Interim Provisions on Promotion: conditions of use are plainly stated"}
	lawLabel     = rule{id: "advert_label", lawZH: "广告法第十四条；互联网广告管理办法", lawEN: "Advertising Law art. 14; Measures on Internet Advertising"}
	lawPay       = rule{id: "pay_page", lawZH: "价格法第十三条（明码标价）", lawEN: "Price Law art. 13: prices and conditions are shown"}
	lawLogin     = rule{id: "login_page", lawZH: "Siyu：限购商品须识别会员", lawEN: "Siyu: limited items need a known member"}
)

// Examine runs every check that the data can decide. The order is fixed.
func Examine(f Case) []Finding {
	out := CheckTexts(append(textsOf(f.Campaign), f.Texts...))
	out = append(out, f.prices()...)
	out = append(out, f.rewards()...)
	out = append(out, f.coupons()...)
	return append(out, f.pages()...)
}

func (f Case) prices() []Finding {
	var out []Finding
	for i, item := range f.Campaign.Items {
		p, dealt, at := f.Products[item.ProductID], f.Dealt[item.ProductID], fmt.Sprintf("items[%d]", i)
		if low := dealt.Lowest; item.Price < p.ListPrice && low != 0 {
			out = append(out, lawReference.when(low < p.ListPrice, ResultWarning, at+".price_fen",
				fmt.Sprintf("标价 %s，但近 7 日曾以 %s 成交；划线价不得高于该价", p.ListPrice, low),
				fmt.Sprintf("the list price is %s, but in the last 7 days it was dealt at %s; compare with no higher price", p.ListPrice, low),
				"近 7 日在本系统的成交价不低于标价", "in the last 7 days it was dealt here at no less than the list price"))
		}
		out = append(out, lawCountdown.when(dealt.JustEnded, ResultWarning, at,
			"同一商品的上一个活动结束不足 24 小时，倒计时可能失真", "another campaign with it ended less than 24 hours before, so the countdown may not be true",
			"倒计时取自活动的结束时间，近 24 小时无同商品活动结束", "the countdown is the campaign's end, and none with it ended in the 24 hours before"))
		if i < len(f.Stacks) && p.Cost > 0 {
			out = append(out, lawDumping.when(f.Stacks[i].UnderCost, ResultWarning, at,
				fmt.Sprintf("叠加后每件最低 %s，低于成本 %s；除处理积压、临期等外不得低于成本倾销", f.Stacks[i].Lowest, p.Cost),
				fmt.Sprintf("stacked it may go for %s, under the cost of %s; only clearing and the like may sell under cost", f.Stacks[i].Lowest, p.Cost),
				"叠加后仍不低于成本", "stacked it does not go under its cost"))
		}
	}
	return out
}

func (f Case) rewards() []Finding {
	pass := func(r rule, zh, en string) Finding { return r.finding(ResultPass, "", zh, en) }
	out := []Finding{
		pass(lawPrize, "没有抽奖，不涉及", "nothing is drawn by lot"),
		pass(lawTeams, "每个席位都是一个会员的订单，系统不能虚构成员", "every seat is a member's order; none can be invented"),
		pass(lawFrozen, "发布后规则冻结，只能往对会员有利的方向改", "rules are frozen once published and change only in members' favour"),
		pass(lawQuantity, "页面展示库存和限购", "pages show stock and limits"),
	}
	if f.Rules == nil {
		return append(out, pass(lawDepth, "没有奖励方案，不涉及", "there is no program"))
	}
	paysBySales, fees := false, false
	for _, p := range f.Rules.Rewards {
		fees = fees || p.To.Fee()
		paysBySales = paysBySales || p.To != referral.SideInvitee && p.Mode == referral.ModePercent && f.Rules.Trigger != referral.TriggerFirstPaidOrder
	}
	trigger := pass(lawTrigger, "由被邀请人付款触发，不为分享付奖励", "earned by the invited person's payment, not by a share")
	if f.Rules.Trigger.WithoutOrder() {
		trigger = pass(lawTrigger, "由被邀请人留在群里或活跃触发，只给积分和优惠券，不为分享付奖励", "earned by the invited person's staying or activity, in points and coupons alone, not by a share")
	}
	depth := pass(lawDepth, "只奖励直接邀请人和被邀请人，共一级", "only the direct inviter and the invited are rewarded: one level")
	if fees {
		depth = pass(lawDepth, "邀请奖励只有一级；服务费只付给开团人、群主、KOC 本人的服务，不按层级", "invitations are rewarded at one level; service fees are for the opener's, owner's or KOC's own work, at no level")
	}
	return append(out,
		depth,
		trigger,
		lawEntry.when(f.Rules.InviterHasOrdered, ResultWarning, "program_id",
			"邀请人须先有完成的订单；以购买为取得推广资格的条件有风险，建议去掉", "an inviter must have bought before; buying as the price of inviting is a risk, better not ask for it",
			"邀请资格不以购买为条件", "nobody has to buy to invite"),
		lawSales.when(paysBySales, ResultWarning, "program_id",
			"按被邀请人每一单的金额给邀请人、群主或 KOC 提成；请由法务确认", "inviters, group owners or KOCs are paid a share of every order of the invited; have counsel look at it",
			"不按被邀请人的持续销售额提成", "no lasting share of the invited person's orders is paid"),
	)
}

func (f Case) coupons() []Finding {
	var out []Finding
	seen := map[id.Coupon]bool{}
	for i, s := range f.Stacks {
		c, ok := f.Coupons[s.CouponID]
		if !ok || seen[c.ID] {
			continue
		}
		seen[c.ID] = true
		capless := c.Kind == wallet.DiscountPercent && c.Cap == 0
		out = append(out, lawCoupon.when(capless, ResultWarning, fmt.Sprintf("items[%d]", i),
			"折扣券“"+c.NameZH+"”没有封顶，请确认并标明", "the coupon “"+c.NameEN+"” has no cap; make sure of it and say so",
			"券“"+c.NameZH+"”的门槛、封顶和有效期都有记录", "minimum, cap and dates of the coupon “"+c.NameEN+"” are on record"))
	}
	return out
}

func (f Case) pages() []Finding {
	out := []Finding{lawLabel.finding(ResultPass, "", "推送带“广告”标识", "what is sent carries the advert label")}
	limited := false
	for _, item := range f.Campaign.Items {
		limited = limited || item.PerMember > 0
	}
	if len(f.Campaign.Items) > 0 {
		out = append(out, lawPay.when(f.Campaign.PayURL == "", ResultWarning, "pay_url",
			"没有付款页地址，会员看不到最终价格和付款条件", "there is no page to pay on, so members do not see the final price and terms",
			"付款页地址已填写", "there is a page to pay on"))
	}
	return append(out, lawLogin.when(limited && f.Campaign.LoginURL == "", ResultWarning, "login_url",
		"有限购商品但没有登录页地址，访客无法领取", "there are limited items and no page to sign in on, so guests cannot claim them",
		"无需登录页，或已填写", "a page to sign in on is there or not needed"))
}
