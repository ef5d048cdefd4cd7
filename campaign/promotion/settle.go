package promotion

import (
	"context"
	"fmt"

	"siyu/campaign/guard"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// Release frees a slot whose ad its owner or channel says was not and will not
// be shown. What went along with it in a digest waits for another at once, and
// an ad that was taken back for a while is asked for again when that is over.
// Releasing twice is once.
func (s *Service) Release(ctx context.Context, slot id.Slot, why guard.Release) (guard.Slot, error) {
	return s.Guard.Release(ctx, slot, why, s.releasedTx)
}

// Settle applies a channel's word: that the ad was shown, or Release.
func (s *Service) Settle(ctx context.Context, slot id.Slot, in guard.ReportIn) error {
	if in.Status == guard.ReportSent {
		_, err := s.Guard.Confirm(ctx, slot, in.At)
		return err
	}
	_, err := s.Release(ctx, slot, guard.Release(in.Status))
	return err
}

// releasedTx goes on with what had the slot.
func (s *Service) releasedTx(tx *database.Tx, slot guard.Slot) error {
	var row sendRow
	err := tx.Raw("SELECT "+sendColumns+" FROM promotion_sends WHERE slot_id = ?", slot.ID).Scan(&row).Error
	if err != nil || row.SlotID == 0 {
		return err
	}
	if row.digest, err = digestOf(tx.DB, slot.ID); err != nil {
		return err
	}
	var held id.Promotion // as it is, until this is over
	if err := tx.Raw("SELECT id FROM promotions WHERE id = ?"+tx.Dialect.ForShare, row.PromotionID).Scan(&held).Error; err != nil {
		return fmt.Errorf("promotion: %s: %w", row.PromotionID, err)
	}
	// Whoever keeps the group need not see the promotion.
	p, err := find(tx.DB, database.Actor{}, row.PromotionID)
	if err != nil {
		return err
	}
	w := p.Windows[row.WindowNo-1]
	again := max(tx.Now, row.NotBefore)
	if row.RuleName == guard.RuleSilence {
		again = tx.Now // it may have been lifted since, as the guard knows
	}
	switch {
	case row.Status == SendHanded || row.Status == SendReserved:
		o := outgoing{row: row, slot: slot, window: w}
		if err := o.closedTx(tx, putBack{}, true); err != nil {
			return err
		}
		return task.EnqueueTx(tx, closeWindow{p.ID, w.No}, tx.Now)
	case row.Status == SendClosed && row.NotBefore != 0 && p.Status == StatusRunning && again < w.To:
		err := tx.Exec("UPDATE promotion_sends SET status = ?, not_before = ?, slot_id = 0, handed_at = 0, published_at = 0 WHERE slot_id = ?", SendDeferred, again, slot.ID).Error
		if err != nil {
			return fmt.Errorf("promotion: send of %s: %w", slot.ID, err)
		}
		return task.EnqueueTx(tx, openWindow{Promotion: p.ID, Window: w.No}, again)
	}
	return nil
}
