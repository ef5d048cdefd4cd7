package httpd

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// FuzzProblem holds appendJSON to encoding/json.
func FuzzProblem(f *testing.F) {
	for _, s := range []string{"", "已经抢完了", `a "b" \ c`, "<script>&", "a\u2028b\u2029c", "\xff\xe2", "\x00\n\t", "—"} {
		f.Add(s, "code", 409)
	}
	f.Fuzz(func(t *testing.T, s, code string, status int) {
		for _, p := range []Problem{
			{Type: "urn:" + s, Title: s, Status: status, Detail: s, Code: code, RequestID: s},
			{Detail: s, Fields: []ProblemField{{s, code, s}}, Params: map[string]any{"limit": status, "at": s}},
		} {
			want, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(p.appendJSON(nil)); got != string(want) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

func TestProblem_what_JSON_cannot_hold_is_left_out(t *testing.T) {
	p := Problem{Code: "x", Params: map[string]any{"n": math.NaN()}}
	if got := string(p.appendJSON(nil)); !json.Valid([]byte(got)) || strings.Contains(got, "params") {
		t.Errorf("got %s", got)
	}
}
