package campaign

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// PaidOrders hands over who claimed a paid order of the campaign from one
// moment to before another, and when, whichever way he came by it.
func PaidOrders(q *database.Query, c id.Campaign, from, to clock.Milli, each func(who id.Member, at clock.Milli)) error {
	rows, err := q.Raw("SELECT orders.member_id, orders.created_at FROM orders WHERE "+ordersOf+
		" AND orders.paid_at > 0 AND orders.created_at >= ? AND orders.created_at < ?", c, c, from, to).Rows()
	if err != nil {
		return fmt.Errorf("campaign: paid orders of %s: %w", c, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var who id.Member
		var at clock.Milli
		if err := rows.Scan(&who, &at); err != nil {
			return fmt.Errorf("campaign: paid orders of %s: %w", c, err)
		}
		each(who, at)
	}
	return rows.Err()
}
