package web

import (
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// rewardView is a reward in words: what it is, where it stands since when and
// why, and how much it is about.
type rewardView struct {
	Href   string // of its own page
	What   string
	When   string
	Reason string
	Paid   string // the payment that it was part of
	Amount money.Amount
	Kind   string // points or a coupon in words
	State  string
	Tone   string // "", good, dim
	Void   bool
}

// sums are what a member asks for, as the ledger says it: what still waits,
// what is due, what is on its way and what has arrived, after tax. A debt
// shows as a negative amount due.
func sums(lang string, w wallet.Wallet) []sumView {
	due := w.Of(wallet.StagePayable, money.CNY)
	return []sumView{
		{seenName(lang, settlement.SeenPending), w.Of(wallet.StageReserved, money.CNY), true},
		{seenName(lang, settlement.SeenAvailable), due, due == 0},
		{seenName(lang, settlement.SeenPaying), w.Of(wallet.StagePaying, money.CNY), true},
		{seenName(lang, settlement.SeenPaid), w.Of(wallet.StagePaid, money.CNY), true},
	}
}

// seenName is the state's name.
func seenName(lang string, s settlement.SeenState) string {
	switch s {
	case settlement.SeenPending:
		return choose(lang, "待生效", "to come")
	case settlement.SeenAvailable:
		return choose(lang, "可提现", "due")
	case settlement.SeenPaying:
		return choose(lang, "打款中", "on its way")
	case settlement.SeenConfirming:
		return choose(lang, "待确认", "unconfirmed")
	case settlement.SeenPaid:
		return choose(lang, "已到账", "paid")
	case settlement.SeenClawedBack:
		return choose(lang, "已扣回", "taken back")
	}
	return choose(lang, "已失效", "void")
}

// rewardOf puts a reward into words.
func rewardOf(lang string, now time.Time, s settlement.Seen, coupons map[id.Coupon]string) rewardView {
	at := moment(lang, now, s.At.Time().In(shop))
	v := rewardView{Href: "/me/rewards/" + s.RewardID.String(), Amount: s.Amount, What: sideName(lang, s.Side), State: seenName(lang, s.State),
		When: choose(lang, "%s 记下", "noted %s", moment(lang, now, s.EarnedAt.Time().In(shop))), Reason: whyOf(lang, now, s, at)}
	v.Kind = inKind(lang, s.Currency, s.Amount, coupons[s.CouponID])
	switch s.State {
	case settlement.SeenAvailable, settlement.SeenPaying, settlement.SeenConfirming:
		v.Tone = "good"
	case settlement.SeenPaid:
		v.Tone = "dim"
	case settlement.SeenVoid, settlement.SeenClawedBack:
		v.Tone, v.Void = "dim", s.Amount > 0
	}
	switch s.Why {
	case settlement.WhyGiven:
		v.State, v.Tone = choose(lang, "已发放", "given"), "good"
	case settlement.WhyAllTax:
		v.State = choose(lang, "已结清", "settled")
	}
	if p := s.Payment; p != nil {
		v.Paid = choose(lang, "当次共付 ¥%s", "of ¥%s paid at once", p.Gross)
		if p.Tax > 0 {
			v.Paid = choose(lang, "当次共付 ¥%s，代扣税 ¥%s，实到 ¥%s", "of ¥%s paid at once, less ¥%s tax: ¥%s", p.Gross, p.Tax, p.Net)
		}
	}
	return v
}

func sideName(lang string, s referral.Side) string {
	switch s {
	case referral.SideInvitee:
		return choose(lang, "新人礼", "Welcome gift")
	case referral.SideOpener:
		return choose(lang, "开团服务费", "Fee for opening a team")
	case referral.SideGroupOwner:
		return choose(lang, "群主服务费", "Fee for keeping the group")
	case referral.SideKOC:
		return choose(lang, "KOC 服务费", "Fee as a KOC")
	}
	return choose(lang, "邀请奖", "For inviting")
}

// whyOf says since when and for what reason a reward stands where it does.
func whyOf(lang string, now time.Time, s settlement.Seen, at string) string {
	say := func(zh, en string, args ...any) string { return choose(lang, zh, en, args...) }
	switch s.Why {
	case settlement.WhyMatures:
		return say("%s 生效", "matures %s", at)
	case settlement.WhyPartlyLesser:
		return say("部分退款，已减少 ¥%s；%s 生效", "lowered by ¥%s by a partial refund; matures %s", s.Taken, at)
	case settlement.WhyReview:
		return say("核实中：人工核实后生效或取消", "being checked: people look at it before it is paid")
	case settlement.WhyUnsettled:
		return say("%s 生效，等下一次结算", "due since %s; waits for the next settlement", at)
	case settlement.WhyToAsk:
		return say("%s 生效，可申请提现", "due since %s; ask for it to be paid", at)
	case settlement.WhyAsked:
		return say("%s 生效，已申请提现，等下一次结算", "due since %s; asked for, waits for the next settlement", at)
	case settlement.WhyToConfirm:
		return say("%s 前在微信里确认收款", "confirm it inside WeChat before %s", moment(lang, now, s.Until.Time().In(shop)))
	case settlement.WhyPartlyTaken:
		return say("%s 生效，已扣回 ¥%s；等下一次结算", "due since %s, less ¥%s taken back; waits for the next settlement", at, s.Taken)
	case settlement.WhySettled:
		return say("%s 生效，已列入结算单，等打款", "due since %s; in a settlement, to be paid", at)
	case settlement.WhyCameBack:
		return say("上次打款没有成功（%s），随下一次结算再付", "its payment came back on %s; the next settlement pays it again", at)
	case settlement.WhySent:
		return say("%s 已提交打款", "given to the bank %s", at)
	case settlement.WhyUnknown:
		return say("%s 提交，银行还没有回执", "given to the bank %s, which has not confirmed", at)
	case settlement.WhyArrived:
		return say("%s 到账", "paid on %s", at)
	case settlement.WhyAllTax:
		return say("%s 付款，全部代扣为个税，没有款项到账", "paid on %s, and all of it was withheld as tax", at)
	case settlement.WhyGiven:
		return say("%s 发放", "given %s", at)
	case settlement.WhyCouponWaits:
		return say("优惠券暂时发不出，会自动重试", "the coupon cannot be given yet; it is tried again")
	case settlement.WhyPartlyBack:
		return say("%s 到账；另有 ¥%s 因退款扣回，从后续奖励抵扣", "paid on %s; ¥%s of it was taken back and is netted with later rewards", at, s.Netted)
	case settlement.WhyRefunded:
		return say("%s 订单退款", "the order was refunded %s", at)
	case settlement.WhyRefused:
		return say("%s 经核查取消", "cancelled after a review %s", at)
	}
	return cannot(lang, s.Why)
}

// cannot is why nothing was earned, or why its member cannot be paid now.
func cannot(lang string, w settlement.Why) string {
	switch string(w) {
	case string(referral.NoteBudgetExhausted):
		return choose(lang, "活动奖励预算已用完", "the program's budget was used up")
	case string(referral.NoteIdentityRequired):
		return choose(lang, "付款时还没有登录会员", "there was no signed-in member when the order was paid")
	case string(referral.NoteInviterNotBuyer):
		return choose(lang, "你自己还没有下过单", "you had no order of your own yet")
	case string(referral.NotePromoterFrozen):
		return choose(lang, "付款时你的推广资格被暂停", "you were suspended as a promoter when it was paid")
	case string(payee.ReasonNoPayee):
		return choose(lang, "还没有收款信息，填好后再付", "you have not said how you are paid")
	case string(payee.ReasonPending):
		return choose(lang, "收款信息的修改等待核对", "a change of how you are paid is being checked")
	case string(payee.ReasonNoInvoice):
		return choose(lang, "等待发票", "an invoice is missing")
	case string(payee.ReasonNoOpenID):
		return choose(lang, "要收到本店的微信，请重新填写收款信息", "your WeChat belongs to another app of ours; say again how you are paid")
	case string(settlement.WhyObjected):
		return choose(lang, "异议答复后再付", "paid once your objection is answered")
	case string(payee.ReasonPayroll):
		return choose(lang, "员工奖励随工资发放", "paid with your wages")
	case string(settlement.WhyNextPayout):
		return choose(lang, "等待下一批打款", "paid with the next payout")
	}
	if strings.HasSuffix(string(w), "_cap") {
		return choose(lang, "已达到活动的奖励上限", "the program's limit of rewards was reached")
	}
	return choose(lang, "暂时不能打款，请联系客服", "it cannot be paid now; please ask the shop")
}

// words of the steps of a reward.
func stepWords(lang string, r referral.Reward) map[referral.EventKind]string {
	words := map[referral.EventKind]string{
		referral.EventEarned: choose(lang, "朋友付款，记下", "noted when your friend paid"), referral.EventReduced: choose(lang, "部分退款，减少", "lowered by a partial refund"),
		referral.EventCleared: choose(lang, "生效，可提现", "matured and due"), referral.EventVoided: choose(lang, "取消", "cancelled"),
		referral.EventClawedBack: choose(lang, "扣回", "taken back"),
	}
	if r.Side == referral.SideInvitee {
		words[referral.EventEarned] = choose(lang, "你付款，记下", "noted when you paid")
	}
	switch r.Side {
	case referral.SideOpener:
		words[referral.EventEarned] = choose(lang, "你开的团成团，记下", "noted when the team you opened had formed")
	case referral.SideGroupOwner:
		words[referral.EventEarned] = choose(lang, "群友付款，记下", "noted when somebody of the group paid")
	}
	if r.OrderID == 0 {
		words[referral.EventEarned] = choose(lang, "已达成，记下", "noted when it was done")
	}
	if r.Evidence != nil && r.Evidence.Step != nil {
		words[referral.EventEarned] += climbed(lang, *r.Evidence.Step)
	}
	if r.Currency != money.CNY {
		words[referral.EventCleared] = choose(lang, "到期，已发放", "matured and given")
	}
	return words
}

// stepsOf puts what happened to a reward into words.
func stepsOf(lang string, r referral.Reward, s settlement.Seen, coupons map[id.Coupon]string) []rewardStep {
	words := stepWords(lang, r)
	step := func(what string, at clock.Milli, n money.Amount) rewardStep {
		return rewardStep{what, at.Time().In(shop), max(n, -n), inKind(lang, r.Currency, max(n, -n), coupons[r.CouponID]), n < 0}
	}
	var out []rewardStep
	for _, e := range r.Events {
		out = append(out, step(words[e.Kind], e.At, e.Amount))
	}
	if s.Payment != nil {
		out = append(out, step(seenName(lang, s.State), s.At, s.Amount))
	}
	return out
}
