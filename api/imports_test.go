package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"siyu/access"
	"siyu/community/intake"
	"siyu/internal/task"
)

const csvBody = "Content-Type: text/csv"

// importFileOf brings in a file with one group.
func importFileOf(t *testing.T, h *house) string {
	t.Helper()
	h.seq++
	return h.importFile(t, h.keys[east][access.Marketer], "groups", fmt.Sprintf("external_id,name\nimp%d,老群\n", h.seq)).ID
}

// importFile sends a file and works it.
func (h *house) importFile(t *testing.T, bearer, kind, body string) (m importView) {
	t.Helper()
	got := h.call(t, bearer, "POST /v1/imports?kind="+kind, body, h.newKey(), csvBody)
	if got.status != http.StatusAccepted {
		t.Fatalf("import: got %d %s", got.status, got.body)
	}
	got.into(t, &m)
	if at := got.header.Get("Location"); at != "/v1/imports/"+m.ID {
		t.Errorf("got %s", at)
	}
	ignored := m.Ignored
	r := task.NewRegistry()
	h.Intake.Register(r)
	if err := task.Drain(bg, h.DB, r); err != nil {
		t.Fatal(err)
	}
	h.call(t, bearer, "GET /v1/imports/"+m.ID, "").into(t, &m)
	m.Ignored = ignored
	return m
}

type importView struct {
	ID      string
	Status  string
	Made    int
	Refused int
	Ignored []string `json:"ignored_columns"`
	Bad     []intake.Outcome
}

func TestImports(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		m := h.importFile(t, marketer, "groups", fmt.Sprintf("群ID,群名,组织,群主,颜色\nwr1,一群,%s,%s,红\nwr2,二群,%s,,\nwr3,三群,,%s,\nwr4,,,,\n",
			h.units[east], h.staffOf(t, access.GroupOwner), h.units[west], "stf_0000000000007"))
		if m.Status != "done" || m.Made != 1 || m.Refused != 3 || len(m.Bad) != 3 || strings.Join(m.Ignored, "") != "颜色" {
			t.Fatalf("got %+v", m)
		}
		for i, want := range []string{"unit_id", "owner_id", "name"} {
			if b := m.Bad[i]; b.No != i+3 || b.Why.Field != want || b.Why.ZH == "" || b.Why.EN == "" {
				t.Errorf("line %d: got %+v, want %s", b.No, b, want)
			}
		}
		got := h.call(t, marketer, "GET /v1/imports/"+m.ID+"/report.csv", "", "Accept-Language: zh-CN")
		if lines := strings.Split(strings.TrimSpace(string(got.body)), "\n"); got.status != 200 || len(lines) != 5 || !strings.HasPrefix(lines[1], "2,made,grp_") || !strings.Contains(lines[4], "必填") {
			t.Errorf("got %d %s", got.status, got.body)
		}
		for call, want := range map[string]int{
			"POST /v1/imports?kind=people":                  http.StatusUnprocessableEntity,
			"POST /v1/imports?kind=groups&zone=Local":       http.StatusUnprocessableEntity,
			"POST /v1/imports?kind=sends":                   http.StatusUnprocessableEntity,
			"POST /v1/imports?kind=groups&force=yes":        http.StatusUnprocessableEntity,
			"POST /v1/imports?kind=memberships&zone=Mars/1": http.StatusUnprocessableEntity,
		} {
			if got := h.call(t, marketer, call, "external_id,name\nwr9,x\n", h.newKey(), csvBody); got.status != want {
				t.Errorf("%s: got %d %s", call, got.status, got.body)
			}
		}
		key := h.newKey()
		first := h.call(t, marketer, "POST /v1/imports?kind=groups", "external_id,name\nwr9,九群\n", key, csvBody)
		again := h.call(t, marketer, "POST /v1/imports?kind=groups", "external_id,name\nwr9,九群\n", key, csvBody)
		if first.status != 202 || string(again.body) != string(first.body) || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("again: got %d %s", again.status, again.body)
		}
	})
}
