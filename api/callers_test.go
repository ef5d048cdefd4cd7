package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/id"
)

// TestCallers walks the whole table: without credentials 401; with a role the
// route does not name 403; with a role it names, not refused for who calls.
func TestCallers(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		token := h.token(t)
		guest := "Cookie: " + access.GuestCookie + "=" + h.Access.GuestToken(h.memberOf(t, token))
		for _, rt := range h.table().list {
			if rt.open {
				continue
			}
			call := rt.method + " " + anyPath(rt.path)
			if got := h.call(t, "", call, "{}", h.newKey()); got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s without credentials: got %d", rt.name(), got.status)
			}
			if got := h.call(t, "mt_siyu_forged", call, "{}", h.newKey()); got.status != http.StatusUnauthorized {
				t.Errorf("%s with a forged token: got %d", rt.name(), got.status)
			}
			for _, r := range access.Roles() {
				got := h.call(t, h.keys[""][r], call, "{}", h.newKey())
				if allowed := rt.staff && (r == access.Admin || slices.Contains(rt.roles, r)); allowed != (got.status != http.StatusForbidden) {
					t.Errorf("%s as %s: got %d, allowed is %v", rt.name(), r, got.status, allowed)
				}
				if got.status >= 500 {
					t.Errorf("%s as %s with an empty body: got %d", rt.name(), r, got.status)
				}
			}
			if got := h.call(t, token, call, "{}", h.newKey()); rt.member == (got.status == http.StatusForbidden) {
				t.Errorf("%s as a member: got %d", rt.name(), got.status)
			}
			if got := h.call(t, "", call, "{}", h.newKey(), guest); rt.member == (got.status == http.StatusForbidden || got.status == http.StatusUnauthorized) {
				t.Errorf("%s as a guest: got %d", rt.name(), got.status)
			}
			if !rt.member || rt.method == http.MethodGet {
				continue
			}
			got := h.call(t, "", call, "{}", h.newKey(), guest, "Sec-Fetch-Site: cross-site")
			if got.problem().Code != "cross_site" {
				t.Errorf("%s with a guest's cookie from another site: got %d", rt.name(), got.status)
			}
		}
	})
}

// anyPath fills the parameters of a path with what is no id: callers are
// judged before anything is read.
func anyPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i] = "x"
		}
	}
	return strings.Join(parts, "/")
}

func (h *house) memberOf(t testing.TB, token string) id.Member {
	t.Helper()
	m, err := h.Access.Member(token)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
