package settlement

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// proveCash looks for lines of rewards that are no money: points and coupons
// are given, never settled.
func (s *Service) proveCash(ctx context.Context, p *database.Proof) error {
	return s.inRanges(ctx, "settlement_lines", "source_id", func(q *database.Query, after, upto int64) (int64, error) {
		var odd []struct {
			ID           id.Reward
			SettlementID id.Settlement
			Currency     string
		}
		err := q.Raw(`SELECT r.id, l.settlement_id, r.currency FROM settlement_lines l JOIN rewards r ON r.id = l.source_id
			WHERE l.kind = ? AND l.source_id > ? AND l.source_id <= ? AND r.currency <> ? LIMIT 50`,
			KindReward, after, upto, money.CNY).Scan(&odd).Error
		for _, o := range odd {
			p.Break("%s is %s and stands in %s, which holds money alone", o.ID, o.Currency, o.SettlementID)
		}
		return 0, err
	}, p)
}
