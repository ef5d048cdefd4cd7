package settlement_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

func TestSee(t *testing.T) {
	earned, cleared, paid := clock.Milli(1000), clock.Milli(2000), clock.Milli(3000)
	event := func(kind referral.EventKind, at clock.Milli, n money.Amount) referral.RewardEvent {
		return referral.RewardEvent{Kind: kind, At: at, Amount: n}
	}
	pending := referral.Reward{ID: 1, Currency: money.CNY, Amount: 800, Net: 800, State: referral.RewardPending, EarnedAt: earned, MaturesAt: 9000}
	due := pending
	due.State, due.ClearedAt, due.Events = referral.RewardCleared, cleared, []referral.RewardEvent{event(referral.EventCleared, cleared, 800)}
	taken := func(r referral.Reward, e referral.RewardEvent, state referral.RewardState) referral.Reward {
		r.Events = append(append([]referral.RewardEvent{}, r.Events...), e)
		r.Net += e.Amount
		r.State = state
		return r
	}
	given := func(status settlement.PayoutLineStatus) settlement.Payment {
		return settlement.Payment{Settlement: 5, Payout: 6, Status: status, At: paid, CutAt: 2600, Gross: 2000, Tax: 100, Net: 1900}
	}
	sum := &settlement.SeenPayment{PayoutID: 6, Gross: 2000, Tax: 100, Net: 1900}
	inReview, byStaff := pending, event(referral.EventVoided, 1500, -800)
	inReview.Review, byStaff.StaffID, byStaff.Reason = referral.ReviewOpen, 7, "刷单"
	byMall := event(referral.EventClawedBack, 3500, -800)
	byMall.StaffID = 8 // its key's
	points, coupon := due, pending
	points.Currency, coupon.Currency, coupon.Note = money.PTS, referral.Coupons, "coupon.gone"
	type seen struct {
		State   settlement.SeenState
		Why     settlement.Why
		At      clock.Milli
		Amount  money.Amount
		Taken   money.Amount
		Payment *settlement.SeenPayment
	}
	for name, c := range map[string]struct {
		reward  referral.Reward
		payment settlement.Payment
		want    seen
	}{
		"to come":                       {pending, settlement.Payment{}, seen{settlement.SeenPending, settlement.WhyMatures, 9000, 800, 0, nil}},
		"to come, less":                 {taken(pending, event(referral.EventReduced, 1500, -300), referral.RewardPending), settlement.Payment{}, seen{settlement.SeenPending, settlement.WhyPartlyLesser, 9000, 500, 300, nil}},
		"stopped for people":            {inReview, settlement.Payment{}, seen{settlement.SeenPending, settlement.WhyReview, 9000, 800, 0, nil}},
		"due":                           {due, settlement.Payment{}, seen{settlement.SeenAvailable, settlement.WhyUnsettled, cleared, 800, 0, nil}},
		"due, less":                     {taken(due, event(referral.EventClawedBack, 2500, -300), referral.RewardCleared), settlement.Payment{}, seen{settlement.SeenAvailable, settlement.WhyPartlyTaken, cleared, 500, 300, nil}},
		"in a settlement":               {due, settlement.Payment{Settlement: 5}, seen{settlement.SeenAvailable, settlement.WhySettled, cleared, 800, 0, nil}},
		"left out by a payout":          {due, settlement.Payment{Settlement: 5, Held: payee.ReasonNoPayee}, seen{settlement.SeenAvailable, "no_payee", cleared, 800, 0, nil}},
		"come back":                     {due, settlement.Payment{CameBack: true, At: 4000}, seen{settlement.SeenAvailable, settlement.WhyCameBack, 4000, 800, 0, nil}},
		"on its way":                    {due, given(settlement.PayoutLineSent), seen{settlement.SeenPaying, settlement.WhySent, paid, 800, 0, sum}},
		"nobody says":                   {due, given(settlement.PayoutLineUnknown), seen{settlement.SeenConfirming, settlement.WhyUnknown, paid, 800, 0, sum}},
		"arrived":                       {due, given(settlement.PayoutLinePaid), seen{settlement.SeenPaid, settlement.WhyArrived, paid, 800, 0, sum}},
		"arrived after a part came off": {taken(due, event(referral.EventClawedBack, 2500, -300), referral.RewardCleared), given(settlement.PayoutLinePaid), seen{settlement.SeenPaid, settlement.WhyArrived, paid, 500, 300, sum}},
		"a part taken since":            {taken(due, event(referral.EventClawedBack, 3500, -300), referral.RewardCleared), given(settlement.PayoutLinePaid), seen{settlement.SeenPaid, settlement.WhyPartlyBack, paid, 500, 300, sum}},
		"points that were given":        {points, settlement.Payment{}, seen{settlement.SeenPaid, settlement.WhyGiven, cleared, 800, 0, nil}},
		"a coupon that waits":           {coupon, settlement.Payment{}, seen{settlement.SeenPending, settlement.WhyCouponWaits, 9000, 800, 0, nil}},
		"a part taken on its way":       {taken(due, event(referral.EventClawedBack, 2700, -300), referral.RewardCleared), given(settlement.PayoutLinePaid), seen{settlement.SeenPaid, settlement.WhyPartlyBack, paid, 500, 300, sum}},
		"refunded by the mall's key":    {taken(due, byMall, referral.RewardClawedBack), given(settlement.PayoutLinePaid), seen{settlement.SeenClawedBack, settlement.WhyRefunded, 3500, 800, 800, nil}},
		"taken back whole":              {taken(due, event(referral.EventClawedBack, 3500, -800), referral.RewardClawedBack), given(settlement.PayoutLinePaid), seen{settlement.SeenClawedBack, settlement.WhyRefunded, 3500, 800, 800, nil}},
		"void by a refund":              {taken(pending, event(referral.EventReduced, 1500, -800), referral.RewardVoided), settlement.Payment{}, seen{settlement.SeenVoid, settlement.WhyRefunded, 1500, 800, 800, nil}},
		"void by people":                {taken(pending, byStaff, referral.RewardVoided), settlement.Payment{}, seen{settlement.SeenVoid, settlement.WhyRefused, 1500, 800, 800, nil}},
		"never earned":                  {referral.Reward{ID: 1, State: referral.RewardDeclined, Note: referral.NoteBudgetExhausted, EarnedAt: earned}, settlement.Payment{}, seen{settlement.SeenVoid, "budget_exhausted", earned, 0, 0, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			s := settlement.See(c.reward, c.payment)
			if diff := cmp.Diff(c.want, seen{s.State, s.Why, s.At, s.Amount, s.Taken, s.Payment}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatIsNetted: a part that the settlement counted is no more than taken; one
// taken since, also while the payment was on its way, later rewards make up for.
func TestWhatIsNetted(t *testing.T) {
	part := func(at clock.Milli, n money.Amount) referral.RewardEvent {
		return referral.RewardEvent{Kind: referral.EventClawedBack, At: at, Amount: -n}
	}
	r := referral.Reward{ID: 1, Currency: money.CNY, Amount: 800, Net: 430, State: referral.RewardCleared, ClearedAt: 2000,
		Events: []referral.RewardEvent{{Kind: referral.EventCleared, At: 2000, Amount: 800}, part(2600, 300), part(2601, 50), part(3500, 20)}}
	for status, want := range map[settlement.PayoutLineStatus]money.Amount{"": 0, settlement.PayoutLineSent: 70, settlement.PayoutLinePaid: 70} {
		got := settlement.See(r, settlement.Payment{Settlement: 5, Status: status, At: 3000, CutAt: 2600})
		if got.Taken != 370 || got.Netted != want {
			t.Errorf("%q: taken %s, netted %s, want %s", status, got.Taken, got.Netted, want)
		}
	}
}
