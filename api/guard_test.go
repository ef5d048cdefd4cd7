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

// TestAdsFromPlanToSlot walks a promotion over HTTP: planned, approved by
// somebody else, sent, confirmed, explained.
func TestAdsFromPlanToSlot(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, admin := h.keys[east][access.Marketer], h.keys[east][access.Admin]
		p := promotionOf(t, h)
		var plan struct {
			Windows []struct {
				Allow  int `json:"allow"`
				Groups []struct {
					Group  string `json:"group_id"`
					Slot   string `json:"slot_id"`
					Status string `json:"slot_status"`
				} `json:"groups"`
			} `json:"windows"`
		}
		h.call(t, marketer, "GET /v1/promotions/"+p+"/plan", "").into(t, &plan)
		if plan.Windows[0].Allow != 1 {
			t.Fatalf("plan: got %+v", plan)
		}
		if got := h.call(t, marketer, "POST /v1/promotions/"+p+"/approve", "{}"); got.status != http.StatusForbidden || got.problem().Code != "promotion.same_staff" {
			t.Errorf("the author approves: got %d %s", got.status, got.body)
		}
		if got := h.call(t, admin, "POST /v1/promotions/"+p+"/approve", "{}"); got.status != http.StatusOK {
			t.Fatalf("approve: got %d %s", got.status, got.body)
		}
		if got := h.call(t, admin, "POST /v1/promotions/"+p+"/approve", "{}"); got.status != http.StatusConflict || got.problem().Params["status"] != "approved" {
			t.Errorf("approve twice: got %d %s", got.status, got.body)
		}
		r := task.NewRegistry()
		h.Promotion.Register(r)
		if err := task.Drain(bg, h.DB, r); err != nil {
			t.Fatal(err)
		}
		h.call(t, marketer, "GET /v1/promotions/"+p+"/plan", "").into(t, &plan)
		sent := plan.Windows[0].Groups[0]
		if sent.Status != "started" {
			t.Fatalf("sent: got %+v", sent)
		}
		owner := h.keys[east][access.GroupOwner]
		key := h.newKey()
		for range 2 {
			got := h.call(t, owner, "POST /v1/slots/"+sent.Slot+"/confirm", "{}", key)
			var slot struct {
				Status string `json:"status"`
				Late   bool   `json:"late"`
			}
			if got.into(t, &slot); got.status != http.StatusOK || slot.Status != "confirmed" || slot.Late {
				t.Errorf("confirm: got %d %s", got.status, got.body)
			}
		}
		if got := h.call(t, owner, "POST /v1/slots/"+sent.Slot+"/report", `{"status":"not_sent"}`, h.newKey()); got.status != http.StatusConflict {
			t.Errorf("not sent after all: got %d %s", got.status, got.body)
		}

		now := clock.MilliOf(h.DB.Clock.Now())
		body := fmt.Sprintf(`{"groups":[%q],"to_at":%q}`, sent.Group, now.Add(6*time.Hour))
		var check struct {
			Items []struct {
				Outcome   string `json:"outcome"`
				NotBefore string `json:"not_before"`
				Reasons   []struct {
					Rule string `json:"rule"`
					ZH   string `json:"text_zh"`
					EN   string `json:"text_en"`
				} `json:"reasons"`
			} `json:"items"`
		}
		h.call(t, owner, "POST /v1/guard/check", body).into(t, &check)
		a := check.Items[0]
		if want := now.Add(2 * time.Hour).String(); a.Outcome != "defer" || a.NotBefore != want || a.Reasons[0].Rule != "G6" || a.Reasons[0].ZH == "" || a.Reasons[0].EN == "" {
			t.Errorf("check: got %+v, want deferred to %s", a, want)
		}
		if got := h.call(t, h.keys[west][access.Marketer], "POST /v1/guard/check", body); got.status != http.StatusNotFound {
			t.Errorf("check from another region: got %d", got.status)
		}

		var presets struct {
			Items []struct {
				Preset  string `json:"preset"`
				Numbers []struct {
					Name  string `json:"name"`
					Value *int   `json:"value"`
					Max   *int   `json:"max"`
				} `json:"numbers"`
			} `json:"items"`
		}
		h.call(t, owner, "GET /v1/guard/presets", "").into(t, &presets)
		if n := presets.Items[0].Numbers[0]; len(presets.Items) != 8 || presets.Items[0].Preset != "interest" || n.Name != "warm_up_days" || *n.Value != 7 || *n.Max != 30 {
			t.Errorf("presets: got %+v", presets.Items)
		}
		var made struct {
			Unplanned bool `json:"unplanned"`
		}
		got := h.call(t, owner, "POST /v1/groups/"+sent.Group+"/ads", `{}`, h.newKey())
		if got.into(t, &made); got.status != http.StatusCreated || !made.Unplanned {
			t.Errorf("by hand within the gap: got %d %s", got.status, got.body)
		}
		var kept struct {
			Items []struct {
				ID      string `json:"id"`
				Outcome string `json:"outcome"`
			} `json:"items"`
		}
		h.call(t, marketer, "GET /v1/decisions?group_id="+sent.Group, "").into(t, &kept)
		if len(kept.Items) != 2 || kept.Items[0].Outcome != "unplanned" || kept.Items[1].Outcome != "allow" {
			t.Errorf("decisions: got %+v", kept)
		}
	})
}

