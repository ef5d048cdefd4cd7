package wallet

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Points are what a member can spend, and what is set aside for orders.
type Points struct {
	MemberID  id.Member    `json:"member_id"`
	Available money.Amount `json:"available"`
	Frozen    money.Amount `json:"frozen"`
	Lots      []Lot        `json:"lots"`
}

// Lot is what is left of the points that expire with one day, the last on
// which they can be spent.
type Lot struct {
	ID         int64        `json:"-"`
	ExpiresDay int          `json:"expires_day"` // yyyymmdd
	Left       money.Amount `json:"left" gorm:"column:left_qty"`
	Frozen     money.Amount `json:"frozen" gorm:"column:frozen_qty"`
	Expired    money.Amount `json:"-" gorm:"column:expired_qty"`
}

// pointsMax is the most one move may hold.
const pointsMax = 100_000_000

// The refusals of points.
var (
	ErrPointsShort    = fault.New(fault.KindConflict, "points.insufficient", "可用积分不足，当前 {available}", "only {available} points are available")
	ErrPointsMany     = fault.New(fault.KindConflict, "points.too_scattered", "涉及的积分批次过多，请分次使用", "these points expire on too many days; use fewer at once")
	ErrPointsReused   = fault.New(fault.KindConflict, "points.reference_reused", "该单号已用于另一笔积分变动", "this reference already stands for another move of points")
	ErrPointsOrder    = fault.New(fault.KindConflict, "points.no_order", "该订单没有使用积分", "no points were taken for this order")
	ErrPointsState    = fault.New(fault.KindConflict, "points.order_state", "该订单的积分现在是“{state}”，不能这样操作", "the points of this order are {state}; this cannot follow")
	ErrPointsOverback = fault.New(fault.KindConflict, "points.over_refund", "最多还可退 {left} 积分", "at most {left} points can still be given back")
)

// pointsDay is the local day by which points expire; they are the brand's,
// whatever zone a campaign has.
func pointsDay(now clock.Milli) (int, error) {
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		return 0, fmt.Errorf("wallet: %w", err)
	}
	return clock.Day(now.Time(), loc), nil
}

// MemberPoints is what the member has: the sum of his live lots. Who may ask
// is decided by the caller.
func (s *Service) MemberPoints(ctx context.Context, m id.Member) (Points, error) {
	p := Points{MemberID: m, Lots: []Lot{}}
	today, err := pointsDay(clock.MilliOf(s.DB.Clock.Now()))
	if err != nil {
		return p, err
	}
	var lots []Lot
	err = s.DB.Read(ctx).Raw(`SELECT id, expires_day, left_qty, frozen_qty, expired_qty FROM point_lots
		WHERE member_id = ? AND (left_qty > 0 OR frozen_qty > 0) ORDER BY expires_day`, m).Scan(&lots).Error
	if err != nil {
		return p, fmt.Errorf("wallet: points of %s: %w", m, err)
	}
	for _, l := range lots {
		p.Frozen += l.Frozen
		if l.ExpiresDay < today {
			l.Left = 0 // the next run of ExpirePoints takes it away
		}
		p.Available += l.Left
		if l.Left > 0 || l.Frozen > 0 {
			p.Lots = append(p.Lots, l)
		}
	}
	return p, nil
}

// points is one move of a member's points in the ledger. Each account is the
// member's own, also the one they come from, so no row is everybody's.
func points(kind, reference string, m id.Member, n money.Amount, from, to Stage) Transfer {
	return Move("points:"+kind+":"+reference, "points_"+kind, money.PTS, n, At(from, Member(m)), At(to, Member(m)))
}

// pointsMoved says whether the move stands already; the same reference for
// another amount or another member is refused.
func pointsMoved(tx *database.Tx, t Transfer, m id.Member) (bool, error) {
	var legs []struct {
		Owner  id.Member
		Amount money.Amount
		Today  id.Member
	}
	err := tx.Raw(`SELECT a.owner_id AS owner, e.amount, COALESCE(h.merged_into, 0) AS today FROM transfers t
		JOIN entries e ON e.transfer_id = t.id JOIN accounts a ON a.id = e.account_id
		LEFT JOIN holders h ON h.member_id = a.owner_id
		WHERE t.transfer_key = ? AND e.amount > 0`, t.Key).Scan(&legs).Error
	if err != nil {
		return false, fmt.Errorf("wallet: find %q: %w", t.Key, err)
	}
	if len(legs) == 0 {
		return false, nil
	}
	owner := legs[0].Owner
	if legs[0].Today != 0 {
		owner = legs[0].Today
	}
	if owner != m || legs[0].Amount != max(t.Legs[0].Amount, t.Legs[1].Amount) {
		return true, ErrPointsReused
	}
	return true, nil
}
