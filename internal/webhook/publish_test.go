package webhook_test

import (
	"context"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// However many webhooks want an event, its transaction writes few rows, and
// each of them is told once; one paused meanwhile is not.
func TestManyWebhooks(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newReceiver(t)
		x := newRoom(t, db, r)
		var hooks []webhook.Webhook
		for range 12 {
			hooks = append(hooks, x.create(t, r, "order.*"))
		}
		x.publish(t, "order.paid", map[string]any{"order_id": id.Order(7)})
		var rows int
		err := db.Read(context.Background()).Raw(`SELECT (SELECT COUNT(*) FROM events) + (SELECT COUNT(*) FROM deliveries)
			+ (SELECT COUNT(*) FROM outbox)`).Scan(&rows).Error
		if err != nil || rows != 2 {
			t.Errorf("published: %d rows, %v; want the event and one task", rows, err)
		}
		if err := x.Pause(x.staff, hooks[3].ID); err != nil {
			t.Fatal(err)
		}
		if err := x.drain(); err != nil {
			t.Fatal(err)
		}
		if n := len(r.messages()); n != 11 {
			t.Errorf("%d told, want 11", n)
		}
		for i, w := range hooks {
			want := webhook.DeliveryDelivered
			if i == 3 {
				want = webhook.DeliveryCancelled
			}
			if d := x.only(t, w); d.Status != want {
				t.Errorf("%s: delivery %+v, want %s", w.ID, d, want)
			}
		}
	})
}
