package api

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"siyu/access"
	"siyu/internal/httpd"
)

// TestIdempotency repeats calls under their keys.
func TestIdempotency(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		admin := h.keys[""][access.Admin]
		body := fmt.Sprintf(`{"unit_id":%q,"name":"李雷","role":"cashier"}`, h.units[east])
		before := h.staffCount(t)

		t.Run("50 at once have one effect", func(t *testing.T) {
			const twins = 50
			answers := make([]answer, twins)
			var all sync.WaitGroup
			start := make(chan struct{})
			for i := range answers {
				all.Go(func() {
					<-start
					var err error
					if answers[i], err = h.try(admin, "POST /v1/staff", body, "Idempotency-Key: one"); err != nil {
						t.Error(err)
					}
				})
			}
			close(start)
			all.Wait()
			first, ids := 0, map[string]int{}
			for _, a := range answers {
				var p access.Staff
				switch a.status {
				case http.StatusCreated:
					a.into(t, &p)
					ids[p.ID.String()]++
					if a.header.Get("Idempotency-Replayed") == "" {
						first++
					}
				case http.StatusConflict:
					if a.problem().Code != "idempotency.in_flight" {
						t.Errorf("got %s", a.body)
					}
				default:
					t.Errorf("got %d %s", a.status, a.body)
				}
			}
			if first != 1 || len(ids) != 1 || h.staffCount(t) != before+1 {
				t.Errorf("got %d first answers, ids %v, %d more staff", first, ids, h.staffCount(t)-before)
			}
		})
		t.Run("with another body it is refused", func(t *testing.T) {
			got := h.call(t, admin, "POST /v1/staff", body+" ", "Idempotency-Key: one")
			if got.status != http.StatusUnprocessableEntity || got.problem().Code != "idempotency.key_reused" {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
		t.Run("after a restart it is replayed", func(t *testing.T) {
			again := *h
			again.Server = &Server{DB: h.DB, Secrets: h.Secrets, Access: &access.Service{DB: h.DB, Secrets: h.Secrets}, Community: h.Community, Rates: h.Rates}
			again.url = listen(t, again.Server, httpd.Config{})
			got := again.call(t, admin, "POST /v1/staff", body, "Idempotency-Key: one")
			if got.status != http.StatusCreated || got.header.Get("Idempotency-Replayed") != "true" || h.staffCount(t) != before+1 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
		t.Run("a refusal binds no key", func(t *testing.T) {
			if got := h.call(t, admin, "POST /v1/staff", `{}`, "Idempotency-Key: two"); got.status != http.StatusUnprocessableEntity {
				t.Errorf("got %d", got.status)
			}
			if got := h.call(t, admin, "POST /v1/staff", body, "Idempotency-Key: two"); got.status != http.StatusCreated {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
		t.Run("another caller's key is another key", func(t *testing.T) {
			got := h.call(t, h.keys[east][access.Admin], "POST /v1/staff", body, "Idempotency-Key: one")
			if got.status != http.StatusCreated || got.header.Get("Idempotency-Replayed") != "" {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	})
}

func (h *house) staffCount(t testing.TB) int {
	t.Helper()
	var n int
	if err := h.DB.Read(bg).Raw("SELECT COUNT(*) FROM staff").Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}
