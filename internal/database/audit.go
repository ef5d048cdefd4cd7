package database

import (
	"encoding/json"
	"fmt"
)

// AuditTx writes who did what to which object, with its state before and
// after as JSON. Before or after may be nil. They must hold no secret and no
// name or phone number.
func AuditTx(tx *Tx, action string, object fmt.Stringer, before, after any) error {
	b, err := auditJSON(before)
	if err != nil {
		return err
	}
	a, err := auditJSON(after)
	if err != nil {
		return err
	}
	tx.audited = true
	return tx.Exec(`INSERT INTO audit (id, at, staff_id, key_id, member_id, role, request_id, action, object, before_json, after_json)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		tx.Next(), tx.Now, tx.Actor.Staff, tx.Actor.Key, tx.Actor.Member, tx.Actor.Role, tx.Actor.Request,
		action, object.String(), b, a).Error
}

func auditJSON(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("database: audit: %w", err)
	}
	return string(b), nil
}
