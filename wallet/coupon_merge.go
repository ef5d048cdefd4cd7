package wallet

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// mergeHolders locks both members and leads from one to the other, so that
// what is still on its way to from reaches into.
func mergeHolders(tx *database.Tx, from, into id.Member) error {
	if _, err := lockHolders(tx, from, into); err != nil {
		return err
	}
	err := tx.Exec("UPDATE holders SET merged_into = ? WHERE member_id = ? OR merged_into = ?", into, from, from).Error
	if err != nil {
		return fmt.Errorf("wallet: merge %s: %w", from, err)
	}
	return nil
}

// mergeCoupons hands from's coupons to into, whatever the limits say, and
// records with the counters what that brought in.
func mergeCoupons(tx *database.Tx, from, into id.Member) (int, error) {
	var brought []count
	err := tx.Raw("SELECT "+countColumns+" FROM coupon_counts WHERE member_id = ? ORDER BY id LIMIT ?", from, maxRows+1).Scan(&brought).Error
	if err != nil {
		return 0, fmt.Errorf("wallet: merge %s: %w", from, err)
	}
	if len(brought) > maxRows { // the caller refuses as many
		return len(brought), nil
	}
	for _, n := range brought {
		res := tx.Exec("UPDATE coupon_counts SET qty = qty + ?, brought_qty = brought_qty + ? WHERE member_id = ? AND coupon_id = ? AND day = ?",
			n.Qty, n.Qty, into, n.CouponID, n.Day)
		if res.Error == nil && res.RowsAffected == 0 {
			res = tx.Exec("INSERT INTO coupon_counts ("+countColumns+") VALUES (?, ?, ?, ?, ?, ?)",
				tx.Next(), n.CouponID, into, n.Day, n.Qty, n.Qty)
		}
		if res.Error != nil {
			return 0, fmt.Errorf("wallet: merge %s: %w", from, res.Error)
		}
	}
	if err := tx.Exec("DELETE FROM coupon_counts WHERE member_id = ?", from).Error; err != nil {
		return 0, fmt.Errorf("wallet: merge %s: %w", from, err)
	}
	res := tx.Exec("UPDATE member_coupons SET member_id = ? WHERE member_id = ?", into, from)
	return 2*len(brought) + int(res.RowsAffected), res.Error
}
