package health

import (
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventStateChanged webhook.Type = "group.state_changed"
	eventEarlyDeath   webhook.Type = "group.early_death"
	eventPassed       webhook.Type = "group.passed"
)

// changed is what a group's state became.
type changed struct {
	GroupID  id.Group `json:"group_id"`
	Day      int      `json:"day"`
	State    State    `json:"state"`
	Before   State    `json:"before"`
	Since    int      `json:"since"`
	Coverage int      `json:"coverage"`
}

// fell is a rate that fell to half or less.
type fell struct {
	GroupID id.Group `json:"group_id"`
	Day     int      `json:"day"`
	Fall    Figure   `json:"fall"`
	DAR     Figure   `json:"dar"`
}

// passed is a group that became a community, and what it rests on.
type passed struct {
	GroupID  id.Group    `json:"group_id"`
	Day      int         `json:"day"`
	PassedAt clock.Milli `json:"passed_at"`
	Criteria []Criterion `json:"criteria"`
}

// tellTx tells what the newest judgement changed. A fall is told with the first
// judgement of its day alone.
func tellTx(tx *database.Tx, before, now Standing, newest Judgement) error {
	if before.State != "" && now.State != before.State {
		err := webhook.PublishTx(tx, eventStateChanged, changed{now.GroupID, now.Day, now.State, before.State, now.Since, now.Coverage})
		if err != nil {
			return err
		}
	}
	if newest.Day > before.Day && newest.Fall >= fallAlarm {
		return webhook.PublishTx(tx, eventEarlyDeath, fell{now.GroupID, newest.Day, newest.Fall, now.DAR})
	}
	return nil
}
