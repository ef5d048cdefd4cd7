package community

import "siyu/internal/database"

// changedTx writes that some member stopped being who his token says: he was
// merged away or erased. Claims trust a token only if it was issued well after
// the last such change, and look the member up otherwise.
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
