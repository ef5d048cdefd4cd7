package campaign

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// Step is one touch, binding or order of a campaign that a group's code
// brought. The field of what it is (Touched, Bound, Ordered, Bought) is 1.
// Goods is what the order paid for goods, LetBack what of that was refunded.
type Step struct {
	GroupID id.Group
	At      clock.Milli
	Touched int64
	Bound   int64
	Ordered int64
	Bought  int64
	Goods   money.Amount
	LetBack money.Amount
}

// StepsBetween hands over each step from one moment to before another that
// came by a code placed in a group. An order counts when it was claimed.
func StepsBetween(q *database.Query, c id.Campaign, from, to clock.Milli, each func(Step)) error {
	reach, args := referral.Reach(c)
	rows, err := q.Raw(`SELECT group_id, at, touched, bound, 0 AS ordered, 0 AS bought, 0 AS goods, 0 AS let_back
			FROM (`+reach+`) reach WHERE group_id <> 0 AND at >= ? AND at < ?
		UNION ALL
		SELECT codes.group_id, orders.created_at, 0, 0, 1, CASE WHEN orders.paid_at > 0 THEN 1 ELSE 0 END, orders.goods, orders.refunded_goods
			FROM orders JOIN codes ON codes.id = orders.code_id
			WHERE `+ordersOf+` AND codes.group_id <> 0 AND orders.created_at >= ? AND orders.created_at < ?`,
		append(args, from, to, c, c, from, to)...).Rows()
	if err != nil {
		return fmt.Errorf("campaign: steps of %s: %w", c, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s Step
		if err := rows.Scan(&s.GroupID, &s.At, &s.Touched, &s.Bound, &s.Ordered, &s.Bought, &s.Goods, &s.LetBack); err != nil {
			return fmt.Errorf("campaign: steps of %s: %w", c, err)
		}
		each(s)
	}
	return rows.Err()
}
