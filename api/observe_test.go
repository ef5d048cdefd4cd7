package api

import (
	"fmt"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
)

// TestObservedThenEnforced: a group that lived before Siyu is only advised; its
// report says what enforcing would have kept, and one switch holds it to that.
func TestObservedThenEnforced(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		var made struct {
			Results []struct {
				Group string `json:"group_id"`
			} `json:"results"`
		}
		h.want(t, 200, marketer, "PUT /v1/groups", `{"groups":[{"external_id":"wr1","name":"老群","preset":"chain","born_at":"2024-01-01T00:00:00+08:00"}]}`).into(t, &made)
		g := made.Results[0].Group
		var policy struct {
			Mode    string `json:"mode"`
			Observe string `json:"observe_until"`
		}
		at := "/v1/groups/" + g + "/ad-policy"
		if h.want(t, 200, marketer, "GET "+at, "").into(t, &policy); policy.Mode != "advise" || policy.Observe != "" {
			t.Errorf("before its first ad: got %+v", policy)
		}
		begins := clock.MilliOf(h.DB.Clock.Now())
		for range 2 { // the second within the gap
			h.want(t, 201, marketer, "POST /v1/groups/"+g+"/ads", `{}`)
			h.DB.Clock.Jump(time.Hour)
		}
		var report struct {
			Mode  string `json:"mode"`
			Ads   int    `json:"ads"`
			Kept  int    `json:"kept"`
			Rules []struct {
				Rule string `json:"rule"`
				Ads  int    `json:"ads"`
				ZH   string `json:"text_zh"`
			} `json:"rules"`
		}
		if h.want(t, 200, marketer, "GET "+at, "").into(t, &policy); policy.Observe != begins.Add(14*24*time.Hour).String() {
			t.Errorf("after it: got %+v", policy)
		}
		h.want(t, 200, marketer, "GET "+at+"/observed", "").into(t, &report)
		if report.Mode != "advise" || report.Ads != 2 || report.Kept != 1 || len(report.Rules) != 1 || report.Rules[0].Rule != "G6" || report.Rules[0].Ads != 1 || report.Rules[0].ZH == "" {
			t.Errorf("observed: got %+v", report)
		}
		now := clock.MilliOf(h.DB.Clock.Now())
		check := func() string {
			t.Helper()
			var out struct {
				Items []struct {
					Outcome string `json:"outcome"`
				} `json:"items"`
			}
			h.want(t, 200, marketer, "POST /v1/guard/check", fmt.Sprintf(`{"groups":[%q],"to_at":%q}`, g, now.Add(30*time.Minute))).into(t, &out)
			return out.Items[0].Outcome
		}
		if got := check(); got != "allow" {
			t.Errorf("observed, within the gap: got %s", got)
		}
		for _, want := range []int{1, 0} { // the second time it enforces already
			var out struct {
				Enforced int `json:"enforced"`
			}
			if h.want(t, 200, marketer, "POST /v1/guard/enforce", fmt.Sprintf(`{"groups":[%q]}`, g)).into(t, &out); out.Enforced != want {
				t.Errorf("enforced: got %d, want %d", out.Enforced, want)
			}
		}
		policy.Observe = ""
		if h.want(t, 200, marketer, "GET "+at, "").into(t, &policy); policy.Mode != "enforce" || policy.Observe != "" {
			t.Errorf("its policy: got %+v", policy)
		}
		if got := check(); got != "deny" {
			t.Errorf("enforced, within the gap: got %s", got)
		}
		h.want(t, 404, h.keys[west][access.Marketer], "POST /v1/guard/enforce", fmt.Sprintf(`{"groups":[%q]}`, g))
	})
}
