package campaign

import "siyu/internal/database"

// keepReferences keeps beside each item of a locked campaign what its product
// was dealt at in the week before, which members may compare the price with.
func keepReferences(tx *database.Tx, c Campaign) error {
	dealt, err := dealtBefore(tx.DB, c)
	if err != nil {
		return err
	}
	for _, item := range c.Items {
		lowest := dealt[item.ProductID].Lowest
		if lowest == item.Reference {
			continue
		}
		if err := tx.Exec("UPDATE items SET reference = ?, version = version + 1 WHERE id = ?", lowest, item.ID).Error; err != nil {
			return err
		}
	}
	return nil
}
