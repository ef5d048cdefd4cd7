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

// OrderPoints are points of a member for an order, named by the mall's
// reference. Points need not be given where the order already says how many.
type OrderPoints struct {
	Member   id.Member    `json:"-"`
	OrderRef string       `json:"order_ref"`
	Points   money.Amount `json:"points"`
}

// Validate checks the input alone.
func (in *OrderPoints) Validate() error {
	var c fault.Check
	c.Required(in.OrderRef, "order_ref")
	checkReference(&c, in.OrderRef, "order_ref")
	c.Range(int64(in.Points), "points", 0, pointsMax)
	return c.Err()
}

// PointsStatus is where the points of an order stand.
type PointsStatus string

// The states of an order's points.
const (
	pointsFrozen   PointsStatus = "frozen"
	pointsSpent    PointsStatus = "spent"
	pointsReleased PointsStatus = "released"
)

// Words name the state.
func (s PointsStatus) Words() (zh, en string) {
	return map[PointsStatus]string{pointsFrozen: "已冻结", pointsSpent: "已使用", pointsReleased: "已解冻"}[s], string(s)
}

// pointOrder is what an order took.
type pointOrder struct {
	ID        int64
	OrderRef  string
	MemberID  id.Member
	Status    PointsStatus
	Qty       money.Amount
	BackQty   money.Amount
	CreatedAt clock.Milli
}

const pointOrderColumns = "id, order_ref, member_id, status, qty, back_qty, created_at"

// orderTx locks who orders and reads what the order took so far. An order of
// somebody else, or of another amount, is refused.
func (in OrderPoints) orderTx(tx *database.Tx) (m id.Member, o pointOrder, err error) {
	if err := in.Validate(); err != nil {
		return 0, o, err
	}
	if m, err = HoldTx(tx, in.Member); err != nil {
		return 0, o, err
	}
	err = tx.Raw("SELECT "+pointOrderColumns+" FROM point_orders WHERE order_ref = ?", in.OrderRef).Scan(&o).Error
	if err != nil {
		return 0, o, fmt.Errorf("wallet: points of %q: %w", in.OrderRef, err)
	}
	if o.ID != 0 && (o.MemberID != m || in.Points != 0 && in.Points != o.Qty) {
		return 0, o, ErrPointsReused
	}
	return m, o, nil
}

// FreezePointsTx sets points aside for an order, those that expire first
// first; the same order again changes nothing.
func FreezePointsTx(tx *database.Tx, in OrderPoints) error {
	m, o, err := in.orderTx(tx)
	if err != nil || o.ID != 0 {
		return err
	}
	return takeTx(tx, m, in, pointsFrozen)
}

// SpendPointsTx spends what was set aside for the order, or, if nothing was,
// the given points at once.
func SpendPointsTx(tx *database.Tx, in OrderPoints) error {
	m, o, err := in.orderTx(tx)
	switch {
	case err != nil:
		return err
	case o.ID == 0:
		return takeTx(tx, m, in, pointsSpent)
	case o.Status == pointsSpent:
		return nil
	}
	return o.endTx(tx, pointsSpent)
}

// UnfreezePointsTx puts back what was set aside for the order, into the lots
// it came from; what has expired meanwhile then goes the way of the expired.
func UnfreezePointsTx(tx *database.Tx, in OrderPoints) error {
	_, o, err := in.orderTx(tx)
	switch {
	case err != nil:
		return err
	case o.ID == 0:
		return ErrPointsOrder
	case o.Status == pointsReleased:
		return nil
	}
	return o.endTx(tx, pointsReleased)
}

// endTx ends the freezing of an order: its points are spent or released.
func (o pointOrder) endTx(tx *database.Tx, status PointsStatus) error {
	res := tx.Exec("UPDATE point_orders SET status = ? WHERE id = ?"+tx.Only("status = ?"), status, o.ID, pointsFrozen)
	if err := database.One(res, ErrPointsState.With("state", o.Status)); err != nil {
		return err
	}
	uses, err := usesOf(tx, o.ID)
	if err != nil {
		return err
	}
	column, kind, to := "spent_qty", "spend", StageSource
	if status == pointsReleased {
		column, kind, to = "left_qty", "unfreeze", StagePoints
	}
	for _, u := range uses {
		if err := u.shift(tx, "frozen_qty", column, u.Qty); err != nil {
			return err
		}
	}
	if _, err = PostTx(tx, points(kind, o.OrderRef, o.MemberID, o.Qty, StageFrozen, to)); err != nil || status != pointsSpent {
		return err
	}
	return publishPoints(tx, eventPointsSpent, o.MemberID, o.OrderRef, o.Qty)
}

// takeTx takes the points from the lots and notes which, for the order.
func takeTx(tx *database.Tx, m id.Member, in OrderPoints, status PointsStatus) error {
	if in.Points == 0 {
		return fault.Invalid.Field("points", "required", "请填写积分数", "say how many points")
	}
	taken, err := pick(tx, m, in.Points)
	if err != nil {
		return err
	}
	column, kind, to := "frozen_qty", "freeze", StageFrozen
	if status == pointsSpent {
		column, kind, to = "spent_qty", "spend", StageSource
	}
	order := tx.Next()
	for _, u := range taken {
		if err := u.shift(tx, "left_qty", column, u.Qty); err != nil {
			return err
		}
		err := tx.Exec("INSERT INTO point_uses (order_id, lot_id, qty, back_qty) VALUES (?, ?, ?, 0)", order, u.LotID, u.Qty).Error
		if err != nil {
			return fmt.Errorf("wallet: points of %q: %w", in.OrderRef, err)
		}
	}
	err = tx.Exec("INSERT INTO point_orders ("+pointOrderColumns+") VALUES (?, ?, ?, ?, ?, 0, ?)",
		order, in.OrderRef, m, status, in.Points, tx.Now).Error
	switch {
	case database.IsDuplicate(err): // another member's order of that name came first
		return ErrPointsReused
	case err != nil:
		return fmt.Errorf("wallet: points of %q: %w", in.OrderRef, err)
	}
	if _, err = PostTx(tx, points(kind, in.OrderRef, m, in.Points, StagePoints, to)); err != nil || status != pointsSpent {
		return err
	}
	return publishPoints(tx, eventPointsSpent, m, in.OrderRef, in.Points)
}

// FreezePoints sets points aside for an order of the mall.
func (s *Service) FreezePoints(ctx context.Context, in OrderPoints) error {
	if err := foreign(in.OrderRef); err != nil {
		return err
	}
	return s.movePoints(ctx, "points.freeze", in.Member, in, func(tx *database.Tx) error { return FreezePointsTx(tx, in) })
}

// SpendPoints spends points for an order of the mall.
func (s *Service) SpendPoints(ctx context.Context, in OrderPoints) error {
	if err := foreign(in.OrderRef); err != nil {
		return err
	}
	return s.movePoints(ctx, "points.spend", in.Member, in, func(tx *database.Tx) error { return SpendPointsTx(tx, in) })
}

// UnfreezePoints puts back what was set aside for an order of the mall.
func (s *Service) UnfreezePoints(ctx context.Context, in OrderPoints) error {
	if err := foreign(in.OrderRef); err != nil {
		return err
	}
	return s.movePoints(ctx, "points.unfreeze", in.Member, in, func(tx *database.Tx) error { return UnfreezePointsTx(tx, in) })
}
