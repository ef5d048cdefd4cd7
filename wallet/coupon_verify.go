package wallet

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/id"
)

// VerifyCoupons proves V11 range by range: issued within the total and as many
// as there are rows, counters as the rows say and within their limits, each
// coupon redeemed at most once at a time, each code used at most once.
func VerifyCoupons(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V11", Says: "coupons within total and limits, redeemed once"}
	for _, walk := range []struct {
		table string
		check func(*database.Query, int64, int64, *database.Proof) error
	}{
		{"coupons", proveIssued}, {"coupon_counts", proveCounts}, {"member_coupons", proveHeld}, {"coupon_redemptions", proveRedeemed},
		{"coupon_codes", proveCodes},
	} {
		if err := inRanges(ctx, db, walk.table, &p, walk.check); err != nil {
			return nil, err
		}
	}
	return []database.Proof{p}, nil
}

func proveIssued(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		ID     id.Coupon
		Issued int64
		Total  int64
		Held   int64
	}
	err := q.Raw(`SELECT c.id, c.issued_qty AS issued, c.total_qty AS total, COUNT(m.id) AS held
		FROM coupons c LEFT JOIN member_coupons m ON m.coupon_id = c.id
		WHERE c.id > ? AND c.id <= ? GROUP BY c.id, c.issued_qty, c.total_qty
		HAVING c.issued_qty <> COUNT(m.id) OR c.issued_qty > c.total_qty`, after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("%s says %d issued of %d, members hold %d", b.ID, b.Issued, b.Total, b.Held)
	}
	return err
}

// proveCounts holds each counter against the rows it counts and the limit of
// today, which is no lower than any before.
func proveCounts(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		MemberID id.Member
		CouponID id.Coupon
		Day      int
		Qty      int64
		Brought  int64
		Bound    int64
		Held     int64
	}
	err := q.Raw(`SELECT n.member_id, n.coupon_id, n.day, n.qty, n.brought, n.bound, n.held FROM (
			SELECT k.member_id, k.coupon_id, k.day, k.qty, k.brought_qty AS brought,
				CASE WHEN k.day = 0 THEN c.per_member ELSE c.per_day END AS bound,
				(SELECT COUNT(*) FROM member_coupons m WHERE m.member_id = k.member_id AND m.coupon_id = k.coupon_id
					AND (k.day = 0 OR m.issued_day = k.day)) AS held
			FROM coupon_counts k JOIN coupons c ON c.id = k.coupon_id WHERE k.id > ? AND k.id <= ?) n
		WHERE n.qty <> n.held OR (n.bound > 0 AND n.qty > n.bound + n.brought)`, after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("%s holds %d of %s on day %d, counted %d, limit %d and %d brought in", b.MemberID, b.Held, b.CouponID, b.Day, b.Qty, b.Bound, b.Brought)
	}
	return err
}

// proveHeld finds coupons that no counter counts and marks that no redemption
// explains.
func proveHeld(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		ID     id.MemberCoupon
		Counts int
		Live   int
	}
	err := q.Raw(`SELECT n.id, n.counts, n.live FROM (
			SELECT m.id, m.redeemed_at, m.withdrawn_at,
				(SELECT COUNT(*) FROM coupon_counts k WHERE k.member_id = m.member_id AND k.coupon_id = m.coupon_id
					AND k.day IN (0, m.issued_day)) AS counts,
				(SELECT COUNT(*) FROM coupon_redemptions r WHERE r.member_coupon_id = m.id AND r.returned_at = 0) AS live
			FROM member_coupons m WHERE m.id > ? AND m.id <= ?) n
		WHERE n.counts <> 2 OR n.live > 1 OR (n.redeemed_at = 0 AND n.live <> 0) OR (n.redeemed_at <> 0 AND n.live <> 1) OR (n.withdrawn_at <> 0 AND n.redeemed_at <> 0)`,
		after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("%s has %d counters and stands on %d orders", b.ID, b.Counts, b.Live)
	}
	return err
}

func proveRedeemed(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		OrderRef       string
		MemberCouponID id.MemberCoupon
	}
	err := q.Raw(`SELECT r.order_ref, r.member_coupon_id FROM coupon_redemptions r LEFT JOIN member_coupons m ON m.id = r.member_coupon_id
		WHERE r.id > ? AND r.id <= ? AND (m.id IS NULL OR (r.returned_at = 0) <> (r.freed = 0))`, after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("%s on order %q has no coupon, or is returned by half", b.MemberCouponID, b.OrderRef)
	}
	return err
}

func proveCodes(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []int64
	err := q.Raw(`SELECT n.id FROM (
			SELECT k.id, k.used_at, (SELECT COUNT(*) FROM member_coupons m WHERE m.id = COALESCE(u.member_coupon_id, 0) AND m.coupon_id = k.coupon_id) AS given
			FROM coupon_codes k LEFT JOIN coupon_code_uses u ON u.code_id = k.id WHERE k.id > ? AND k.id <= ?) n
		WHERE (n.used_at = 0) <> (n.given = 0)`, after, upto).Scan(&bad).Error
	for _, code := range bad {
		p.Break("code %d is marked used and gave nothing, or the other way round", code)
	}
	return err
}
