package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// receiver is a mall's server: it keeps what it got and answers as told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer int
	got    []message
}

type message struct {
	header http.Header
	body   []byte
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{answer: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, message{req.Header.Clone(), body})
		w.WriteHeader(r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) say(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = status
}

func (r *receiver) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message(nil), r.got...)
}

// room is the service with its queue and an admin's context.
type room struct {
	*webhook.Service
	tasks *task.Registry
	staff context.Context
}

func newRoom(t testing.TB, db *database.DB, r *receiver) *room {
	t.Helper()
	keys, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	allow, err := webhook.ParseAllow([]string{strings.TrimPrefix(r.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	x := &room{
		Service: &webhook.Service{DB: db, Secrets: keys, Allow: allow}, tasks: task.NewRegistry(),
		staff: database.WithActor(context.Background(), database.Actor{Kind: database.ActorStaff, Staff: 1, Role: "admin", Unit: 1}),
	}
	x.Register(x.tasks)
	return x
}

func (x *room) create(t testing.TB, r *receiver, events ...string) webhook.Webhook {
	t.Helper()
	w, err := x.Create(x.staff, webhook.In{URL: r.URL + "/hook", Events: events})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (x *room) publish(t testing.TB, eventType string, payload any) {
	t.Helper()
	err := x.DB.Tx(context.Background(), func(tx *database.Tx) error { return webhook.PublishTx(tx, webhook.Type(eventType), payload) })
	if err != nil {
		t.Fatal(err)
	}
}

func (x *room) only(t testing.TB, w webhook.Webhook) webhook.Delivery {
	t.Helper()
	list, err := x.Deliveries(x.staff, w.ID, database.Page{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("deliveries %+v, %v", list, err)
	}
	return list.Items[0]
}

func (x *room) drain() error { return task.Drain(context.Background(), x.DB, x.tasks) }

// The signature is computed here again, from the specification's words: an
// HMAC-SHA256 over id.timestamp.body with the decoded secret.
func TestSignedDelivery(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newReceiver(t)
		x := newRoom(t, db, r)
		w := x.create(t, r, "*")
		if !strings.HasPrefix(w.Secret, "whsec_") {
			t.Fatalf("secret %q", w.Secret)
		}
		x.publish(t, "order.paid", map[string]any{"order_id": id.Order(7), "paid_fen": 1990})
		if err := x.drain(); err != nil {
			t.Fatal(err)
		}
		got := r.messages()
		if len(got) != 1 {
			t.Fatalf("%d messages, want 1", len(got))
		}
		m := got[0]
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(w.Secret, "whsec_"))
		if err != nil {
			t.Fatal(err)
		}
		h := hmac.New(sha256.New, key)
		fmt.Fprintf(h, "%s.%s.%s", m.header.Get("webhook-id"), m.header.Get("webhook-timestamp"), m.body)
		if want := "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil)); m.header.Get("webhook-signature") != want {
			t.Errorf("signature %q, want %q", m.header.Get("webhook-signature"), want)
		}
		unix, err := strconv.ParseInt(m.header.Get("webhook-timestamp"), 10, 64)
		if err != nil || time.Since(time.Unix(unix, 0)).Abs() > time.Minute {
			t.Errorf("timestamp %q", m.header.Get("webhook-timestamp"))
		}
		var body struct {
			ID           string
			Type         string
			EventVersion int `json:"event_version"`
			Timestamp    time.Time
			Data         struct {
				OrderID string `json:"order_id"`
				PaidFen int    `json:"paid_fen"`
			}
		}
		if err := json.Unmarshal(m.body, &body); err != nil {
			t.Fatal(err)
		}
		if body.ID != m.header.Get("webhook-id") || body.Type != "order.paid" || body.EventVersion != 1 ||
			!body.Timestamp.Equal(dbtest.Start) || body.Data.OrderID != id.Order(7).String() || body.Data.PaidFen != 1990 {
			t.Errorf("body %s", m.body)
		}
		d := x.only(t, w)
		if d.Status != webhook.DeliveryDelivered || d.Attempts != 1 || d.ResponseCode != 204 || d.DeliveredAt == 0 || d.EventType != "order.paid" {
			t.Errorf("delivery %+v", d)
		}
		// The secret is nowhere to be read again, and not in the store as it is.
		if found, err := x.Find(x.staff, w.ID); err != nil || found.Secret != "" {
			t.Errorf("found %+v, %v", found, err)
		}
		var sealed []byte
		db.Read(context.Background()).Raw("SELECT secret FROM webhooks").Row().Scan(&sealed)
		if strings.Contains(string(sealed), string(key)) {
			t.Error("the secret is stored unsealed")
		}
	})
}

func TestFilter(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newReceiver(t)
		x := newRoom(t, db, r)
		hooks := map[string]webhook.Webhook{}
		for _, p := range []string{"*", "order.paid", "order.*", "refund.requested"} {
			hooks[p] = x.create(t, r, p)
		}
		for _, e := range []string{"order.paid", "order.shipped", "ordered.x"} {
			x.publish(t, e, nil)
		}
		if err := x.drain(); err != nil {
			t.Fatal(err)
		}
		for p, want := range map[string]int{"*": 3, "order.paid": 1, "order.*": 2, "refund.requested": 0} {
			list, err := x.Deliveries(x.staff, hooks[p].ID, database.Page{})
			if err != nil || len(list.Items) != want {
				t.Errorf("%s: %d deliveries, want %d (%v)", p, len(list.Items), want, err)
			}
		}
	})
}

