package wallet

import (
	"context"
	"fmt"
	"strings"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// RefundPoints gives back points an order has spent, in as many parts as the
// mall refunds it; RefundNo names each part once.
type RefundPoints struct {
	Member   id.Member    `json:"-"`
	OrderRef string       `json:"order_ref"`
	RefundNo string       `json:"refund_no"`
	Points   money.Amount `json:"points"`
}

// Validate checks the input alone.
func (in *RefundPoints) Validate() error {
	var c fault.Check
	c.Required(in.OrderRef, "order_ref")
	checkReference(&c, in.OrderRef, "order_ref")
	c.Required(in.RefundNo, "refund_no")
	checkReference(&c, in.RefundNo, "refund_no")
	c.Range(int64(in.Points), "points", 1, pointsMax)
	return c.Err()
}

// RefundPointsTx gives points back to the lots they came from, those that last
// longest first; the same part again changes nothing.
func RefundPointsTx(tx *database.Tx, in RefundPoints) error {
	if err := in.Validate(); err != nil {
		return err
	}
	m, o, err := OrderPoints{Member: in.Member, OrderRef: in.OrderRef}.orderTx(tx)
	if err != nil {
		return err
	}
	t := points("refund", in.RefundNo, m, in.Points, StageSource, StagePoints)
	if stands, err := pointsMoved(tx, t, m); err != nil || stands {
		return err
	}
	switch {
	case o.ID == 0:
		return ErrPointsOrder
	case o.Status != pointsSpent:
		return ErrPointsState.With("state", o.Status)
	case o.BackQty+in.Points > o.Qty:
		return ErrPointsOverback.With("left", int64(o.Qty-o.BackQty))
	}
	res := tx.Exec("UPDATE point_orders SET back_qty = back_qty + ? WHERE id = ?"+tx.Only("back_qty + ? <= qty"), in.Points, o.ID, in.Points)
	if err := database.One(res, ErrPointsOverback.With("left", 0)); err != nil {
		return err
	}
	uses, err := usesOf(tx, o.ID)
	if err != nil {
		return err
	}
	left := in.Points
	for _, u := range uses {
		n := min(left, u.Qty-u.BackQty)
		if n == 0 {
			continue
		}
		left -= n
		if err := u.shift(tx, "spent_qty", "left_qty", n); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE point_uses SET back_qty = back_qty + ? WHERE order_id = ? AND lot_id = ?", n, o.ID, u.LotID).Error; err != nil {
			return fmt.Errorf("wallet: refund %q: %w", in.RefundNo, err)
		}
	}
	if _, err = PostTx(tx, t); err != nil {
		return err
	}
	return publishPoints(tx, eventPointsRefunded, m, in.RefundNo, in.Points)
}

// RefundPoints gives points back on the mall's word.
func (s *Service) RefundPoints(ctx context.Context, in RefundPoints) error {
	if err := foreign(in.OrderRef); err != nil {
		return err
	}
	if strings.HasPrefix(in.RefundNo, ownPrefix) {
		return fault.Invalid.Field("refund_no", "reserved", "siyu: 开头的退款单号是活动订单用的，请换用商城自己的单号",
			"numbers that begin with siyu: are those of orders of campaigns; use one of the mall's")
	}
	return s.movePoints(ctx, "points.refund", in.Member, in, func(tx *database.Tx) error { return RefundPointsTx(tx, in) })
}
