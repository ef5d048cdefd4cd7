package web

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

// inKind is what a reward in points or a coupon is called; money has no words.
func inKind(lang, currency string, n money.Amount, coupon string) string {
	switch currency {
	case money.PTS:
		return choose(lang, "%d 积分", "%d points", n)
	case referral.Coupons:
		return choose(lang, "优惠券「%s」", "coupon %s", coupon)
	}
	return ""
}

// couponNames are the names of coupons, for whoever may see the rewards that
// give them.
func (s *Server) couponNames(ctx context.Context, lang string, ids []id.Coupon) (map[id.Coupon]string, error) {
	known, err := wallet.CouponsIn(s.DB.Read(ctx), database.Actor{}, ids)
	if err != nil {
		return nil, err
	}
	names := make(map[id.Coupon]string, len(known))
	for _, c := range known {
		names[c.ID] = clean(choose(lang, c.NameZH, c.NameEN))
	}
	return names, nil
}

func couponsOf(rewards []referral.Reward) (ids []id.Coupon) {
	for _, r := range rewards {
		if r.CouponID != 0 {
			ids = append(ids, r.CouponID)
		}
	}
	return ids
}

func couponsIn(r referral.Rules) (ids []id.Coupon) {
	for _, p := range r.Rewards {
		ids = append(ids, p.Coupons()...)
	}
	return ids
}