// Ten attempts at the stated times, then failed; replay begins anew.
func TestRetries(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newReceiver(t)
		x := newRoom(t, db, r)
		w := x.create(t, r, "order.*")
		r.say(http.StatusInternalServerError)
		x.publish(t, "order.paid", nil)
		_ = x.drain()
		waits := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
		for i, wait := range waits {
			db.Clock.Jump(wait - time.Millisecond)
			_ = x.drain()
			if n := len(r.messages()); n != i+1 {
				t.Fatalf("attempt %d came early", n)
			}
			db.Clock.Jump(time.Millisecond)
			_ = x.drain()
			if n := len(r.messages()); n != i+2 {
				t.Fatalf("after %s: %d attempts, want %d", wait, n, i+2)
			}
		}
		db.Clock.Jump(30 * 24 * time.Hour)
		if err := x.drain(); err != nil {
			t.Errorf("after the last attempt: %v", err)
		}
		d := x.only(t, w)
		if d.Status != webhook.DeliveryFailed || d.Attempts != 10 || d.ResponseCode != 500 || d.LastError == "" || len(r.messages()) != 10 {
			t.Fatalf("delivery %+v after %d messages", d, len(r.messages()))
		}
		first := r.messages()[0]
		for i, m := range r.messages() {
			if m.header.Get("webhook-id") != first.header.Get("webhook-id") || string(m.body) != string(first.body) {
				t.Errorf("attempt %d differs", i+1)
			}
		}

		r.say(http.StatusOK)
		if err := x.Replay(x.staff, w.ID, d.ID); err != nil {
			t.Fatal(err)
		}
		if err := x.Replay(x.staff, w.ID, d.ID); !errors.Is(err, webhook.ErrStatus) {
			t.Errorf("replaying what waits: %v", err)
		}
		if err := x.drain(); err != nil {
			t.Fatal(err)
		}
		if d := x.only(t, w); d.Status != webhook.DeliveryDelivered || d.Attempts != 11 {
			t.Errorf("replayed: %+v", d)
		}
		proofs, err := task.Verify(context.Background(), db)
		if err != nil || len(proofs[0].Broken) > 0 {
			t.Errorf("V10: %v, %v", proofs, err)
		}
	})
}

// A task that runs twice for one delivery sends once.
func TestDeliveredOnceIsDone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newReceiver(t)
		x := newRoom(t, db, r)
		w := x.create(t, r, "*")
		x.publish(t, "order.paid", nil)
		if err := x.drain(); err != nil {
			t.Fatal(err)
		}
		err := db.Tx(context.Background(), func(tx *database.Tx) error { // the same task once more
			return tx.Exec(`INSERT INTO outbox (id, kind, payload, status, next_at, lease, leased_until, attempts, last_error, created_at, done_at)
				SELECT ?, kind, payload, 0, next_at, '', 0, 0, '', created_at, 0 FROM outbox`, tx.Next()).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.drain(); err != nil {
			t.Fatal(err)
		}
		if n := len(r.messages()); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
		if d := x.only(t, w); d.Attempts != 1 {
			t.Errorf("delivery %+v", d)
		}
	})
}

