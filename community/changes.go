package community

import "siyu/internal/database"

// changedTx writes that some id stopped naming one person alone: a member or a
// guest was merged away, or a member erased. Claims trust a token only if it
// was issued well after the last such change and look the member up otherwise;
// and once there was any, they count what was claimed under all ids a member
// ever had, a merged guest's cookie among them.
func changedTx(tx *database.Tx) error {
	res := tx.Exec("UPDATE member_changes SET changed_at = ? WHERE id = 1", tx.Now)
	if res.Error != nil || res.RowsAffected > 0 {
		return res.Error
	}
	err := tx.Exec("INSERT INTO member_changes (id, changed_at) VALUES (1, ?)", tx.Now).Error
	if database.IsDuplicate(err) {
		return tx.Exec("UPDATE member_changes SET changed_at = ? WHERE id = 1", tx.Now).Error
	}
	return err
}
