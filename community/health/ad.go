package health

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// AdShownTx notes that an ad was shown in a group. The guard calls it with each
// slot that is confirmed; the same slot again is the same ad.
func AdShownTx(tx *database.Tx, group id.Group, slot id.Slot, at clock.Milli) error {
	err := tx.Exec("INSERT INTO group_ads (group_id, ref, at) VALUES (?, ?, ?)", group, slot, at).Error
	if err == nil || database.IsDuplicate(err) {
		return nil
	}
	return fmt.Errorf("health: ad %s in %s: %w", slot, group, err)
}
