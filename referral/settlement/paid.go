package settlement

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// PaidIn says which of the rewards have been paid, and when. A payment that
// came back does not count; the one of the settlement that carries it does.
func PaidIn(q *database.Query, rewards []id.Reward) (map[id.Reward]clock.Milli, error) {
	out := make(map[id.Reward]clock.Milli, len(rewards))
	origin := make(map[int64]id.Reward, len(rewards))
	for _, r := range rewards {
		origin[int64(r)] = r
	}
	// Each round follows what failed into the settlement that carries it,
	// which is a later one.
	for kind := KindReward; len(origin) > 0; kind = KindFailed {
		paid, err := paymentsOf(q, kind, origin)
		if err != nil {
			return nil, err
		}
		failed := map[int64]id.Reward{}
		for _, p := range paid {
			if p.Status == PayoutLineFailed {
				failed[p.ID] = origin[p.SourceID]
			} else {
				out[origin[p.SourceID]] = p.PaidAt
			}
		}
		origin = failed
	}
	return out, nil
}

// payment is the payout line that a settlement's line went into.
type payment struct {
	SourceID int64
	ID       int64
	Status   PayoutLineStatus
	PaidAt   clock.Milli
}

func paymentsOf(q *database.Query, kind Kind, sources map[int64]id.Reward) ([]payment, error) {
	ids := make([]int64, 0, len(sources))
	for s := range sources {
		ids = append(ids, s)
	}
	var rows []payment
	err := q.Raw(`SELECT l.source_id, f.id, f.status, f.paid_at FROM settlement_lines l
		JOIN payout_lines f ON f.settlement_id = l.settlement_id AND f.member_id = l.member_id
		WHERE l.source_id IN ? AND l.kind = ? AND l.freed = 0`, ids, kind).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("settlement: payments: %w", err)
	}
	return rows, nil
}
