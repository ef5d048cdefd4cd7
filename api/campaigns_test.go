package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"siyu/access"
)

// TestCampaignCopiedAndEdited walks the two over the wire.
func TestCampaignCopiedAndEdited(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		c, item := campaignOf(t, h, "flash_sale", "")
		marketer := h.keys[east][access.Marketer]
		var made, again struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		}
		first := h.call(t, marketer, "POST /v1/campaigns/"+c+"/copy", `{}`, "Idempotency-Key: copy")
		first.into(t, &made)
		second := h.call(t, marketer, "POST /v1/campaigns/"+c+"/copy", `{}`, "Idempotency-Key: copy")
		second.into(t, &again)
		if first.status != http.StatusCreated || made.Status != "draft" || made.ID == c || again.ID != made.ID || second.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("got %d %s, then %d %s", first.status, first.body, second.status, second.body)
		}
		if got := h.call(t, marketer, "POST /v1/campaigns/"+c+"/copy", `{}`); got.status != http.StatusBadRequest && got.status != http.StatusUnprocessableEntity {
			t.Errorf("without a key: got %d", got.status)
		}

		tag := "If-Match: " + h.call(t, marketer, "GET /v1/campaigns/"+c, "").header.Get("ETag")
		frozen := `{"starts_at":"2030-01-01T00:00:00Z"}`
		for lang, says := range map[string]string{"zh-CN": "请复制活动", "en": "copy it"} {
			got := h.call(t, marketer, "PATCH /v1/campaigns/"+c, frozen, tag, "Accept-Language: "+lang)
			if got.status != http.StatusUnprocessableEntity || !strings.Contains(string(got.body), says) {
				t.Errorf("%s: got %d %s", lang, got.status, got.body)
			}
		}
		body := fmt.Sprintf(`{"items":[{"id":%q,"add_stock":5,"price_fen":8900}]}`, item)
		got := h.call(t, marketer, "PATCH /v1/campaigns/"+c, body, tag)
		if got.status != http.StatusOK || !strings.Contains(string(got.body), `"stock":15`) || !strings.Contains(string(got.body), `"price_fen":8900`) {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if got := h.call(t, marketer, "PATCH /v1/campaigns/"+c, body, tag); got.status != http.StatusPreconditionFailed {
			t.Errorf("with an old version: got %d", got.status)
		}

		got = h.call(t, h.keys[east][access.Finance], "GET /v1/campaigns/"+c+"/funnel?by=hour", "")
		if got.status != http.StatusOK || !strings.Contains(string(got.body), `"by":"hour"`) {
			t.Errorf("funnel: got %d %s", got.status, got.body)
		}
		if got = h.call(t, h.keys[east][access.GroupOwner], "GET /v1/campaigns/"+c+"/stats", ""); got.status != http.StatusForbidden {
			t.Errorf("stats to a group owner: got %d", got.status)
		}
	})
}
