package referral

import (
	"maps"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// ProveLost checks the rewards in money of orders against what was refunded of
// their goods: each has lost at least its share. More is lost by what is voided
// or refused; points and coupons go back only as far as something is left.
func ProveLost(q *database.Query, refunded map[id.Order]money.Amount, p *database.Proof) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(refunded)), inAtOnce) {
		var rows []Reward
		err := q.Raw("SELECT "+rewardColumns+" FROM rewards r WHERE r.order_id IN ? AND r.currency = ?", part, money.CNY).Scan(&rows).Error
		if err != nil {
			return err
		}
		if rows, err = foldAll(q, rows); err != nil {
			return err
		}
		for _, r := range rows {
			goods := refunded[r.OrderID]
			if lost := Lost(r.Amount, r.Base, goods); r.Amount-r.Net < lost {
				p.Break("reward %s of %s has lost %s, and %s of %s refunded of %s take %s", r.ID, r.Amount, r.Amount-r.Net, goods, r.Base, r.OrderID, lost)
			}
		}
	}
	return nil
}
