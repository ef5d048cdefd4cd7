package api

import (
	"net/http"
	"testing"

	"siyu/access"
)

func permitOf(t *testing.T, h *house) string {
	g := h.make(t, access.Marketer, "POST /v1/groups", `{"name":"南京路大促群","preset":"benefit"}`)
	return h.make(t, access.Marketer, "POST /v1/guard/passes", `{"groups":["`+g+`"],"reason":"双十一","from_at":"2036-11-08T00:00:00+08:00","to_at":"2036-11-12T00:00:00+08:00"}`)
}

func silenceOf(t *testing.T, h *house) string {
	g := h.make(t, access.Marketer, "POST /v1/groups", `{"name":"南京路静默群","preset":"benefit"}`)
	return h.make(t, access.Marketer, "POST /v1/guard/silences", `{"scope":"group","group_id":"`+g+`","reason":"群主请假","until_at":"2026-06-01T00:00:00+08:00"}`)
}

// TestSilenceAndPermitOverREST: who may stop what, and that two people lift a
// policy.
func TestSilenceAndPermitOverREST(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, owner, admin := h.keys[east][access.Marketer], h.keys[east][access.GroupOwner], h.keys[east][access.Admin]
		g := h.make(t, access.Marketer, "POST /v1/groups", `{"name":"南京路大促群","preset":"retail"}`)
		until := `"reason":"停电","until_at":"2026-06-01T00:00:00+08:00"}`
		unit := `{"scope":"unit","unit_id":"` + h.units[east].String() + `",` + until
		if got := h.call(t, owner, "POST /v1/guard/silences", unit, h.newKey()); got.status != http.StatusForbidden {
			t.Errorf("a group owner silences his region: got %d %s", got.status, got.body)
		}
		if got := h.call(t, marketer, "POST /v1/guard/silences", `{"scope":"house",`+until, h.newKey()); got.status != http.StatusForbidden || got.problem().Code != "guard.house_scope" {
			t.Errorf("a region silences the house: got %d %s", got.status, got.body)
		}
		key := h.newKey()
		first, again := h.call(t, marketer, "POST /v1/guard/silences", unit, key), h.call(t, marketer, "POST /v1/guard/silences", unit, key)
		var silence struct {
			ID    string `json:"id"`
			Until string `json:"until_at"`
		}
		first.into(t, &silence)
		if first.status != http.StatusCreated || again.status != http.StatusCreated || string(first.body) != string(again.body) {
			t.Fatalf("a silence, twice under one key: got %d %s and %s", first.status, first.body, again.body)
		}
		check := func() (outcome, rule string) {
			var out struct {
				Items []struct {
					Outcome string `json:"outcome"`
					Rule    string `json:"rule"`
				} `json:"items"`
			}
			h.call(t, marketer, "POST /v1/guard/check", `{"groups":["`+g+`"],"to_at":"2026-03-10T00:00:00+08:00"}`).into(t, &out)
			return out.Items[0].Outcome, out.Items[0].Rule
		}
		if outcome, rule := check(); outcome != "deny" || rule != "S" {
			t.Errorf("in the silence of its unit: got %s %s", outcome, rule)
		}
		if got := h.call(t, marketer, "POST /v1/guard/silences/"+silence.ID+"/lift", "{}"); got.status != http.StatusOK {
			t.Errorf("lift: got %d %s", got.status, got.body)
		}
		if _, rule := check(); rule == "S" {
			t.Error("lifted, and still silent")
		}

		pass := permitOf(t, h)
		if got := h.call(t, marketer, "POST /v1/guard/permits/"+pass+"/approve", "{}"); got.status != http.StatusForbidden || got.problem().Code != "guard.same_staff" {
			t.Errorf("who asked approves: got %d %s", got.status, got.body)
		}
		for _, turn := range []string{"approve", "revoke"} {
			if got := h.call(t, admin, "POST /v1/guard/permits/"+pass+"/"+turn, "{}"); got.status != http.StatusOK {
				t.Errorf("%s: got %d %s", turn, got.status, got.body)
			}
		}
		var ways struct {
			Free []string `json:"free_groups"`
			Next string   `json:"next_at"`
		}
		if h.call(t, owner, "GET /v1/groups/"+g+"/ways", "").status != http.StatusNotFound {
			t.Error("a group owner sees another's group")
		}
		h.call(t, marketer, "GET /v1/groups/"+g+"/ways", "").into(t, &ways)
		if ways.Next == "" || len(ways.Free) == 0 {
			t.Errorf("three ways on: got %+v", ways)
		}
	})
}
