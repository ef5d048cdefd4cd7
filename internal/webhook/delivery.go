package webhook

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// DeliveryStatus is how far a delivery is.
type DeliveryStatus string

// The states of a delivery. Failed means that all attempts were used up,
// cancelled that its webhook was paused when its turn came.
const (
	DeliveryPending   DeliveryStatus = "pending"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryFailed    DeliveryStatus = "failed"
	DeliveryCancelled DeliveryStatus = "cancelled"
)

// Words name the state.
func (s DeliveryStatus) Words() (zh, en string) {
	return map[DeliveryStatus]string{DeliveryPending: "待投递", DeliveryDelivered: "已送达", DeliveryFailed: "投递失败", DeliveryCancelled: "已取消"}[s], string(s)
}

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID           id.Delivery    `json:"id"`
	WebhookID    id.Webhook     `json:"webhook_id"`
	EventID      id.Event       `json:"event_id"`
	EventType    string         `json:"event_type"`
	Status       DeliveryStatus `json:"status"`
	Attempts     int            `json:"attempts"`
	ResponseCode int            `json:"response_code"` // of the last attempt, 0 without an answer
	LastError    string         `json:"last_error"`
	CreatedAt    clock.Milli    `json:"created_at"`
	DeliveredAt  clock.Milli    `json:"delivered_at"`
}

const selectDelivery = `SELECT d.id, d.webhook_id, d.event_id, e.type AS event_type, d.status, d.attempts,
		d.response_code, d.last_error, d.created_at, d.delivered_at
	FROM deliveries d JOIN events e ON e.id = d.event_id WHERE d.webhook_id = ?`

// Deliveries lists a webhook's deliveries, newest first.
func (s *Service) Deliveries(ctx context.Context, w id.Webhook, page database.Page) (database.Paged[Delivery], error) {
	if _, err := s.Find(ctx, w); err != nil {
		return database.Paged[Delivery]{}, err
	}
	var rows []Delivery
	err := s.DB.Read(ctx).Raw(selectDelivery+" AND d.id < ? ORDER BY d.id DESC LIMIT ?", w, page.Bound(), page.Fetch()).Scan(&rows).Error
	if err != nil {
		return database.Paged[Delivery]{}, fmt.Errorf("webhook: deliveries of %s: %w", w, err)
	}
	return database.Cut(page, rows, func(d Delivery) int64 { return int64(d.ID) }), nil
}

// FindDelivery is one delivery of a webhook.
func (s *Service) FindDelivery(ctx context.Context, w id.Webhook, d id.Delivery) (Delivery, error) {
	if _, err := s.Find(ctx, w); err != nil {
		return Delivery{}, err
	}
	var rows []Delivery
	err := s.DB.Read(ctx).Raw(selectDelivery+" AND d.id = ?", w, d).Scan(&rows).Error
	switch {
	case err != nil:
		return Delivery{}, fmt.Errorf("webhook: find %s: %w", d, err)
	case len(rows) == 0:
		return Delivery{}, fault.NotFound
	}
	return rows[0], nil
}

// Replay sends a delivery that has ended once more, with all its attempts and
// the same webhook-id.
func (s *Service) Replay(ctx context.Context, w id.Webhook, d id.Delivery) error {
	before, err := s.FindDelivery(ctx, w, d)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		err := database.One(tx.Exec("UPDATE deliveries SET status = ? WHERE id = ?"+tx.Only("status <> ?"), DeliveryPending, d, DeliveryPending),
			ErrStatus.With("status", DeliveryPending))
		if err != nil {
			return err
		}
		if err := task.EnqueueTx(tx, send{d}, tx.Now); err != nil {
			return err
		}
		tx.SetResult("delivery", int64(d), 202)
		return database.AuditTx(tx, "webhook.replay", d, map[string]any{"status": before.Status, "attempts": before.Attempts}, nil)
	})
}