func TestAdPolicyRoutes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		g := groupOf(t, h)
		owner := h.keys[east][access.GroupOwner]
		path := " /v1/groups/" + g + "/ad-policy"
		got := h.call(t, owner, "GET"+path, "")
		if got.status != http.StatusOK || got.header.Get("ETag") != `"1"` {
			t.Fatalf("get: got %d %s", got.status, got.body)
		}
		if got := h.call(t, owner, "PUT"+path, `{"preset":"retail","mode":"enforce"}`); got.status != http.StatusPreconditionRequired {
			t.Errorf("without If-Match: got %d", got.status)
		}
		if got := h.call(t, owner, "PUT"+path, `{"preset":"retail","mode":"enforce","gap_hours":999}`, `If-Match: "1"`); got.status != http.StatusUnprocessableEntity {
			t.Errorf("out of bounds: got %d %s", got.status, got.body)
		}
		got = h.call(t, owner, "PUT"+path, `{"preset":"chain","mode":"enforce","gap_hours":30}`, `If-Match: "1"`)
		var p struct {
			Gap    int `json:"gap_hours"`
			Coming []struct {
				Gap int         `json:"gap_hours"`
				At  clock.Milli `json:"effective_at"`
			} `json:"coming"`
			Numbers []struct {
				Name    string `json:"name"`
				Value   *int   `json:"value"`
				Min     *int   `json:"min"`
				Default *int   `json:"default"`
				SetBy   string `json:"set_by"`
			} `json:"numbers"`
		}
		if got.into(t, &p); got.status != http.StatusOK || p.Gap != 30 || got.header.Get("ETag") != `"2"` {
			t.Errorf("set: got %d %s", got.status, got.body)
		}
		if got := h.call(t, owner, "PUT"+path, `{"preset":"retail","mode":"off"}`, `If-Match: "1"`); got.status != http.StatusPreconditionFailed {
			t.Errorf("an old version: got %d", got.status)
		}
		if n := p.Numbers[1]; n.Name != "gap_hours" || *n.Value != 30 || *n.Min != 1 || *n.Default != 2 || n.SetBy != "group" {
			t.Errorf("numbers: got %+v", n)
		}
		got = h.call(t, owner, "PUT"+path, `{"preset":"chain","mode":"enforce","gap_hours":3}`, `If-Match: "2"`)
		if got.into(t, &p); p.Gap != 30 || len(p.Coming) != 1 || p.Coming[0].Gap != 3 || p.Coming[0].At != clock.MilliOf(h.DB.Clock.Now()).Add(7*24*time.Hour) {
			t.Errorf("looser: got %d %s", got.status, got.body)
		}

		// The brand's and the unit's own, by whom they are for.
		admin, marketer := h.keys[""][access.Admin], h.keys[east][access.Marketer]
		of, unit := " /v1/guard/presets/chain", " /v1/units/"+h.units[east].String()+"/ad-policies/chain"
		if got := h.call(t, marketer, "PUT"+of, `{"ads_per_day":2}`, `If-Match: "0"`); got.status != http.StatusForbidden || got.problem().Code != "guard.house_policy" {
			t.Errorf("a region sets the brand's: got %d %s", got.status, got.body)
		}
		if got := h.call(t, admin, "PUT"+of, `{"ads_per_day":2}`, `If-Match: "0"`); got.status != http.StatusOK || got.header.Get("ETag") != `"1"` {
			t.Errorf("the brand's: got %d %s", got.status, got.body)
		}
		var brand struct {
			Version int `json:"version"`
			Numbers []struct {
				Name  string `json:"name"`
				Value *int   `json:"value"`
			} `json:"numbers"`
		}
		if h.want(t, 200, owner, "GET"+of, "").into(t, &brand); brand.Version != 1 || brand.Numbers[2].Name != "ads_per_day" || *brand.Numbers[2].Value != 2 {
			t.Errorf("the brand's, read: got %+v", brand)
		}
		if got := h.call(t, marketer, "PUT"+unit, `{"ads_per_day":7}`, `If-Match: "0"`); got.status != http.StatusUnprocessableEntity {
			t.Errorf("out of bounds: got %d %s", got.status, got.body)
		}
		if got := h.call(t, marketer, "PUT"+unit, `{"ads_per_day":1}`, `If-Match: "0"`); got.status != http.StatusOK {
			t.Errorf("the unit's: got %d %s", got.status, got.body)
		}
		if got := h.call(t, h.keys[west][access.Marketer], "GET"+unit, ""); got.status != http.StatusNotFound {
			t.Errorf("another region's: got %d", got.status)
		}
		h.call(t, owner, "GET"+path, "").into(t, &p)
		if n := p.Numbers[2]; n.Name != "ads_per_day" || *n.Value != 1 || n.SetBy != "unit" {
			t.Errorf("the group's then: got %+v", n)
		}
	})
}

// slotOf is an ad posted by hand.
func slotOf(t *testing.T, h *house) string {
	t.Helper()
	return h.make(t, access.Marketer, "POST /v1/groups/"+groupOf(t, h)+"/ads", `{}`)
}

func decisionOf(t *testing.T, h *house) string {
	t.Helper()
	slotOf(t, h)
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	got := h.call(t, h.keys[east][access.Marketer], "GET /v1/decisions", "")
	if got.into(t, &list); len(list.Items) == 0 {
		t.Fatalf("no decision: got %d %s", got.status, got.body)
	}
	return list.Items[0].ID
}
