package settlement

import (
	"context"

	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// SeenState is where a reward stands in the words of its member.
type SeenState string

// The states: 待生效, 可提现, 打款中, 待确认, 已到账, 已失效, 已扣回.
const (
	SeenPending    SeenState = "pending"     // it has not matured, or people look at it
	SeenAvailable  SeenState = "available"   // due, and not given out yet
	SeenPaying     SeenState = "paying"      // on its way
	SeenConfirming SeenState = "confirming"  // asked for, and nobody says yet whether it arrived
	SeenPaid       SeenState = "paid"        // it has arrived
	SeenVoid       SeenState = "void"        // it came to nothing before it was due
	SeenClawedBack SeenState = "clawed_back" // taken back whole after it was due
)

// Why is the reason for a state: one of these, the note of a reward that was
// declined, or why its member cannot be paid now.
type Why string

// The reasons.
const (
	WhyMatures      Why = "matures"       // its day is to come
	WhyReview       Why = "in_review"     // people look at it
	WhyUnsettled    Why = "unsettled"     // no settlement holds it yet
	WhyToAsk        Why = "to_ask"        // it is paid once its member asks for it
	WhyAsked        Why = "asked"         // he asked; the next settlement holds it
	WhySettled      Why = "settled"       // a settlement holds it, no payout yet
	WhyCameBack     Why = "came_back"     // its payment came back; the next settlement carries it
	WhySent         Why = "sent"          // given to bank or agent
	WhyUnknown      Why = "unknown"       // its result says neither
	WhyToConfirm    Why = "to_confirm"    // its member must confirm it inside WeChat
	WhyArrived      Why = "arrived"       // it has arrived
	WhyAllTax       Why = "all_tax"       // it was paid, and all of the payment went to tax
	WhyGiven        Why = "given"         // its points or its coupon were given
	WhyCouponWaits  Why = "coupon_waits"  // its coupon cannot be given yet
	WhyRefunded     Why = "refunded"      // the order was refunded
	WhyRefused      Why = "refused"       // people took it back
	WhyPartlyBack   Why = "partly_back"   // it has arrived, and a part was taken back that its payment does not lack
	WhyPartlyTaken  Why = "partly_taken"  // due, less what refunds took
	WhyPartlyLesser Why = "partly_lesser" // to come, less what refunds took
)

// Seen is a reward as its member sees it: where it stands since when, why, and
// how much it is about. At is the day of the state, of a pending one the day
// on which it matures. Until is the end of the time to confirm it.
type Seen struct {
	RewardID   id.Reward     `json:"reward_id"`
	OrderID    id.Order      `json:"order_id"`
	ProgramID  id.Program    `json:"program_id"`
	CampaignID id.Campaign   `json:"campaign_id"`
	Side       referral.Side `json:"side"`
	EarnedAt   clock.Milli   `json:"earned_at"`
	State      SeenState     `json:"state"`
	Why        Why           `json:"reason"`
	At         clock.Milli   `json:"at"`
	Until      clock.Milli   `json:"confirm_until"`
	Currency   string        `json:"currency"`
	CouponID   id.Coupon     `json:"coupon_id"`
	Amount     money.Amount  `json:"amount"`  // fen, points or coupons
	Taken      money.Amount  `json:"taken"`   // by refunds and people, so far
	Netted     money.Amount  `json:"netted"`  // of it, what its payment does not lack; later rewards do
	Payment    *SeenPayment  `json:"payment"` // that it is part of; none before it is given out
}

// SeenPayment is one sum that was paid for all that was due then: what was
// taxed, what was withheld, what arrives.
type SeenPayment struct {
	PayoutID id.Payout    `json:"payout_id"`
	Gross    money.Amount `json:"gross_fen"`
	Tax      money.Amount `json:"tax_fen"`
	Net      money.Amount `json:"net_fen"`
}

// See puts a reward and its payment into what the member sees: a pure function.
func See(r referral.Reward, p Payment) Seen {
	s := Seen{RewardID: r.ID, OrderID: r.OrderID, ProgramID: r.ProgramID, CampaignID: r.CampaignID, Side: r.Side, EarnedAt: r.EarnedAt,
		Currency: r.Currency, CouponID: r.CouponID, Amount: r.Net, Taken: r.Amount - r.Net}
	if p.Status != "" {
		s.Netted = takenAfter(r, p.CutAt)
	}
	last, why := lastTaken(r)
	switch r.State {
	case referral.RewardDeclined:
		s.State, s.Why, s.At = SeenVoid, Why(r.Note), r.EarnedAt
	case referral.RewardVoided:
		s.State, s.Why, s.At, s.Amount = SeenVoid, why, last, r.Amount
	case referral.RewardClawedBack:
		s.State, s.Why, s.At, s.Amount = SeenClawedBack, why, last, r.Amount
	case referral.RewardPending:
		s.State, s.Why, s.At = SeenPending, WhyMatures, r.MaturesAt
		if s.Taken > 0 {
			s.Why = WhyPartlyLesser
		}
		if r.Note != "" && r.Currency == referral.Coupons {
			s.Why = WhyCouponWaits
		}
		if r.Review == referral.ReviewOpen {
			s.Why = WhyReview
		}
	case referral.RewardCleared:
		if r.Currency != money.CNY {
			s.State, s.Why, s.At = SeenPaid, WhyGiven, r.ClearedAt
			break
		}
		s.due(r, p)
	}
	return s
}

// due is what became of a reward that has cleared and was not taken back.
func (s *Seen) due(r referral.Reward, p Payment) {
	s.At = max(p.At, r.ClearedAt)
	switch p.Status {
	case PayoutLineSent:
		s.State, s.Why = SeenPaying, WhySent
		if p.Until != 0 {
			s.State, s.Why, s.Until = SeenConfirming, WhyToConfirm, p.Until
		}
	case PayoutLineUnknown:
		s.State, s.Why = SeenConfirming, WhyUnknown
	case PayoutLinePaid:
		s.State, s.Why = SeenPaid, WhyArrived
		if p.Net == 0 {
			s.Why = WhyAllTax
		}
		if s.Netted > 0 {
			s.Why = WhyPartlyBack
		}
	default:
		s.State, s.Why = SeenAvailable, WhyUnsettled
		switch {
		case p.Held != "":
			s.Why = Why(p.Held)
		case p.CameBack:
			s.Why = WhyCameBack
		case p.Settlement != 0:
			s.Why = WhySettled
		case p.Asking != "":
			s.Why = p.Asking
		case s.Taken > 0:
			s.Why = WhyPartlyTaken
		}
		return
	}
	s.Payment = &SeenPayment{p.Payout, p.Gross, p.Tax, p.Net}
}

// takenAfter is what was taken from a cleared reward after a moment.
func takenAfter(r referral.Reward, at clock.Milli) (sum money.Amount) {
	for _, e := range r.Events {
		if e.Kind == referral.EventClawedBack && e.At > at {
			sum -= e.Amount
		}
	}
	return sum
}

// lastTaken is when something was last taken from a reward, and by what. People
// who take one back say why; of a refund nothing is said, though it too has
// staff, whose key the mall reports it with.
func lastTaken(r referral.Reward) (at clock.Milli, why Why) {
	why = WhyRefunded
	for _, e := range r.Events {
		switch e.Kind {
		case referral.EventReduced, referral.EventVoided, referral.EventClawedBack:
			if at = max(at, e.At); e.Reason != "" {
				why = WhyRefused
			}
		}
	}
	if r.Review == referral.ReviewRefused {
		why = WhyRefused
	}
	return at, why
}

// SeeAll is See for rewards that were read, with their payments.
func (s *Service) SeeAll(ctx context.Context, list []referral.Reward) ([]Seen, error) {
	ids := make([]id.Reward, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	payments, err := PaymentsIn(s.DB.Read(ctx), ids)
	if err != nil {
		return nil, err
	}
	out := make([]Seen, len(list))
	now := clock.MilliOf(s.DB.Clock.Now())
	for i, r := range list {
		out[i] = See(r, payments[r.ID].at(now))
	}
	return out, nil
}
