package promoter

import (
	"siyu/internal/database"
	"siyu/internal/webhook"
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventMoved webhook.Type = "promoter.moved"
	eventLevel webhook.Type = "promoter.level"
)

// publish tells what moved a promoter, without the words of staff.
func publish(tx *database.Tx, p Promoter, act Act) error {
	return webhook.PublishTx(tx, eventMoved, map[string]any{
		"id": p.ID, "member_id": p.MemberID, "unit_id": p.UnitID, "act": act, "status": p.Status, "at": tx.Now,
	})
}

// publishLevel tells of a step between levels.
func publishLevel(tx *database.Tx, p Promoter, to int) error {
	return webhook.PublishTx(tx, eventLevel, map[string]any{
		"id": p.ID, "member_id": p.MemberID, "unit_id": p.UnitID, "level": to, "before": p.Level, "at": tx.Now,
	})
}
