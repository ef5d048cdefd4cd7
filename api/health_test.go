package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/httpd"
)

func TestHealth(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		if got := h.call(t, "", "GET /healthz", ""); got.status != http.StatusOK {
			t.Errorf("healthz: got %d", got.status)
		}
		if got := h.call(t, "", "GET /readyz", ""); got.status != http.StatusOK || !strings.Contains(string(got.body), `"ready"`) {
			t.Errorf("readyz: got %d %s", got.status, got.body)
		}
		h.Ready = func(context.Context) []string { return []string{"queue: redis does not answer"} }
		if got := h.call(t, "", "GET /readyz", ""); got.status != http.StatusOK || !strings.Contains(string(got.body), `"degraded"`) {
			t.Errorf("degraded: got %d %s", got.status, got.body)
		}
		h.Gauges = func(context.Context) []Gauge {
			return []Gauge{{"siyu_queue_due", map[string]string{"kind": "a"}, 3}, {"siyu_queue_dead_total", nil, 1}}
		}
		t.Run("metrics for this machine", func(t *testing.T) {
			got := h.call(t, "", "GET /metrics", "")
			for _, want := range []string{
				`siyu_http_requests_total{route="GET /readyz",status="200"} 2`, `siyu_http_request_seconds_bucket{route="GET /healthz",le="+Inf"} 1`,
				`siyu_db_connections_open{pool="write"}`, "# TYPE siyu_queue_due gauge\nsiyu_queue_due{kind=\"a\"} 3", "# TYPE siyu_queue_dead_total counter",
			} {
				if !strings.Contains(string(got.body), want) {
					t.Errorf("%s is missing in\n%s", want, got.body)
				}
			}
		})
		t.Run("metrics through a proxy need the brand's admin", func(t *testing.T) {
			for key, status := range map[string]int{
				"": 401, h.keys[""][access.Finance]: 403, h.keys[east][access.Admin]: 403, h.keys[""][access.Admin]: 200,
			} {
				if got := h.call(t, key, "GET /metrics", "", "X-Forwarded-For: 127.0.0.1"); got.status != status {
					t.Errorf("got %d, want %d", got.status, status)
				}
			}
		})
	})
}

func TestReady_without_a_store(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.DB.Close()
		got := h.call(t, "", "GET /readyz", "")
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("readyz: got %d %s", got.status, got.body)
		}
		if got := h.call(t, "", "GET /healthz", ""); got.status != http.StatusOK {
			t.Errorf("healthz: got %d", got.status)
		}
	})
}

func TestRates(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		s := newServer(t, h.DB)
		s.Access = h.Access
		s.Rates = Rates{Staff: 40, Member: 8, Address: 40}
		h.url = listen(t, s, httpd.Config{})
		admin, other := h.keys[""][access.Admin], h.keys[""][access.Finance]

		t.Run("a caller over his rate is told when to come back", func(t *testing.T) {
			var last answer
			for range 11 {
				last = h.call(t, admin, "GET /v1/units", "")
			}
			wait := last.header.Get("Retry-After")
			if last.status != http.StatusTooManyRequests || wait == "" || last.header.Get("RateLimit-Policy") != `"staff";q=40;w=60` || !strings.HasPrefix(last.header.Get("RateLimit"), `"staff";r=0`) {
				t.Errorf("got %d %v", last.status, last.header)
			}
			if got := h.call(t, other, "GET /v1/units", ""); got.status != http.StatusOK {
				t.Errorf("somebody else: got %d", got.status)
			}
		})
		t.Run("guessed keys spend the address, and a forged X-Forwarded-For changes nothing", func(t *testing.T) {
			var last answer
			for i := range 12 {
				last = h.call(t, "sk_siyu_guess", "GET /v1/units", "", "X-Forwarded-For: 203.0.113."+string(rune('0'+i%10)))
			}
			if last.status != http.StatusTooManyRequests {
				t.Errorf("got %d", last.status)
			}
		})
	})
}
