package api

import (
	"net/http"
	"testing"

	"siyu/access"
	"siyu/community/welcome"
)

func TestWelcomeByREST(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner, path := h.keys[east][access.GroupOwner], "/v1/groups/"+groupOf(t, h)+"/welcome"
		const said = `{"minutes_of_day":[1200,600],"text_zh":"欢迎 {people} 位新朋友来到{group}","text_en":"Welcome, all {people} of you"}`
		if got := h.call(t, owner, "PUT "+path, `{"minutes_of_day":[600],"text_zh":"看 https://x.cn","text_en":"x"}`, `If-Match: "0"`); got.status != http.StatusUnprocessableEntity {
			t.Errorf("a link: got %d", got.status)
		}
		for _, x := range []struct {
			match string
			want  int
		}{{`If-Match: "1"`, http.StatusPreconditionFailed}, {`If-Match: "0"`, http.StatusOK}, {`If-Match: "0"`, http.StatusPreconditionFailed}} {
			if got := h.call(t, owner, "PUT "+path, said, x.match); got.status != x.want {
				t.Errorf("%s: got %d %s, want %d", x.match, got.status, got.body, x.want)
			}
		}
		var r welcome.Rules
		if h.call(t, owner, "GET "+path, "").into(t, &r); r.Version != 1 || len(r.Minutes) != 2 || r.Minutes[0] != 600 {
			t.Errorf("got %+v", r)
		}
	})
}
