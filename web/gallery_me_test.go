package web

import (
	"siyu/internal/clock"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

// sampleRewards is a reward in every state that a member sees.
func sampleRewards(lang string) []rewardView {
	day := func(n int) clock.Milli { return clock.MilliOf(noon().AddDate(0, 0, n)) }
	paid := &settlement.SeenPayment{Gross: 90_000, Tax: 2_000, Net: 88_000}
	var list []rewardView
	for i, s := range []settlement.Seen{
		{State: settlement.SeenPending, Why: settlement.WhyMatures, At: day(14), Amount: 800},
		{State: settlement.SeenPending, Why: settlement.WhyReview, At: day(12), Amount: 800, Side: referral.SideInvitee},
		{State: settlement.SeenAvailable, Why: settlement.WhyUnsettled, At: day(-2), Amount: 1200},
		{State: settlement.SeenAvailable, Why: settlement.Why(payee.ReasonNoPayee), At: day(-9), Amount: 600},
		{State: settlement.SeenPaying, Why: settlement.WhySent, At: day(-1), Amount: 1500, Payment: paid},
		{State: settlement.SeenConfirming, Why: settlement.WhyUnknown, At: day(-3), Amount: 1500, Payment: paid},
		{State: settlement.SeenPaid, Why: settlement.WhyPartlyBack, At: day(-30), Amount: 60_000, Taken: 20_000, Netted: 20_000, Payment: paid},
		{State: settlement.SeenVoid, Why: settlement.Why(referral.NoteBudgetExhausted), At: day(-31)},
		{State: settlement.SeenClawedBack, Why: settlement.WhyRefunded, At: day(-32), Amount: 800},
	} {
		s.EarnedAt, s.Currency = day(-3*(i+1)), money.CNY
		v := rewardOf(lang, noon(), s, nil)
		list = append(list, v)
	}
	return list
}
