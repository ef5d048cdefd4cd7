package review

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// forgetMost is how many go in one transaction.
const forgetMost = 200

// Forget deletes sightings that are too old, some at a time.
func (s *Service) Forget(ctx context.Context, now clock.Milli) error {
	for kind, keep := range map[MarkKind]time.Duration{MarkNetwork: keepNetwork, MarkDevice: keepOther, MarkAddress: keepOther} {
		for n := forgetMost; n == forgetMost; {
			err := s.DB.Tx(ctx, func(tx *database.Tx) error {
				var ids []int64
				err := tx.Raw("SELECT id FROM sightings WHERE kind = ? AND last_at < ? ORDER BY last_at, id LIMIT ?", kind, now.Add(-keep), forgetMost).Scan(&ids).Error
				if n = len(ids); err != nil || n == 0 {
					return err
				}
				return tx.Exec("DELETE FROM sightings WHERE id IN ?", ids).Error
			})
			if err != nil {
				return fmt.Errorf("review: forget: %w", err)
			}
		}
	}
	return nil
}

// MergeTx gives the sightings of from to into and says how many rows changed.
// What both were seen with stays once, from the first time to the last of both.
func MergeTx(tx *database.Tx, from, into id.Member) (int, error) {
	var twice []struct {
		ID, Stays       int64
		FirstAt, LastAt clock.Milli
	}
	err := tx.Raw(`SELECT f.id, i.id AS stays, CASE WHEN f.first_at < i.first_at THEN f.first_at ELSE i.first_at END AS first_at,
			CASE WHEN f.last_at > i.last_at THEN f.last_at ELSE i.last_at END AS last_at
		FROM sightings f JOIN sightings i ON i.member_id = ? AND i.kind = f.kind AND i.hash = f.hash
		WHERE f.member_id = ? ORDER BY i.id`, into, from).Scan(&twice).Error
	for _, x := range twice {
		if err == nil {
			err = tx.Exec("UPDATE sightings SET first_at = ?, last_at = ? WHERE id = ?", x.FirstAt, x.LastAt, x.Stays).Error
		}
		if err == nil {
			err = tx.Exec("DELETE FROM sightings WHERE id = ?", x.ID).Error
		}
	}
	if err != nil {
		return 0, fmt.Errorf("review: merge %s: %w", from, err)
	}
	res := tx.Exec("UPDATE sightings SET member_id = ? WHERE member_id = ?", into, from)
	return 2*len(twice) + int(res.RowsAffected), res.Error
}
