package api

import (
	"strings"
	"testing"

	"siyu/access"
)

// TestInsight: a marketer reads what the invitations of his region came to,
// and nothing of another's.
func TestInsight(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		rewardOf(t, h)
		type figures struct {
			Invitees int
			Bought   int
			Depths   []struct{ Depth, Invitees int }
			Heads    struct{ Inviters int }
			Refunds  struct{ Done, Open int }
		}
		for unit, want := range map[string]int{east: 1, west: 0} {
			var f figures
			a := h.call(t, h.keys[unit][access.Marketer], "GET /v1/insight", "")
			if a.into(t, &f); a.status != 200 || f.Invitees != want || f.Bought != want || f.Heads.Inviters != want || len(f.Depths) != want {
				t.Errorf("%s: got %d %s", unit, a.status, a.body)
			}
		}
		marketer := h.keys[east][access.Marketer]
		var f figures
		if a := h.call(t, marketer, "GET /v1/insight?to=2026-02-01T00:00:00Z", ""); a.status != 200 {
			t.Errorf("before: got %d %s", a.status, a.body)
		} else if a.into(t, &f); f.Invitees != 0 {
			t.Errorf("before anything happened: got %s", a.body)
		} else {
			for _, want := range []string{`"k_bp":null`, `"kept_bp":null`, `"cost_per_kept_fen":null`, `"one_bp":null`, `"ten_bp":null`, `"on_time_bp":null`, `"median_s":null`} {
				if !strings.Contains(string(a.body), want) {
					t.Errorf("of nobody: %s lacks %s", a.body, want)
				}
			}
		}
		for _, wrong := range []string{"from=yesterday", "from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "from=2020-01-01T00:00:00Z", "program_id=x"} {
			if a := h.call(t, marketer, "GET /v1/insight?"+wrong, ""); a.status != 422 {
				t.Errorf("%s: got %d %s", wrong, a.status, a.body)
			}
		}
	})
}
