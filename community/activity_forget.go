package community

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// forgetAtOnce is how many events one transaction takes away.
const forgetAtOnce = 500

// forgetActivity takes an erased member's events away, a transaction's worth at
// a time, and has their days counted again without him. Who was merged into him
// did his events under his own id.
func (s *Service) forgetActivity(ctx context.Context, member id.Member) error {
	ids := []id.Member{member}
	merged, err := MergedInto(s.DB.Read(ctx), ids)
	if err != nil {
		return err
	}
	for _, m := range append(ids, merged[member]...) {
		for more := true; more; {
			err := s.DB.Tx(ctx, func(tx *database.Tx) error {
				more, err = forgetTx(tx, m)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetTx works on one group, under its row lock.
func forgetTx(tx *database.Tx, member id.Member) (more bool, err error) {
	var rows []activityRow
	err = tx.Raw(`SELECT group_id, event_id, day FROM activity_events WHERE member_id = ? AND group_id =
		(SELECT MIN(group_id) FROM activity_events WHERE member_id = ?) ORDER BY day LIMIT ?`, member, member, forgetAtOnce).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return false, err
	}
	group := rows[0].GroupID
	var locked id.Group
	if err := tx.Raw("SELECT id FROM chat_groups WHERE id = ?"+tx.Dialect.ForUpdate, group).Scan(&locked).Error; err != nil {
		return false, fmt.Errorf("community: lock %s: %w", group, err)
	}
	days := make([]int, len(rows))
	for i, r := range rows {
		days[i] = r.Day
	}
	if err := deleteActivity(tx, group, rows); err != nil {
		return false, err
	}
	if err := MarkTx(tx, group, days); err != nil {
		return false, err
	}
	return true, database.AuditTx(tx, "member.forget_activity", member, nil, map[string]int{"events": len(rows)})
}

func deleteActivity(tx *database.Tx, group id.Group, rows []activityRow) error {
	for part := range slices.Chunk(rows, activityLook) {
		events := make([]string, len(part))
		for i, r := range part {
			events[i] = r.EventID
		}
		if err := tx.Exec("DELETE FROM activity_events WHERE group_id = ? AND event_id IN ?", group, events).Error; err != nil {
			return fmt.Errorf("community: activity of %s: %w", group, err)
		}
	}
	return nil
}

// purgeAfter is when an event goes: some days after it could last be reported,
// so that none comes to a day that is gone.
const purgeAfter = ActivityKept + 2*24*time.Hour

// PurgeActivity takes away what is older than it is kept. The days that were
// counted stay as they are.
func (s *Service) PurgeActivity(ctx context.Context) error {
	before := clock.Day(s.DB.Clock.Now().Add(-purgeAfter), time.UTC)
	for after := id.Group(0); ; {
		var groups []id.Group
		err := s.DB.Read(ctx).Raw("SELECT id FROM chat_groups WHERE id > ? ORDER BY id LIMIT ?", after, activityLook).Scan(&groups).Error
		if err != nil || len(groups) == 0 {
			return err
		}
		for _, g := range groups {
			for more := true; more; {
				err := s.DB.Tx(ctx, func(tx *database.Tx) error {
					more, err = purgeTx(tx, g, before)
					return err
				})
				if err != nil {
					return fmt.Errorf("community: purge activity of %s: %w", g, err)
				}
			}
		}
		after = groups[len(groups)-1]
	}
}

func purgeTx(tx *database.Tx, group id.Group, before int) (more bool, err error) {
	var rows []activityRow
	err = tx.Raw("SELECT group_id, event_id FROM activity_events WHERE group_id = ? AND day < ? ORDER BY day LIMIT ?", group, before, forgetAtOnce).Scan(&rows).Error
	if err != nil {
		return false, err
	}
	if len(rows) == 0 {
		return false, tx.Exec("DELETE FROM activity_reports WHERE group_id = ? AND day < ?", group, before).Error
	}
	return true, deleteActivity(tx, group, rows)
}