func TestPause(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newReceiver(t)
		x := newRoom(t, db, r)
		w := x.create(t, r, "*")
		x.publish(t, "order.paid", nil)
		if err := x.Pause(x.staff, w.ID); err != nil {
			t.Fatal(err)
		}
		if err := x.Pause(x.staff, w.ID); !errors.Is(err, webhook.ErrStatus) {
			t.Errorf("pausing twice: %v", err)
		}
		x.publish(t, "order.shipped", nil)
		if err := x.drain(); err != nil {
			t.Fatal(err)
		}
		if d := x.only(t, w); d.Status != webhook.DeliveryCancelled || len(r.messages()) != 0 {
			t.Errorf("delivery %+v, %d messages", d, len(r.messages()))
		}
		if err := x.Resume(x.staff, w.ID); err != nil {
			t.Fatal(err)
		}
		x.publish(t, "order.paid", nil)
		if err := x.drain(); err != nil || len(r.messages()) != 1 {
			t.Errorf("%d messages after resume, %v", len(r.messages()), err)
		}
	})
}

func TestUnits(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newReceiver(t)
		x := newRoom(t, db, r)
		w := x.create(t, r, "*")
		x.publish(t, "order.paid", nil)
		d := x.only(t, w)
		other := database.WithActor(context.Background(), database.Actor{Kind: database.ActorStaff, Staff: 2, Unit: 5, Units: []id.Unit{5}})
		if list, err := x.List(other, database.Page{}); err != nil || len(list.Items) != 0 {
			t.Errorf("another unit lists %v, %v", list.Items, err)
		}
		for what, err := range map[string]error{
			"find": second(x.Find(other, w.ID)), "deliveries": second(x.Deliveries(other, w.ID, database.Page{})),
			"replay": x.Replay(other, w.ID, d.ID), "pause": x.Pause(other, w.ID),
			"create": second(x.Create(other, webhook.In{URL: r.URL, Events: webhook.Events{"*"}, UnitID: 1})),
		} {
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("%s by another unit: %v", what, err)
			}
		}
		if list, err := x.List(x.staff, database.Page{}); err != nil || len(list.Items) != 1 || list.Items[0].Secret != "" {
			t.Errorf("own list %v, %v", list.Items, err)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	db := dbtest.Open(t, "sqlite")
	r := newReceiver(t)
	x := newRoom(t, db, r)
	for _, in := range []webhook.In{
		{}, {URL: "https://example.com/"}, {URL: "https://example.com/", Events: webhook.Events{"Order"}},
		{URL: "https://example.com/", Events: webhook.Events{"order*"}}, {URL: "http://169.254.169.254/", Events: webhook.Events{"*"}},
		{URL: "https://example.com/" + strings.Repeat("x", 500), Events: webhook.Events{"*"}},
	} {
		if _, err := x.Create(x.staff, in); !errors.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", in, err)
		}
	}
	for range 20 {
		x.create(t, r, "*")
	}
	if _, err := x.Create(x.staff, webhook.In{URL: r.URL, Events: webhook.Events{"*"}}); !errors.Is(err, webhook.ErrTooMany) {
		t.Errorf("the 21st: %v", err)
	}
}

// A receiver in a private network is refused when it is called, and the
// delivery says so.
func TestPrivateReceiverIsRefused(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newReceiver(t)
		x := newRoom(t, db, r)
		w := x.create(t, r, "*")
		x.Allow = webhook.Allow{}
		x.tasks = task.NewRegistry()
		x.Register(x.tasks)
		x.publish(t, "order.paid", nil)
		_ = x.drain()
		if d := x.only(t, w); d.Status != webhook.DeliveryPending || !strings.Contains(d.LastError, "SIYU_WEBHOOK_ALLOW") || len(r.messages()) != 0 {
			t.Errorf("delivery %+v, %d messages", d, len(r.messages()))
		}
	})
}

func second[T any](_ T, err error) error { return err }
