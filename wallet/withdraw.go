package wallet

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// ErrCouponWithdrawn refuses a coupon that was taken back.
var ErrCouponWithdrawn = fault.New(fault.KindConflict, "coupon.withdrawn", "该优惠券已被收回", "this coupon was taken back")

// TakePoints are points that go back because the fact they were earned for no
// longer stands; Reference names the taking once and for all.
type TakePoints struct {
	Member    id.Member
	Reference string
	Points    money.Amount
}

// TakePointsTx takes back at most what the member has left, those that expire
// last first, and says how many it took: points that were spent, set aside or
// have expired are gone, and nobody owes points. The same reference again
// takes nothing more.
func TakePointsTx(tx *database.Tx, in TakePoints) (money.Amount, error) {
	m, err := HoldTx(tx, in.Member)
	if err != nil {
		return 0, err
	}
	t := points("take", in.Reference, m, in.Points, StagePoints, StageSource)
	var took money.Amount
	err = tx.Raw(`SELECT COALESCE(MAX(e.amount), 0) FROM transfers t JOIN entries e ON e.transfer_id = t.id
		WHERE t.transfer_key = ?`, t.Key).Scan(&took).Error
	if err != nil || took > 0 {
		return took, err
	}
	today, err := pointsDay(tx.Now)
	if err != nil {
		return 0, err
	}
	var lots []Lot
	err = tx.Raw(`SELECT id, left_qty FROM point_lots WHERE member_id = ? AND expires_day >= ? AND left_qty > 0
		ORDER BY expires_day DESC LIMIT ?`, m, today, lotsMost).Scan(&lots).Error
	if err != nil {
		return 0, fmt.Errorf("wallet: take %q: %w", in.Reference, err)
	}
	for _, l := range lots {
		n := min(l.Left, in.Points-took)
		if n == 0 {
			break
		}
		res := tx.Exec("UPDATE point_lots SET left_qty = left_qty - ? WHERE id = ?"+tx.Only("left_qty >= ?"), n, l.ID, n)
		if err := database.One(res, fmt.Errorf("wallet: lot %d holds less than %d", l.ID, n)); err != nil {
			return 0, err
		}
		took += n
	}
	if took == 0 {
		return 0, nil
	}
	if _, err := PostTx(tx, points("take", in.Reference, m, took, StagePoints, StageSource)); err != nil {
		return 0, err
	}
	return took, publishPoints(tx, eventPointsTaken, m, in.Reference, took)
}

// WithdrawTx takes back the coupon the member was given for a source, if he
// has not used it and it has not run out, and says whether it did. It is not
// given to anybody else: its number in the stock is used up.
func WithdrawTx(tx *database.Tx, in Issue) (bool, error) {
	m, err := HoldTx(tx, in.Member)
	if err != nil {
		return false, err
	}
	var held id.MemberCoupon
	err = tx.Raw(`SELECT COALESCE(MIN(id), 0) FROM member_coupons WHERE member_id = ? AND coupon_id = ? AND source_kind = ? AND source_id = ?`,
		m, in.Coupon, in.SourceKind, in.SourceID).Scan(&held).Error
	if err != nil || held == 0 {
		return false, err
	}
	c, err := findHeld(tx.DB, held)
	if err != nil {
		return false, err
	}
	c = c.at(tx.Now)
	if c.Status != HoldIssued && c.Status != HoldReturned {
		return false, nil
	}
	res := tx.Exec("UPDATE member_coupons SET withdrawn_at = ? WHERE id = ?"+tx.Only("withdrawn_at = 0 AND redeemed_at = 0"), tx.Now, held)
	if err := database.One(res, ErrCouponWithdrawn); err != nil {
		return false, err
	}
	return true, webhook.PublishTx(tx, eventCouponWithdrawn, map[string]any{"id": c.ID, "coupon_id": c.CouponID, "member_id": m})
}

// Given is what stands given for one source: points ever earned for it, and
// coupons not taken back.
type Given struct {
	Earned  money.Amount
	Coupons int
}

// GivenFor is what was given for sources of a kind, by their ids: points whose
// reference is kind:id, and coupons.
func GivenFor(q *database.Query, kind SourceKind, ids []string) (map[string]Given, error) {
	out := make(map[string]Given, len(ids))
	keys := make([]string, len(ids))
	of := make(map[string]string, len(ids))
	for i, source := range ids {
		keys[i] = "points:earn:" + string(kind) + ":" + source
		of[keys[i]] = source
	}
	var earned []struct {
		TransferKey string
		Amount      money.Amount
	}
	err := q.Raw(`SELECT t.transfer_key, e.amount FROM transfers t JOIN entries e ON e.transfer_id = t.id
		WHERE t.transfer_key IN ? AND e.amount > 0`, keys).Scan(&earned).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: points of sources: %w", err)
	}
	for _, e := range earned {
		out[of[e.TransferKey]] = Given{Earned: e.Amount}
	}
	var held []struct {
		SourceID string
		N        int
	}
	err = q.Raw(`SELECT source_id, COUNT(*) AS n FROM member_coupons
		WHERE source_kind = ? AND source_id IN ? AND withdrawn_at = 0 GROUP BY source_id`, kind, ids).Scan(&held).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: coupons of sources: %w", err)
	}
	for _, h := range held {
		g := out[h.SourceID]
		g.Coupons = h.N
		out[h.SourceID] = g
	}
	return out, nil
}
