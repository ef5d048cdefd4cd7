package web

import (
	"strings"
	"testing"
	"time"

	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/settlement"
)

// Rewards in points and coupons never read as money.
func TestInKindWords(t *testing.T) {
	names := map[id.Coupon]string{7: "5 元券"}
	for _, c := range []struct {
		lang, currency, kind, state string
		state0                      referral.RewardState
	}{
		{"zh", money.PTS, "300 积分", "已发放", referral.RewardCleared},
		{"en", money.PTS, "300 points", "given", referral.RewardCleared},
		{"zh", referral.Coupons, "优惠券「5 元券」", "待生效", referral.RewardPending},
		{"en", referral.Coupons, "coupon 5 元券", "to come", referral.RewardPending},
		{"zh", money.CNY, "", "可提现", referral.RewardCleared},
	} {
		r := referral.Reward{Currency: c.currency, CouponID: 7, Amount: 300, Net: 300, State: c.state0}
		v := rewardOf(c.lang, time.UnixMilli(0), settlement.See(r, settlement.Payment{}), names)
		if v.Kind != c.kind || v.State != c.state {
			t.Errorf("%s %s: got %q %q, want %q %q", c.lang, c.currency, v.Kind, v.State, c.kind, c.state)
		}
	}
	rules := referral.Rules{Rewards: []referral.Promise{
		{To: referral.SideInviter, Mode: referral.ModePercent, Currency: money.PTS, Rate: 150, CapQty: 90},
		{To: referral.SideInvitee, Mode: referral.ModeFixed, Currency: referral.Coupons, Qty: 1, CouponID: 7},
	}}
	list, _ := gifts("zh", "王*", rules, names)
	if len(list) != 2 || list[0].Kind != "优惠券「5 元券」" || list[1].Kind != "1.5 积分/元" || list[1].Note != "按实付商品金额，最多 90 积分" {
		t.Errorf("gifts: got %+v", list)
	}
	climb := referral.Rules{Rewards: []referral.Promise{{To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 1000, StepWindow: referral.CapMonth,
		Steps: []referral.Step{{From: 5, Amount: 1500}, {From: 10, Amount: 2000}}}}}
	for lang, want := range map[string]string{"zh": "付款后记下；当月第 5 位起 ¥15.00、第 10 位起 ¥20.00", "en": "once you have paid; of the month ¥15.00 from number 5 on, ¥20.00 from number 10 on"} {
		if list, _ := gifts(lang, "王*", climb, names); list[0].Note != want {
			t.Errorf("steps: got %q, want %q", list[0].Note, want)
		}
	}
	taken := referral.Reward{Evidence: &referral.Evidence{Step: &referral.StepTaken{Step: 2, From: 5, Nth: 7, Window: referral.CapMonth}}, OrderID: 1}
	if got := stepWords("zh", taken)[referral.EventEarned]; got != "朋友付款，记下（当月第 7 位，按第 5 位起的一阶）" {
		t.Errorf("step taken: got %q", got)
	}
}

// A payment that was all tax does not read as money that arrived.
func TestAllTaxWords(t *testing.T) {
	at, all := time.Date(2026, 4, 2, 12, 0, 0, 0, shop), &settlement.SeenPayment{Gross: 5000, Tax: 5000}
	for lang, want := range map[string]string{langZH: "全部代扣为个税，没有款项到账", langEN: "all of it was withheld as tax"} {
		v := rewardOf(lang, at, settlement.Seen{State: settlement.SeenPaid, Why: settlement.WhyAllTax, Currency: money.CNY, Amount: 5000, Payment: all}, nil)
		w := askedOf(lang, at, settlement.SeenWithdrawal{State: settlement.PaidState, Why: settlement.WhyAllTax, Payment: all})
		l := payoutLineOf(lang, settlement.PayoutLine{TransferID: 1, Owed: 5000, Tax: 5000, Status: settlement.PayoutLinePaid, Reason: "all_tax"}, "王*")
		if !strings.Contains(v.Reason, want) || !strings.Contains(w.Reason, want) || v.State != w.State || v.State == seenName(lang, settlement.SeenPaid) {
			t.Errorf("%s: a reward says %q %q, a request %q", lang, v.State, v.Reason, w.Reason)
		}
		if sent := choose(lang, "没有款项付出", "nothing was sent"); !strings.Contains(l.Why, sent) {
			t.Errorf("%s: the payout says %q %q", lang, l.State, l.Why)
		}
	}
}
