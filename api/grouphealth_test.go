package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/community"
	"siyu/community/health"
)

func TestGroupHealth(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		g := h.make(t, access.Marketer, "POST /v1/groups", `{"name":"群","preset":"retail","born_at":"2026-02-20T10:00:00+08:00"}`)
		people := h.batch(t, h.keys[east][access.Mall], "PUT /v1/members", `{"members":[{"identities":[{"kind":"mall","value":"1"}],"name":"李秀英"}]}`)
		m := people.Results[0].MemberID
		at := h.DB.Clock.Now().Add(-24 * time.Hour)
		h.batch(t, marketer, "PUT /v1/groups/"+g+"/memberships", fmt.Sprintf(`{"memberships":[{"member_id":%q,"joined_at":%q}]}`, m, at.Format(time.RFC3339)))
		h.batch(t, marketer, "POST /v1/groups/"+g+"/activity", fmt.Sprintf(`{"events":[{"event_id":"1","member_id":%q,"kind":"helpful_answer","at":%q}],"complete_days":[20260225]}`, m, at.Format(time.RFC3339)))
		if err := h.Health.RollUp(context.Background()); err != nil {
			t.Fatal(err)
		}
		var report health.Report
		h.call(t, marketer, "GET /v1/groups/"+g+"/health", "").into(t, &report)
		if report.Standing == nil || report.Standing.Content != health.Unknown || len(report.History) == 0 || len(report.Metrics) == 0 || len(report.Advice) == 0 {
			t.Errorf("got %+v", report)
		}
		var lists struct{ Items []health.WorkList }
		h.call(t, marketer, "GET /v1/work-lists", "").into(t, &lists)
		if len(lists.Items) != 1 || len(lists.Items[0].Praise) != 1 || lists.Items[0].Praise[0].Name != "李秀英" || lists.Items[0].Next.Zh == "" {
			t.Errorf("got %+v", lists)
		}
		var one health.WorkList
		h.call(t, marketer, "GET /v1/groups/"+g+"/work-lists", "").into(t, &one)
		if one.GroupID.String() != g || one.Feedback.Deeds != 1 || one.Feedback.Minutes != health.Unknown {
			t.Errorf("got %+v", one)
		}
		lines := fmt.Sprintf(`{"group_id":%q,"event_id":"s1","member_id":%q,"kind":"reply","at":%q}`, g, m, at.Format(time.RFC3339)) + "\n" +
			`{"group_id":` + "\n" + fmt.Sprintf(`{"group_id":%q,"complete_day":20260226}`, g) + "\n" + `{"group_id":"grp_0000000000009","complete_day":20260226}` + "\n" +
			fmt.Sprintf(`{"group_id":%q,"event_id":"s2","member_id":%q,"kind":"sings","at":%q}`, g, m, at.Format(time.RFC3339)) + "\n"
		a := h.call(t, marketer, "POST /v1/activity", lines, "Content-Type: application/x-ndjson")
		told := strings.Split(strings.TrimSpace(string(a.body)), "\n")
		if a.status != http.StatusOK || len(told) != 5 {
			t.Fatalf("got %d %s", a.status, a.body)
		}
		for i, want := range []string{`"result":"recorded"`, `"result":"refused","error"`, `"result":"recorded"`, `"fields":[{"name":"group_id"`, `"fields":[{"name":"kind"`} {
			if !strings.Contains(told[i], want) || !strings.Contains(told[i], fmt.Sprintf(`"line":%d,`, i+1)) {
				t.Errorf("line %d: got %s, want %s", i+1, told[i], want)
			}
		}
		if a := h.call(t, marketer, "POST /v1/activity", lines); a.status != http.StatusUnsupportedMediaType {
			t.Errorf("as JSON: got %d", a.status)
		}
		if a := h.call(t, marketer, "POST /v1/activity", strings.Repeat("{}\n", community.StreamMax+1), "Content-Type: application/x-ndjson"); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a line too many: got %d", a.status)
		}
		if a := h.call(t, marketer, "POST /v1/groups/"+g+"/activity", `{"complete_days":[20260229]}`); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a day that is none: got %d %s", a.status, a.body)
		}
	})
}
