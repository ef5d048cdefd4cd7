package settlement

import (
	"context"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// markBack is how far before the last mark the next one looks again.
const markBack = 24 * time.Hour

// mark makes sure that everything cleared up to the cut-off is in clearings.
// Clearing writes them itself; a release before this table did not, nor does
// one that still runs beside this one. Two sums tell whether anything is
// missing, because a clearing stands with all its events or not at all.
func (s *Service) mark(ctx context.Context, st Settlement) error {
	if err := s.reopenOld(ctx); err != nil {
		return err
	}
	var from clock.Milli
	if err := s.DB.Read(ctx).Raw("SELECT COALESCE(MAX(marked_at), 0) FROM settlements").Scan(&from).Error; err != nil {
		return err
	}
	from = max(from.Add(-markBack), 0)
	var events, marked int
	err := s.DB.Snapshot(ctx, func(q *database.Query) error {
		err := q.Raw("SELECT COUNT(*) FROM reward_events WHERE kind = 'cleared' AND at >= ? AND at <= ?", from, st.CutAt).Scan(&events).Error
		if err != nil {
			return err
		}
		return q.Raw("SELECT COALESCE(SUM(reward_count), 0) FROM clearings WHERE settled IN (0, 1) AND cleared_at >= ? AND cleared_at <= ?", from, st.CutAt).Scan(&marked).Error
	})
	if err != nil {
		return err
	}
	if events != marked {
		if err := s.markMissing(ctx, from, st.CutAt); err != nil {
			return err
		}
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec("UPDATE settlements SET marked_at = cut_at WHERE id = ?", st.ID).Error
	})
}

// clearedEvent is one that may be in no clearing.
type clearedEvent struct {
	ID        int64
	At        clock.Milli
	RewardID  int64
	ProgramID id.Program
	PayerID   id.Payer
	Currency  string
}

// markMissing walks what was cleared in the time and marks what is not, as
// clearings that may hold anything.
func (s *Service) markMissing(ctx context.Context, from, upto clock.Milli) error {
	const most = 500
	for after := (cursor{at: from}); ; {
		var rows []clearedEvent
		err := s.DB.Read(ctx).Raw(`SELECT e.id, e.at, e.reward_id, r.program_id, `+referral.PayerOf("r")+` AS payer_id, r.currency FROM reward_events e JOIN rewards r ON r.id = e.reward_id
			WHERE e.kind = 'cleared' AND e.at >= ? AND e.at <= ? AND (e.at > ? OR e.reward_id > ?) ORDER BY e.at, e.reward_id LIMIT ?`,
			after.at, upto, after.at, after.id, most).Scan(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		last := rows[len(rows)-1]
		slices.SortFunc(rows, func(a, b clearedEvent) int { return int(a.ID - b.ID) })
		err = s.DB.Tx(ctx, func(tx *database.Tx) error {
			missing, err := unmarked(tx.DB, rows)
			if err != nil {
				return err
			}
			return referral.ClearingsTx(tx, together(missing))
		})
		if database.IsDuplicate(err) {
			continue // another settlement marked them a moment ago
		}
		if err != nil {
			return err
		}
		after = cursor{last.At, last.RewardID}
	}
}

// unmarked are those of the events, ids ascending, that no clearing holds. The
// ids of a clearing follow each other, so the one that holds an event begins
// less than a block before it.
func unmarked(q *database.Query, events []clearedEvent) ([]clearedEvent, error) {
	var near []referral.Clearing
	err := q.Raw("SELECT id, reward_count FROM clearings WHERE id > ? AND id <= ? ORDER BY id",
		events[0].ID-referral.ClearingMost, events[len(events)-1].ID).Scan(&near).Error
	var out []clearedEvent
	for _, e := range events {
		for len(near) > 0 && near[0].ID+int64(near[0].RewardCount) <= e.ID {
			near = near[1:]
		}
		if len(near) == 0 || e.ID < near[0].ID {
			out = append(out, e)
		}
	}
	return out, err
}

// together makes clearings of events, ids ascending: one of each run of ids
// that were cleared at once.
func together(events []clearedEvent) (made []referral.Clearing) {
	for _, e := range events {
		if n := len(made); n > 0 {
			c := &made[n-1]
			if c.ID+int64(c.RewardCount) == e.ID && c.ClearedAt == e.At && c.ProgramID == e.ProgramID && c.PayerID == e.PayerID && c.Currency == e.Currency {
				c.RewardCount++
				continue
			}
		}
		made = append(made, referral.Clearing{ID: e.ID, ProgramID: e.ProgramID, PayerID: e.PayerID, Currency: e.Currency, RewardCount: 1, ClearedAt: e.At})
	}
	return made
}

// reopenOld opens the clearings of settlements that a release before this
// table freed.
func (s *Service) reopenOld(ctx context.Context) error {
	for {
		var st Settlement
		err := s.DB.Read(ctx).Raw("SELECT id, line_count FROM settlements WHERE status = ? AND freed_at > 0 AND reopened = 0 ORDER BY id LIMIT 1", StatusRejected).Scan(&st).Error
		if err != nil || st.ID == 0 {
			return err
		}
		for from := 1; from <= st.LineCount; from += chunk {
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return reopenTx(tx, st.ID, from) }); err != nil {
				return err
			}
		}
		err = s.DB.Tx(ctx, func(tx *database.Tx) error {
			return tx.Exec("UPDATE settlements SET reopened = 1 WHERE id = ?", st.ID).Error
		})
		if err != nil {
			return err
		}
	}
}

// reopenTx opens the clearings whose rewards a chunk of lines held. It goes by
// the moment of the clearing and may open others of that moment too, which only
// makes the next settlement look at them.
func reopenTx(tx *database.Tx, sid id.Settlement, from int) error {
	var moments []clock.Milli
	err := tx.Raw("SELECT DISTINCT occurred_at FROM settlement_lines WHERE settlement_id = ? AND line_no BETWEEN ? AND ? AND kind = ?",
		sid, from, from+chunk-1, KindReward).Scan(&moments).Error
	if err != nil {
		return err
	}
	for part := range slices.Chunk(moments, 200) {
		if err := tx.Exec("UPDATE clearings SET settled = 0 WHERE settled = 1 AND cleared_at IN ?", part).Error; err != nil {
			return err
		}
	}
	return nil
}
