package wallet

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// count is how many of a coupon a member was ever given, or on one local day.
type count struct {
	ID         int64
	CouponID   id.Coupon
	MemberID   id.Member
	Day        int // 0 counts all days
	Qty        int64
	BroughtQty int64
}

const countColumns = "id, coupon_id, member_id, day, qty, brought_qty"

// countsOf reads the member's counters of all days and of today; one he has
// not got yet stands at nought. His holder's row is locked, so they stay.
func countsOf(tx *database.Tx, c id.Coupon, m id.Member, today int) (map[int]count, error) {
	var rows []count
	err := tx.Raw("SELECT "+countColumns+" FROM coupon_counts WHERE member_id = ? AND coupon_id = ? AND day IN ?",
		m, c, []int{0, today}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: counts of %s: %w", m, err)
	}
	out := map[int]count{}
	for _, day := range []int{0, today} {
		out[day] = count{CouponID: c, MemberID: m, Day: day}
	}
	for _, r := range rows {
		out[r.Day] = r
	}
	return out, nil
}

// raise adds one, if the limit still has room; a limit of 0 is none.
func (n count) raise(tx *database.Tx, limit int, refusal *fault.Fault) error {
	if n.ID == 0 {
		err := tx.Exec("INSERT INTO coupon_counts ("+countColumns+") VALUES (?, ?, ?, ?, 1, 0)", tx.Next(), n.CouponID, n.MemberID, n.Day).Error
		if !database.IsDuplicate(err) {
			return err
		}
	}
	res := tx.Exec("UPDATE coupon_counts SET qty = qty + 1 WHERE member_id = ? AND coupon_id = ? AND day = ?"+tx.Only("? = 0 OR qty < ?"),
		n.MemberID, n.CouponID, n.Day, limit, limit)
	return database.One(res, refusal.With("limit", limit))
}
