package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/database"
)

func TestAccess(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		admin := h.keys[""][access.Admin]
		var unit access.Unit
		made := h.call(t, admin, "POST /v1/units", fmt.Sprintf(`{"parent_id":%q,"name":"南京路店"}`, h.units[east]), h.newKey())
		if made.into(t, &unit); made.status != http.StatusCreated || unit.Kind != access.UnitStore || made.header.Get("ETag") != `"1"` {
			t.Fatalf("got %d %s", made.status, made.body)
		}
		path := "/v1/units/" + unit.ID.String()

		t.Run("an edit names the version it read", func(t *testing.T) {
			for name, tc := range map[string]struct {
				header string
				status int
			}{
				"none":  {"X: y", http.StatusPreconditionRequired},
				"odd":   {"If-Match: 1", http.StatusUnprocessableEntity},
				"any":   {"If-Match: *", http.StatusUnprocessableEntity},
				"wrong": {`If-Match: "2"`, http.StatusPreconditionFailed},
				"right": {`If-Match: W/"1"`, http.StatusOK},
				"old":   {`If-Match: "1"`, http.StatusPreconditionFailed},
			} {
				if name == "right" || name == "old" {
					continue
				}
				if got := h.call(t, admin, "PATCH "+path, `{"name":"外滩店"}`, tc.header); got.status != tc.status {
					t.Errorf("%s: got %d %s", name, got.status, got.body)
				}
			}
			got := h.call(t, admin, "PATCH "+path, `{"name":"外滩店"}`, `If-Match: W/"1"`)
			if got.status != http.StatusOK || got.header.Get("ETag") != `"2"` {
				t.Errorf("right: got %d %s", got.status, got.body)
			}
			if got := h.call(t, admin, "PATCH "+path, `{"name":"外滩店"}`, `If-Match: "1"`); got.status != http.StatusPreconditionFailed {
				t.Errorf("old: got %d %s", got.status, got.body)
			}
		})

		t.Run("a key works, is shown once and can be revoked", func(t *testing.T) {
			var person access.Staff
			h.call(t, admin, "POST /v1/staff", fmt.Sprintf(`{"unit_id":%q,"name":"韩梅梅","role":"marketer"}`, unit.ID), h.newKey()).into(t, &person)
			var key struct {
				access.APIKey
				Key string `json:"key"`
			}
			body, header := fmt.Sprintf(`{"staff_id":%q,"name":"笔记本"}`, person.ID), h.newKey()
			h.call(t, admin, "POST /v1/api-keys", body, header).into(t, &key)
			if !strings.HasPrefix(key.Key, access.KeyPrefix) {
				t.Fatalf("got %+v", key)
			}
			again := h.call(t, admin, "POST /v1/api-keys", body, header)
			if again.status != http.StatusCreated || again.header.Get("Idempotency-Replayed") != "true" || strings.Contains(string(again.body), key.Key) || !strings.Contains(string(again.body), key.ID.String()) {
				t.Errorf("again: got %d %s", again.status, again.body)
			}
			if got := h.call(t, key.Key, "GET "+path, ""); got.status != http.StatusOK {
				t.Errorf("got %d", got.status)
			}
			for range 2 {
				if got := h.call(t, admin, "POST /v1/api-keys/"+key.ID.String()+"/revoke", ""); got.status != http.StatusOK {
					t.Errorf("revoke: got %d %s", got.status, got.body)
				}
			}
			if got := h.call(t, key.Key, "GET "+path, ""); got.status != http.StatusUnauthorized {
				t.Errorf("revoked: got %d", got.status)
			}
		})

		t.Run("who is suspended may do nothing until he is back", func(t *testing.T) {
			var person access.Staff
			var key struct {
				Key string `json:"key"`
			}
			h.want(t, 201, admin, "POST /v1/staff", fmt.Sprintf(`{"unit_id":%q,"name":"李雷","role":"finance"}`, unit.ID)).into(t, &person)
			h.want(t, 201, admin, "POST /v1/api-keys", fmt.Sprintf(`{"staff_id":%q,"name":"台式机"}`, person.ID)).into(t, &key)
			at := "/v1/staff/" + person.ID.String()
			got := h.want(t, 200, admin, "PATCH "+at, `{"status":"suspended","name":"李雷雷"}`, `If-Match: "1"`)
			if got.into(t, &person); person.Status != access.StaffSuspended || person.Name != "李雷雷" || got.header.Get("ETag") != `"2"` {
				t.Errorf("got %s", got.body)
			}
			h.want(t, 401, key.Key, "GET "+path, "")
			h.want(t, 412, admin, "PATCH "+at, `{"status":"active"}`, `If-Match: "1"`)
			h.want(t, 200, admin, "PATCH "+at, `{"status":"active"}`, `If-Match: "2"`)
			h.want(t, 200, key.Key, "GET "+path, "")
			h.want(t, 403, key.Key, "GET /v1/slots", "")
			h.want(t, 200, admin, "PATCH "+at, `{"role":"marketer"}`, `If-Match: "3"`)
			h.want(t, 200, key.Key, "GET /v1/slots", "")
		})

		t.Run("the audit names who did it", func(t *testing.T) {
			var list database.Paged[access.AuditEntry]
			h.call(t, h.keys[""][access.Finance], "GET /v1/audit?object="+unit.ID.String()+"&action=unit.create", "").into(t, &list)
			if len(list.Items) != 1 || list.Items[0].RequestID == "" || list.Items[0].Role != "admin" || list.Items[0].StaffID == 0 || list.Items[0].KeyID == 0 {
				t.Errorf("got %+v", list.Items)
			}
		})

		t.Run("pages follow each other", func(t *testing.T) {
			seen, path := map[string]bool{}, "/v1/staff?limit=5"
			for range 10 {
				var list database.Paged[access.Staff]
				h.call(t, admin, "GET "+path, "").into(t, &list)
				for _, p := range list.Items {
					if seen[p.ID.String()] {
						t.Fatalf("%s came twice", p.ID)
					}
					seen[p.ID.String()] = true
				}
				if list.NextCursor == "" {
					break
				}
				path = "/v1/staff?limit=5&cursor=" + list.NextCursor
			}
			if want := 3*len(access.Roles()) + 2; len(seen) != want {
				t.Errorf("got %d, want %d", len(seen), want)
			}
		})
	})
}

