package wallet

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// HoldStatus is where a member's coupon stands.
type HoldStatus string

// The statuses of a member's coupon. A returned one can be used again.
const (
	HoldIssued   HoldStatus = "issued"
	HoldRedeemed HoldStatus = "redeemed"
	HoldReturned HoldStatus = "returned"
	HoldExpired  HoldStatus = "expired"

	HoldWithdrawn HoldStatus = "withdrawn"
)

// MemberCoupon is one coupon that a member holds, with the terms it has today:
// they change only in his favour.
type MemberCoupon struct {
	ID       id.MemberCoupon `json:"id"`
	CouponID id.Coupon       `json:"coupon_id"`
	UnitID   id.Unit         `json:"-"`
	MemberID id.Member       `json:"member_id"`
	NameZH   string          `json:"name_zh" gorm:"column:name_zh"`
	NameEN   string          `json:"name_en" gorm:"column:name_en"`
	Status   HoldStatus      `json:"status" gorm:"-"`
	Terms    `gorm:"embedded"`

	ReturnOnRefund bool        `json:"return_on_refund"`
	SourceKind     SourceKind  `json:"source_kind"`
	IssuedAt       clock.Milli `json:"issued_at"`
	RedeemedAt     clock.Milli `json:"redeemed_at"`
	ReturnedAt     clock.Milli `json:"returned_at"`
	WithdrawnAt    clock.Milli `json:"withdrawn_at"`
	// OrderRef and Discount are of the order it stands on, if it is redeemed.
	OrderRef string       `json:"order_ref"`
	Discount money.Amount `json:"discount_fen"`
}

// held is a member's coupon with its definition, whose dates may have moved,
// and with its order.
const held = `SELECT m.id, m.coupon_id, c.unit_id, m.member_id, c.name_zh, c.name_en, c.kind, c.amount, c.rate, c.cap, c.min_spend,
		c.include_goods, c.exclude_goods, c.return_on_refund, m.source_kind, m.issued_at, m.redeemed_at, m.returned_at, m.withdrawn_at,
		CASE WHEN c.valid_days > 0 THEN m.valid_from ELSE c.valid_from END AS valid_from,
		CASE WHEN c.valid_days > 0 THEN m.valid_until ELSE c.valid_until END AS valid_until,
		COALESCE(r.order_ref, '') AS order_ref, COALESCE(r.discount, 0) AS discount
	FROM member_coupons m JOIN coupons c ON c.id = m.coupon_id
		LEFT JOIN coupon_redemptions r ON r.member_coupon_id = m.id AND r.freed = 0`

// at is the coupon as it stands now: expiry needs no write.
func (m MemberCoupon) at(now clock.Milli) MemberCoupon {
	switch {
	case m.WithdrawnAt != 0:
		m.Status = HoldWithdrawn
	case m.RedeemedAt != 0:
		m.Status = HoldRedeemed
	case now >= m.ValidUntil:
		m.Status = HoldExpired
	case m.ReturnedAt != 0:
		m.Status = HoldReturned
	default:
		m.Status = HoldIssued
	}
	return m
}

// FindMemberCoupon is one coupon, for staff of its unit; whether a member is
// the one who holds it is decided by the caller, who knows merges.
func (s *Service) FindMemberCoupon(ctx context.Context, coupon id.MemberCoupon) (MemberCoupon, error) {
	m, err := findHeld(s.DB.Read(ctx), coupon)
	if err != nil {
		return m, err
	}
	if !database.ActorOf(ctx).Sees(m.UnitID) {
		return m, fault.NotFound
	}
	return m.at(clock.MilliOf(s.DB.Clock.Now())), nil
}

func findHeld(q *database.Query, coupon id.MemberCoupon) (MemberCoupon, error) {
	var m MemberCoupon
	if err := q.Raw(held+" WHERE m.id = ?", coupon).Scan(&m).Error; err != nil {
		return m, fmt.Errorf("wallet: find %s: %w", coupon, err)
	}
	if m.ID == 0 {
		return m, fault.NotFound
	}
	return m, nil
}

// lockHeld locks the member's row, then his coupon, and reads it as it stands.
func lockHeld(tx *database.Tx, coupon id.MemberCoupon) (MemberCoupon, error) {
	m, err := findHeld(tx.DB, coupon)
	if err != nil {
		return m, err
	}
	if _, err := HoldTx(tx, m.MemberID); err != nil {
		return m, err
	}
	if m, err = findHeld(tx.DB, coupon); err != nil {
		return m, err
	}
	return m.at(tx.Now), nil
}

// ListMemberCoupons lists what the member holds or held, newest first, staff
// those of their units; a status narrows it. Who may ask about the member is
// decided by the caller.
func (s *Service) ListMemberCoupons(ctx context.Context, m id.Member, status HoldStatus, page database.Page) (database.Paged[MemberCoupon], error) {
	now := clock.MilliOf(s.DB.Clock.Now())
	cond, units := database.ActorOf(ctx).Within("c.unit_id")
	args := append([]any{m, page.Bound()}, units...)
	const until = "CASE WHEN c.valid_days > 0 THEN m.valid_until ELSE c.valid_until END"
	if status == HoldWithdrawn {
		cond += " AND m.withdrawn_at <> 0"
	} else if status != "" {
		cond += " AND m.withdrawn_at = 0"
	}
	switch status {
	case HoldRedeemed:
		cond += " AND m.redeemed_at <> 0"
	case HoldExpired:
		cond, args = cond+" AND m.redeemed_at = 0 AND "+until+" <= ?", append(args, now)
	case HoldReturned:
		cond, args = cond+" AND m.redeemed_at = 0 AND m.returned_at <> 0 AND "+until+" > ?", append(args, now)
	case HoldIssued:
		cond, args = cond+" AND m.redeemed_at = 0 AND m.returned_at = 0 AND "+until+" > ?", append(args, now)
	}
	var rows []MemberCoupon
	err := s.DB.Read(ctx).Raw(held+" WHERE m.member_id = ? AND m.id < ?"+cond+" ORDER BY m.id DESC LIMIT ?",
		append(args, page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[MemberCoupon]{}, fmt.Errorf("wallet: coupons of %s: %w", m, err)
	}
	for i, r := range rows {
		rows[i] = r.at(now)
	}
	return database.Cut(page, rows, func(m MemberCoupon) int64 { return int64(m.ID) }), nil
}
