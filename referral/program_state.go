package referral

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ProgramStatus says whether a program takes new invitations. It never
// touches what was promised: whoever is bound already goes on earning.
type ProgramStatus string

// The statuses. Ended is for good.
const (
	ProgramActive ProgramStatus = "active"
	ProgramPaused ProgramStatus = "paused"
	ProgramEnded  ProgramStatus = "ended"
)

// Words name the state.
func (s ProgramStatus) Words() (zh, en string) {
	return map[ProgramStatus]string{ProgramActive: "进行中", ProgramPaused: "已暂停", ProgramEnded: "已结束"}[s], string(s)
}

// The refusals: of staff, what the program's status does not allow, and of
// whom it would bind.
var (
	ErrProgramState = fault.New(fault.KindConflict, "referral.program_state",
		"奖励方案现在是“{state}”", "the program is {state}")
	ErrNotTaking = fault.New(fault.KindConflict, "referral.not_taking",
		"该方案目前不接受新的邀请", "this program takes no new invitations at the moment")
)

// PauseProgram stops new invitations for now.
func (s *Service) PauseProgram(ctx context.Context, p id.Program) error {
	return s.moveProgram(ctx, p, "program.pause", ProgramPaused, ProgramActive)
}

// ResumeProgram lets new invitations in again.
func (s *Service) ResumeProgram(ctx context.Context, p id.Program) error {
	return s.moveProgram(ctx, p, "program.resume", ProgramActive, ProgramPaused)
}

// EndProgram stops new invitations and codes for good. Bindings live on until
// they lapse, and their orders earn what was promised.
func (s *Service) EndProgram(ctx context.Context, p id.Program) error {
	return s.moveProgram(ctx, p, "program.end", ProgramEnded, ProgramActive, ProgramPaused)
}

func (s *Service) moveProgram(ctx context.Context, p id.Program, action string, to ProgramStatus, from ...ProgramStatus) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		row, err := lockProgram(tx, p)
		switch {
		case err != nil:
			return err
		case !slices.Contains(from, row.Status):
			return ErrProgramState.With("state", row.Status)
		}
		if err := tx.Exec("UPDATE programs SET status = ?, version = version + 1 WHERE id = ?", to, p).Error; err != nil {
			return fmt.Errorf("referral: %s: %w", p, err)
		}
		return database.AuditTx(tx, action, p, row.Status, to)
	})
}

// open refuses a new binding while the program takes none.
func open(q *database.Query, p id.Program) error {
	var status ProgramStatus
	if err := q.Raw("SELECT status FROM programs WHERE id = ?", p).Row().Scan(&status); err != nil {
		return fmt.Errorf("referral: status of %s: %w", p, err)
	}
	if status != ProgramActive {
		return ErrNotTaking
	}
	return nil
}

// ProgramVersion is one version of a program's rules as it was written.
type ProgramVersion struct {
	Number    int         `json:"number"`
	Rules     Rules       `json:"rules" gorm:"-"`
	Digest    string      `json:"rules_digest"`
	CreatedAt clock.Milli `json:"created_at"`
	Text      string      `json:"-" gorm:"column:rules"`
}

// ListVersions lists the versions of a program's rules, newest first.
func (s *Service) ListVersions(ctx context.Context, p id.Program, page database.Page) (database.Paged[ProgramVersion], error) {
	var out database.Paged[ProgramVersion]
	if _, err := s.FindProgram(ctx, p); err != nil {
		return out, err
	}
	var rows []ProgramVersion
	err := s.DB.Read(ctx).Raw(`SELECT number, rules, digest, created_at FROM program_versions
		WHERE program_id = ? AND number < ? ORDER BY number DESC LIMIT ?`, p, page.Bound(), page.Fetch()).Scan(&rows).Error
	if err != nil {
		return out, fmt.Errorf("referral: versions of %s: %w", p, err)
	}
	out = database.Cut(page, rows, func(v ProgramVersion) int64 { return int64(v.Number) })
	for i, v := range out.Items {
		if out.Items[i].Rules, err = readRules(v.Text); err != nil {
			return out, fmt.Errorf("referral: version %d of %s: %w", v.Number, p, err)
		}
	}
	return out, nil
}