func TestInput_is_strict(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		admin := h.keys[""][access.Admin]
		for name, tc := range map[string]struct {
			call, body, field string
			status            int
		}{
			"unknown field":     {"POST /v1/units", `{"parent_id":null,"name":"x","size":1}`, "size", 422},
			"wrong type":        {"POST /v1/units", `{"parent_id":null,"name":1}`, "name", 422},
			"missing":           {"POST /v1/units", `{"name":"x"}`, "parent_id", 422},
			"wrong kind of id":  {"POST /v1/units", `{"parent_id":"mem_0000000000007","name":"x"}`, "parent_id", 422},
			"control character": {"POST /v1/units", `{"parent_id":"` + h.brand.String() + `","name":"a\u0000b"}`, "name", 422},
			"unknown role":      {"POST /v1/staff", `{"unit_id":"` + h.brand.String() + `","name":"x","role":"boss"}`, "role", 422},
			"bad id in path":    {"GET /v1/units/7", ``, "id", 422},
			"bad id in query":   {"GET /v1/audit?staff_id=7", ``, "staff_id", 422},
			"bad limit":         {"GET /v1/units?limit=201", ``, "limit", 422},
			"bad cursor":        {"GET /v1/units?cursor=x", ``, "cursor", 422},
			"unknown query":     {"GET /v1/units?sort=name", ``, "sort", 422},
			"unlisted word":     {"GET /v1/settlements?status=lost", ``, "status", 422},
			"none asked for":    {"POST /v1/koc-proposals", `{}`, "program_id", 422},
			"query twice":       {"GET /v1/units?limit=1&limit=2", ``, "limit", 422},
		} {
			t.Run(name, func(t *testing.T) {
				got := h.call(t, admin, tc.call, tc.body, h.newKey())
				p := got.problem()
				if got.status != tc.status || len(p.Fields) == 0 || p.Fields[0].Name != tc.field {
					t.Errorf("got %d %s, want %d naming %s", got.status, got.body, tc.status, tc.field)
				}
			})
		}
		t.Run("a bad key names its header", func(t *testing.T) {
			for _, key := range []string{"X: y", "Idempotency-Key: ", "Idempotency-Key: a b", "Idempotency-Key: " + strings.Repeat("k", 129)} {
				got := h.call(t, admin, "POST /v1/units", `{}`, key)
				if p := got.problem(); got.status != 422 || len(p.Fields) != 1 || p.Fields[0].Name != "Idempotency-Key" {
					t.Errorf("%q: got %d %s", key, got.status, got.body)
				}
			}
		})
	})
}
