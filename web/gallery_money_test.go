package web

import (
	"time"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

// moneyGallery are the pages on which members ask to be paid and look at what
// was settled, a reward whose payment waits for a tap, and the objections on
// the console.
func moneyGallery() []shown {
	day := func(n int) clock.Milli { return clock.MilliOf(noon().AddDate(0, 0, n)) }
	terms := settlement.Terms{Mode: settlement.ModeOnRequest, Least: 1000, Most: 200_000, FeeFixed: 100, FeeRate: 60, PerDay: 2}
	withdraw := func(lang string) withdrawPage {
		p := withdrawPage{page: base(lang, choose(lang, "提现", "Withdraw"))}
		p.Offers = []offeredView{offered(lang, settlement.Offer{PayerID: 1, PayerName: "晨光文化（上海）有限公司", Terms: terms, Available: 220_500, AskedToday: 1, RewardCount: 3, Gross: 180_500, Fee: 1183, Net: 179_317}),
			offered(lang, settlement.Offer{PayerID: 2, PayerName: "西湖茶业", Terms: terms, Available: 600, Refusal: settlement.ErrLeast.With("have", money.Amount(600)).With("least", terms.Least)})}
		paid := &settlement.SeenPayment{Gross: 179_317, Tax: 19_863, Net: 159_454}
		for i, w := range []settlement.SeenWithdrawal{
			{State: settlement.AskedState, At: day(0)}, {State: settlement.SettlingState, Why: settlement.WhyObjected, At: day(-1)},
			{State: settlement.PayingState, Why: settlement.WhyToConfirm, At: day(-2), Payment: paid}, {State: settlement.PaidState, Why: settlement.WhyArrived, At: day(-3), Payment: paid},
			{State: settlement.PaidState, Why: settlement.WhyAllTax, At: day(-3), Payment: &settlement.SeenPayment{Gross: 179_317, Tax: 179_317}},
			{State: settlement.FailedState, Why: settlement.Why(payee.ReasonNoPayee), At: day(-4)}, {State: settlement.FailedState, Why: settlement.WhyCameBack, At: day(-5)},
			{State: settlement.RefusedState, At: day(-6), Withdrawal: settlement.Withdrawal{EndedBy: 1, Reason: "资料待核实，请先上传发票"}}, {State: settlement.CancelledState, At: day(-7)},
		} {
			w.ID, w.No, w.Gross, w.Fee, w.AskedAt = id.Withdrawal(99-i), int64(128-i), 180_500, 1183, day(-i-1)
			p.Asked = append(p.Asked, askedOf(lang, noon(), w))
		}
		return p
	}
	statement := func(lang string) statementPage {
		p := statementPage{page: base(lang, choose(lang, "对账单", "Statement")), Heading: choose(lang, "2026 年 3 月", "3/2026"), Month: 202603, Before: 202602, After: 202604, Count: 5, Gross: 178_117}
		for i, l := range []settlement.StatementLine{
			{Kind: settlement.KindReward, Gross: 180_500, Payment: settlement.PayoutLinePaid}, {Kind: settlement.KindFee, Gross: -1183},
			{Kind: settlement.KindReward, Gross: 800, Objection: settlement.ObjectionOpen, Reason: "这一单是两件，少算了一件的邀请奖"},
			{Kind: settlement.KindClawback, Gross: -2000, Objection: settlement.ObjectionAnswered, Reason: "没有退款", Answer: "已核对，下期补发"}, {Kind: settlement.KindDeferred, Gross: 800, Payment: settlement.PayoutLineFailed},
		} {
			l.SettlementID, l.LineNo, l.Label, l.OccurredAt, l.ObjectUntil = 7<<40, i+1, "2026-02 邀请奖", day(-i), day(2)
			p.Lines = append(p.Lines, statementOf(lang, day(0), l))
		}
		return p
	}
	objections := objectionsPage{page: base(langZH, "对账异议"), Cards: []objectionCard{
		{ID: 1, Who: "王*", Line: id.Settlement(7<<40).String() + "/3", What: "奖励", Amount: 800, At: noon(), Reason: "这一单是两件，少算了一件的邀请奖", Open: true},
		{ID: 2, Who: "李*", Line: id.Settlement(7<<40).String() + "/12", What: "退款扣回", Amount: 2000, Less: true, At: noon(), Reason: "没有退款", Answer: "已核对，下期补发"}}}
	toConfirm := rewardPage{page: base(langZH, "邀请奖"), Reward: rewardOf(langZH, noon(), settlement.Seen{State: settlement.SeenConfirming, Why: settlement.WhyToConfirm, At: day(0), Until: day(1), EarnedAt: day(-20), Amount: 800, Currency: money.CNY}, nil),
		Confirm: &confirmView{2050, countdown{Until: noon().Add(23 * time.Hour), Now: noon(), Reload: true}, "1900000109", "wx1", "pkg", 0}, Proof: []figure{{"邀请码", "8K3Q-7TZP"}}}
	rests := rewardPage{page: base(langEN, "For inviting"), Reward: rewardOf(langEN, noon(), settlement.Seen{State: settlement.SeenAvailable, At: day(0), EarnedAt: day(-20), Amount: 300_000, Currency: money.CNY}, nil),
		Steps: []rewardStep{{What: "noted when your friend paid", When: noon(), Amount: 300_000}, {What: "lowered by a partial refund", When: noon(), Amount: 12_345_600, Less: true}},
		Proof: []figure{{"By the rule", ruleIn(langEN, referral.Evidence{TouchDays: 30, Weighed: 12}, "Dec 27, 17:40")}, {"Program as promised", "Old friends bring new friends " + longName + " version 12 · 71b7ca2b"}, {"Order", id.Order(7 << 40).String()}}}
	zh, en, refused, none := withdraw(langZH), withdraw(langEN), withdraw(langZH), withdrawPage{page: base(langZH, "提现")}
	refused.Notice = &notice{Text: fault.Invalid.Text(langZH)}
	szh, sen := statement(langZH), statement(langEN)
	return []shown{{"withdraw", "withdraw", zh.page, zh}, {"withdraw_en", "withdraw", en.page, en}, {"withdraw_refused", "withdraw", refused.page, refused}, {"withdraw_none", "withdraw", none.page, none},
		{"statement", "statement", szh.page, szh}, {"statement_en", "statement", sen.page, sen}, {"objections", "objections", objections.page, objections}, {"reward_confirm", "reward", toConfirm.page, toConfirm}, {"reward_rests", "reward", rests.page, rests}}
}
