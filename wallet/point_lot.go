package wallet

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// lotsMost is how many lots one order may draw on, so that its transaction
// stays small.
const lotsMost = 500

// pointUse is what an order took from one lot, and what came back.
type pointUse struct {
	OrderID int64
	LotID   int64
	Qty     money.Amount
	BackQty money.Amount
}

// shift moves points of the lot from one column to another; the condition and
// the CHECK of the table both refuse to go below zero. The columns are
// constants of this room.
func (u pointUse) shift(tx *database.Tx, from, to string, n money.Amount) error {
	res := tx.Exec("UPDATE point_lots SET "+from+" = "+from+" - ?, "+to+" = "+to+" + ? WHERE id = ?"+tx.Only(from+" >= ?"), n, n, u.LotID, n)
	return database.One(res, fmt.Errorf("wallet: lot %d holds less than %d as %s", u.LotID, n, from))
}

// pick chooses what to take from which lot: the one that expires first first.
// Nothing is written yet, so that a refusal leaves nothing behind.
func pick(tx *database.Tx, m id.Member, want money.Amount) ([]pointUse, error) {
	today, err := pointsDay(tx.Now)
	if err != nil {
		return nil, err
	}
	var lots []Lot
	err = tx.Raw("SELECT id, expires_day, left_qty FROM point_lots WHERE member_id = ? AND expires_day >= ? AND left_qty > 0 ORDER BY expires_day",
		m, today).Scan(&lots).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: lots of %s: %w", m, err)
	}
	var out []pointUse
	var have money.Amount
	for _, l := range lots {
		n := min(l.Left, want-have)
		if have += l.Left; n > 0 {
			out = append(out, pointUse{LotID: l.ID, Qty: n})
		}
	}
	switch {
	case have < want:
		return nil, ErrPointsShort.With("available", int64(have))
	case len(out) > lotsMost:
		return nil, ErrPointsMany
	}
	return out, nil
}

// usesOf are what an order took, the lots that last longest first.
func usesOf(tx *database.Tx, order int64) ([]pointUse, error) {
	var uses []pointUse
	err := tx.Raw(`SELECT u.order_id, u.lot_id, u.qty, u.back_qty FROM point_uses u JOIN point_lots l ON l.id = u.lot_id
		WHERE u.order_id = ? ORDER BY l.expires_day DESC, u.lot_id`, order).Scan(&uses).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: uses of %d: %w", order, err)
	}
	return uses, nil
}
