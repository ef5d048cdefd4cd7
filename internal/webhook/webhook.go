// Package webhook sends events to the addresses a brand has registered, in the
// Standard Webhooks form: webhook-id, webhook-timestamp, and webhook-signature
// v1 (HMAC-SHA256 with a secret shown once).
//
// A room calls PublishTx in the transaction that makes the event true; event,
// deliveries and their tasks commit with it, so nothing is sent that did not
// happen and nothing that happened is forgotten. A delivery is tried up to ten
// times over about three days, at least once and in no promised order; the
// receiver tells repeats by webhook-id, which is the event's id.
//
// Addresses come from people, so a delivery may go only where the public may:
// every resolved address is checked while connecting (see Allow).
//
// Tables: webhooks, events, deliveries. Callers: the rooms through PublishTx,
// api for the rest.
package webhook

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"fmt"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
)

// Service registers webhooks and delivers to them.
type Service struct {
	DB      *database.DB
	Secrets *secret.Set
	Allow   Allow // what may be reached beyond the public internet
}

// Status says whether events are sent.
type Status string

// The states of a webhook.
const (
	StatusActive Status = "active"
	StatusPaused Status = "paused"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusActive: "使用中", StatusPaused: "已暂停"}[s], string(s)
}

// Webhook is an address that receives events.
type Webhook struct {
	ID        id.Webhook  `json:"id"`
	UnitID    id.Unit     `json:"unit_id"`
	URL       string      `json:"url"`
	Events    Events      `json:"events"`
	Status    Status      `json:"status"`
	Secret    string      `json:"secret,omitempty"` // only in Create's answer
	CreatedAt clock.Milli `json:"created_at"`
}

// In is what a new webhook needs.
type In struct {
	URL    string  `json:"url"`
	Events Events  `json:"events"`  // ["*"], ["order.paid"], ["order.*", "refund.requested"]
	UnitID id.Unit `json:"unit_id"` // the caller's own unit by default
}

// mostActive bounds the webhooks of a store: each event is a row for each of
// them, in the transaction that publishes it.
const mostActive = 20

// The refusals of this room.
var (
	ErrTooMany  = fault.New(fault.KindConflict, "webhook.too_many", "最多 {most} 个启用中的 webhook,请先停用一个", "at most {most} webhooks may be active; pause one first")
	ErrStatus   = fault.New(fault.KindConflict, "webhook.status", "现在是“{status}”，不能这样操作", "not possible while the status is {status}")
	errFieldURL = [2]string{"请填写公网 http(s) 地址，端口 80 或 443，不含账号和锚点", "give a public http(s) address on port 80 or 443, without user or fragment"}
)

// Validate checks the form; whether the address may be reached is the
// service's to say.
func (in In) Validate() error {
	var c fault.Check
	c.Required(in.URL, "url")
	c.Length(in.URL, "url", 500)
	c.That(len(in.Events) > 0, "events", "required", `至少一个事件，全部用 ["*"]`, `at least one event, ["*"] for all`)
	for i, e := range in.Events {
		c.That(validPattern(e), fmt.Sprintf("events[%d]", i), "format", "应为 order.paid、order.* 或 *", "must be like order.paid, order.* or *")
	}
	c.Length(in.Events.text(), "events", 500)
	return c.Err()
}

// Create registers a webhook. Its secret is in the answer and never again.
func (s *Service) Create(ctx context.Context, in In) (Webhook, error) {
	if err := in.Validate(); err != nil {
		return Webhook{}, err
	}
	if err := s.Allow.check(ctx, in.URL); err != nil {
		return Webhook{}, err
	}
	actor := database.ActorOf(ctx)
	if in.UnitID == 0 {
		in.UnitID = actor.Unit
	}
	if !actor.Sees(in.UnitID) {
		return Webhook{}, fault.NotFound
	}
	raw := make([]byte, 32)
	rand.Read(raw)
	var w Webhook
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := roomTx(tx); err != nil {
			return err
		}
		w = Webhook{ID: id.Webhook(tx.Next()), UnitID: in.UnitID, URL: in.URL, Events: in.Events, Status: StatusActive, CreatedAt: tx.Now}
		err := tx.Exec(`INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, ?, ?, ?, ?, ?, 1, ?)`,
			w.ID, w.UnitID, w.URL, w.Events, s.Secrets.Seal(secret.Webhooks, raw, belongs(w.ID)), w.Status, tx.Now).Error
		if err != nil {
			return err
		}
		tx.SetResult("webhook", int64(w.ID), 201)
		return database.AuditTx(tx, "webhook.create", w.ID, nil, w)
	})
	if err != nil {
		return Webhook{}, err
	}
	w.Secret = showSecret(raw)
	return w, nil
}

