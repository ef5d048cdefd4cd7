package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/task"
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

// TestPermitsLetAdsThrough: an override lets one promotion past the gap, an
// advance a group past its week, each by two people, until it is revoked.
func TestPermitsLetAdsThrough(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, admin := h.keys[east][access.Marketer], h.keys[east][access.Admin]
		p := promotionOf(t, h)
		type plan struct {
			Windows []struct {
				Allow  int `json:"allow"`
				Groups []struct {
					Group string `json:"group_id"`
					Slot  string `json:"slot_id"`
				} `json:"groups"`
			} `json:"windows"`
		}
		look := func() (seen plan) {
			t.Helper()
			h.want(t, 200, marketer, "GET /v1/promotions/"+p+"/plan", "").into(t, &seen)
			return seen
		}
		g := look().Windows[0].Groups[0].Group
		h.want(t, 201, marketer, "POST /v1/groups/"+g+"/ads", `{}`)
		if got := look(); got.Windows[0].Allow != 0 {
			t.Fatalf("within the gap: got %+v", got)
		}
		now := clock.MilliOf(h.DB.Clock.Now())
		body := fmt.Sprintf(`{"groups":[%q],"promotion_id":%q,"reason":"门店开业","from_at":%q,"to_at":%q}`, g, p, now, now.Add(24*time.Hour))
		override := h.make(t, access.Marketer, "POST /v1/guard/overrides", body)
		if got := look(); got.Windows[0].Allow != 0 {
			t.Errorf("asked for alone: got %+v", got)
		}
		h.want(t, 200, admin, "POST /v1/guard/permits/"+override+"/approve", "{}")
		h.want(t, 200, admin, "POST /v1/promotions/"+p+"/approve", "{}")
		r := task.NewRegistry()
		h.Promotion.Register(r)
		if err := task.Drain(bg, h.DB, r); err != nil {
			t.Fatal(err)
		}
		var slot struct {
			Permit string `json:"permit_id"`
		}
		if h.want(t, 200, marketer, "GET /v1/slots/"+look().Windows[0].Groups[0].Slot, "").into(t, &slot); slot.Permit != override {
			t.Errorf("its slot: got %+v, want permit %s", slot, override)
		}

		// A group with one ad a week has had it.
		g = h.make(t, access.Marketer, "POST /v1/groups", `{"name":"西湖接龙群","preset":"chain"}`)
		h.want(t, 200, marketer, "PUT /v1/groups/"+g+"/ad-policy", `{"preset":"chain","mode":"enforce","ads_per_week":1}`, `If-Match: "1"`)
		h.want(t, 201, marketer, "POST /v1/groups/"+g+"/ads", `{}`)
		check := func() string {
			t.Helper()
			var out struct {
				Items []struct {
					Outcome string `json:"outcome"`
					Rule    string `json:"rule"`
				} `json:"items"`
			}
			h.want(t, 200, marketer, "POST /v1/guard/check", fmt.Sprintf(`{"groups":[%q],"from_at":%q,"to_at":%q}`, g, now.Add(4*time.Hour), now.Add(5*time.Hour))).into(t, &out)
			return out.Items[0].Outcome + " " + out.Items[0].Rule
		}
		if got := check(); got != "deny G7.week" {
			t.Errorf("without an advance: got %s", got)
		}
		advance := h.make(t, access.Marketer, "POST /v1/guard/advances", fmt.Sprintf(`{"groups":[%q],"reason":"周末团购","from_at":%q,"to_at":%q}`, g, now, now.Add(24*time.Hour)))
		h.want(t, 403, marketer, "POST /v1/guard/permits/"+advance+"/approve", "{}")
		h.want(t, 200, admin, "POST /v1/guard/permits/"+advance+"/approve", "{}")
		if got := check(); got != "allow " {
			t.Errorf("with an advance: got %s", got)
		}
		var list struct {
			Items []struct {
				ID       string `json:"id"`
				Approved string `json:"approved_by"`
				Revoked  string `json:"revoked_at"`
				Refusal  string `json:"refusal"`
			} `json:"items"`
		}
		h.want(t, 200, admin, "POST /v1/guard/permits/"+advance+"/revoke", `{"refusal":"活动取消"}`)
		h.want(t, 200, marketer, "GET /v1/guard/permits?kind=advance", "").into(t, &list)
		if len(list.Items) != 1 || list.Items[0].ID != advance || list.Items[0].Approved == "" || list.Items[0].Revoked == "" || list.Items[0].Refusal != "活动取消" {
			t.Errorf("advances: got %+v", list.Items)
		}
		if got := check(); got != "deny G7.week" {
			t.Errorf("revoked: got %s", got)
		}
	})
}
