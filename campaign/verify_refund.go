package campaign

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// refundsAt is how many refunds one snapshot of VerifyRefunds looks at.
const refundsAt = 1000

// VerifyRefunds proves of V5 that the rewards of an order have lost what its
// refunded goods take, however many refunds it was and in whatever order they
// came, failed and were done.
func VerifyRefunds(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "what an order's refunds take of its rewards is taken"}
	n, err := db.InRanges(ctx, "refunds", "id", refundsAt, func(q *database.Query, after, upto int64) error {
		var rows []struct {
			ID            id.Order
			RefundedGoods money.Amount
		}
		err := q.Raw(`SELECT DISTINCT o.id, o.refunded_goods FROM refunds f JOIN orders o ON o.id = f.order_id
			WHERE f.id > ? AND f.id <= ? AND o.refunded_goods > 0 ORDER BY o.id`, after, upto).Scan(&rows).Error
		if err != nil {
			return err
		}
		refunded := make(map[id.Order]money.Amount, len(rows))
		for _, r := range rows {
			refunded[r.ID] = r.RefundedGoods
		}
		return referral.ProveLost(q, refunded, &p)
	})
	if err != nil {
		return nil, fmt.Errorf("campaign: verify refunds: %w", err)
	}
	p.Checked += n
	return []database.Proof{p}, nil
}
