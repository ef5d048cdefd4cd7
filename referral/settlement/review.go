package settlement

import (
	"context"
	"strings"
	"unicode"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// ReviewIn names what the reviewer approves.
type ReviewIn struct {
	Digest string `json:"digest"`
}

// Validate checks the form of the input.
func (in ReviewIn) Validate() error {
	var c fault.Check
	c.Required(in.Digest, "digest")
	return c.Err()
}

// Review approves a sealed settlement. The reviewer gives the digest of what
// he looked at, and must not have prepared it.
func (s *Service) Review(ctx context.Context, sid id.Settlement, in ReviewIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		st, err := lock(tx, sid)
		switch {
		case err != nil:
			return err
		case st.Status != StatusClosed:
			return ErrState.With("state", st.Status)
		case who == st.CreatedBy || who == st.ClosedBy:
			return ErrSamePerson
		}
		var sealed string
		if err := tx.Raw("SELECT digest FROM settlement_chain WHERE settlement_id = ?", sid).Scan(&sealed).Error; err != nil {
			return err
		}
		if in.Digest != sealed {
			return ErrDigest
		}
		err = tx.Exec("UPDATE settlements SET status = ?, reviewed_by = ?, reviewed_at = ? WHERE id = ?", StatusReviewed, who, tx.Now, sid).Error
		if err != nil {
			return err
		}
		tx.SetResult("settlement", int64(sid), 200)
		return database.AuditTx(tx, "settlement.review", sid, st.Status, map[string]string{"status": string(StatusReviewed), "digest": in.Digest})
	})
}

// RejectIn says why a settlement is rejected.
type RejectIn struct {
	Reason string `json:"reason"`
}

// Validate checks the form of the input.
func (in RejectIn) Validate() error {
	var c fault.Check
	c.Required(in.Reason, "reason")
	c.Length(in.Reason, "reason", 200)
	c.That(!strings.ContainsFunc(in.Reason, unicode.IsControl), "reason", "format", "不能含控制字符", "must not hold control characters")
	return c.Err()
}

// Reject refuses a sealed settlement of which no payout gives anything out. It
// stays in the chain, and a job frees its lines for the next settlement.
func (s *Service) Reject(ctx context.Context, sid id.Settlement, in RejectIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		st, err := lock(tx, sid)
		switch {
		case err != nil:
			return err
		case st.Status != StatusClosed && st.Status != StatusReviewed:
			return ErrState.With("state", st.Status)
		}
		if err := rejectable(tx, sid); err != nil {
			return err
		}
		err = tx.Exec("UPDATE settlements SET status = ?, rejected_by = ?, rejected_at = ?, reject_reason = ? WHERE id = ?",
			StatusRejected, who, tx.Now, in.Reason, sid).Error
		if err != nil {
			return err
		}
		tx.SetResult("settlement", int64(sid), 200)
		if err := database.AuditTx(tx, "settlement.reject", sid, st.Status, in); err != nil {
			return err
		}
		return task.EnqueueTx(tx, freeJob{sid}, tx.Now)
	})
}

// rejectable refuses when the settlement has a payout, or when a later one has
// brought its debts forward: freeing both would count them twice. A payout that
// ended unpaid has no line and moved nothing, so it stands in nobody's way.
func rejectable(tx *database.Tx, sid id.Settlement) error {
	var payout id.Payout
	if err := tx.Raw("SELECT id FROM payouts WHERE settlement_id = ? AND status <> ? ORDER BY id LIMIT 1", sid, PayoutUnpaid).Scan(&payout).Error; err != nil {
		return err
	}
	if payout != 0 {
		return ErrPayout.With("payout", payout)
	}
	var later id.Settlement
	err := tx.Raw(`SELECT d.settlement_id FROM settlement_lines o JOIN settlement_lines d ON d.source_id = o.id AND d.kind = ? AND d.freed = 0
		WHERE o.settlement_id = ? AND o.kind = ? LIMIT 1`, KindDebt, sid, KindDeferred).Scan(&later).Error
	if err != nil || later == 0 {
		return err
	}
	return ErrCarried.With("settlement", later)
}

type freeJob struct {
	Settlement id.Settlement `json:"settlement"`
}

func (freeJob) Kind() string { return "settlement:free_lines" }

// RunFree frees the lines of a rejected settlement in chunks; it may be run
// any number of times.
func (s *Service) RunFree(ctx context.Context, sid id.Settlement) error {
	st, err := find(s.DB.Read(ctx), sid)
	if err != nil || st.Status != StatusRejected || st.FreedAt != 0 {
		return err
	}
	// A rejected settlement's rewards are marked no further, so this is all.
	var marked int
	if err := s.DB.Read(ctx).Raw("SELECT rewards_marked FROM settlements WHERE id = ?", sid).Scan(&marked).Error; err != nil {
		return err
	}
	for from := 1; from <= st.LineCount; from += chunk {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			if marked != marksNone {
				if err := markTx(tx, sid, from, 0); err != nil {
					return err
				}
			}
			err := tx.Exec("UPDATE settlement_lines SET freed = ? WHERE settlement_id = ? AND line_no BETWEEN ? AND ? AND freed = 0",
				sid, sid, from, from+chunk-1).Error
			if err != nil {
				return err
			}
			return reopenTx(tx, sid, from)
		})
		if err != nil {
			return err
		}
		database.KillPoint("settlement:free")
	}
	if err := s.reopen(ctx, sid); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec("UPDATE settlements SET freed_at = ?, reopened = 1, rewards_marked = ? WHERE id = ? AND freed_at = 0", tx.Now, marksNone, sid).Error
	})
}
