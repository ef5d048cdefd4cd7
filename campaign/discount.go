package campaign

import (
	"context"
	"errors"
	"log/slog"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// DiscountStatus is where an order's discount stands.
type DiscountStatus string

// The states of a discount: reserved while the order is held, spent once it is
// paid, released when it is let go unpaid.
const (
	DiscountReserved DiscountStatus = "reserved"
	DiscountSpent    DiscountStatus = "spent"
	DiscountReleased DiscountStatus = "released"
)

// Discount is what an order took off, as it is booked. Back and PointsBack are
// the parts of a paid one that went back with refunds.
type Discount struct {
	OrderID        id.Order
	CampaignID     id.Campaign
	MemberCouponID id.MemberCoupon
	Coupon         money.Amount
	Points         money.Amount
	Budgeted       bool
	Status         DiscountStatus
	Back           money.Amount
	PointsBack     money.Amount
	CreatedAt      clock.Milli
}

// TableName is order_discounts.
func (Discount) TableName() string { return "order_discounts" }

func (d Discount) total() money.Amount { return d.Coupon + d.Points }

// The refusals of a discount.
var (
	ErrNoCoupons    = fault.New(fault.KindUnprocessable, "campaign.no_coupons", "此活动不能使用优惠券", "this campaign takes no coupons")
	ErrNoPoints     = fault.New(fault.KindUnprocessable, "campaign.no_points", "此活动不能使用积分", "this campaign takes no points")
	ErrPointsLimit  = fault.New(fault.KindUnprocessable, "campaign.points_limit", "此单最多可用 {max} 积分", "this order takes at most {max} points")
	ErrNothingToPay = fault.New(fault.KindUnprocessable, "campaign.nothing_to_pay", "优惠后应付不能少于 0.01 元，请少用积分或换一张券", "at least 0.01 yuan must be left to pay; use fewer points or another coupon")
	ErrBudget       = fault.New(fault.KindConflict, "campaign.budget_exhausted", "活动优惠预算剩余 {left} 元，不足以抵扣；可不使用优惠券和积分下单", "the campaign has {left} yuan left for discounts, less than this order would take off; it can be had without coupon and points")
)

func (c Claim) discounted() bool { return c.Coupon != 0 || c.Points != 0 }

func (o Order) discounted() bool { return o.DiscountCoupon != 0 || o.DiscountPoints != 0 }

// claimDiscounted grants a claim with a coupon or points in a transaction of
// its own, so that one that is refused takes no stock and no other claim waits
// for its coupon.
func (s *Service) claimDiscounted(ctx context.Context, c Claim) (out Outcome, err error) {
	if c.Points < 0 {
		return Outcome{}, fault.Invalid.Field("points", "range", "不能为负", "must not be negative")
	}
	for range 2 { // a twin may have bound the key to another item this moment
		err = s.DB.Tx(database.WithoutKey(ctx), func(tx *database.Tx) error {
			b, granted, err := s.grant(tx, []Claim{c}, manner{keysFirst: true, patient: true})
			if err != nil {
				return err
			}
			if out = granted[0]; out.Refusal != nil || out.Replayed {
				return out.Refusal
			}
			return takeOff(tx, b, c, &out.Order)
		})
		if !database.IsDuplicate(err) {
			break
		}
	}
	switch {
	case errors.Is(err, ErrBudget):
		if noted := s.noteExhausted(ctx, c.Campaign); noted != nil {
			slog.WarnContext(ctx, "an exhausted budget was not announced", "campaign_id", c.Campaign, "error", noted)
		}
		return Outcome{}, err
	case err != nil:
		return Outcome{}, err
	}
	s.shelves.recall(out.Order)
	return out, nil
}

// takeOff redeems the coupon, sets the points aside and reserves the budget
// for an order granted in this transaction.
func takeOff(tx *database.Tx, b *batch, c Claim, o *Order) error {
	camp, item := b.campaigns[o.CampaignID], b.items[o.ItemID]
	switch {
	case !b.strong[o.MemberID]:
		return ErrIdentity.With("login_url", camp.LoginURL)
	case c.Coupon != 0 && !camp.AcceptsCoupons:
		return ErrNoCoupons
	case c.Points != 0 && camp.AcceptsPoints == 0:
		return ErrNoPoints
	}
	d := Discount{OrderID: o.ID, CampaignID: o.CampaignID, MemberCouponID: c.Coupon, Points: c.Points,
		Budgeted: camp.Budget > 0, Status: DiscountReserved, CreatedAt: tx.Now}
	if c.Coupon != 0 {
		var err error
		if d.Coupon, err = redeem(tx, c.Coupon, item, *o); err != nil {
			return err
		}
	}
	if err := affordable(o.Amount, camp.AcceptsPoints, d.Coupon, d.Points); err != nil {
		return err
	}
	if d.Points != 0 {
		err := wallet.FreezePointsTx(tx, wallet.OrderPoints{Member: o.MemberID, OrderRef: wallet.OwnRef(o.ID), Points: d.Points})
		if err != nil {
			return err
		}
	}
	o.MemberCouponID, o.DiscountCoupon, o.DiscountPoints = d.MemberCouponID, d.Coupon, d.Points
	err := tx.Exec("UPDATE orders SET member_coupon_id = ?, discount_coupon = ?, discount_points = ? WHERE id = ?",
		d.MemberCouponID, d.Coupon, d.Points, o.ID).Error
	if err != nil {
		return err
	}
	if err := tx.Create(&d).Error; err != nil {
		return err
	}
	if err := reserveBudget(tx, d); err != nil {
		return err
	}
	return markBudget(tx, camp)
}

// redeem uses the coupon for the order and says what it takes off.
func redeem(tx *database.Tx, coupon id.MemberCoupon, item Item, o Order) (money.Amount, error) {
	var sku string
	if err := tx.Raw("SELECT sku FROM products WHERE id = ?", item.ProductID).Scan(&sku).Error; err != nil {
		return 0, err
	}
	r, err := wallet.RedeemTx(tx, wallet.Redeem{
		Coupon: coupon, Member: o.MemberID, OrderRef: wallet.OwnRef(o.ID),
		Lines: []wallet.Line{{Product: item.ProductID, SKU: sku, Amount: o.Amount}},
	})
	if errors.Is(err, fault.NotFound) {
		err = fault.NotFound.Field("member_coupon", "not_found", "没有这张优惠券，请从我的优惠券中选择", "is no coupon of yours; choose one you hold")
	}
	return r.Discount, err
}

// Afford refuses a discount that no order of the amount can take in this
// campaign, in whole or in part, for a page that shows what it would come to.
func (c Campaign) Afford(amount, coupon, points money.Amount) error {
	switch {
	case coupon != 0 && !c.AcceptsCoupons:
		return ErrNoCoupons
	case points != 0 && c.AcceptsPoints == 0:
		return ErrNoPoints
	}
	return affordable(amount, c.AcceptsPoints, coupon, points)
}

// affordable refuses points beyond the campaign's part of the goods, and a
// discount that leaves nothing to pay: no provider takes a payment of nothing,
// and none could be refunded.
func affordable(amount money.Amount, pointsRate money.Bps, coupon, points money.Amount) error {
	switch limit := amount.Rate(pointsRate); {
	case coupon >= amount:
		return ErrNothingToPay
	case points > limit:
		return ErrPointsLimit.With("max", int64(min(limit, amount-coupon-1)))
	case coupon+points >= amount:
		return ErrNothingToPay
	}
	return nil
}

// recall remembers a grant that no batch made, so that memory stays whole.
func (s *shelves) recall(o Order) {
	if sh := s.find(o.ItemID); sh != nil {
		sh.mu.Lock()
		sh.remember(o.ClaimedBy, o.IdemKey)
		sh.mu.Unlock()
	}
}
