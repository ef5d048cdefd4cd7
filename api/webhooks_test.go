package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"siyu/access"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// TestWebhookPausedAndReplayed: an event is delivered, delivered again when
// asked, and not while its webhook is paused.
func TestWebhookPausedAndReplayed(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var mu sync.Mutex
		var got []string // the ids of what came
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, r.Header.Get("Webhook-Id"))
			w.WriteHeader(http.StatusNoContent)
		}))
		t.Cleanup(receiver.Close)
		allow, err := webhook.ParseAllow([]string{strings.TrimPrefix(receiver.URL, "http://")})
		if err != nil {
			t.Fatal(err)
		}
		h.Webhook.Allow = allow
		mall := h.keys[""][access.Mall]
		hook := h.makeAs(t, mall, "POST /v1/webhooks", fmt.Sprintf(`{"url":%q,"events":["order.paid"]}`, receiver.URL+"/hook"))
		at := "/v1/webhooks/" + hook
		// paid lets somebody pay an order, and all that is due leave.
		paid := func() (came int) {
			t.Helper()
			o := orderOf(t, h)
			h.want(t, 200, mall, "POST /v1/orders/"+o+"/payments", fmt.Sprintf(`{"provider":"mall","payment_no":%q,"goods_fen":9900,"amount_fen":9900}`, o))
			return drainWebhooks(t, h, &mu, &got)
		}
		if n := paid(); n != 1 {
			t.Fatalf("came %d", n)
		}
		var list struct {
			Items []struct {
				ID       string `json:"id"`
				Status   string `json:"status"`
				Attempts int    `json:"attempts"`
			} `json:"items"`
		}
		h.want(t, 200, mall, "GET "+at+"/deliveries", "").into(t, &list)
		if len(list.Items) != 1 || list.Items[0].Status != "delivered" || list.Items[0].Attempts != 1 {
			t.Fatalf("deliveries: got %+v", list.Items)
		}
		again := "POST " + at + "/deliveries/" + list.Items[0].ID + "/replay"
		h.want(t, 202, mall, again, "")
		if n := drainWebhooks(t, h, &mu, &got); n != 2 || got[0] != got[1] || got[0] == "" {
			t.Errorf("replayed: came %v", got)
		}
		var w struct{ Status string }
		if h.want(t, 200, mall, "POST "+at+"/pause", "").into(t, &w); w.Status != "paused" {
			t.Errorf("paused: got %+v", w)
		}
		h.want(t, 409, mall, "POST "+at+"/pause", "")
		if n := paid(); n != 2 {
			t.Errorf("while it is paused came %d", n-2)
		}
		if h.want(t, 200, mall, "POST "+at+"/resume", "").into(t, &w); w.Status != "active" {
			t.Errorf("resumed: got %+v", w)
		}
		if n := paid(); n != 3 {
			t.Errorf("after that came %d", n-2)
		}
	})
}

// drainWebhooks delivers what is due and says how many came in all.
func drainWebhooks(t *testing.T, h *house, mu *sync.Mutex, got *[]string) int {
	t.Helper()
	r := task.NewRegistry()
	h.Webhook.Register(r)
	if err := task.Drain(bg, h.DB, r); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	return len(*got)
}
