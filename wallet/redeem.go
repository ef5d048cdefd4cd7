package wallet

import (
	"cmp"
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// linesMax is how many lines one order may have.
const linesMax = 500

// Redeem uses a member's coupon for an order, named by the mall's reference or,
// for an order of a campaign, by OwnRef.
type Redeem struct {
	Coupon   id.MemberCoupon `json:"-"`
	Member   id.Member       `json:"member_id"` // if given, only he may hold it
	OrderRef string          `json:"order_ref"`
	Lines    []Line          `json:"lines"`
}

// Validate checks the input alone.
func (in *Redeem) Validate() error {
	var c fault.Check
	c.Required(in.OrderRef, "order_ref")
	checkReference(&c, in.OrderRef, "order_ref")
	c.Range(int64(len(in.Lines)), "lines", 1, linesMax)
	for i, l := range in.Lines {
		at := fmt.Sprintf("lines[%d].", i)
		c.That(l.Product != 0 || l.SKU != "", at+"sku", "required", "请给出 product_id 或 sku", "name its product_id or sku")
		c.Length(l.SKU, at+"sku", 64)
		c.Range(int64(l.Amount), at+"amount_fen", 0, couponMax)
	}
	return c.Err()
}

// Redemption is one use of a coupon.
type Redemption struct {
	ID             int64           `json:"-"`
	MemberCouponID id.MemberCoupon `json:"member_coupon_id"`
	OrderRef       string          `json:"order_ref"`
	Discount       money.Amount    `json:"discount_fen"`
	Lines          []money.Amount  `json:"lines_fen,omitempty" gorm:"-"` // each line's part, when it is redeemed
	RedeemedAt     clock.Milli     `json:"redeemed_at"`
	ReturnedAt     clock.Milli     `json:"returned_at"`
}

const redemptionColumns = "id, member_coupon_id, order_ref, discount, redeemed_at, returned_at"

// The refusals of a use.
var (
	ErrCouponRedeemed = fault.New(fault.KindConflict, "coupon.redeemed", "优惠券已被使用", "the coupon is used already")
	ErrOrderRedeemed  = fault.New(fault.KindConflict, "coupon.order_has_one", "该订单已使用另一张优惠券", "the order has used another coupon")
	ErrNotRedeemed    = fault.New(fault.KindConflict, "coupon.not_redeemed", "该订单未使用这张优惠券", "the order has not used this coupon")
	ErrNotReturnable  = fault.New(fault.KindUnprocessable, "coupon.not_returnable", "该优惠券退款后不退还", "this coupon is not given back on a refund")
)

// RedeemTx uses a coupon for an order within the caller's transaction, once:
// the same order again gives the first redemption, also after the coupon was
// returned. A refusal has written nothing.
func RedeemTx(tx *database.Tx, in Redeem) (Redemption, error) {
	if err := in.Validate(); err != nil {
		return Redemption{}, err
	}
	m, err := lockHeld(tx, in.Coupon)
	if err != nil {
		return Redemption{}, err
	}
	if in.Member != 0 {
		if in.Member, err = HoldTx(tx, in.Member); err != nil {
			return Redemption{}, err
		}
		if in.Member != m.MemberID {
			return Redemption{}, fault.NotFound
		}
	}
	first, found, err := redemptionOf(tx.DB, in.OrderRef)
	switch {
	case err != nil:
		return Redemption{}, err
	case found && first.MemberCouponID != in.Coupon:
		return Redemption{}, ErrOrderRedeemed
	case found:
		first.Lines = first.Discount.Split(m.weigh(in.Lines)...)
		return first, nil
	case m.Status == HoldWithdrawn:
		return Redemption{}, ErrCouponWithdrawn
	case m.Status == HoldRedeemed:
		return Redemption{}, ErrCouponRedeemed
	}
	quote, err := Discount(m.Terms, in.Lines, tx.Now)
	if err != nil {
		return Redemption{}, err
	}
	r := Redemption{
		ID: tx.Next(), MemberCouponID: in.Coupon, OrderRef: in.OrderRef,
		Discount: quote.Discount, Lines: quote.Lines, RedeemedAt: tx.Now,
	}
	if err := writeRedemption(tx, r); err != nil {
		return r, err
	}
	return r, publishUse(tx, eventCouponUsed, m, r)
}

// writeRedemption marks the coupon and notes the use: the condition and the
// unique keys each allow one.
func writeRedemption(tx *database.Tx, r Redemption) error {
	res := tx.Exec("UPDATE member_coupons SET redeemed_at = ? WHERE id = ?"+tx.Only("redeemed_at = 0 AND withdrawn_at = 0"), r.RedeemedAt, r.MemberCouponID)
	if err := database.One(res, ErrCouponRedeemed); err != nil {
		return err
	}
	err := tx.Exec("INSERT INTO coupon_redemptions ("+redemptionColumns+", freed) VALUES (?, ?, ?, ?, ?, 0, 0)",
		r.ID, r.MemberCouponID, r.OrderRef, r.Discount, r.RedeemedAt).Error
	switch {
	case database.IsDuplicate(err): // another coupon of the same order came first
		return ErrOrderRedeemed
	case err != nil:
		return fmt.Errorf("wallet: redeem %s: %w", r.MemberCouponID, err)
	}
	return nil
}

func redemptionOf(q *database.Query, orderRef string) (r Redemption, found bool, err error) {
	err = q.Raw("SELECT "+redemptionColumns+" FROM coupon_redemptions WHERE order_ref = ?", orderRef).Scan(&r).Error
	if err != nil {
		return r, false, fmt.Errorf("wallet: redemption of %q: %w", orderRef, err)
	}
	return r, r.ID != 0, nil
}

// ReturnTx gives the coupon of a wholly refunded order back to its member,
// within the caller's transaction. Its dates stay what they were. Again it
// changes nothing. ErrNotRedeemed and ErrNotReturnable have written nothing,
// and the caller may go on.
func ReturnTx(tx *database.Tx, orderRef string) (Redemption, error) {
	return endUse(tx, orderRef, func(m MemberCoupon) error {
		if !m.ReturnOnRefund {
			return ErrNotReturnable
		}
		return nil
	})
}

// ReleaseTx gives the coupon of an order that was never paid back to its
// member, whatever its terms say of refunds. Else it is ReturnTx.
func ReleaseTx(tx *database.Tx, orderRef string) (Redemption, error) {
	return endUse(tx, orderRef, func(MemberCoupon) error { return nil })
}

func endUse(tx *database.Tx, orderRef string, may func(MemberCoupon) error) (Redemption, error) {
	r, found, err := redemptionOf(tx.DB, orderRef)
	if err != nil {
		return r, err
	}
	if !found {
		return r, ErrNotRedeemed
	}
	m, err := lockHeld(tx, r.MemberCouponID)
	if err != nil {
		return r, err
	}
	if r, _, err = redemptionOf(tx.DB, orderRef); err != nil || r.ReturnedAt != 0 {
		return r, err
	}
	if err := may(m); err != nil {
		return r, err
	}
	r.ReturnedAt = tx.Now
	res := tx.Exec("UPDATE coupon_redemptions SET returned_at = ?, freed = id WHERE id = ?"+tx.Only("freed = 0"), tx.Now, r.ID)
	if err := database.One(res, ErrNotRedeemed); err != nil {
		return r, err
	}
	res = tx.Exec("UPDATE member_coupons SET redeemed_at = 0, returned_at = ? WHERE id = ?", tx.Now, r.MemberCouponID)
	if err := database.One(res, ErrNotRedeemed); err != nil {
		return r, err
	}
	return r, publishUse(tx, eventCouponReturned, m, r)
}

// RedeemCoupon uses a coupon for an order of the mall.
func (s *Service) RedeemCoupon(ctx context.Context, in Redeem) (Redemption, error) {
	if err := foreign(in.OrderRef); err != nil {
		return Redemption{}, err
	}
	return s.use(ctx, "coupon.redeem", in.Coupon, func(tx *database.Tx) (Redemption, error) { return RedeemTx(tx, in) })
}

// ReturnCoupon gives a coupon back after the mall refunded its order whole.
func (s *Service) ReturnCoupon(ctx context.Context, coupon id.MemberCoupon, orderRef string) (Redemption, error) {
	var c fault.Check
	c.Required(orderRef, "order_ref")
	checkReference(&c, orderRef, "order_ref")
	if err := cmp.Or(c.Err(), foreign(orderRef)); err != nil {
		return Redemption{}, err
	}
	return s.use(ctx, "coupon.return", coupon, func(tx *database.Tx) (Redemption, error) {
		r, found, err := redemptionOf(tx.DB, orderRef)
		if err != nil {
			return r, err
		}
		if !found || r.MemberCouponID != coupon {
			return r, ErrNotRedeemed
		}
		return ReturnTx(tx, orderRef)
	})
}

// use runs one use of a coupon that the actor sees, and audits it.
func (s *Service) use(ctx context.Context, action string, coupon id.MemberCoupon, do func(*database.Tx) (Redemption, error)) (r Redemption, err error) {
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		m, err := findHeld(tx.DB, coupon)
		if err != nil {
			return err
		}
		if !tx.Actor.Sees(m.UnitID) {
			return fault.NotFound
		}
		if r, err = do(tx); err != nil {
			return err
		}
		tx.SetResult("member_coupon", int64(coupon), 200)
		return database.AuditTx(tx, action, coupon, nil, r)
	})
	return r, err
}

// FindRedemption is the coupon's use for an order, for showing what a call
// that is repeated has done.
func (s *Service) FindRedemption(ctx context.Context, in Redeem) (Redemption, error) {
	q := s.DB.Read(ctx)
	m, err := findHeld(q, in.Coupon)
	if err != nil {
		return Redemption{}, err
	}
	r, found, err := redemptionOf(q, in.OrderRef)
	if err == nil && (!found || r.MemberCouponID != in.Coupon) {
		err = ErrNotRedeemed
	}
	if len(in.Lines) > 0 {
		r.Lines = r.Discount.Split(m.weigh(in.Lines)...)
	}
	return r, err
}
