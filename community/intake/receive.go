package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
)

const (
	// partLines is how many lines one transaction works: 200 groups with their
	// charters, or 200 people with 4 identities each, stay below 2,000 rows.
	partLines = 200
	// partsAtOnce bounds what one statement carries, about 1 MB.
	partsAtOnce = 20
)

// runImport asks to work what is left of an import.
type runImport struct {
	Import id.Import `json:"import"`
}

// Kind names the task.
func (runImport) Kind() string { return "intake:run_import" }

// Receive keeps a file's parts and then, in the transaction that is the call's
// own effect, starts the job. Parts whose transaction never came are strays.
func (s *Service) Receive(ctx context.Context, f *File) (id.Import, error) {
	actor := database.ActorOf(ctx)
	by, err := json.Marshal(actor)
	if err != nil {
		return 0, fmt.Errorf("intake: actor: %w", err)
	}
	m := Import{ID: id.Import(s.DB.IDs.Next()), UnitID: actor.Unit, Kind: f.Kind, Total: len(f.lines), SHA256: f.SHA256}
	if m.Parts, err = s.keepParts(ctx, m.ID, f.lines); err != nil {
		return 0, err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		err := tx.Exec("INSERT INTO imports ("+importColumns+") VALUES (?, ?, ?, ?, ?, 0, ?, 0, 0, 0, 0, 0, ?, ?, ?, ?, 0)",
			m.ID, m.UnitID, m.Kind, StatusRunning, m.Total, m.Parts, m.SHA256, string(by), actor.Staff, tx.Now).Error
		if err != nil {
			return fmt.Errorf("intake: import: %w", err)
		}
		if err := task.EnqueueTx(tx, runImport{m.ID}, 0); err != nil {
			return err
		}
		tx.SetResult("import", int64(m.ID), 202)
		return database.AuditTx(tx, "import.receive", m.ID, nil, map[string]any{"kind": m.Kind, "total": m.Total, "sha256": m.SHA256})
	})
	return m.ID, err
}

// keepParts writes the parts in transactions of their own: they belong to
// nobody until the import stands.
func (s *Service) keepParts(ctx context.Context, file id.Import, lines []line) (parts int, err error) {
	bare := database.WithActor(database.WithoutKey(ctx), database.Actor{})
	var rows []any
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		err := s.DB.Tx(bare, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO import_parts (import_id, part, sealed, report, created_at) VALUES "+strings.Repeat("?,", len(rows)-1)+"?", rows...).Error
		})
		rows = rows[:0]
		return err
	}
	now := clock.MilliOf(s.DB.Clock.Now())
	for part := range slices.Chunk(lines, partLines) {
		text, err := json.Marshal(part)
		if err != nil {
			return 0, fmt.Errorf("intake: part: %w", err)
		}
		rows = append(rows, []any{file, parts, s.Secrets.Seal(secret.PII, text, partName(file, parts)), []byte{}, now})
		if parts++; len(rows) == partsAtOnce {
			if err := flush(); err != nil {
				return 0, fmt.Errorf("intake: parts of %s: %w", file, err)
			}
		}
	}
	if err := flush(); err != nil {
		return 0, fmt.Errorf("intake: parts of %s: %w", file, err)
	}
	return parts, nil
}

// partName is what a part's lines are sealed to.
func partName(file id.Import, part int) []byte { return fmt.Appendf(nil, "%s/%d", file, part) }

// strayFor is how long parts may wait for their import.
const strayFor = time.Hour

// dropStrays takes away parts whose import never came: the call was cut off,
// refused, or a replay.
func (s *Service) dropStrays(ctx context.Context, _ clock.Milli) error {
	for {
		var files []id.Import
		err := s.DB.Read(ctx).Raw(`SELECT DISTINCT p.import_id FROM import_parts p LEFT JOIN imports m ON m.id = p.import_id
			WHERE p.created_at < ? AND m.id IS NULL ORDER BY p.import_id LIMIT 20`, clock.MilliOf(s.DB.Clock.Now()).Add(-strayFor)).Scan(&files).Error
		if err != nil || len(files) == 0 {
			return err
		}
		for _, f := range files {
			err := s.DB.Tx(ctx, func(tx *database.Tx) error {
				return tx.Exec("DELETE FROM import_parts WHERE import_id = ?", f).Error
			})
			if err != nil {
				return fmt.Errorf("intake: strays of %s: %w", f, err)
			}
		}
	}
}
