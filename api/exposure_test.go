package api

import (
	"net/http"
	"strings"
	"testing"

	"siyu/access"
)

// TestExposureRoutes: the numbers are data with bounds and sources, set by the
// brand alone, and a group says what they come to in it.
func TestExposureRoutes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		admin, marketer := h.keys[""][access.Admin], h.keys[east][access.Marketer]
		const path = " /v1/guard/exposure"
		type policy struct {
			Version int    `json:"version"`
			Mode    string `json:"mode"`
			Numbers []struct {
				Name                     string
				Value, Default, Min, Max int
				ZH                       string `json:"source_zh"`
				EN                       string `json:"source_en"`
			} `json:"numbers"`
			Counted *struct {
				Groups int `json:"groups"`
			} `json:"counted"`
		}
		var p policy
		h.call(t, marketer, "GET"+path, "").into(t, &p)
		if p.Version != 0 || p.Mode != "advise" || len(p.Numbers) != 3 || p.Counted != nil {
			t.Errorf("as shipped: got %+v", p)
		}
		for _, n := range p.Numbers {
			if n.Value != n.Default || n.Min > n.Value || n.Max < n.Value || n.ZH == "" || n.EN == "" {
				t.Errorf("got %+v", n)
			}
		}
		if got := h.call(t, marketer, "PUT"+path, `{"mode":"off"}`, `If-Match: "0"`); got.status != http.StatusForbidden || got.problem().Code != "exposure.house_policy" {
			t.Errorf("a region sets the brand's: got %d %s", got.status, got.body)
		}
		for _, bad := range []string{`{"mode":"loud"}`, `{"mode":"enforce","ceiling":1}`, `{"mode":"enforce","window_days":29}`, `{"mode":"enforce","share_bp":999}`} {
			if got := h.call(t, admin, "PUT"+path, bad, `If-Match: "0"`); got.status != http.StatusUnprocessableEntity {
				t.Errorf("%s: got %d %s", bad, got.status, got.body)
			}
		}
		got := h.call(t, admin, "PUT"+path, `{"mode":"enforce","ceiling":6}`, `If-Match: "0"`)
		if got.into(t, &p); got.header.Get("ETag") != `"1"` || p.Mode != "enforce" || p.Numbers[0].Value != 6 || p.Numbers[1].Value != 7 {
			t.Errorf("set: got %d %s", got.status, got.body)
		}

		// A region of its own: stricter at once, looser in seven days.
		unit := " /v1/units/" + h.units[east].String() + "/exposure"
		got = h.call(t, marketer, "PUT"+unit, `{"ceiling":9,"share_bp":4000}`, `If-Match: "0"`)
		if got.into(t, &p); got.status != http.StatusOK || p.Version != 2 || p.Numbers[0].Value != 6 || p.Numbers[2].Value != 4000 || !strings.Contains(string(got.body), `"effective_at"`) {
			t.Errorf("a region's own: got %d %s", got.status, got.body)
		}
		if h.call(t, marketer, "GET"+unit, "").into(t, &p); p.Version != 2 || p.Numbers[2].Value != 4000 {
			t.Errorf("read again: got %+v", p)
		}
		if got := h.call(t, marketer, "PUT"+unit, `{"window_days":3}`, `If-Match: "2"`); got.status != http.StatusUnprocessableEntity {
			t.Errorf("a window of its own: got %d %s", got.status, got.body)
		}
		if got := h.call(t, h.keys[west][access.Marketer], "GET"+unit, ""); got.status != http.StatusNotFound {
			t.Errorf("another region's: got %d", got.status)
		}
		if got := h.call(t, admin, "PUT"+path, `{"mode":"off"}`, `If-Match: "0"`); got.status != http.StatusPreconditionFailed {
			t.Errorf("by who read the version before: got %d %s", got.status, got.body)
		}

		g := groupOf(t, h)
		if got := h.call(t, marketer, "GET /v1/groups/"+g+"/exposure", ""); !strings.Contains(string(got.body), `"known":false`) {
			t.Errorf("before any count: got %d %s", got.status, got.body)
		}
		if err := h.Exposure.Count(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h.call(t, marketer, "GET"+path, "").into(t, &p); p.Counted == nil {
			t.Error("the count is not shown")
		}
		if got := h.call(t, marketer, "GET /v1/guard/exposure/groups", ""); got.status != http.StatusOK || !strings.Contains(string(got.body), `"items":[]`) {
			t.Errorf("groups at the ceiling: got %d %s", got.status, got.body)
		}
		if got := h.call(t, h.keys[west][access.Marketer], "GET /v1/groups/"+g+"/exposure", ""); got.status != http.StatusNotFound {
			t.Errorf("another region's group: got %d", got.status)
		}
	})
}
