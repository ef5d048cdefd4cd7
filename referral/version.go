package referral

import (
	"context"
	"encoding/json"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// NewVersion adds rules that bindings made from now on freeze; what was
// promised before stays. The same rules again are no new version.
func (s *Service) NewVersion(ctx context.Context, p id.Program, in RulesIn) (int, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var number int
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		row, err := lockProgram(tx, p)
		if err != nil {
			return err
		}
		if row.Status == ProgramEnded {
			return ErrProgramState.With("state", row.Status)
		}
		if err := scopeFits(row.Scope, in.Trigger); err != nil {
			return err
		}
		if err := in.givable(tx); err != nil {
			return err
		}
		tx.SetResult("program", int64(p), 201)
		before, err := rulesOf(tx.DB, p, row.Latest)
		if err != nil {
			return err
		}
		after := in.Rules()
		_, old := before.Digest()
		if _, digest := after.Digest(); digest == old {
			number = row.Latest
			return nil
		}
		number = row.Latest + 1
		if err := writeVersion(tx, p, number, after); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE programs SET latest = ?, version = version + 1 WHERE id = ?", number, p).Error; err != nil {
			return fmt.Errorf("referral: %s: %w", p, err)
		}
		return database.AuditTx(tx, "program.version", p, before, after)
	})
	return number, err
}

func writeVersion(tx *database.Tx, p id.Program, number int, r Rules) error {
	text, digest := r.Digest()
	err := tx.Exec("INSERT INTO program_versions (program_id, number, rules, digest, created_at) VALUES (?, ?, ?, ?, ?)",
		p, number, text, digest, tx.Now).Error
	if err != nil {
		return fmt.Errorf("referral: version %d of %s: %w", number, p, err)
	}
	return nil
}

// latestRules are the rules that new promises are made by.
func latestRules(q *database.Query, p id.Program) (Rules, error) {
	var number int
	if err := q.Raw("SELECT latest FROM programs WHERE id = ?", p).Row().Scan(&number); err != nil {
		return Rules{}, fmt.Errorf("referral: rules of %s: %w", p, err)
	}
	return rulesOf(q, p, number)
}

// rulesOf reads a frozen version.
func rulesOf(q *database.Query, p id.Program, number int) (Rules, error) {
	var text string
	err := q.Raw("SELECT rules FROM program_versions WHERE program_id = ? AND number = ?", p, number).Row().Scan(&text)
	if err != nil {
		return Rules{}, fmt.Errorf("referral: version %d of %s: %w", number, p, err)
	}
	r, err := readRules(text)
	if err != nil {
		return r, fmt.Errorf("referral: version %d of %s: %w", number, p, err)
	}
	return r, nil
}

// readRules reads a version as it is stored.
func readRules(text string) (Rules, error) {
	var r Rules
	err := json.Unmarshal([]byte(text), &r)
	return r, err
}
