package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
)

// waits are the pauses after each failed attempt; the attempt after the last
// one is the tenth and final.
var waits = [...]time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

const (
	replyMost = 64 << 10 // of a receiver's answer we read no more
	busyMost  = 4        // requests to one webhook at a time, so that a slow one leaves room
)

// deliverer delivers, and knows how many requests run to each webhook.
type deliverer struct {
	*Service
	client *http.Client

	mu   sync.Mutex
	busy map[id.Webhook]int
}

// parcel is a delivery with all it needs.
type parcel struct {
	ID           id.Delivery
	Status       DeliveryStatus
	WebhookID    id.Webhook
	URL          string
	Secret       []byte
	Active       Status
	EventID      id.Event
	Type         string
	EventVersion int
	Payload      string
	At           clock.Milli
}

// outcome is how one attempt ended.
type outcome struct {
	code int
	err  error
}

func (d *deliverer) deliver(ctx context.Context, j task.Job, a send) error {
	p, err := d.parcel(ctx, a.Delivery)
	if err != nil {
		return err
	}
	if p.Status != DeliveryPending {
		return nil
	}
	if p.Active != StatusActive {
		return d.end(ctx, j, p, DeliveryCancelled, outcome{err: errors.New("webhook: paused")})
	}
	if !d.enter(p.WebhookID) {
		return task.Snooze(2*time.Second + rand.N(4*time.Second))
	}
	defer d.leave(p.WebhookID)
	o := d.post(ctx, p)
	database.KillPoint("webhook:sent")
	switch {
	case o.err == nil:
		return d.end(ctx, j, p, DeliveryDelivered, o)
	case ctx.Err() != nil:
		return ctx.Err()
	case j.Attempt > len(waits):
		return d.end(ctx, j, p, DeliveryFailed, o)
	}
	if err := d.note(ctx, p, o); err != nil {
		return err
	}
	return task.After(o.err, waits[j.Attempt-1])
}

func (d *deliverer) parcel(ctx context.Context, of id.Delivery) (parcel, error) {
	var rows []parcel
	err := d.DB.Read(ctx).Raw(`SELECT d.id, d.status, d.webhook_id, w.url, w.secret, w.status AS active,
			d.event_id, e.type, e.event_version, e.payload, e.at
		FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id JOIN events e ON e.id = d.event_id
		WHERE d.id = ?`, of).Scan(&rows).Error
	switch {
	case err != nil:
		return parcel{}, fmt.Errorf("webhook: read %s: %w", of, err)
	case len(rows) == 0:
		return parcel{}, task.Dead(fmt.Errorf("webhook: %s is gone", of))
	}
	return rows[0], nil
}

// post makes one attempt. Its timestamp is wall time, for that is what the
// receiver compares it with.
func (d *deliverer) post(ctx context.Context, p parcel) outcome {
	key, err := d.Secrets.Open(secret.Webhooks, p.Secret, belongs(p.WebhookID))
	if err != nil {
		return outcome{err: err}
	}
	body, err := json.Marshal(envelope{p.EventID, p.Type, p.EventVersion, p.At, json.RawMessage(p.Payload)})
	if err != nil {
		return outcome{err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return outcome{err: err}
	}
	now := time.Now().Unix()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Siyu-Webhook/1")
	req.Header.Set("webhook-id", p.EventID.String())
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now, 10))
	req.Header.Set("webhook-signature", sign(key, p.EventID.String(), now, body))
	res, err := d.client.Do(req)
	if err != nil {
		return outcome{err: err}
	}
	defer res.Body.Close()
	// The answer's text is the receiver's business; reading some of it lets
	// the connection be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, replyMost))
	if res.StatusCode/100 != 2 {
		return outcome{res.StatusCode, fmt.Errorf("webhook: the receiver answered %d", res.StatusCode)}
	}
	return outcome{code: res.StatusCode}
}

// note writes a failed attempt that will be followed by another.
func (d *deliverer) note(ctx context.Context, p parcel, o outcome) error {
	return d.DB.Tx(ctx, func(tx *database.Tx) error { return writeTx(tx, p.ID, DeliveryPending, o) })
}

// end writes the last attempt together with the end of the task.
func (d *deliverer) end(ctx context.Context, j task.Job, p parcel, s DeliveryStatus, o outcome) error {
	return d.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := writeTx(tx, p.ID, s, o); err != nil {
			return err
		}
		return j.DoneTx(tx)
	})
}

func writeTx(tx *database.Tx, d id.Delivery, s DeliveryStatus, o outcome) error {
	var at clock.Milli
	if s == DeliveryDelivered {
		at = tx.Now
	}
	text := ""
	if o.err != nil {
		text = clip(o.err.Error())
	}
	tried := 1
	if s == DeliveryCancelled {
		tried = 0
	}
	return tx.Exec(`UPDATE deliveries SET status = ?, attempts = attempts + ?, response_code = ?, last_error = ?, delivered_at = ? WHERE id = ?`,
		s, tried, o.code, text, at, d).Error
}

func clip(s string) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	return string(r[:min(len(r), 500)])
}

func (d *deliverer) enter(w id.Webhook) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[w] >= busyMost {
		return false
	}
	d.busy[w]++
	return true
}

func (d *deliverer) leave(w id.Webhook) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy[w]--
}
