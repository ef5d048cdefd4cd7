package settlement

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
)

// Payment is what became of a cleared reward's money. The zero value: nothing
// yet. The sums are of the payment, which pays all that was due then.
type Payment struct {
	Settlement id.Settlement
	Payout     id.Payout
	Status     PayoutLineStatus // none: not given out yet
	Held       payee.Reason     // why a payout left its member out
	CameBack   bool             // an earlier payment of it failed
	Asking     Why              // what its member does for it where he is paid on request
	At         clock.Milli      // when it was given out, arrived or came back
	CutAt      clock.Milli      // what was taken back up to then its settlement counted
	Until      clock.Milli      // up to when its member may confirm the bill it is sent by
	Gross      money.Amount
	Tax        money.Amount
	Net        money.Amount
}

// at is the payment as it stands at a moment: a bill whose time is over by our
// clock is no longer one to confirm, whatever the channel still says of it.
func (p Payment) at(now clock.Milli) Payment {
	if p.Until <= now {
		p.Until = 0
	}
	return p
}

// PaymentsIn says what became of the rewards' money. A payment that came back
// does not count; the one of the settlement that carries it does.
func PaymentsIn(q *database.Query, rewards []id.Reward) (map[id.Reward]Payment, error) {
	out := make(map[id.Reward]Payment, len(rewards))
	origin := make(map[int64]id.Reward, len(rewards))
	for _, r := range rewards {
		origin[int64(r)] = r
	}
	// Each round follows what failed into the settlement that carries it,
	// which is a later one.
	for kind := KindReward; len(origin) > 0; kind = KindFailed {
		lines, err := paymentsOf(q, kind, origin)
		if err != nil {
			return nil, err
		}
		failed := map[int64]id.Reward{}
		for _, l := range lines {
			r := origin[l.SourceID]
			if l.Status == PayoutLineFailed {
				failed[l.ID] = r
			}
			out[r] = l.payment(out[r].CameBack)
		}
		origin = failed
	}
	return out, askingIn(q, rewards, out)
}

// paidLine is a settlement's line with the payout line that it went into, if
// it did.
type paidLine struct {
	SourceID     int64
	SettlementID id.Settlement
	MemberID     id.Member
	ID           int64
	PayoutID     id.Payout
	Status       PayoutLineStatus
	PayingAt     clock.Milli
	PaidAt       clock.Milli
	FailedAt     clock.Milli
	UntilAt      clock.Milli
	CutAt        clock.Milli
	Gross        money.Amount
	Tax          money.Amount
	Net          money.Amount
	Held         payee.Reason `gorm:"-"`
}

func (l paidLine) payment(cameBack bool) Payment {
	p := Payment{Settlement: l.SettlementID, CutAt: l.CutAt, Held: l.Held, CameBack: cameBack}
	switch l.Status {
	case "":
		return p
	case PayoutLineFailed:
		return Payment{CameBack: true, At: l.FailedAt}
	case PayoutLinePaid:
		p.At = l.PaidAt
	default:
		p.At, p.Until = l.PayingAt, l.UntilAt
	}
	p.Payout, p.Status, p.Gross, p.Tax, p.Net = l.PayoutID, l.Status, l.Gross, l.Tax, l.Net
	return p
}

func paymentsOf(q *database.Query, kind Kind, sources map[int64]id.Reward) ([]paidLine, error) {
	ids := make([]int64, 0, len(sources))
	for s := range sources {
		ids = append(ids, s)
	}
	var rows []paidLine
	err := q.Raw(`SELECT l.source_id, l.settlement_id, l.member_id, COALESCE(f.id, 0) AS id, COALESCE(f.payout_id, 0) AS payout_id,
			COALESCE(f.status, '') AS status, COALESCE(p.paying_at, 0) AS paying_at, COALESCE(f.paid_at, 0) AS paid_at,
			COALESCE(f.failed_at, 0) AS failed_at, COALESCE(b.until_at, 0) AS until_at, s.cut_at, COALESCE(f.gross, 0) AS gross, COALESCE(f.tax, 0) AS tax, COALESCE(f.net, 0) AS net
		FROM settlement_lines l JOIN settlements s ON s.id = l.settlement_id
		LEFT JOIN payout_lines f ON f.settlement_id = l.settlement_id AND f.member_id = l.member_id
		LEFT JOIN payouts p ON p.id = f.payout_id LEFT JOIN payout_bills b ON b.line_id = f.id AND b.status = ?
		WHERE l.source_id IN ? AND l.kind = ? AND l.freed = 0`, BillWaiting, ids, kind).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("settlement: payments: %w", err)
	}
	return rows, heldOf(q, rows)
}

// heldOf adds why the latest payout of their settlement left members out.
func heldOf(q *database.Query, rows []paidLine) error {
	var in []id.Settlement
	var who []id.Member
	for _, l := range rows {
		if l.Status == "" {
			in, who = append(in, l.SettlementID), append(who, l.MemberID)
		}
	}
	if len(in) == 0 {
		return nil
	}
	var holds []struct {
		SettlementID id.Settlement
		MemberID     id.Member
		Reason       payee.Reason
	}
	err := q.Raw(`SELECT p.settlement_id, h.member_id, h.reason FROM payout_holds h JOIN payouts p ON p.id = h.payout_id
		WHERE p.settlement_id IN ? AND h.member_id IN ? ORDER BY p.id`, in, who).Scan(&holds).Error
	if err != nil {
		return fmt.Errorf("settlement: holds: %w", err)
	}
	for i, l := range rows {
		for _, h := range holds {
			if l.Status == "" && h.SettlementID == l.SettlementID && h.MemberID == l.MemberID {
				rows[i].Held = h.Reason
			}
		}
	}
	return nil
}

// askingIn adds to rewards that wait for a settlement how they come into one.
func askingIn(q *database.Query, rewards []id.Reward, out map[id.Reward]Payment) error {
	var waiting []id.Reward
	for _, r := range rewards {
		if _, there := out[r]; !there {
			waiting = append(waiting, r)
		}
	}
	by, err := askable(q, waiting)
	for r, why := range by {
		out[r] = Payment{Asking: why}
	}
	return err
}
