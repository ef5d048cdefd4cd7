package settlement

import (
	"cmp"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// WithdrawalState is where a request stands, in the words of its member.
type WithdrawalState string

// The states: 已申请, 结算中, 打款中, 已到账, 已退回, 已驳回, 已取消. A payment that
// failed is carried by the next settlement without being asked for again.
const (
	AskedState     WithdrawalState = "asked"
	SettlingState  WithdrawalState = "settling"
	PayingState    WithdrawalState = "paying"
	PaidState      WithdrawalState = "paid"
	FailedState    WithdrawalState = "failed"
	RefusedState   WithdrawalState = "refused"
	CancelledState WithdrawalState = "cancelled"
)

// WhyNetted is the reason of a request that is settled and paid nothing: what
// its member owed took it up.
const WhyNetted Why = "netted"

// SeenWithdrawal is a request with what became of it: since when, and why.
// The payment is that of all that its member was due in the settlement.
type SeenWithdrawal struct {
	Withdrawal
	State   WithdrawalState `json:"state"`
	Why     Why             `json:"state_reason"` // of a payment that waits or came back
	At      clock.Milli     `json:"at"`
	Payment *SeenPayment    `json:"payment"`
}

// seeWithdrawal puts a request and its payment into what its member sees; over
// says that its settlement has nothing left to pay. A pure function.
func seeWithdrawal(w Withdrawal, p Payment, over bool) SeenWithdrawal {
	s := SeenWithdrawal{Withdrawal: w, At: max(p.At, w.EndedAt, w.AskedAt)}
	switch w.Status {
	case WithdrawalAsked:
		s.State, s.At = AskedState, w.AskedAt
		return s
	case WithdrawalRefused:
		s.State, s.At = RefusedState, w.EndedAt
		return s
	case WithdrawalCancelled:
		s.State, s.At = CancelledState, w.EndedAt
		return s
	}
	switch p.Status {
	case PayoutLineSent:
		s.State, s.Why = PayingState, WhySent
		if p.Until != 0 {
			s.Why = WhyToConfirm
		}
	case PayoutLineUnknown:
		s.State, s.Why = PayingState, WhyUnknown
	case PayoutLinePaid:
		s.State, s.Why = PaidState, WhyArrived
		if p.Net == 0 {
			s.Why = WhyAllTax
		}
	default:
		s.State, s.Why = SettlingState, WhySettled
		switch {
		case p.CameBack:
			s.State, s.Why = FailedState, WhyCameBack
			if p.Held != "" {
				s.Why = Why(p.Held)
			}
		case p.Held != "":
			s.Why = Why(p.Held)
		case over:
			s.State, s.Why = PaidState, WhyNetted
		}
		return s
	}
	s.Payment = &SeenPayment{p.Payout, p.Gross, p.Tax, p.Net}
	return s
}

// seeWithdrawals reads what became of requests. All that one covers stands in
// one settlement under one member, so any of its rewards leads to its payment.
func seeWithdrawals(q *database.Query, now clock.Milli, list []Withdrawal) ([]SeenWithdrawal, error) {
	out := make([]SeenWithdrawal, 0, len(list))
	if len(list) == 0 {
		return out, nil
	}
	var settled []id.Withdrawal
	for _, w := range list {
		if w.Status == WithdrawalSettled {
			settled = append(settled, w.ID)
		}
	}
	first, payments, over := map[id.Withdrawal]id.Reward{}, map[id.Reward]Payment{}, map[id.Withdrawal]bool{}
	if len(settled) > 0 {
		var rows []struct {
			ID       id.Withdrawal
			RewardID id.Reward
			Status   Status
		}
		err := q.Raw(`SELECT w.id, s.status, (SELECT MIN(x.reward_id) FROM withdrawal_rewards x WHERE x.withdrawal_id = w.id) AS reward_id
			FROM withdrawals w JOIN settlements s ON s.id = w.settlement_id WHERE w.id IN ?`, settled).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("settlement: withdrawals: %w", err)
		}
		var rewards []id.Reward
		for _, r := range rows {
			first[r.ID], over[r.ID] = r.RewardID, r.Status == StatusPaid
			rewards = append(rewards, r.RewardID)
		}
		if payments, err = PaymentsIn(q, rewards); err != nil {
			return nil, err
		}
	}
	for _, w := range list {
		p := payments[first[w.ID]].at(now)
		out = append(out, seeWithdrawal(w, p, over[w.ID]))
	}
	return out, nil
}

// askable says of rewards that wait for a settlement how they come into one:
// under a request already, or by asking for them.
func askable(q *database.Query, rewards []id.Reward) (map[id.Reward]Why, error) {
	out := map[id.Reward]Why{}
	if len(rewards) == 0 {
		return out, nil
	}
	var rows []struct {
		RewardID id.Reward
		Mode     Mode
		Asked    int64
	}
	err := q.Raw(`SELECT r.id AS reward_id, COALESCE(t.mode, '') AS mode, COALESCE(x.withdrawal_id, 0) AS asked FROM (SELECT w.id, `+referral.PayerOf("w")+` AS payer_id FROM rewards w WHERE w.id IN ?) r
		LEFT JOIN payers p ON p.id = p.unit_id AND r.payer_id = 0
		LEFT JOIN withdrawal_heads h ON h.payer_id = COALESCE(p.id, r.payer_id) LEFT JOIN withdrawal_terms t ON t.payer_id = h.payer_id AND t.no = h.terms_no
		LEFT JOIN withdrawal_rewards x ON x.reward_id = r.id AND x.live = 0`, rewards).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("settlement: how rewards are asked for: %w", err)
	}
	for _, r := range rows {
		switch {
		case r.Asked != 0:
			out[r.RewardID] = WhyAsked
		case r.Mode == ModeOnRequest:
			out[r.RewardID] = cmp.Or(out[r.RewardID], WhyToAsk)
		}
	}
	return out, nil
}
