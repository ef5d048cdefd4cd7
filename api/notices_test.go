package api

import (
	"net/http"
	"strings"
	"testing"

	"siyu/access"
)

func TestNotices(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		const route = "PUT /v1/notice-templates/refund_done"
		got := h.call(t, marketer, route, `{"text_zh":"{phone}","text_en":"{amount} back"}`, `If-Match: "1"`)
		if f := got.problem().Fields; got.status != http.StatusUnprocessableEntity || len(f) != 1 || f[0].Name != "text_zh" || f[0].Code != "unknown_placeholder" {
			t.Errorf("an unknown placeholder: got %d %s", got.status, got.body)
		}
		got = h.call(t, marketer, route, `{"text_zh":"退 {amount} 元","text_en":"{amount} back"}`, `If-Match: "1"`)
		if got.status != http.StatusOK || got.header.Get("ETag") != `"2"` {
			t.Errorf("an edit: got %d %s", got.status, got.body)
		}
		if got := h.call(t, marketer, route, `{"text_zh":"退","text_en":"back"}`, `If-Match: "1"`); got.status != http.StatusPreconditionFailed {
			t.Errorf("an edit of an old version: got %d %s", got.status, got.body)
		}
		var read, kept struct {
			ZH      string `json:"text_zh"`
			Version int    `json:"version"`
		}
		got.into(t, &kept)
		one := h.want(t, 200, h.keys[east][access.Mall], "GET /v1/notice-templates/refund_done", "")
		if one.into(t, &read); read != kept || read.ZH != "退 {amount} 元" || one.header.Get("ETag") != `"2"` {
			t.Errorf("the text: got %s", one.body)
		}
		if got := h.call(t, h.keys[east][access.Mall], "GET /v1/notice-templates", ""); got.status != http.StatusOK || !strings.Contains(string(got.body), "退 {amount} 元") {
			t.Errorf("the list: got %d %s", got.status, got.body)
		}
	})
}
