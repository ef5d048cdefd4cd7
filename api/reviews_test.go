package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/access"
	"siyu/internal/id"
)

// caseOf is the case of a reward that a marketer stopped.
func caseOf(t *testing.T, h *house) string {
	t.Helper()
	reward := rewardOf(t, h)
	got := h.call(t, h.keys[east][access.Marketer], "POST /v1/rewards/"+reward+"/review", `{"reason":"同一台设备"}`, h.newKey())
	if got.status != 200 {
		t.Fatalf("review: got %d %s", got.status, got.body)
	}
	for _, c := range casesOf(t, h, access.Finance) {
		if c.Reward == reward {
			return c.ID
		}
	}
	t.Fatal("the reward has no case")
	return ""
}

type caseView struct {
	ID, State, Found string
	Reward           string `json:"reward_id"`
	Reasons          []struct {
		Rule string
		Text string `json:"text_en"`
	}
}

func casesOf(t *testing.T, h *house, r access.Role) []caseView {
	t.Helper()
	var list struct{ Items []caseView }
	got := h.call(t, h.keys[east][r], "GET /v1/review-cases", "")
	if got.into(t, &list); got.status != 200 {
		t.Fatalf("cases: got %d %s", got.status, got.body)
	}
	return list.Items
}

// TestReviewRoutes: a marketer stops a reward, writes what he found, and
// finance lets it go; neither could alone.
func TestReviewRoutes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, finance := h.keys[east][access.Marketer], h.keys[east][access.Finance]
		c := caseOf(t, h)
		list := casesOf(t, h, access.Marketer)
		i := slices.IndexFunc(list, func(x caseView) bool { return x.ID == c })
		reward := list[i].Reward
		if len(list[i].Reasons) != 1 || list[i].Reasons[0].Rule != "by_hand" || list[i].Reasons[0].Text == "" {
			t.Errorf("reasons: got %+v", list[i].Reasons)
		}
		steps := []struct {
			bearer, act, body string
			status            int
			code              string
		}{
			{finance, "release", `{"reason":"ok"}`, 409, "review.unseen"},
			{marketer, "review", `{"finding":"maybe","reason":"x"}`, 422, "invalid"},
			{marketer, "review", `{"finding":"pass","reason":"电话核实"}`, 200, ""},
			{finance, "release", `{"reason":""}`, 422, "invalid"},
			{finance, "release", `{"reason":"同意"}`, 200, ""},
			{finance, "release", `{"reason":"同意"}`, 409, "review.no_case"},
		}
		for _, s := range steps {
			got := h.call(t, s.bearer, "POST /v1/rewards/"+reward+"/"+s.act, s.body, h.newKey())
			if got.status != s.status || got.status != 200 && got.problem().Code != s.code {
				t.Errorf("%s %s: got %d %s, want %d %s", s.act, s.body, got.status, got.body, s.status, s.code)
			}
		}
		var whole struct {
			Evidence struct {
				Code, Rule string
				Digest     string `json:"rules_digest"`
			}
		}
		if h.call(t, marketer, "GET /v1/rewards/"+reward, "").into(t, &whole); whole.Evidence.Code == "" || whole.Evidence.Rule != "first_touch" || len(whole.Evidence.Digest) != 64 {
			t.Errorf("evidence: got %+v", whole.Evidence)
		}
		var after caseView
		if h.call(t, finance, "GET /v1/review-cases/"+c, "").into(t, &after); after.State != "passed" || after.Found != "pass" {
			t.Errorf("the case: got %+v", after)
		}
		if got := h.call(t, finance, "GET /v1/review-cases?state=odd", ""); got.status != 422 {
			t.Errorf("an odd state: got %d", got.status)
		}
	})
}

func TestReviewPolicyRoutes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		finance := h.keys[""][access.Finance]
		const route = "PUT /v1/review-policy"
		for _, c := range []struct {
			bearer, body, tag string
			status            int
		}{
			{finance, `{"rules":{"ring":{"act":"off"}}}`, "X: y", http.StatusPreconditionRequired},
			{finance, `{"rules":{"nose":{"act":"off"}}}`, `If-Match: "1"`, 422},
			{finance, `{"rules":{"network_day":{"act":"refuse"}}}`, `If-Match: "1"`, 422},
			{finance, `{"rules":{"ring":{"limit":1}}}`, `If-Match: "1"`, 422},
			{finance, `{"alarm_days":61}`, `If-Match: "1"`, 422},
			{h.keys[east][access.Finance], `{"rules":{"ring":{"limit":5}}}`, `If-Match: "1"`, 403},
			{finance, `{"rules":{"ring":{"limit":5},"circle":{"act":"off"}},"alarm_days":9}`, `If-Match: "1"`, 200},
			{finance, `{"alarm_days":9}`, `If-Match: "1"`, http.StatusPreconditionFailed},
		} {
			if got := h.call(t, c.bearer, route, c.body, c.tag); got.status != c.status {
				t.Errorf("%s %s: got %d %s, want %d", c.body, c.tag, got.status, got.body, c.status)
			}
		}
		var p struct {
			Version   int
			AlarmDays int      `json:"alarm_days"`
			SetBy     id.Staff `json:"set_by"`
			Rules     []struct {
				Rule, Act string
				Limit     int
			}
		}
		got := h.call(t, finance, "GET /v1/review-policy", "")
		got.into(t, &p)
		set := map[string]string{}
		for _, r := range p.Rules {
			set[r.Rule] = fmt.Sprint(r.Act, r.Limit)
		}
		if p.Version != 2 || p.AlarmDays != 9 || p.SetBy == 0 || !strings.Contains(got.header.Get("ETag"), "2") {
			t.Errorf("got %s", got.body)
		}
		want := [3]string{"review5", "off0", "refuse0"}
		if diff := cmp.Diff(want, [3]string{set["ring"], set["circle"], set["blocked"]}); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSightingRoute(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		m := member1(t, h)
		for body, want := range map[string]int{
			fmt.Sprintf(`{"sightings":[{"member_id":%q,"ip":"1.2.3"}]}`, m): 422,
			fmt.Sprintf(`{"sightings":[{"member_id":%q}]}`, m):              422,
			`{"sightings":[]}`: 422,
			fmt.Sprintf(`{"sightings":[{"member_id":%q,"device":"d","address":"a","ip":"1.2.3.4"}]}`, m): 204,
		} {
			if got := h.call(t, h.keys[east][access.Mall], "PUT /v1/sightings", body); got.status != want {
				t.Errorf("%s: got %d %s, want %d", body, got.status, got.body, want)
			}
		}
		var out struct {
			Sightings []struct{ Kind string }
		}
		if h.call(t, h.keys[east][access.Mall], "GET /v1/members/"+m+"/export", "").into(t, &out); len(out.Sightings) != 3 {
			t.Errorf("the export tells of %+v", out.Sightings)
		}
	})
}
