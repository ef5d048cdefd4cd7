package settlement

import (
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// proveCash looks for lines of rewards that are no money: points and coupons
// are given, never settled.
func proveCash(q *database.Query, after, upto int64, p *database.Proof) error {
	var odd []struct {
		ID       id.Reward
		Line     int64
		Currency string
	}
	err := q.Raw(`SELECT r.id, l.id AS line, r.currency FROM settlement_lines l JOIN rewards r ON r.id = l.source_id
		WHERE l.kind = ? AND l.source_id > ? AND l.source_id <= ? AND r.currency <> ? LIMIT 50`,
		KindReward, after, upto, money.CNY).Scan(&odd).Error
	if err != nil {
		return err
	}
	for _, o := range odd {
		var in id.Settlement
		if err := q.Raw("SELECT settlement_id FROM settlement_lines WHERE id = ?", o.Line).Scan(&in).Error; err != nil {
			return err
		}
		p.Break("%s is %s and stands in %s, which holds money alone", o.ID, o.Currency, in)
	}
	return nil
}
