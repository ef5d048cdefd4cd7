package campaign

import (
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/english"
	"siyu/internal/money"
)

// Advice is one thing to change next time, with the figures it rests on.
type Advice struct {
	Code string `json:"code"`
	Zh   string `json:"zh"`
	En   string `json:"en"`
}

// adviceMost is how many a report gives: the first that apply.
const adviceMost = 3

// The marks from which a figure is worth a word.
const (
	unpaidMark   money.Bps = 2_000 // of the orders made
	refundMark   money.Bps = 1_000 // of the money paid
	unsoldMark   money.Bps = 5_000 // of an item's stock
	rewardMark   money.Bps = 3_000 // of the net
	missedMark   money.Bps = 8_000 // of a target
	declineMark  money.Bps = 9_000 // of the last like campaign
	promoterMark money.Bps = 5_000 // of the net, by one promoter
)

// advise reads a report and says what to change, what cost most first. It is
// arithmetic on the figures shown, not a forecast.
func advise(r Report) []Advice {
	var list []Advice
	say := func(applies bool, code, zh, en string, args ...any) {
		if applies && len(list) < adviceMost {
			list = append(list, Advice{Code: code, Zh: fmt.Sprintf(zh, args...), En: english.One(fmt.Sprintf(en, args...))})
		}
	}
	if r.Margin != nil {
		say(*r.Margin < 0 && r.Net > 0, "loss",
			"扣除成本和奖励后亏损 %s 元：提价，或降低奖励", "after cost and rewards it lost %s yuan: raise the price or lower the rewards", (-*r.Margin).String())
	}
	made := r.Total.Orders
	unpaid := made.Expired + made.Cancelled
	say(bpsOf(unpaid, made.Made) >= unpaidMark, "unpaid",
		"%d 笔订单中有 %d 笔未付款：缩短付款时限，并在到期前提醒", "%[2]d of %[1]d orders were not paid: shorten the time to pay, and remind before it ends", made.Made, unpaid)
	if out, item := soldOut(r.Items); out {
		say(true, "sold_out", "“%s”售罄：下次增加库存，或开放候补", "%q sold out: offer more next time, or open its waiting list", item.Name)
	}
	say(bpsOf(int64(r.Total.Refunded), int64(r.Total.Gross)) >= refundMark, "refunds",
		"退款占实付的 %s%%：逐单查看退款原因", "%s %% of what was paid went back: read the reasons order by order", percent(bpsOf(int64(r.Total.Refunded), int64(r.Total.Gross))))
	if item, rate := mostUnsold(r.Items); rate >= unsoldMark {
		say(true, "unsold", "“%s”剩余 %s%%：减少备货，或换品、降价", "%q kept %s %% of its stock: offer fewer, another product, or a lower price", item.Name, percent(rate))
	}
	say(bpsOf(int64(r.Total.RewardsPromised), int64(r.Net)) >= rewardMark, "rewards",
		"奖励占净额的 %s%%：下调奖励，或只奖励新客", "rewards took %s %% of the net: lower them, or reward for new members alone", percent(bpsOf(int64(r.Total.RewardsPromised), int64(r.Net))))
	for _, t := range r.Targets {
		say(t.Reached < missedMark, "target_missed",
			"目标 %s 只完成 %s%%：按实际重定目标，或扩大受众", "%s reached %s %% of its target: set it by what came, or widen the audience", t.Name, percent(t.Reached))
	}
	if l := r.LastLike; l != nil {
		say(l.Net > 0 && bpsOf(int64(r.Net), int64(l.Net)) < declineMark, "declined",
			"净额只有上次“%s”的 %s%%：对比两次的商品、时间和社群", "the net was %[2]s %% of %[1]q before: compare products, hours and groups", l.Name, percent(bpsOf(int64(r.Net), int64(l.Net))))
	}
	if b := r.BestPromoter; b != nil {
		say(bpsOf(int64(b.Net), int64(r.Net)) >= promoterMark, "one_promoter",
			"一位推荐人带来 %s%% 的净额：给更多会员发邀请码", "one promoter brought %s %% of the net: hand codes to more members", percent(bpsOf(int64(b.Net), int64(r.Net))))
	}
	say(r.BestPromoter == nil && made.Bought > 0, "no_codes",
		"没有订单来自邀请码：在群里发放邀请码", "no order came by an invite code: hand codes out in the groups")
	if b := r.BestHour; b != nil {
		at := b.HourAt.Time().In(r.zone).Format("15:04")
		say(made.Bought > 1 && b.HourAt-r.StartsAt >= clock.Milli(hourMilli), "best_hour",
			"%s 这一小时成交最多：下次把开场放在这个时段", "most was sold in the hour from %s: begin there next time", at)
	}
	if list == nil {
		list = []Advice{}
	}
	return list
}

const hourMilli = 3_600_000

func soldOut(items []ItemReport) (bool, ItemReport) {
	i := slices.IndexFunc(items, func(r ItemReport) bool { return r.Unsold == 0 && r.Sold > 0 })
	if i < 0 {
		return false, ItemReport{}
	}
	return true, items[i]
}

// mostUnsold is the item of which the largest part is left.
func mostUnsold(items []ItemReport) (worst ItemReport, rate money.Bps) {
	for _, r := range items {
		if left := bpsOf(r.Unsold, r.Unsold+r.Sold); left > rate {
			worst, rate = r, left
		}
	}
	return worst, rate
}

// percent writes basis points as a percentage with one digit.
func percent(b money.Bps) string { return fmt.Sprintf("%d.%d", b/100, b%100/10) }
