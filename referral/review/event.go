package review

import (
	"siyu/internal/database"
	"siyu/internal/webhook"
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventOpened  webhook.Type = "review.opened"
	eventDecided webhook.Type = "review.decided"
	eventOverdue webhook.Type = "review.overdue"
)

// publish tells of a case by ids and rules, without the people's words.
func publish(tx *database.Tx, what webhook.Type, c Case) error {
	rules := make([]Rule, len(c.Reasons))
	for i, r := range c.Reasons {
		rules[i] = r.Rule
	}
	return webhook.PublishTx(tx, what, map[string]any{
		"id": c.ID, "reward_id": c.RewardID, "order_id": c.OrderID, "beneficiary_id": c.BeneficiaryID,
		"state": c.State, "rules": rules, "opened_at": c.OpenedAt,
	})
}
