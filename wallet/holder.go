package wallet

import (
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
)

// holder is the row of a member who was ever given a coupon or points.
type holder struct{ MemberID, MergedInto id.Member }

// HoldTx locks the member's row, made if it was missing, and says who he
// is today. Whatever a member is given or uses locks it first, so a merge
// never overtakes it, and his coupons and points move one at a time.
func HoldTx(tx *database.Tx, m id.Member) (id.Member, error) {
	live := m
	// A row names the last of a chain of merges, so a second look is enough
	// unless another merge comes between.
	for range 3 {
		rows, err := lockHolders(tx, live)
		if err != nil {
			return 0, err
		}
		if rows[0].MergedInto == 0 {
			return live, nil
		}
		live = rows[0].MergedInto
	}
	return 0, fmt.Errorf("wallet: %s was merged into %s while it was looked up", m, live)
}

// lockHolders locks the rows of members, ids ascending.
func lockHolders(tx *database.Tx, members ...id.Member) ([]holder, error) {
	slices.Sort(members)
	for _, m := range members {
		var there int
		if err := tx.Raw("SELECT COUNT(*) FROM holders WHERE member_id = ?", m).Scan(&there).Error; err != nil {
			return nil, fmt.Errorf("wallet: holder %s: %w", m, err)
		}
		if there > 0 {
			continue
		}
		err := tx.Exec("INSERT INTO holders (member_id, merged_into) VALUES (?, 0)", m).Error
		if err != nil && !database.IsDuplicate(err) {
			return nil, fmt.Errorf("wallet: holder %s: %w", m, err)
		}
	}
	var rows []holder
	err := tx.Raw("SELECT member_id, merged_into FROM holders WHERE member_id IN ? ORDER BY member_id"+tx.Dialect.ForUpdate, members).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: lock holders: %w", err)
	}
	if len(rows) != len(members) {
		return nil, fmt.Errorf("wallet: %d holders wanted, %d found", len(members), len(rows))
	}
	return rows, nil
}
