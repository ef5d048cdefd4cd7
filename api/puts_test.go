package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"siyu/access"
)

// TestPutsAnswerAlike: whatever of a group is replaced whole takes the version
// last read and answers, with its ETag, what a GET shows then.
func TestPutsAnswerAlike(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		key := h.keys[east][access.Marketer]
		ends := h.DB.Clock.Now().Add(48 * time.Hour).Format(time.RFC3339)
		for _, c := range []struct{ put, get, body, version string }{
			{"gate", "gate", `{"capacity":200}`, `"0"`},
			{"welcome", "welcome", `{"minutes_of_day":[600,900],"text_zh":"欢迎","text_en":"welcome"}`, `"0"`},
			{"ad-policy", "ad-policy", `{"preset":"retail","mode":"enforce","gap_hours":48}`, ""},
			{"end", "", fmt.Sprintf(`{"ends_at":%q,"reason":"旺季过了"}`, ends), ""},
		} {
			g := "/v1/groups/" + groupOf(t, h)
			show := g
			if c.get != "" {
				show += "/" + c.get
			}
			before := h.call(t, key, "GET "+show, "")
			if c.version == "" {
				c.version = before.header.Get("ETag")
			}
			put := h.call(t, key, "PUT "+g+"/"+c.put, c.body, "If-Match: "+c.version)
			after := h.call(t, key, "GET "+show, "")
			if put.status != http.StatusOK || string(put.body) != string(after.body) || put.header.Get("ETag") == "" || put.header.Get("ETag") != after.header.Get("ETag") {
				t.Errorf("%s: PUT answers %d %s %s,\nGET then %s %s", c.put, put.status, put.header.Get("ETag"), put.body, after.header.Get("ETag"), after.body)
			}
			if again := h.call(t, key, "PUT "+g+"/"+c.put, c.body, "If-Match: "+c.version); again.status != http.StatusPreconditionFailed {
				t.Errorf("%s: the version before is answered %d %s", c.put, again.status, again.body)
			}
		}
	})
}
