package campaign

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

// discountSpan is how many discounts one snapshot checks: a list may have 200
// members before a server stops looking into its index.
const discountSpan = 200

// VerifyDiscounts proves V14: what orders took off is booked once and as they
// say, no coupon and no points stand on a dead order, and each budget is what
// its discounts and rewards left of it.
func VerifyDiscounts(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V14", Says: "discounts are their orders', coupons and points on live orders alone, budgets add up"}
	for after, done := id.Order(0), false; !done; {
		err := db.Snapshot(ctx, func(q *database.Query) error {
			var rows []bookedDiscount
			err := q.Raw(`SELECT d.*, COALESCE(o.id, 0) AS of_order, COALESCE(o.status, '') AS order_status, COALESCE(o.member_coupon_id, 0) AS of_coupon,
					COALESCE(o.discount_coupon, 0) AS off_coupon, COALESCE(o.discount_points, 0) AS off_points, COALESCE(o.amount, 0) AS amount,
					COALESCE(o.goods, 0) AS goods, COALESCE(o.refunded_goods, 0) AS refunded_goods
				FROM order_discounts d LEFT JOIN orders o ON o.id = d.order_id WHERE d.order_id > ? ORDER BY d.order_id LIMIT ?`, after, discountSpan).Scan(&rows).Error
			if done = err != nil || len(rows) == 0; done {
				return err
			}
			after = rows[len(rows)-1].OrderID
			return checkDiscounts(q, rows, &p)
		})
		if err != nil {
			return nil, fmt.Errorf("campaign: verify discounts: %w", err)
		}
	}
	for at := (walk{column: "id"}); !at.done; {
		err := at.step(ctx, db, verifySpan, func(q *database.Query) error { return proveUnbooked(q, at.after, at.upTo, &p) })
		if err != nil {
			return nil, fmt.Errorf("campaign: verify discounts: %w", err)
		}
	}
	if err := db.Snapshot(ctx, func(q *database.Query) error { return proveUses(q, &p) }); err != nil {
		return nil, fmt.Errorf("campaign: verify discounts: %w", err)
	}
	var camps []Campaign
	if err := db.Read(ctx).Raw("SELECT id, budget FROM campaigns WHERE budget > 0 ORDER BY id").Scan(&camps).Error; err != nil {
		return nil, err
	}
	for _, c := range camps {
		p.Checked++
		if err := db.Snapshot(ctx, func(q *database.Query) error { return proveBudget(q, c.ID, &p) }); err != nil {
			return nil, fmt.Errorf("campaign: verify %s: %w", c.ID, err)
		}
	}
	return []database.Proof{p}, nil
}

// bookedDiscount is a discount beside its order.
type bookedDiscount struct {
	Discount
	OfOrder       id.Order
	OrderStatus   OrderStatus
	OfCoupon      id.MemberCoupon
	OffCoupon     money.Amount
	OffPoints     money.Amount
	Amount        money.Amount
	Goods         money.Amount
	RefundedGoods money.Amount
}

// discountOf is where the discount of an order in the state stands.
var discountOf = map[OrderStatus]DiscountStatus{
	OrderHeld: DiscountReserved, OrderPaid: DiscountSpent, OrderRefunded: DiscountSpent,
	OrderExpired: DiscountReleased, OrderCancelled: DiscountReleased,
}

// pointsOf is where its points stand.
var pointsOf = map[DiscountStatus]wallet.PointsStatus{DiscountReserved: "frozen", DiscountSpent: "spent", DiscountReleased: "released"}

func checkDiscounts(q *database.Query, rows []bookedDiscount, p *database.Proof) error {
	orders := make([]id.Order, len(rows))
	for i, r := range rows {
		orders[i] = r.OrderID
	}
	uses, err := wallet.OwnUses(q, orders)
	if err != nil {
		return err
	}
	for _, r := range rows {
		p.Checked++
		r.check(uses[wallet.OwnRef(r.OrderID)], p)
	}
	return nil
}

