package promoter

import (
	"context"
	"encoding/json"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ShownLadder is the ladder in force with its version. Version 1 is the
// house's own, without levels; a brand's versions count from 2.
type ShownLadder struct {
	Ladder
	Version int         `json:"version"`
	SetBy   id.Staff    `json:"set_by"`
	SetAt   clock.Milli `json:"set_at"`
}

// String names the version in the audit.
func (l ShownLadder) String() string { return fmt.Sprintf("promoter_ladder_%d", l.Version) }

// LadderNow is the ladder in force.
func LadderNow(q *database.Query) (ShownLadder, error) {
	out := ShownLadder{Version: 1, Ladder: Ladder{Levels: []Level{}}}
	var row struct {
		Number    int
		Ladder    string
		StaffID   id.Staff
		CreatedAt clock.Milli
	}
	err := q.Raw("SELECT number, ladder, staff_id, created_at FROM promoter_ladders ORDER BY number DESC LIMIT 1").Scan(&row).Error
	if err != nil || row.Number == 0 {
		return out, err
	}
	if err := json.Unmarshal([]byte(row.Ladder), &out.Ladder); err != nil {
		return out, fmt.Errorf("promoter: ladder %d: %w", row.Number, err)
	}
	out.Version, out.SetBy, out.SetAt = row.Number, row.StaffID, row.CreatedAt
	return out, nil
}

// FindLadder is the ladder in force.
func (s *Service) FindLadder(ctx context.Context) (ShownLadder, error) {
	return LadderNow(s.DB.Read(ctx))
}

// SetLadder adds the next version; the next nightly pass judges by it. Since
// is the version it was made from.
func (s *Service) SetLadder(ctx context.Context, since int, in Ladder) error {
	if err := in.Validate(); err != nil {
		return err
	}
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if tx.Actor.Units != nil {
			return fault.Forbidden // the ladder is the whole brand's
		}
		before, err := LadderNow(tx.DB)
		if err != nil {
			return err
		}
		if before.Version != since {
			return fault.Stale
		}
		next := ShownLadder{Ladder: in, Version: since + 1}
		err = tx.Exec("INSERT INTO promoter_ladders (number, ladder, staff_id, created_at) VALUES (?, ?, ?, ?)",
			next.Version, string(text), tx.Actor.Staff, tx.Now).Error
		switch {
		case database.IsDuplicate(err): // the same number, written at once
			return fault.Stale
		case err != nil:
			return fmt.Errorf("promoter: ladder %d: %w", next.Version, err)
		}
		return database.AuditTx(tx, "promoter.ladder", next, before.Ladder, in)
	})
}

// Step is a promoter's move between levels, with the facts that made it.
type Step struct {
	Level  int         `json:"level"`
	Before int         `json:"before"`
	Ladder int         `json:"ladder_version"`
	Facts  Facts       `json:"facts"`
	At     clock.Milli `json:"at"`
}

// ToJudge are approved promoters by id ascending, after one.
func ToJudge(tx *database.Tx, after id.Promoter, limit int) ([]Promoter, error) {
	var list []Promoter
	err := tx.Raw("SELECT "+columns+" FROM promoters WHERE status = ? AND id > ? ORDER BY id LIMIT ?"+tx.Dialect.ForUpdate,
		Approved, after, limit).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("promoter: to judge: %w", err)
	}
	return list, nil
}

// StepTx moves a promoter, whose row the caller has locked, to the level that
// his facts give him.
func (p Promoter) StepTx(tx *database.Tx, l ShownLadder, f Facts) error {
	to := l.Judge(f, p.Level)
	if to == p.Level {
		return nil
	}
	return p.moveTx(tx, to, l.Version, f)
}

// moveTx writes a step to a level, by a version of the ladder and the facts.
func (p Promoter) moveTx(tx *database.Tx, to, ladder int, f Facts) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	res := tx.Exec("UPDATE promoters SET level_no = ?, version = version + 1 WHERE id = ?"+tx.Only("level_no = ?"), to, p.ID, p.Level)
	if err := database.One(res, fault.Unavailable); err != nil {
		return err
	}
	err = tx.Exec("INSERT INTO promoter_levels (id, promoter_id, level_no, before_no, ladder_no, facts, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		tx.Next(), p.ID, to, p.Level, ladder, string(text), tx.Now).Error
	if err != nil {
		return fmt.Errorf("promoter: level of %s: %w", p.ID, err)
	}
	return publishLevel(tx, p, to)
}

// LevelAt is the level a member had at a moment.
func LevelAt(q *database.Query, m id.Member, at clock.Milli) (int, error) {
	var level int
	err := q.Raw(`SELECT l.level_no FROM promoter_levels l JOIN promoters p ON p.id = l.promoter_id
		WHERE p.member_id = ? AND l.at <= ? ORDER BY l.at DESC, l.id DESC LIMIT 1`, m, at).Scan(&level).Error
	if err != nil {
		return 0, fmt.Errorf("promoter: level of %s: %w", m, err)
	}
	return level, nil
}

// stepsOf are the latest moves of a promoter between levels, newest first.
func stepsOf(q *database.Query, p id.Promoter) ([]Step, error) {
	var rows []struct {
		LevelNo, BeforeNo, LadderNo int
		Facts                       string
		At                          clock.Milli
	}
	err := q.Raw("SELECT level_no, before_no, ladder_no, facts, at FROM promoter_levels WHERE promoter_id = ? ORDER BY at DESC, id DESC LIMIT 50", p).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("promoter: levels of %s: %w", p, err)
	}
	out := make([]Step, len(rows))
	for i, r := range rows {
		out[i] = Step{Level: r.LevelNo, Before: r.BeforeNo, Ladder: r.LadderNo, At: r.At}
		if err := json.Unmarshal([]byte(r.Facts), &out[i].Facts); err != nil {
			return nil, fmt.Errorf("promoter: facts of %s: %w", p, err)
		}
	}
	return out, nil
}
