package wallet

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// mergePoints hands from's lots and the orders that drew on them to into. Two
// lots of one day become one.
func mergePoints(tx *database.Tx, from, into id.Member) (int, error) {
	var lots []struct{ ID, Other int64 }
	err := tx.Raw(`SELECT f.id, COALESCE(i.id, 0) AS other FROM point_lots f
		LEFT JOIN point_lots i ON i.member_id = ? AND i.expires_day = f.expires_day
		WHERE f.member_id = ? ORDER BY f.id LIMIT ?`, into, from, maxRows+1).Scan(&lots).Error
	if err != nil {
		return 0, fmt.Errorf("wallet: merge points of %s: %w", from, err)
	}
	if len(lots) > maxRows { // the caller refuses as many
		return len(lots), nil
	}
	rows := 0
	for _, l := range lots {
		if l.Other == 0 {
			continue
		}
		n, err := joinLots(tx, l.ID, l.Other)
		if err != nil {
			return 0, fmt.Errorf("wallet: merge points of %s: %w", from, err)
		}
		rows += n
	}
	for _, step := range []string{
		"UPDATE point_lots SET member_id = ? WHERE member_id = ?",
		"UPDATE point_orders SET member_id = ? WHERE member_id = ?",
	} {
		res := tx.Exec(step, into, from)
		if res.Error != nil {
			return 0, fmt.Errorf("wallet: merge points of %s: %w", from, res.Error)
		}
		rows += int(res.RowsAffected)
	}
	return rows, nil
}

// joinLots adds a lot to another one. Both members' rows are locked, and no
// order can have drawn on both lots.
func joinLots(tx *database.Tx, from, into int64) (int, error) {
	var l struct{ LeftQty, FrozenQty, SpentQty, ExpiredQty int64 }
	if err := tx.Raw("SELECT left_qty, frozen_qty, spent_qty, expired_qty FROM point_lots WHERE id = ?", from).Scan(&l).Error; err != nil {
		return 0, err
	}
	rows := 0
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{"UPDATE point_lots SET left_qty = left_qty + ?, frozen_qty = frozen_qty + ?, spent_qty = spent_qty + ?, expired_qty = expired_qty + ? WHERE id = ?",
			[]any{l.LeftQty, l.FrozenQty, l.SpentQty, l.ExpiredQty, into}},
		{"UPDATE point_uses SET lot_id = ? WHERE lot_id = ?", []any{into, from}},
		{"DELETE FROM point_lots WHERE id = ?", []any{from}},
	} {
		res := tx.Exec(step.sql, step.args...)
		if res.Error != nil {
			return 0, res.Error
		}
		rows += int(res.RowsAffected)
	}
	return rows, nil
}