// roomTx refuses one active webhook too many. Two creations at once may pass
// it together; it bounds the cost of an event, not money.
func roomTx(tx *database.Tx) error {
	var active int
	if err := tx.Raw("SELECT COUNT(*) FROM webhooks WHERE status = ?", StatusActive).Scan(&active).Error; err != nil {
		return err
	}
	if active >= mostActive {
		return ErrTooMany.With("most", mostActive)
	}
	return nil
}

// Find is one webhook, without its secret.
func (s *Service) Find(ctx context.Context, w id.Webhook) (Webhook, error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	var rows []Webhook
	err := s.DB.Read(ctx).Raw("SELECT id, unit_id, url, events, status, created_at FROM webhooks WHERE id = ?"+cond,
		append([]any{w}, args...)...).Scan(&rows).Error
	switch {
	case err != nil:
		return Webhook{}, fmt.Errorf("webhook: find %s: %w", w, err)
	case len(rows) == 0:
		return Webhook{}, fault.NotFound
	}
	return rows[0], nil
}

// List lists webhooks, newest first.
func (s *Service) List(ctx context.Context, page database.Page) (database.Paged[Webhook], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Webhook
	err := s.DB.Read(ctx).Raw(`SELECT id, unit_id, url, events, status, created_at FROM webhooks
		WHERE id < ?`+cond+` ORDER BY id DESC LIMIT ?`, args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Webhook]{}, fmt.Errorf("webhook: list: %w", err)
	}
	return database.Cut(page, rows, func(w Webhook) int64 { return int64(w.ID) }), nil
}

// Pause stops sending: what waits is cancelled when its turn comes, and events
// published meanwhile are not sent later.
func (s *Service) Pause(ctx context.Context, w id.Webhook) error {
	return s.turn(ctx, w, "webhook.pause", StatusActive, StatusPaused)
}

// Resume sends events published from now on.
func (s *Service) Resume(ctx context.Context, w id.Webhook) error {
	return s.turn(ctx, w, "webhook.resume", StatusPaused, StatusActive)
}

func (s *Service) turn(ctx context.Context, w id.Webhook, action string, from, to Status) error {
	before, err := s.Find(ctx, w)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if to == StatusActive {
			if err := roomTx(tx); err != nil {
				return err
			}
		}
		err := database.One(tx.Exec("UPDATE webhooks SET status = ?, version = version + 1 WHERE id = ?"+tx.Only("status = ?"), to, w, from),
			ErrStatus.With("status", before.Status))
		if err != nil {
			return err
		}
		tx.SetResult("webhook", int64(w), 200)
		return database.AuditTx(tx, action, w, map[string]Status{"status": from}, map[string]Status{"status": to})
	})
}

// Register registers the delivery of events.
func (s *Service) Register(r *task.Registry) {
	d := &deliverer{Service: s, client: s.Allow.client(), busy: map[id.Webhook]int{}}
	task.HandleOutside(r, d.deliver)
	task.Handle(r, fanOutTx)
}

func belongs(w id.Webhook) []byte { return []byte("webhook " + w.String()) }

// Events are patterns of event types.
type Events []string

// Value writes the column.
func (e Events) Value() (driver.Value, error) { return e.text(), nil }

// Scan reads the column.
func (e *Events) Scan(v any) error {
	switch t := v.(type) {
	case string:
		*e = strings.Split(t, ",")
	case []byte:
		*e = strings.Split(string(t), ",")
	default:
		return fmt.Errorf("webhook: events is a %T", v)
	}
	return nil
}

func (e Events) text() string { return strings.Join(e, ",") }

// match says whether an event type is wanted: by its name, by the part before
// a final .*, or by *.
func (e Events) match(t Type) bool {
	for _, p := range e {
		if p == "*" || p == string(t) {
			return true
		}
		if head, ok := strings.CutSuffix(p, "*"); ok && strings.HasPrefix(string(t), head) {
			return true
		}
	}
	return false
}

func validPattern(p string) bool {
	if p == "*" {
		return true
	}
	return validType(strings.TrimSuffix(p, ".*"))
}

// validType is package.verb in lower case, like order.paid.
func validType(t string) bool {
	for _, part := range strings.Split(t, ".") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return false
		}
	}
	return len(t) <= 64
}
