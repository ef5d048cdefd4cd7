package webhook

import (
	"encoding/json"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// eventVersion is the form of the body; it grows when a field changes its
// meaning, not when one is added.
const eventVersion = 1

// payloadMost bounds an event; larger things are fetched from the API.
const payloadMost = 64 << 10

// send is the task that delivers one event to one webhook.
type send struct {
	Delivery id.Delivery `json:"delivery"`
}

// Kind is webhook:deliver.
func (send) Kind() string { return "webhook:deliver" }

// atOnce is how many webhooks are told in the transaction that publishes; for
// more a task is written, so that a transaction of many events stays small
// however many webhooks there are.
const atOnce = 2

// fanOut is the task that writes an event's deliveries to the webhooks that
// wanted it when it was published.
type fanOut struct {
	Event id.Event     `json:"event"`
	Hooks []id.Webhook `json:"hooks"`
}

// Kind is webhook:fan_out.
func (fanOut) Kind() string { return "webhook:fan_out" }

func fanOutTx(tx *database.Tx, f fanOut) error {
	for _, w := range f.Hooks {
		if err := deliverTx(tx, w, f.Event); err != nil {
			return fmt.Errorf("webhook: %s to %s: %w", f.Event, w, err)
		}
	}
	return nil
}

// Type names what an event tells, like order.paid. Each room declares those it
// publishes as constants of this type; docs/events.md says when each is sent.
type Type string

// PublishTx writes an event like "order.paid" with its payload, and a delivery
// for each active webhook that wants it; an event nobody wants is not written.
// The payload holds public ids and amounts, never a name or a phone number.
func PublishTx(tx *database.Tx, eventType Type, payload any) error {
	if !validType(string(eventType)) {
		return fmt.Errorf("webhook: event type %q is not like order.paid", eventType)
	}
	hooks, err := wanting(tx.DB, eventType)
	if err != nil || len(hooks) == 0 {
		return err
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("webhook: %s: %w", eventType, err)
	}
	if len(body) > payloadMost {
		return fmt.Errorf("webhook: %s: a payload of %d bytes; at most %d", eventType, len(body), payloadMost)
	}
	event := id.Event(tx.Next())
	err = tx.Exec("INSERT INTO events (id, type, event_version, payload, at) VALUES (?, ?, ?, ?, ?)",
		event, eventType, eventVersion, string(body), tx.Now).Error
	if err != nil {
		return fmt.Errorf("webhook: %s: %w", eventType, err)
	}
	if len(hooks) > atOnce {
		return task.EnqueueTx(tx, fanOut{event, hooks}, tx.Now)
	}
	return fanOutTx(tx, fanOut{event, hooks})
}

// Wanted says whether any webhook wants one of the events, so that a caller
// with many of them need not make those nobody hears.
func Wanted(q *database.Query, eventTypes ...Type) (bool, error) {
	hooks, err := wanting(q, eventTypes...)
	return len(hooks) > 0, err
}

// wanting are the active webhooks that want one of the events.
func wanting(q *database.Query, eventTypes ...Type) ([]id.Webhook, error) {
	var hooks []Webhook
	if err := q.Raw("SELECT id, events FROM webhooks WHERE status = ? ORDER BY id", StatusActive).Scan(&hooks).Error; err != nil {
		return nil, fmt.Errorf("webhook: %s: %w", eventTypes, err)
	}
	var out []id.Webhook
	for _, w := range hooks {
		if slices.ContainsFunc(eventTypes, w.Events.match) {
			out = append(out, w.ID)
		}
	}
	return out, nil
}

func deliverTx(tx *database.Tx, w id.Webhook, event id.Event) error {
	d := id.Delivery(tx.Next())
	err := tx.Exec(`INSERT INTO deliveries (id, webhook_id, event_id, status, attempts, response_code, last_error, created_at, delivered_at)
		VALUES (?, ?, ?, ?, 0, 0, '', ?, 0)`, d, w, event, DeliveryPending, tx.Now).Error
	if err != nil {
		return err
	}
	return task.EnqueueTx(tx, send{d}, tx.Now)
}

// envelope is the body a receiver gets. It is the same on every attempt.
type envelope struct {
	ID           id.Event        `json:"id"`
	Type         string          `json:"type"`
	EventVersion int             `json:"event_version"`
	Timestamp    clock.Milli     `json:"timestamp"` // when it became true, business time
	Data         json.RawMessage `json:"data"`
}
