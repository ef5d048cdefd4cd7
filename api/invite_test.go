package api

import (
	"fmt"
	"strings"
	"testing"

	"siyu/access"
)

// TestInvite walks a step over HTTP: progress and place of the member, goods
// handed over once, cash refused with the law, a breaker that has not tripped.
func TestInvite(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		c := inviteOf(t, h)
		inviter, token := invited(t, h, c)
		marketer := h.keys[east][access.Marketer]
		var p struct {
			Bought int `json:"bought"`
			Steps  []struct {
				Have   int `json:"have"`
				Reward struct {
					ID    string `json:"id"`
					State string `json:"state"`
				} `json:"reward"`
			} `json:"steps"`
		}
		got := h.call(t, token, "GET /v1/campaigns/"+c+"/progress", "")
		if got.into(t, &p); got.status != 200 || p.Bought != 1 || p.Steps[0].Have != 1 || p.Steps[0].Reward.State != "ready" {
			t.Fatalf("progress: got %d %s", got.status, got.body)
		}
		var b struct {
			Own struct {
				Rank int    `json:"rank"`
				Name string `json:"name"`
			} `json:"own"`
		}
		got = h.call(t, token, "GET /v1/campaigns/"+c+"/leaderboard?limit=100", "")
		if got.into(t, &b); got.status != 200 || b.Own.Rank != 1 || b.Own.Name != "王*" {
			t.Errorf("leaderboard: got %d %s", got.status, got.body)
		}
		if got := h.call(t, token, "GET /v1/campaigns/"+c+"/leaderboard?limit=101", ""); got.status != 422 {
			t.Errorf("101 places: got %d", got.status)
		}
		key, hand := h.newKey(), "POST /v1/step-rewards/"+p.Steps[0].Reward.ID+"/hand-over"
		for _, want := range []string{"", "true"} {
			got := h.call(t, marketer, hand, `{"note":"SF1"}`, key)
			if got.status != 200 || got.header.Get("Idempotency-Replayed") != want || !strings.Contains(string(got.body), `"given"`) {
				t.Errorf("hand-over: got %d %s", got.status, got.body)
			}
		}
		if got := h.call(t, marketer, hand, `{}`, h.newKey()); got.problem().Code != "invite.reward_state" {
			t.Errorf("handed over twice: got %d %s", got.status, got.body)
		}
		if got := h.call(t, token, "GET /v1/members/"+inviter+"/step-rewards?state=given", ""); got.status != 200 || !strings.Contains(string(got.body), p.Steps[0].Reward.ID) {
			t.Errorf("own rewards: got %d %s", got.status, got.body)
		}
		if got := h.call(t, tokenOf(t, h, member1(t, h)), "GET /v1/members/"+inviter+"/step-rewards", ""); got.status != 404 {
			t.Errorf("another's rewards: got %d", got.status)
		}
		if got := h.call(t, marketer, "POST /v1/campaigns/"+c+"/breaker/resume", `{"reason":"已核实"}`, h.newKey()); got.problem().Code != "invite.not_tripped" {
			t.Errorf("resume: got %d %s", got.status, got.body)
		}
		cash := `{"kind":"referral","name":"现金","starts_at":"2026-03-02T10:00:00+08:00","ends_at":"2026-03-09T10:00:00+08:00","rules":{"steps":[{"kind":%q,"count":3,"gift":{"kind":%q,"points":0}}]}}`
		if got := h.call(t, marketer, "POST /v1/campaigns", fmt.Sprintf(cash, "stayed", "cash"), h.newKey()); got.status != 422 || !strings.Contains(string(got.body), "pyramid") {
			t.Errorf("cash: got %d %s", got.status, got.body)
		}
		if got := h.call(t, marketer, "POST /v1/campaigns", fmt.Sprintf(cash, "checked_in", "points"), h.newKey()); got.status != 422 || got.problem().Code != "not_yet" {
			t.Errorf("check-ins: got %d %s", got.status, got.body)
		}
		lost := strings.Replace(fmt.Sprintf(cash, "stayed", "coupon"), `"points":0`, `"coupon_id":"cpn_0000000000007"`, 1)
		draft := h.make(t, access.Marketer, "POST /v1/campaigns", lost)
		if got := h.call(t, marketer, "POST /v1/campaigns/"+draft+"/publish", "{}"); !strings.Contains(string(got.body), "coupon_id") {
			t.Errorf("a coupon that is not there: got %d %s", got.status, got.body)
		}
	})
}
