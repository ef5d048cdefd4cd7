package api

import (
	"net/http"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

func workLinkOf(t *testing.T, h *house) string {
	t.Helper()
	return h.make(t, access.GroupOwner, "POST /v1/work-links", `{}`)
}

// TestWorkLinkRoutes: the link is in the first answer alone, and another
// owner's key neither shows nor ends it.
func TestWorkLinkRoutes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		owner, admin, key := h.keys[east][access.GroupOwner], h.keys[east][access.Admin], h.newKey()
		var made, again struct {
			ID      string `json:"id"`
			URL     string `json:"url"`
			Revoked string `json:"revoked_at"`
		}
		first := h.call(t, owner, "POST /v1/work-links", `{}`, key)
		first.into(t, &made)
		if first.status != http.StatusCreated || !strings.HasPrefix(made.URL, "https://shop.example/console/work/enter?k=") {
			t.Fatalf("got %d %s", first.status, first.body)
		}
		h.call(t, owner, "POST /v1/work-links", `{}`, key).into(t, &again)
		if again.ID != made.ID || again.URL != "" {
			t.Errorf("a replay answers %+v", again)
		}
		for _, call := range []string{"GET /v1/work-links/" + made.ID, "GET /v1/work-links"} {
			if got := h.call(t, owner, call, ""); got.status != http.StatusOK || strings.Contains(string(got.body), "?k=") || !strings.Contains(string(got.body), made.ID) {
				t.Errorf("%s: got %d %s", call, got.status, got.body)
			}
		}
		for range 2 {
			if got := h.call(t, admin, "POST /v1/work-links/"+made.ID+"/revoke", `{}`); got.status != http.StatusOK {
				t.Fatalf("got %d %s", got.status, got.body)
			}
		}
		h.call(t, owner, "GET /v1/work-links/"+made.ID, "").into(t, &again)
		if again.Revoked == "" {
			t.Error("it is not revoked")
		}
		mate := h.staffOf(t, access.GroupOwner)
		if got := h.call(t, admin, "POST /v1/work-links", `{"staff_id":"`+mate.String()+`"}`, h.newKey()); got.status != http.StatusCreated {
			t.Errorf("by an admin: got %d %s", got.status, got.body)
		}
	})
}
