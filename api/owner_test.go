package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/id"
)

// TestGroupOwner: to a group owner, a colleague's group answers as one that
// does not exist, on every route that names a group, a slot or a decision.
func TestGroupOwner(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner := h.keys[east][access.GroupOwner]
		own := groupOf(t, h)
		foreign := h.make(t, access.Marketer, "POST /v1/groups", `{"name":"同事的群","preset":"chain"}`)
		slots := map[string]string{}
		for _, g := range []string{own, foreign} {
			slots[g] = h.make(t, access.Marketer, "POST /v1/groups/"+g+"/ads", `{}`)
		}
		for _, rt := range h.table().list {
			if !slices.Contains(rt.roles, access.GroupOwner) {
				continue
			}
			ask := func(g string) answer {
				path := strings.NewReplacer("/v1/groups/:id", "/v1/groups/"+g, "/v1/slots/:id", "/v1/slots/"+slots[g]).Replace(rt.path)
				for name, v := range others {
					path = strings.Replace(path, name, v, 1)
				}
				body := bodies[rt.name()]
				if body == "" {
					body = "{}"
				}
				return h.call(t, owner, rt.method+" "+path, body, h.newKey(), `If-Match: "1"`)
			}
			if !strings.HasPrefix(rt.path, "/v1/groups/:id") && !strings.HasPrefix(rt.path, "/v1/slots/:id") {
				continue
			}
			if got := ask(foreign); got.status != http.StatusNotFound {
				t.Errorf("%s of a colleague's group: got %d %s", rt.name(), got.status, got.body)
			}
			if got := ask(own); rt.method == http.MethodGet && got.status != http.StatusOK {
				t.Errorf("%s of his own: got %d %s", rt.name(), got.status, got.body)
			}
		}
		for _, list := range []string{"/v1/groups", "/v1/slots", "/v1/decisions"} {
			got := h.call(t, owner, "GET "+list, "")
			if !strings.Contains(string(got.body), own) || strings.Contains(string(got.body), foreign) {
				t.Errorf("%s: got %s, want %s without %s", list, got.body, own, foreign)
			}
			all := h.call(t, h.keys[east][access.Marketer], "GET "+list, "")
			if !strings.Contains(string(all.body), own) || !strings.Contains(string(all.body), foreign) {
				t.Errorf("%s of a marketer: got %s", list, all.body)
			}
		}
		for _, ask := range []string{"GET /v1/guard/forecast?group_id=" + foreign, "POST /v1/guard/check"} {
			body := ""
			if strings.HasPrefix(ask, "POST") {
				body = fmt.Sprintf(`{"groups":[%q],"to_at":"2026-03-02T16:00:00+08:00"}`, foreign)
			}
			if got := h.call(t, owner, ask, body); got.status != http.StatusNotFound {
				t.Errorf("%s of a colleague's group: got %d %s", ask, got.status, got.body)
			}
		}
	})
}

func groupOf(t *testing.T, h *house) string {
	t.Helper()
	return h.make(t, access.Marketer, "POST /v1/groups", fmt.Sprintf(`{"name":"望京邻里群","preset":"chain","owner_id":%q}`, h.staffOf(t, access.GroupOwner)))
}

// staffOf is who holds the region's key of a role.
func (h *house) staffOf(t *testing.T, r access.Role) id.Staff {
	t.Helper()
	a, err := h.Access.Authenticate(bg, h.keys[east][r])
	if err != nil {
		t.Fatal(err)
	}
	return a.Staff
}

// member1 is somebody new whom the mall knows.
func member1(t *testing.T, h *house) string {
	t.Helper()
	h.seq++
	var out struct {
		Results []struct {
			Member string `json:"member_id"`
		} `json:"results"`
	}
	got := h.call(t, h.keys[east][access.Mall], "PUT /v1/members",
		fmt.Sprintf(`{"members":[{"name":"王小明","identities":[{"kind":"mall","value":"mall-%d"}]}]}`, h.seq))
	if got.into(t, &out); len(out.Results) != 1 || out.Results[0].Member == "" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	return out.Results[0].Member
}

func tokenOf(t *testing.T, h *house, member string) string {
	t.Helper()
	var out struct {
		Token string `json:"token"`
	}
	got := h.call(t, h.keys[east][access.Mall], "POST /v1/members/"+member+"/tokens", `{"ttl_seconds":600}`, h.newKey())
	if got.into(t, &out); out.Token == "" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	return out.Token
}
