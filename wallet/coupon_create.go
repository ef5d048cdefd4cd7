package wallet

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Bounds of a coupon.
const (
	couponMax   = 100_000_000 // fen, or pieces
	goodsMax    = 500
	validMost   = 3660 // days
	perMemberTo = 1000
)

// CouponIn is a new coupon.
type CouponIn struct {
	UnitID         id.Unit      `json:"unit_id"` // default the caller's unit
	NameZH         string       `json:"name_zh"`
	NameEN         string       `json:"name_en"`
	Kind           DiscountKind `json:"kind"`
	Amount         money.Amount `json:"amount_fen"`
	Rate           money.Bps    `json:"rate_bp"`
	Cap            money.Amount `json:"cap_fen"`
	MinSpend       money.Amount `json:"min_spend_fen"`
	Include        Goods        `json:"include"`
	Exclude        Goods        `json:"exclude"`
	Claimable      bool         `json:"claimable"`
	ClaimFrom      clock.Milli  `json:"claim_from"`
	ClaimUntil     clock.Milli  `json:"claim_until"`
	ValidFrom      clock.Milli  `json:"valid_from"`
	ValidUntil     clock.Milli  `json:"valid_until"`
	ValidDays      int          `json:"valid_days"`
	Zone           string       `json:"zone"` // default Asia/Shanghai
	Total          int64        `json:"total"`
	PerMember      int          `json:"per_member"`
	PerDay         int          `json:"per_day"`
	ReturnOnRefund bool         `json:"return_on_refund"`
}

// Validate checks the input alone.
func (in CouponIn) Validate() error { return in.coupon().check() }

// coupon is the definition the input describes.
func (in CouponIn) coupon() Coupon {
	return Coupon{
		UnitID: in.UnitID, NameZH: in.NameZH, NameEN: in.NameEN, Status: CouponActive,
		Terms: Terms{
			Kind: in.Kind, Amount: in.Amount, Rate: in.Rate, Cap: in.Cap, MinSpend: in.MinSpend,
			Include: in.Include, Exclude: in.Exclude, ValidFrom: in.ValidFrom, ValidUntil: in.ValidUntil,
		},
		ValidDays: in.ValidDays, Claimable: in.Claimable, ClaimFrom: in.ClaimFrom, ClaimUntil: in.ClaimUntil,
		Zone: cmp.Or(in.Zone, clock.Shanghai), Total: in.Total, PerMember: in.PerMember, PerDay: in.PerDay,
		ReturnOnRefund: in.ReturnOnRefund, Version: 1,
	}
}

// check names every field that is wrong.
func (c Coupon) check() error {
	var check fault.Check
	check.Required(c.NameZH, "name_zh")
	check.Length(c.NameZH, "name_zh", 100)
	check.Required(c.NameEN, "name_en")
	check.Length(c.NameEN, "name_en", 100)
	check.OneOf(string(c.Status), "status", string(CouponActive), string(CouponPaused))
	c.checkDiscount(&check)
	check.Range(int64(c.MinSpend), "min_spend_fen", 0, couponMax)
	c.Include.check(&check, "include")
	c.Exclude.check(&check, "exclude")
	c.checkTimes(&check)
	check.Range(c.Total, "total", 1, couponMax)
	check.Range(int64(c.PerMember), "per_member", 0, perMemberTo)
	check.Range(int64(c.PerDay), "per_day", 0, perMemberTo)
	return check.Err()
}

func (c Coupon) checkDiscount(check *fault.Check) {
	check.OneOf(string(c.Kind), "kind", string(DiscountAmount), string(DiscountPercent))
	if c.Kind == DiscountPercent {
		check.Range(int64(c.Rate), "rate_bp", 1, int64(money.Whole))
		check.Range(int64(c.Cap), "cap_fen", 0, couponMax)
		check.That(c.Amount == 0, "amount_fen", "unused", "折扣券不填面额", "has no meaning for a percentage")
		return
	}
	check.Range(int64(c.Amount), "amount_fen", 1, couponMax)
	check.That(c.Rate == 0, "rate_bp", "unused", "满减券不填折扣率", "has no meaning for an amount")
	check.That(c.Cap == 0, "cap_fen", "unused", "满减券不填封顶金额", "has no meaning for an amount")
}

func (c Coupon) checkTimes(check *fault.Check) {
	_, err := time.LoadLocation(c.Zone)
	check.That(err == nil && len(c.Zone) <= 64, "zone", "unknown_value", "请用 IANA 时区，如 Asia/Shanghai", "use an IANA zone like Asia/Shanghai")
	check.That(c.ClaimUntil == 0 || c.ClaimUntil > c.ClaimFrom, "claim_until", "range", "领取结束时间应晚于开始时间", "must be after claim_from")
	if c.ValidDays != 0 {
		check.Range(int64(c.ValidDays), "valid_days", 1, validMost)
		check.That(c.ValidFrom == 0, "valid_from", "unused", "有效天数与固定日期只能填一种", "give days or fixed dates, not both")
		check.That(c.ValidUntil == 0, "valid_until", "unused", "有效天数与固定日期只能填一种", "give days or fixed dates, not both")
		return
	}
	check.That(c.ValidUntil != 0, "valid_until", "required", "请填写有效期截止时间或有效天数", "say until when it is valid, or give valid_days")
	check.That(c.ValidUntil == 0 || c.ValidUntil > c.ValidFrom, "valid_until", "range", "截止时间应晚于生效时间", "must be after valid_from")
}

func (g Goods) check(c *fault.Check, at string) {
	c.That(len(g.Products)+len(g.SKUs) <= goodsMax, at, "range",
		fmt.Sprintf("最多 %d 个商品", goodsMax), fmt.Sprintf("at most %d products", goodsMax))
	for i, p := range g.Products {
		c.That(p != 0, fmt.Sprintf("%s.product_ids[%d]", at, i), "required", "必填", "is required")
	}
	for i, sku := range g.SKUs {
		c.Required(sku, fmt.Sprintf("%s.skus[%d]", at, i))
		c.Length(sku, fmt.Sprintf("%s.skus[%d]", at, i), 64)
	}
}

// CreateCoupon makes an active coupon.
func (s *Service) CreateCoupon(ctx context.Context, in CouponIn) (id.Coupon, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Coupon
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		c := in.coupon()
		c.ID, c.CreatedAt = id.Coupon(tx.Next()), tx.Now
		if c.UnitID == 0 {
			c.UnitID = tx.Actor.Unit
		}
		if !tx.Actor.Sees(c.UnitID) {
			return fault.NotFound.Field("unit_id", "not_found", "没有这个组织", "there is no such unit")
		}
		if err := tx.Create(&c).Error; err != nil {
			return fmt.Errorf("wallet: create coupon: %w", err)
		}
		made = c.ID
		tx.SetResult("coupon", int64(c.ID), 201)
		return database.AuditTx(tx, "coupon.create", c.ID, nil, c)
	})
	return made, err
}
