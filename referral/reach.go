package referral

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
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
// them is still promised, and what of that has cleared: money, and points and
// coupons at their stated cost.
func Cost(c id.Campaign) (sql string, args []any) {
	return `SELECT r.order_id, SUM(` + netOf + ` * r.unit_cost) AS promised, SUM(CASE WHEN ` + isCleared + ` THEN ` + netOf + ` * r.unit_cost ELSE 0 END) AS cleared
		FROM rewards r WHERE r.campaign_id = ? GROUP BY r.order_id`, []any{c}
}

// Brought is somebody whom a code brought. Until is when the binding ended or
// lapses; a void one ended because it should not have been: a merge showed a
// self-invitation, a circle or an older binding.
type Brought struct {
	BindingID id.Binding
	InviteeID id.Member
	InviterID id.Member
	GroupID   id.Group
	BoundAt   clock.Milli
	Until     clock.Milli `gorm:"column:lives_until"`
	Void      bool
}

// CodesOf are the codes that lead to a campaign, by id ascending, after one.
func CodesOf(q *database.Query, c id.Campaign, after id.Code, limit int) ([]id.Code, error) {
	var list []id.Code
	if err := q.Raw("SELECT id FROM codes WHERE campaign_id = ? AND id > ? ORDER BY id LIMIT ?", c, after, limit).Scan(&list).Error; err != nil {
		return nil, fmt.Errorf("referral: codes of %s: %w", c, err)
	}
	return list, nil
}

// BroughtBy are those whom the codes brought, by binding ascending, after one.
// The codes are few, so that an index and not a sort of all finds a page.
func BroughtBy(q *database.Query, codes []id.Code, after id.Binding, limit int) ([]Brought, error) {
	var list []Brought
	err := q.Raw(`SELECT id AS binding_id, invitee_id, inviter_id, group_id, bound_at,
			CASE WHEN live <> 0 AND ended_at < expires_at THEN ended_at ELSE expires_at END AS lives_until,
			CASE WHEN live <> 0 AND end_reason IN ? THEN 1 ELSE 0 END AS void
		FROM bindings WHERE code_id IN ? AND id > ? ORDER BY id LIMIT ?`, []string{endMerged, endSelf, endCircle}, codes, after, limit).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("referral: whom codes brought: %w", err)
	}
	return list, nil
}

// TouchesOf is how often a code was scanned, and by how many.
func TouchesOf(q *database.Query, code id.Code) (touches, visitors int64, err error) {
	err = q.Raw("SELECT COUNT(*), COUNT(DISTINCT visitor_id) FROM touches WHERE code_id = ?", code).Row().Scan(&touches, &visitors)
	if err != nil {
		return 0, 0, fmt.Errorf("referral: touches of %s: %w", code, err)
	}
	return touches, visitors, nil
}
