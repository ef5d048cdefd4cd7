package wallet

import (
	"context"
	"fmt"

	"siyu/internal/clock"
)

// offeredMost is how many definitions OfferedIn returns.
const offeredMost = 1000

// OfferedIn lists the definitions, of any unit, of which a member could use one
// within the window: it is out already or may still be given. Those that last
// some days from their issue are returned as valid for the whole window. More
// says that the newest 1,000 are not all.
func (s *Service) OfferedIn(ctx context.Context, from, until clock.Milli) (list []Coupon, more bool, err error) {
	err = s.DB.Read(ctx).Raw(`SELECT * FROM coupons WHERE (valid_days > 0 OR valid_from < ? AND valid_until > ?)
			AND (issued_qty > 0 OR status = ? AND issued_qty < total_qty) ORDER BY id DESC LIMIT ?`,
		until, from, CouponActive, offeredMost+1).Scan(&list).Error
	if err != nil {
		return nil, false, fmt.Errorf("wallet: offered coupons: %w", err)
	}
	if more = len(list) > offeredMost; more {
		list = list[:offeredMost]
	}
	for i := range list {
		if list[i].ValidDays > 0 {
			list[i].ValidFrom, list[i].ValidUntil = from, until
		}
	}
	return list, more, nil
}

// Another is some other product the coupon is for, without an amount.
func (t Terms) Another(than Line) (Line, bool) {
	if t.Include.empty() {
		return Line{}, true
	}
	for _, p := range t.Include.Products {
		if l := (Line{Product: p}); p != than.Product && t.covers(l) {
			return l, true
		}
	}
	for _, sku := range t.Include.SKUs {
		if l := (Line{SKU: sku}); sku != than.SKU && t.covers(l) {
			return l, true
		}
	}
	return Line{}, false
}
