package promoter

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ApplyTx has a member apply in a unit. Who was refused may apply again, in
// any unit; who stands otherwise is told where.
func ApplyTx(tx *database.Tx, m id.Member, unit id.Unit) (id.Promoter, error) {
	p, err := lock(tx, "member_id", int64(m))
	if err != nil {
		return 0, err
	}
	if p.ID == 0 {
		p = Promoter{ID: id.Promoter(tx.Next()), MemberID: m, UnitID: unit, Status: Applied}
		err := tx.Exec("INSERT INTO promoters ("+columns+") VALUES (?, ?, ?, ?, '', ?, 0, 0, 0, 1)", p.ID, m, unit, Applied, tx.Now).Error
		switch {
		case database.IsDuplicate(err): // he applied at the same moment
			return 0, ErrState.With("state", Applied)
		case err != nil:
			return 0, fmt.Errorf("promoter: %s: %w", m, err)
		}
		return p.ID, p.note(tx, Apply, "")
	}
	if _, may := Next(p.Status, Apply); !may {
		return 0, ErrState.With("state", p.Status)
	}
	before := p.Status
	p.UnitID, p.Status, p.Reason = unit, Applied, ""
	res := tx.Exec("UPDATE promoters SET unit_id = ?, status = ?, reason = '', applied_at = ?, decided_at = 0, decided_by = 0, version = version + 1 WHERE id = ?"+
		tx.Only("status = ?"), unit, Applied, tx.Now, p.ID, before)
	if err := database.One(res, ErrState.With("state", before)); err != nil {
		return 0, err
	}
	return p.ID, p.note(tx, Apply, "")
}

// Decide has a member of staff approve, refuse, freeze or thaw a promoter.
// Refusing and freezing say why, which the member reads.
func (s *Service) Decide(ctx context.Context, pid id.Promoter, act Act, reason string) error {
	var c fault.Check
	c.Length(reason, "reason", 200)
	if err := c.Err(); err != nil {
		return err
	}
	if reason == "" && (act == Refuse || act == Freeze) {
		return ErrReason
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		p, err := lock(tx, "id", int64(pid))
		if err != nil {
			return err
		}
		if p.ID == 0 || p.Status == Merged || !tx.Actor.Sees(p.UnitID) {
			return fault.NotFound
		}
		before := p.Status
		to, may := Next(before, act)
		if !may || act == Apply {
			return ErrState.With("state", before)
		}
		p.Status, p.Reason = to, reason
		res := tx.Exec("UPDATE promoters SET status = ?, reason = ?, decided_at = ?, decided_by = ?, version = version + 1 WHERE id = ?"+
			tx.Only("status = ?"), to, reason, tx.Now, tx.Actor.Staff, p.ID, before)
		if err := database.One(res, ErrState.With("state", before)); err != nil {
			return err
		}
		tx.SetResult("promoter", int64(p.ID), 200)
		if err := p.note(tx, act, reason); err != nil {
			return err
		}
		return database.AuditTx(tx, "promoter."+string(act), p.ID, before, to)
	})
}

// MergeTx moves the standing of a member to the one he became, and says how
// many rows it changed. Of two standings the weightier one stays: a freeze
// before an approval before an application before a refusal. Of two levels the
// higher one does, until the next pass judges what both did.
func MergeTx(tx *database.Tx, from, into id.Member) (int, error) {
	old, err := lock(tx, "member_id", int64(from))
	if err != nil || old.ID == 0 {
		return 0, err
	}
	p, err := lock(tx, "member_id", int64(into))
	if err != nil {
		return 0, err
	}
	if p.ID == 0 {
		return 1, tx.Exec("UPDATE promoters SET member_id = ?, version = version + 1 WHERE id = ?", into, old.ID).Error
	}
	if err := tx.Exec("UPDATE promoters SET status = ?, version = version + 1 WHERE id = ?", Merged, old.ID).Error; err != nil {
		return 0, fmt.Errorf("promoter: merge %s: %w", from, err)
	}
	was := old.Status
	old.Status = Merged
	if err := old.note(tx, Merge, ""); err != nil {
		return 0, err
	}
	changed := 1
	if weight[was] > weight[p.Status] {
		err = tx.Exec("UPDATE promoters SET status = ?, reason = ?, decided_at = ?, decided_by = ?, version = version + 1 WHERE id = ?",
			was, old.Reason, old.DecidedAt, old.DecidedBy, p.ID).Error
		if err != nil {
			return 0, fmt.Errorf("promoter: merge %s: %w", into, err)
		}
		p.Status = was
		if err := p.note(tx, Merge, old.Reason); err != nil {
			return 0, err
		}
		changed = 2
	}
	if old.Level <= p.Level {
		return changed, nil
	}
	last, err := stepsOf(tx.DB, old.ID)
	if err != nil || len(last) == 0 {
		return changed, err
	}
	return changed + 1, p.moveTx(tx, last[0].Level, last[0].Ladder, last[0].Facts)
}

var weight = map[Status]int{Refused: 1, Applied: 2, Approved: 3, Frozen: 4}

// lock reads one promoter for a change; its id is 0 if there is none.
func lock(tx *database.Tx, column string, of int64) (Promoter, error) {
	var p Promoter
	err := tx.Raw("SELECT "+columns+" FROM promoters WHERE "+column+" = ?"+tx.Dialect.ForUpdate, of).Scan(&p).Error
	if err != nil {
		return p, fmt.Errorf("promoter: lock: %w", err)
	}
	return p, nil
}

// note writes the move that led to where the promoter stands now, and tells
// webhooks.
func (p Promoter) note(tx *database.Tx, act Act, reason string) error {
	err := tx.Exec("INSERT INTO promoter_moves (id, promoter_id, act, status, reason, staff_id, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		tx.Next(), p.ID, act, p.Status, reason, tx.Actor.Staff, tx.Now).Error
	if err != nil {
		return fmt.Errorf("promoter: %s %s: %w", act, p.ID, err)
	}
	return publish(tx, p, act)
}
