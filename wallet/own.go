package wallet

import (
	"fmt"
	"strings"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// ownPrefix begins the references of the house's own orders. What they took is
// given back by the house alone, when the mall reports the order.
const (
	ownPrefix = "siyu:"
	ownEnd    = "siyu;" // the first text behind all of them
)

// OwnRef is the reference under which an order of a campaign uses a coupon and
// points.
func OwnRef(o id.Order) string { return ownPrefix + o.String() }

// foreign refuses a reference of the house's own from outside: the order would
// no longer be what its coupon and points say.
func foreign(orderRef string) error {
	if !strings.HasPrefix(orderRef, ownPrefix) {
		return nil
	}
	return fault.Invalid.Field("order_ref", "reserved", "siyu: 开头的单号为活动订单，请通过订单的付款、退款和取消接口上报",
		"references that begin with siyu: are orders of campaigns; report their payments, refunds and cancellation instead")
}

// given begin the references under which rewards and steps give points. From
// outside they would pass for the giving itself, which then gives nothing or is
// refused.
var given = []string{"reward:rwd_", "invite:srw_"}

// notGiven refuses a reference of points that a reward of the house has.
func notGiven(reference string) error {
	for _, p := range given {
		if strings.HasPrefix(reference, p) {
			return fault.Invalid.Field("reference", "reserved", p+" 开头的单号是本系统发放奖励用的，请换用商城自己的单号",
				"references that begin with "+p+" are the house's own rewards; use one of the mall's")
		}
	}
	return nil
}

// OrderUse is what an order has of a member's coupon and points.
type OrderUse struct {
	OrderRef     string
	Coupon       id.MemberCoupon // 0 is none
	Discount     money.Amount
	Returned     bool // the coupon went back
	Points       money.Amount
	PointsBack   money.Amount
	PointsStatus PointsStatus // frozen, spent, released; "" is none
}

// Live says that the order still has the coupon, or points set aside.
func (u OrderUse) Live() bool { return u.Coupon != 0 && !u.Returned || u.PointsStatus == pointsFrozen }

// OwnUses are what orders of campaigns have of coupons and points, at most 200
// of them, by reference.
func OwnUses(q *database.Query, orders []id.Order) (map[string]OrderUse, error) {
	refs := make([]string, len(orders))
	for i, o := range orders {
		refs[i] = OwnRef(o)
	}
	var coupons []struct {
		OrderRef       string
		MemberCouponID id.MemberCoupon
		Discount       money.Amount
		Freed          int64
	}
	err := q.Raw("SELECT order_ref, member_coupon_id, discount, freed FROM coupon_redemptions WHERE order_ref IN ?", refs).Scan(&coupons).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: coupons of orders: %w", err)
	}
	var points []pointOrder
	err = q.Raw("SELECT "+pointOrderColumns+" FROM point_orders WHERE order_ref IN ?", refs).Scan(&points).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: points of orders: %w", err)
	}
	out := make(map[string]OrderUse, len(coupons)+len(points))
	for _, c := range coupons {
		out[c.OrderRef] = OrderUse{OrderRef: c.OrderRef, Coupon: c.MemberCouponID, Discount: c.Discount, Returned: c.Freed != 0}
	}
	for _, p := range points {
		u := out[p.OrderRef]
		u.OrderRef, u.Points, u.PointsBack, u.PointsStatus = p.OrderRef, p.Qty, p.BackQty, p.Status
		out[p.OrderRef] = u
	}
	return out, nil
}

// CountOwnUses is how many coupons and how many points' orders stand under
// references of the house's own.
func CountOwnUses(q *database.Query) (coupons, points int64, err error) {
	var n struct{ Coupons, Points int64 }
	err = q.Raw(`SELECT (SELECT COUNT(*) FROM coupon_redemptions WHERE order_ref >= ? AND order_ref < ?) AS coupons,
		(SELECT COUNT(*) FROM point_orders WHERE order_ref >= ? AND order_ref < ?) AS points`, ownPrefix, ownEnd, ownPrefix, ownEnd).Scan(&n).Error
	return n.Coupons, n.Points, err
}
