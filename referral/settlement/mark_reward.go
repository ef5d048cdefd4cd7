package settlement

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// How far the rewards of a settlement are marked (settlements.rewards_marked).
const (
	marksNone = iota
	marksBegun
	marksDone
)

// markJob marks the rewards that a payer has settled, so that looking for what
// is due to a member can pass over them. A reward that is not marked yet only
// makes that look a little slower, so the marks may be written after the
// sealing, outside its transactions.
type markJob struct {
	Payer id.Payer `json:"payer"`
}

func (markJob) Kind() string { return "settlement:mark_rewards" }

// askedTx starts the marking where the payer was ever given terms.
func askedTx(tx *database.Tx, payer id.Payer) error {
	h, err := headOf(tx.DB, payer, "")
	if err != nil || h.TermsNo == 0 {
		return err
	}
	return task.EnqueueTx(tx, markJob{payer}, tx.Now)
}

// RunMark marks what is not marked yet; it may be cut off anywhere and run any
// number of times, beside itself too.
func (s *Service) RunMark(ctx context.Context, payer id.Payer) error {
	if err := s.unmarkOld(ctx, payer); err != nil {
		return err
	}
	for {
		var st Settlement
		err := s.DB.Read(ctx).Raw("SELECT id, line_count FROM settlements WHERE payer_id = ? AND currency = ? AND status IN ? AND rewards_marked < ? ORDER BY id LIMIT 1",
			payer, money.CNY, standing, marksDone).Scan(&st).Error
		if err != nil || st.ID == 0 {
			return err
		}
		if err := s.markLines(ctx, st); err != nil && !errors.Is(err, errMoved) {
			return err
		}
	}
}

// markLines marks the rewards of one settlement.
func (s *Service) markLines(ctx context.Context, st Settlement) error {
	begun := func(to int) error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			return database.One(tx.Exec("UPDATE settlements SET rewards_marked = ? WHERE id = ?"+tx.Only("status IN ?"), to, st.ID, standing), errMoved)
		})
	}
	if err := begun(marksBegun); err != nil {
		return err
	}
	for from := 1; from <= st.LineCount; from += chunk {
		if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return markChunkTx(tx, st.ID, from) }); err != nil {
			return err
		}
	}
	return begun(marksDone)
}

// markChunkTx marks the rewards of a chunk of lines. The settlement is looked at
// under its lock once the rewards are locked: one that was rejected meanwhile
// frees its lines after that, and one that is rejected later does so with the
// marks.
func markChunkTx(tx *database.Tx, sid id.Settlement, from int) error {
	if err := markTx(tx, sid, from, 1); err != nil {
		return err
	}
	st, err := lock(tx, sid)
	if err == nil && !slices.Contains(standing, st.Status) {
		err = errMoved
	}
	return err
}

// markTx writes the mark of the rewards on a chunk of lines.
func markTx(tx *database.Tx, sid id.Settlement, from, mark int) error {
	var ids []id.Reward
	err := tx.Raw("SELECT source_id FROM settlement_lines WHERE settlement_id = ? AND line_no BETWEEN ? AND ? AND kind = ? ORDER BY source_id",
		sid, from, from+chunk-1, KindReward).Scan(&ids).Error
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, lookAgain) {
		if err := tx.Exec("UPDATE rewards SET settled = ? WHERE id IN ? AND settled <> ?", mark, part, mark).Error; err != nil {
			return fmt.Errorf("settlement: marks of %s: %w", sid, err)
		}
	}
	return nil
}

// unmarkOld takes the marks from settlements that a release before them freed
// while both ran side by side.
func (s *Service) unmarkOld(ctx context.Context, payer id.Payer) error {
	for {
		var st Settlement
		err := s.DB.Read(ctx).Raw("SELECT id, line_count FROM settlements WHERE payer_id = ? AND status = ? AND freed_at > 0 AND rewards_marked > ? ORDER BY id LIMIT 1",
			payer, StatusRejected, marksNone).Scan(&st).Error
		if err != nil || st.ID == 0 {
			return err
		}
		for from := 1; from <= st.LineCount; from += chunk {
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return markTx(tx, st.ID, from, 0) }); err != nil {
				return err
			}
		}
		err = s.DB.Tx(ctx, func(tx *database.Tx) error {
			return tx.Exec("UPDATE settlements SET rewards_marked = ? WHERE id = ?", marksNone, st.ID).Error
		})
		if err != nil {
			return err
		}
	}
}
