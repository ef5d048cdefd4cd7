package wallet

import (
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventCouponIssued   webhook.Type = "coupon.issued"
	eventCouponUsed     webhook.Type = "coupon.used"
	eventCouponReturned webhook.Type = "coupon.returned"
	eventCouponExpired  webhook.Type = "coupon.expired"

	eventCouponWithdrawn webhook.Type = "coupon.withdrawn"

	eventPointsEarned   webhook.Type = "points.earned"
	eventPointsSpent    webhook.Type = "points.spent"
	eventPointsRefunded webhook.Type = "points.refunded"
	eventPointsExpired  webhook.Type = "points.expired"
	eventPointsTaken    webhook.Type = "points.taken"

	eventLedgerClosed webhook.Type = "ledger.closed"
)

// publishUse announces a coupon that was used for an order or given back.
func publishUse(tx *database.Tx, event webhook.Type, m MemberCoupon, r Redemption) error {
	return webhook.PublishTx(tx, event, map[string]any{
		"id": m.ID, "coupon_id": m.CouponID, "member_id": m.MemberID, "order_ref": r.OrderRef, "discount_fen": r.Discount,
	})
}

// publishPoints announces a move of a member's points; the reference is the
// mall's, or of the lot that expired.
func publishPoints(tx *database.Tx, event webhook.Type, m id.Member, reference string, n money.Amount) error {
	return webhook.PublishTx(tx, event, map[string]any{"member_id": m, "reference": reference, "points": n})
}
