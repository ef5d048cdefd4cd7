package wallet

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// Register tells the worker what this room does in the background.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "wallet:expire_points", time.Hour, func(ctx context.Context, _ clock.Milli) error { return s.ExpirePoints(ctx) })
	task.Every(r, "wallet:tell_expired_coupons", time.Hour, func(ctx context.Context, _ clock.Milli) error { return s.TellExpiredCoupons(ctx) })
	task.Every(r, "wallet:close_days", time.Hour, func(ctx context.Context, _ clock.Milli) error { return s.CloseDue(ctx) })
	task.HandleOutside(r, func(ctx context.Context, _ task.Job, a closeJob) error { return s.RunClose(ctx, a.No) })
}

// expireMost is how many lots one look finds.
const expireMost = 500

// ExpirePoints takes away what is left of lots whose day is over, one lot per
// transaction. What is frozen waits for its order.
func (s *Service) ExpirePoints(ctx context.Context) error {
	today, err := pointsDay(clock.MilliOf(s.DB.Clock.Now()))
	if err != nil {
		return err
	}
	for {
		var lots []int64
		err := s.DB.Read(ctx).Raw("SELECT id FROM point_lots WHERE expires_day < ? AND left_qty > 0 ORDER BY expires_day, id LIMIT ?", today, expireMost).Scan(&lots).Error
		if err != nil {
			return fmt.Errorf("wallet: expiring lots: %w", err)
		}
		for _, lot := range lots {
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return expireTx(tx, lot) }); err != nil {
				return err
			}
		}
		if len(lots) < expireMost {
			return nil
		}
	}
}

// expireTx ends what is left of one lot. A lot expires again when points come
// back to it; what it lost before tells the moves apart.
func expireTx(tx *database.Tx, lot int64) error {
	var of id.Member
	if err := tx.Raw("SELECT COALESCE(MAX(member_id), 0) FROM point_lots WHERE id = ?", lot).Scan(&of).Error; err != nil || of == 0 {
		return err // merged away: its points stand in another lot
	}
	m, err := HoldTx(tx, of)
	if err != nil {
		return err
	}
	var l Lot
	err = tx.Raw("SELECT id, expires_day, left_qty, frozen_qty, expired_qty FROM point_lots WHERE id = ? AND member_id = ?", lot, m).Scan(&l).Error
	if err != nil || l.Left == 0 {
		return err
	}
	if err := (pointUse{LotID: lot}).shift(tx, "left_qty", "expired_qty", l.Left); err != nil {
		return err
	}
	reference := fmt.Sprintf("%d:%d", lot, int64(l.Expired))
	if _, err = PostTx(tx, points("expire", reference, m, l.Left, StagePoints, StageSource)); err != nil {
		return err
	}
	return publishPoints(tx, eventPointsExpired, m, reference, l.Left)
}
