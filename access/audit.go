package access

import (
	"context"
	"encoding/json"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// AuditEntry is who did what to which object, and its state around it.
type AuditEntry struct {
	ID        id.Audit        `json:"id"`
	At        clock.Milli     `json:"at"`
	StaffID   id.Staff        `json:"staff_id"`
	KeyID     id.APIKey       `json:"key_id"`
	MemberID  id.Member       `json:"member_id"`
	Role      string          `json:"role"`
	RequestID string          `json:"request_id"`
	Action    string          `json:"action"`
	Object    string          `json:"object"`
	Before    json.RawMessage `json:"before"`
	After     json.RawMessage `json:"after"`
}

// AuditFilter narrows the audit; empty fields do not.
type AuditFilter struct {
	Object  string
	Action  string
	StaffID id.Staff
}

// ListAudit is the audit, newest first. Outside the brand's root only acts of
// colleagues of the actor's own units are shown: acts of the system and of
// members belong to no unit.
func (s *Service) ListAudit(ctx context.Context, f AuditFilter, page database.Page) (database.Paged[AuditEntry], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	if cond != "" {
		cond = " AND staff_id IN (SELECT id FROM staff WHERE 1 = 1" + cond + ")"
	}
	if f.Object != "" {
		cond, args = cond+" AND object = ?", append(args, f.Object)
	}
	if f.Action != "" {
		cond, args = cond+" AND action = ?", append(args, f.Action)
	}
	if f.StaffID != 0 {
		cond, args = cond+" AND staff_id = ?", append(args, f.StaffID)
	}
	var rows []struct {
		AuditEntry
		BeforeJSON string
		AfterJSON  string
	}
	err := s.DB.Read(ctx).Raw(`SELECT id, at, staff_id, key_id, member_id, role, request_id, action, object, before_json, after_json
		FROM audit WHERE id < ?`+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[AuditEntry]{}, err
	}
	entries := make([]AuditEntry, 0, len(rows))
	for _, r := range rows {
		e := r.AuditEntry
		e.Before, e.After = orNull(r.BeforeJSON), orNull(r.AfterJSON)
		entries = append(entries, e)
	}
	return database.Cut(page, entries, func(e AuditEntry) int64 { return int64(e.ID) }), nil
}

func orNull(text string) json.RawMessage {
	if text == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}
