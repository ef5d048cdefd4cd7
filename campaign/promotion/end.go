package promotion

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// endGroups is how many groups' sends one transaction closes: a promotion has
// up to planGroups of them in a window.
const endGroups = 1000

// end closes what waits in windows that are over, and the promotion after its
// last one. What was closed stays closed where it breaks off, and the promotion
// ends last, so that it can be done again.
func (s *Service) end(ctx context.Context, p Promotion, window int) error {
	left := 0
	for _, w := range p.Windows {
		if w.To > s.now() && p.Status != StatusCancelled {
			left++
			continue
		}
		if window != allWindows && window != w.No {
			continue
		}
		if err := s.closeDeferred(ctx, p.ID, w); err != nil {
			return err
		}
		if p.Status == StatusCancelled {
			if err := s.giveUp(ctx, p, w); err != nil {
				return err
			}
		}
	}
	if left > 0 || p.Status == StatusCancelled {
		return nil
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if open, err := openDigests(tx.DB, p.ID); err != nil || open {
			return err
		}
		return tx.Exec("UPDATE promotions SET status = ?, closed_at = ?, version = version + 1 WHERE id = ?"+tx.Only("status IN ?"),
			StatusDone, tx.Now, p.ID, []Status{StatusApproved, StatusRunning}).Error
	})
}

// cancelledAtOnce is how many cancelled promotions one tick looks after.
const cancelledAtOnce = 100

// endCancelled closes what still waits for a digest though its promotion was
// cancelled. Such a line ends by itself when it comes back (gatherDigest);
// those that came back before it did have no task left that would.
func (s *Service) endCancelled(ctx context.Context, _ clock.Milli) error {
	q := s.DB.Read(ctx)
	var left []id.Promotion
	err := q.Raw(`SELECT DISTINCT d.promotion_id FROM promotion_digests d JOIN promotions p ON p.id = d.promotion_id
		WHERE d.done = 0 AND d.slot_id = 0 AND p.status = ? ORDER BY d.promotion_id LIMIT ?`, StatusCancelled, cancelledAtOnce).Scan(&left).Error
	if err != nil {
		return fmt.Errorf("promotion: cancelled, and waiting: %w", err)
	}
	for _, one := range left {
		p, err := find(q, database.Actor{}, one)
		if err != nil {
			return err
		}
		if err := s.end(ctx, p, allWindows); err != nil {
			return err
		}
	}
	return nil
}

// closeDeferred closes a window's deferred sends, some groups at a time.
func (s *Service) closeDeferred(ctx context.Context, p id.Promotion, w Window) error {
	for after := id.Group(0); ; {
		var last id.Group
		err := s.DB.Tx(ctx, func(tx *database.Tx) (err error) {
			last, err = closeDeferredTx(tx, p, w.No, after)
			return err
		})
		if err != nil {
			return fmt.Errorf("promotion: close window %d of %s: %w", w.No, p, err)
		}
		if last == 0 {
			return nil
		}
		after = last
	}
}

// closeDeferredTx closes the deferred sends of the next groups after one, and
// says the last of them: 0 where there was none.
func closeDeferredTx(tx *database.Tx, p id.Promotion, window int, after id.Group) (id.Group, error) {
	var groups []id.Group
	err := tx.Raw("SELECT group_id FROM promotion_sends WHERE promotion_id = ? AND window_no = ? AND group_id > ? AND status = ? ORDER BY group_id LIMIT ?",
		p, window, after, SendDeferred, endGroups).Scan(&groups).Error
	if err != nil || len(groups) == 0 {
		return 0, err
	}
	last := groups[len(groups)-1]
	return last, tx.Exec("UPDATE promotion_sends SET status = ? WHERE promotion_id = ? AND window_no = ? AND group_id > ? AND group_id <= ? AND status = ?",
		SendClosed, p, window, after, last, SendDeferred).Error
}
