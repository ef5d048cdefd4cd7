// Package intake brings in what was before Siyu: groups, members, who is in
// which group, and what was sent there, from CSV files that people make.
//
// A file is read whole when it arrives and every line that says nothing is
// known at once, with its field and a remedy; then it becomes a job of parts
// of 200 lines, each worked in one transaction with the place the job got to,
// so it goes on where it stopped, and may run twice at once. A line stands
// whole or not at all, a file that did not arrive whole brings nothing, and
// the same file again changes nothing: groups are known by external id, people
// by identity, memberships by the pair, sends by group and moment.
//
// Tables: imports, import_parts. Lines wait sealed, because they may name
// people, and are emptied as they are worked; the report holds numbers, ids and
// remedies alone. api calls it; the worker runs it.
package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
)

// Service is the room's use cases.
type Service struct {
	DB        *database.DB
	Community *community.Service
	Secrets   *secret.Set // the PII keys seal lines that wait
}

// Kind is what a file holds.
type Kind string

// The kinds.
const (
	KindGroups      Kind = "groups"
	KindMembers     Kind = "members"
	KindMemberships Kind = "memberships"
	KindSends       Kind = "sends"
)

// Kinds lists the kinds in the order in which files build on each other.
func Kinds() []string {
	return []string{string(KindGroups), string(KindMembers), string(KindMemberships), string(KindSends)}
}

// Status is where an import stands.
type Status string

// The states of an import.
const (
	StatusRunning Status = "running"
	StatusDone    Status = "done"
)

// Import is one file at work. Of total lines done are worked: made wrote
// something new, updated found it there, skipped had nothing for us, refused
// changed nothing.
type Import struct {
	ID         id.Import   `json:"id"`
	UnitID     id.Unit     `json:"unit_id"`
	Kind       Kind        `json:"kind"`
	Status     Status      `json:"status"`
	Total      int         `json:"total"`
	Done       int         `json:"done"`
	Made       int         `json:"made"`
	Updated    int         `json:"updated"`
	Skipped    int         `json:"skipped"`
	Refused    int         `json:"refused"`
	SHA256     string      `json:"sha256" gorm:"column:sha256"`
	CreatedBy  id.Staff    `json:"created_by"`
	CreatedAt  clock.Milli `json:"created_at"`
	FinishedAt clock.Milli `json:"finished_at"`
	NextPart   int         `json:"-"`
	Parts      int         `json:"-"`
	Actor      string      `json:"-"`
}

const importColumns = "id, unit_id, kind, status, total, next_part, parts, done, made, updated, skipped, refused, sha256, actor, created_by, created_at, finished_at"

// Register takes the room's work.
func (s *Service) Register(r *task.Registry) {
	task.HandleOutside(r, func(ctx context.Context, _ task.Job, a runImport) error { return s.Run(ctx, a.Import) })
	task.Every(r, "intake:drop_strays", time.Hour, s.dropStrays)
}

// Find shows how far an import is to staff of its unit.
func (s *Service) Find(ctx context.Context, file id.Import) (Import, error) {
	found, err := find(s.DB.Read(ctx), file, "")
	if err == nil && !database.ActorOf(ctx).Sees(found.UnitID) {
		err = fault.NotFound
	}
	if err != nil {
		return Import{}, err
	}
	return found, nil
}

func find(q *database.Query, file id.Import, lock string) (Import, error) {
	var found Import
	if err := q.Raw("SELECT "+importColumns+" FROM imports WHERE id = ?"+lock, file).Scan(&found).Error; err != nil {
		return found, fmt.Errorf("intake: import %s: %w", file, err)
	}
	if found.ID == 0 {
		return found, fault.NotFound
	}
	return found, nil
}

// List lists imports, newest first.
func (s *Service) List(ctx context.Context, page database.Page) (database.Paged[Import], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	var rows []Import
	err := s.DB.Read(ctx).Raw("SELECT "+importColumns+" FROM imports WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Import]{}, fmt.Errorf("intake: imports: %w", err)
	}
	return database.Cut(page, rows, func(m Import) int64 { return int64(m.ID) }), nil
}

// behalf is ctx in the name of whoever sent the file.
func (m Import) behalf(ctx context.Context) (context.Context, error) {
	var a database.Actor
	if err := json.Unmarshal([]byte(m.Actor), &a); err != nil {
		return nil, fmt.Errorf("intake: actor of %s: %w", m.ID, err)
	}
	return database.WithActor(ctx, a), nil
}