func (r bookedDiscount) check(use wallet.OrderUse, p *database.Proof) {
	o := Order{Goods: r.Goods, RefundedGoods: r.RefundedGoods}
	switch {
	case r.OfOrder == 0:
		p.Break("a discount of %s has no order", r.OrderID)
	case r.Coupon != r.OffCoupon || r.Points != r.OffPoints || r.MemberCouponID != r.OfCoupon:
		p.Break("%s took off %s and %s points, %s and %s are booked", r.OrderID, r.OffCoupon, r.OffPoints, r.Coupon, r.Points)
	case r.Coupon+r.Points >= r.Amount:
		p.Break("%s of %s has %s taken off", r.OrderID, r.Amount, r.Coupon+r.Points)
	case r.Status != discountOf[r.OrderStatus]:
		p.Break("%s is %s, its discount %s", r.OrderID, r.OrderStatus, r.Status)
	case r.Status == DiscountSpent && (r.Back != partOf(r.total(), o) || r.PointsBack != partOf(r.Points, o)):
		p.Break("%s had %s of %s refunded and %s of its discount went back", r.OrderID, r.RefundedGoods, r.Goods, r.Back)
	}
	if use.Coupon != r.MemberCouponID || use.Discount != r.Coupon || use.Points != r.Points || use.PointsBack != r.PointsBack {
		p.Break("%s booked a coupon of %s and %s points, the wallet has %s and %s", r.OrderID, r.Coupon, r.Points, use.Discount, use.Points)
	}
	if r.Points != 0 && use.PointsStatus != pointsOf[r.Status] {
		p.Break("points of %s are %s, its discount is %s", r.OrderID, use.PointsStatus, r.Status)
	}
	live := r.OrderStatus == OrderHeld || r.OrderStatus == OrderPaid
	if r.MemberCouponID != 0 && (live && use.Returned || r.Status == DiscountReleased && !use.Returned) {
		p.Break("%s is %s, its coupon returned: %t", r.OrderID, r.OrderStatus, use.Returned)
	}
}

// proveUnbooked finds orders that took something off without a row of it.
func proveUnbooked(q *database.Query, after, upTo int64, p *database.Proof) error {
	var orders []id.Order
	err := q.Raw(`SELECT o.id FROM orders o LEFT JOIN order_discounts d ON d.order_id = o.id
		WHERE o.id > ? AND o.id <= ? AND (o.discount_coupon <> 0 OR o.discount_points <> 0) AND d.order_id IS NULL LIMIT 100`, after, upTo).Scan(&orders).Error
	for _, o := range orders {
		p.Break("%s took something off and nothing is booked", o)
	}
	return err
}

// proveUses finds uses of the house's own references that no order books.
func proveUses(q *database.Query, p *database.Proof) error {
	uses, booked, err := wallet.CountOwnUses(q)
	if err != nil {
		return err
	}
	var want struct{ Coupons, Points int64 }
	err = q.Raw(`SELECT COALESCE(SUM(CASE WHEN member_coupon_id <> 0 THEN 1 ELSE 0 END), 0) AS coupons,
		COALESCE(SUM(CASE WHEN points <> 0 THEN 1 ELSE 0 END), 0) AS points FROM order_discounts`).Scan(&want).Error
	if err == nil && (uses != want.Coupons || booked != want.Points) {
		p.Break("%d coupons and %d times points stand on orders, %d and %d are booked", uses, booked, want.Coupons, want.Points)
	}
	return err
}

// proveBudget checks a budget's accounts against what used it.
func proveBudget(q *database.Query, cid id.Campaign, p *database.Proof) error {
	var c Campaign
	if err := q.Raw("SELECT id, budget FROM campaigns WHERE id = ?", cid).Scan(&c).Error; err != nil {
		return err
	}
	var sum struct{ Reserved, Spent money.Amount }
	err := q.Raw(`SELECT COALESCE(SUM(CASE WHEN status = 'reserved' THEN coupon + points ELSE 0 END), 0) AS reserved,
			COALESCE(SUM(CASE WHEN status = 'spent' THEN coupon + points - back ELSE 0 END), 0) AS spent
		FROM order_discounts WHERE campaign_id = ? AND budgeted = 1`, cid).Scan(&sum).Error
	if err != nil {
		return err
	}
	rewards, err := referral.FundedBy(q, cid)
	if err != nil {
		return err
	}
	for _, a := range []struct {
		stage wallet.Stage
		want  money.Amount
	}{
		{wallet.StageBudget, c.Budget - sum.Reserved - sum.Spent - rewards},
		{wallet.StageReserved, sum.Reserved}, {wallet.StagePaid, sum.Spent},
	} {
		got, err := wallet.Balance(q, a.stage, wallet.Campaign(cid), money.CNY)
		if err != nil {
			return err
		}
		if got != a.want || got < 0 {
			p.Break("%s has %s as %s, its discounts and rewards say %s", cid, got, a.stage, a.want)
		}
	}
	return nil
}
