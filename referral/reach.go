package referral

import (
	"siyu/internal/id"
	"siyu/internal/money"
)

// Reach is a query of how far a campaign's codes reached, for the FROM of a
// larger one: a row for each touch and each binding, with group_id, code_id,
// at, and 1 in either touched or bound.
func Reach(c id.Campaign) (sql string, args []any) {
	return `SELECT codes.group_id, codes.id AS code_id, touches.at AS at, 1 AS touched, 0 AS bound
		FROM codes JOIN touches ON touches.code_id = codes.id WHERE codes.campaign_id = ?
		UNION ALL
		SELECT codes.group_id, codes.id, bindings.bound_at, 0, 1
		FROM codes JOIN bindings ON bindings.code_id = codes.id WHERE codes.campaign_id = ?`, []any{c, c}
}

// Cost is a query of what a campaign's orders cost in rewards, for the FROM of
// a larger one: a row for each order that earned some, with order_id, what of
// them is still promised, and what of that has cleared.
func Cost(c id.Campaign) (sql string, args []any) {
	return `SELECT r.order_id, SUM(` + netOf + `) AS promised, SUM(CASE WHEN ` + isCleared + ` THEN ` + netOf + ` ELSE 0 END) AS cleared
		FROM rewards r WHERE r.campaign_id = ? AND r.currency = ? GROUP BY r.order_id`, []any{c, money.CNY}
}
