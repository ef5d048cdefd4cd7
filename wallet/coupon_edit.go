package wallet

import (
	"context"
	"fmt"
	"reflect"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// CouponEdit changes a coupon; nil leaves a field as it is. Once one was
// issued it may change only in members' favour.
type CouponEdit struct {
	NameZH         *string       `json:"name_zh"`
	NameEN         *string       `json:"name_en"`
	Status         *CouponStatus `json:"status"`
	Amount         *money.Amount `json:"amount_fen"`
	Rate           *money.Bps    `json:"rate_bp"`
	Cap            *money.Amount `json:"cap_fen"`
	MinSpend       *money.Amount `json:"min_spend_fen"`
	Include        *Goods        `json:"include"`
	Exclude        *Goods        `json:"exclude"`
	Claimable      *bool         `json:"claimable"`
	ClaimFrom      *clock.Milli  `json:"claim_from"`
	ClaimUntil     *clock.Milli  `json:"claim_until"`
	ValidUntil     *clock.Milli  `json:"valid_until"`
	Total          *int64        `json:"total"`
	PerMember      *int          `json:"per_member"`
	PerDay         *int          `json:"per_day"`
	ReturnOnRefund *bool         `json:"return_on_refund"`
}

// apply is the coupon as it will be.
func (in CouponEdit) apply(c Coupon) Coupon {
	put(&c.NameZH, in.NameZH)
	put(&c.NameEN, in.NameEN)
	put(&c.Status, in.Status)
	put(&c.Amount, in.Amount)
	put(&c.Rate, in.Rate)
	put(&c.Cap, in.Cap)
	put(&c.MinSpend, in.MinSpend)
	put(&c.Include, in.Include)
	put(&c.Exclude, in.Exclude)
	put(&c.Claimable, in.Claimable)
	put(&c.ClaimFrom, in.ClaimFrom)
	put(&c.ClaimUntil, in.ClaimUntil)
	put(&c.ValidUntil, in.ValidUntil)
	put(&c.Total, in.Total)
	put(&c.PerMember, in.PerMember)
	put(&c.PerDay, in.PerDay)
	put(&c.ReturnOnRefund, in.ReturnOnRefund)
	return c
}

func put[T any](field *T, v *T) {
	if v != nil {
		*field = *v
	}
}

// EditCoupon edits the version of a coupon that the caller has read.
func (s *Service) EditCoupon(ctx context.Context, coupon id.Coupon, version int, in CouponEdit) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		old, err := lockCoupon(tx, coupon)
		if old, err = seen(tx.Actor, old, err); err != nil {
			return err
		}
		if old.Version != version {
			return fault.Stale
		}
		c := in.apply(old)
		if err := c.check(); err != nil {
			return err
		}
		if err := keeps(old, c); err != nil {
			return err
		}
		res := tx.Exec(`UPDATE coupons SET name_zh = ?, name_en = ?, status = ?, amount = ?, rate = ?, cap = ?, min_spend = ?,
				include_goods = ?, exclude_goods = ?, claimable = ?, claim_from = ?, claim_until = ?, valid_until = ?,
				total_qty = ?, per_member = ?, per_day = ?, return_on_refund = ?, version = version + 1
			WHERE id = ?`+tx.Only("version = ?"),
			c.NameZH, c.NameEN, c.Status, c.Amount, c.Rate, c.Cap, c.MinSpend,
			c.Include, c.Exclude, c.Claimable, c.ClaimFrom, c.ClaimUntil, c.ValidUntil,
			c.Total, c.PerMember, c.PerDay, c.ReturnOnRefund, coupon, version)
		if err := database.One(res, fault.Stale); err != nil {
			return fmt.Errorf("wallet: edit %s: %w", coupon, err)
		}
		return database.AuditTx(tx, "coupon.edit", coupon, old, in)
	})
}

// keeps refuses what would take from members something a coupon that is out
// has promised them. The limits may only grow, which is also why V11 may hold
// old coupons against today's.
func keeps(old, c Coupon) error {
	if old.Issued == 0 {
		return nil
	}
	var check fault.Check
	kept := func(ok bool, field string) {
		check.That(ok, field, "issued", "已有会员领取，只能向有利于会员的方向修改", "members hold it already; it may change only in their favour")
	}
	kept(c.Amount >= old.Amount, "amount_fen")
	kept(c.Rate >= old.Rate, "rate_bp")
	kept(roomier(int64(c.Cap), int64(old.Cap)), "cap_fen")
	kept(c.MinSpend <= old.MinSpend, "min_spend_fen")
	kept(reflect.DeepEqual(c.Include, old.Include) || c.Include.empty(), "include")
	kept(reflect.DeepEqual(c.Exclude, old.Exclude) || c.Exclude.empty(), "exclude")
	kept(c.ClaimFrom <= old.ClaimFrom, "claim_from")
	kept(roomier(int64(c.ClaimUntil), int64(old.ClaimUntil)), "claim_until")
	kept(c.ValidUntil >= old.ValidUntil, "valid_until")
	kept(c.Total >= old.Total, "total")
	kept(roomier(int64(c.PerMember), int64(old.PerMember)), "per_member")
	kept(roomier(int64(c.PerDay), int64(old.PerDay)), "per_day")
	kept(c.ReturnOnRefund || !old.ReturnOnRefund, "return_on_refund")
	return check.Err()
}

// roomier compares bounds of which 0 is none.
func roomier(now, before int64) bool { return now == 0 || before != 0 && now >= before }
