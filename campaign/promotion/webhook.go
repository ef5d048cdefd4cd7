package promotion

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/webhook"
)

// WebhookChannel publishes each ad as an event to whoever subscribed, such as
// a WeCom adapter, which confirms or reports the slot.
type WebhookChannel struct {
	DB *database.DB
}

// The channel's events.
const (
	EventDeliver webhook.Type = "promotion.deliver"
	EventCancel  webhook.Type = "promotion.cancel"
	EventRemind  webhook.Type = "promotion.remind"
)

// Name is what promotions call the channel.
func (WebhookChannel) Name() string { return "webhook" }

// Deliver publishes the ad once, however often it is called.
func (w WebhookChannel) Deliver(ctx context.Context, s Send) (Receipt, error) {
	err := w.DB.Tx(ctx, func(tx *database.Tx) error {
		res := tx.Exec("UPDATE promotion_sends SET published_at = ? WHERE slot_id = ?"+tx.Only("published_at = 0"), tx.Now, s.SlotID)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return webhook.PublishTx(tx, EventDeliver, s)
	})
	return ReceiptPending, err
}

// Cancel publishes that the ad is taken back. Whether it was shown before is
// the subscriber's to report; until then the slot counts.
func (w WebhookChannel) Cancel(ctx context.Context, s Send) (Receipt, error) {
	err := w.DB.Tx(ctx, func(tx *database.Tx) error { return webhook.PublishTx(tx, EventCancel, s) })
	return ReceiptPending, err
}

// Remind publishes once that the owner has not posted the ad.
func (w WebhookChannel) Remind(ctx context.Context, s Send) error {
	return w.DB.Tx(ctx, func(tx *database.Tx) error {
		res := tx.Exec("UPDATE promotion_sends SET reminded_at = ? WHERE slot_id = ?"+tx.Only("reminded_at = 0"), tx.Now, s.SlotID)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return webhook.PublishTx(tx, EventRemind, s)
	})
}
