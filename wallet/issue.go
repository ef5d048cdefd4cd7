package wallet

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// SourceKind is why a member got a coupon. Rooms that issue for facts of
// their own name their own.
type SourceKind string

// The sources of this room: a colleague gave it, or the member took it freely
// or by a code.
const (
	SourceStaff SourceKind = "staff"
	SourceClaim SourceKind = "claim"
	SourceCode  SourceKind = "code"
)

// Issue is one coupon for one member. The source names the fact it is given
// for: one member gets one of this coupon for it, however often it is told.
type Issue struct {
	Coupon     id.Coupon
	Member     id.Member
	SourceKind SourceKind
	SourceID   string
}

// The refusals of an issue.
var (
	ErrCouponPaused = fault.New(fault.KindConflict, "coupon.paused", "该优惠券已暂停发放", "this coupon is not given out at the moment")
	ErrCouponWindow = fault.New(fault.KindConflict, "coupon.not_claimable", "不在领取时间内", "this coupon cannot be taken now")
	ErrCouponGone   = fault.New(fault.KindConflict, "coupon.gone", "优惠券已领完", "no coupon is left")
	ErrCouponLimit  = fault.New(fault.KindConflict, "coupon.limit", "每人限领 {limit} 张", "a member gets at most {limit}")
	ErrCouponDay    = fault.New(fault.KindConflict, "coupon.day_limit", "每人每天限领 {limit} 张，请明天再来", "a member gets at most {limit} a day; come back tomorrow")
)

// IssueTx gives a member a coupon within the caller's transaction. The same
// source again gives the first one. A refusal has written nothing, and the
// caller may go on. Several issues of one transaction go by member, then by
// coupon, ids ascending.
func IssueTx(tx *database.Tx, in Issue) (id.MemberCoupon, error) {
	if in.SourceKind == "" || len(in.SourceKind) > 16 || in.SourceID == "" || len(in.SourceID) > 64 {
		return 0, fmt.Errorf("wallet: issue of %s by %q %q: kind and id of the source must be set and fit", in.Coupon, in.SourceKind, in.SourceID)
	}
	live, err := HoldTx(tx, in.Member)
	if err != nil {
		return 0, err
	}
	in.Member = live
	c, err := lockCoupon(tx, in.Coupon)
	if err != nil {
		return 0, err
	}
	var standing id.MemberCoupon
	err = tx.Raw(`SELECT COALESCE(MIN(id), 0) FROM member_coupons
		WHERE member_id = ? AND coupon_id = ? AND source_kind = ? AND source_id = ?`,
		in.Member, in.Coupon, in.SourceKind, in.SourceID).Scan(&standing).Error
	if err != nil {
		return 0, fmt.Errorf("wallet: find issue: %w", err)
	}
	if standing != 0 {
		return standing, nil
	}
	if err := c.issuable(in, tx.Now); err != nil {
		return 0, err
	}
	return issueTx(tx, c, in)
}

// issuable refuses what neither stock nor counters refuse. Paused or past its
// dates nobody gets one; the window binds only those who take it themselves.
func (c Coupon) issuable(in Issue, now clock.Milli) error {
	taken := in.SourceKind == SourceClaim || in.SourceKind == SourceCode
	open := now >= c.ClaimFrom && (c.ClaimUntil == 0 || now < c.ClaimUntil) && (c.Claimable || in.SourceKind == SourceCode)
	switch {
	case c.Status != CouponActive:
		return ErrCouponPaused
	case c.ValidDays == 0 && now >= c.ValidUntil:
		return ErrCouponExpired
	case taken && !open:
		return ErrCouponWindow
	}
	return nil
}

