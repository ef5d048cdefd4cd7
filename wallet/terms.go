package wallet

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// DiscountKind is how a coupon takes off.
type DiscountKind string

// The kinds of discount.
const (
	DiscountAmount  DiscountKind = "amount"
	DiscountPercent DiscountKind = "percent"
)

// Goods names products by the house's id or by the mall's SKU. The ids are
// another room's and mean nothing here.
type Goods struct {
	Products []id.Product `json:"product_ids"`
	SKUs     []string     `json:"skus"`
}

// Value stores the list as JSON.
func (g Goods) Value() (driver.Value, error) {
	b, err := json.Marshal(Goods{append([]id.Product{}, g.Products...), append([]string{}, g.SKUs...)})
	return string(b), err
}

// Scan reads what Value stored.
func (g *Goods) Scan(v any) error {
	switch v := v.(type) {
	case string:
		return json.Unmarshal([]byte(v), g)
	case []byte:
		return json.Unmarshal(v, g)
	}
	return fmt.Errorf("wallet: a list of goods stored as %T", v)
}

func (g Goods) empty() bool { return len(g.Products)+len(g.SKUs) == 0 }

func (g Goods) has(l Line) bool {
	return l.Product != 0 && slices.Contains(g.Products, l.Product) || l.SKU != "" && slices.Contains(g.SKUs, l.SKU)
}

// Terms are what a coupon takes off, from what, and when. Validity ends before
// ValidUntil.
type Terms struct {
	Kind       DiscountKind `json:"kind"`
	Amount     money.Amount `json:"amount_fen"`
	Rate       money.Bps    `json:"rate_bp"` // off: 2000 is a fifth
	Cap        money.Amount `json:"cap_fen"` // of a percentage; 0 is none
	MinSpend   money.Amount `json:"min_spend_fen"`
	Include    Goods        `json:"include" gorm:"column:include_goods"` // empty is all
	Exclude    Goods        `json:"exclude" gorm:"column:exclude_goods"`
	ValidFrom  clock.Milli  `json:"valid_from"`
	ValidUntil clock.Milli  `json:"valid_until"`
}

// Line is one line of an order: what it is and what it costs before the coupon.
type Line struct {
	Product id.Product   `json:"product_id"`
	SKU     string       `json:"sku"`
	Amount  money.Amount `json:"amount_fen"`
}

// Quote is a discount and each line's part of it, in the order of the lines.
type Quote struct {
	Discount money.Amount   `json:"discount_fen"`
	Lines    []money.Amount `json:"lines_fen"`
}

// The reasons for which a coupon takes nothing off an order.
var (
	ErrCouponEarly   = fault.New(fault.KindConflict, "coupon.not_yet_valid", "该优惠券 {from} 起可用", "this coupon is valid from {from}")
	ErrCouponExpired = fault.New(fault.KindConflict, "coupon.expired", "优惠券已过期", "the coupon has expired")
	ErrCouponGoods   = fault.New(fault.KindUnprocessable, "coupon.no_goods", "订单中没有可用此券的商品", "nothing in the order may use this coupon")
	ErrCouponMinimum = fault.New(fault.KindUnprocessable, "coupon.below_minimum", "可用商品满 {minimum} 元可用，当前 {spend} 元", "eligible goods must come to {minimum}, they come to {spend}")
)

// Discount is what the terms take off the order now. Only the goods the coupon
// is for count, towards the minimum too; a percentage is floored; nothing ever
// costs less than nothing.
func Discount(t Terms, lines []Line, now clock.Milli) (Quote, error) {
	switch {
	case now < t.ValidFrom:
		return Quote{}, ErrCouponEarly.With("from", t.ValidFrom)
	case now >= t.ValidUntil:
		return Quote{}, ErrCouponExpired
	}
	var spend money.Amount
	for _, w := range t.weigh(lines) {
		spend += w
	}
	switch {
	case spend == 0:
		return Quote{}, ErrCouponGoods
	case spend < t.MinSpend:
		return Quote{}, ErrCouponMinimum.With("minimum", t.MinSpend).With("spend", spend)
	}
	off := t.Amount
	if t.Kind == DiscountPercent {
		off = spend.Rate(t.Rate)
		if t.Cap > 0 {
			off = min(off, t.Cap)
		}
	}
	off = min(off, spend)
	return Quote{off, off.Split(t.weigh(lines)...)}, nil
}

// weigh is what each line counts: its amount, or nothing.
func (t Terms) weigh(lines []Line) []money.Amount {
	weights := make([]money.Amount, len(lines))
	for i, l := range lines {
		if t.covers(l) {
			weights[i] = l.Amount
		}
	}
	return weights
}

// covers says whether the coupon is for the line; exclusion wins.
func (t Terms) covers(l Line) bool {
	return (t.Include.empty() || t.Include.has(l)) && !t.Exclude.has(l)
}