// issueTx looks at stock and counters under their locks first, so that a
// refusal leaves nothing behind, and then takes from them. The numbers it
// gives out are unique keys: two issues that saw the same counter cannot both
// stand.
func issueTx(tx *database.Tx, c Coupon, in Issue) (id.MemberCoupon, error) {
	loc, err := c.location()
	if err != nil {
		return 0, err
	}
	today := clock.Day(tx.Now.Time(), loc)
	counts, err := countsOf(tx, c.ID, in.Member, today)
	if err != nil {
		return 0, err
	}
	ever, day := counts[0], counts[today]
	switch {
	case c.Issued >= c.Total:
		return 0, ErrCouponGone
	case c.PerMember > 0 && ever.Qty >= int64(c.PerMember):
		return 0, ErrCouponLimit.With("limit", c.PerMember)
	case c.PerDay > 0 && day.Qty >= int64(c.PerDay):
		return 0, ErrCouponDay.With("limit", c.PerDay)
	}
	res := tx.Exec("UPDATE coupons SET issued_qty = issued_qty + 1 WHERE id = ?"+tx.Only("issued_qty < total_qty"), c.ID)
	if err := database.One(res, ErrCouponGone); err != nil {
		return 0, err
	}
	if err := ever.raise(tx, c.PerMember, ErrCouponLimit); err != nil {
		return 0, err
	}
	if err := day.raise(tx, c.PerDay, ErrCouponDay); err != nil {
		return 0, err
	}
	from, until := c.validFor(tx.Now, loc)
	made := id.MemberCoupon(tx.Next())
	err = tx.Exec(`INSERT INTO member_coupons (id, coupon_id, member_id, taken_by, issue_no, taken_no, issued_day, day_no,
			source_kind, source_id, issued_at, valid_from, valid_until, redeemed_at, returned_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`,
		made, c.ID, in.Member, in.Member, c.Issued+1, ever.Qty+1, today, day.Qty+1,
		in.SourceKind, in.SourceID, tx.Now, from, until).Error
	if err != nil {
		return 0, fmt.Errorf("wallet: issue %s to %s: %w", c.ID, in.Member, err)
	}
	return made, webhook.PublishTx(tx, eventCouponIssued, map[string]any{
		"id": made, "coupon_id": c.ID, "member_id": in.Member, "source_kind": in.SourceKind, "valid_from": from, "valid_until": until,
	})
}

// IssueIn is a coupon that a colleague or the mall gives to a member. With a
// reference it is given once for it, without one once per call.
type IssueIn struct {
	Member    id.Member `json:"member_id"`
	Reference string    `json:"reference"`
}

// Validate checks the input alone.
func (in IssueIn) Validate() error {
	var c fault.Check
	c.That(in.Member != 0, "member_id", "required", "请指定会员", "name the member")
	checkReference(&c, in.Reference, "reference")
	return c.Err()
}

// checkReference holds a name of the mall's to what its column takes.
func checkReference(c *fault.Check, text, name string) {
	c.That(len(text) <= 64, name, "too_long", "最多 64 个字节", "at most 64 bytes")
}

// IssueCoupon gives a member a coupon on a colleague's word.
func (s *Service) IssueCoupon(ctx context.Context, coupon id.Coupon, in IssueIn) (id.MemberCoupon, error) {
	return s.give(ctx, Issue{Coupon: coupon, Member: in.Member, SourceKind: SourceStaff, SourceID: in.Reference})
}

// TakeCoupon gives a member a coupon he takes for himself.
func (s *Service) TakeCoupon(ctx context.Context, coupon id.Coupon, m id.Member) (id.MemberCoupon, error) {
	return s.give(ctx, Issue{Coupon: coupon, Member: m, SourceKind: SourceClaim})
}

func (s *Service) give(ctx context.Context, in Issue) (made id.MemberCoupon, err error) {
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := findCoupon(tx.DB, in.Coupon, "")
		if _, err = seen(tx.Actor, c, err); err != nil {
			return err
		}
		if in.SourceID == "" {
			in.SourceID = id.MemberCoupon(tx.Next()).String()
		}
		if made, err = IssueTx(tx, in); err != nil {
			return err
		}
		tx.SetResult("member_coupon", int64(made), 201)
		if tx.Actor.Kind != database.ActorStaff {
			return nil
		}
		return database.AuditTx(tx, "coupon.issue", in.Coupon, nil, map[string]any{"member_coupon_id": made, "member_id": in.Member})
	})
	return made, err
}
