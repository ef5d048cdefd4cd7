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

// TestCampaignStopsAndGoesOn: what is paused grants nothing until it goes on, a
// draft is cancelled for good, and targets stand beside what came.
func TestCampaignStopsAndGoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, finance := h.keys[east][access.Marketer], h.keys[east][access.Finance]
		c, item := campaignOf(t, h, "flash_sale", "")
		at, token := "/v1/campaigns/"+c, tokenOf(t, h, member1(t, h))
		claim := fmt.Sprintf(`{"item_id":%q,"qty":1}`, item)
		h.want(t, 200, marketer, "POST "+at+"/pause", "{}")
		if got := h.want(t, 409, token, "POST "+at+"/claims", claim); got.problem().Params["state"] != "paused" {
			t.Errorf("paused: got %s", got.body)
		}
		h.want(t, 409, marketer, "POST "+at+"/pause", "{}")
		h.want(t, 200, marketer, "POST "+at+"/resume", "{}")
		order := h.makeAs(t, token, "POST "+at+"/claims", claim)

		h.want(t, 428, marketer, "PUT "+at+"/targets", `{"paid_orders":4}`)
		tag := h.want(t, 200, finance, "GET "+at+"/targets", "").header.Get("ETag")
		set := h.want(t, 200, marketer, "PUT "+at+"/targets", `{"paid_orders":4,"net_fen":19800}`, "If-Match: W/"+tag)
		if got := h.want(t, 200, finance, "GET "+at+"/targets", ""); string(got.body) != string(set.body) || got.header.Get("ETag") == tag {
			t.Errorf("targets: got %s, set %s", got.body, set.body)
		}
		h.want(t, 412, marketer, "PUT "+at+"/targets", `{"paid_orders":5}`, "If-Match: "+tag)
		h.want(t, 200, h.keys[east][access.Mall], "POST /v1/orders/"+order+"/payments", fmt.Sprintf(`{"provider":"mall","payment_no":%q,"goods_fen":9900,"amount_fen":9900}`, order))
		h.want(t, 200, marketer, "POST "+at+"/end", "{}")
		var report struct {
			Targets []struct {
				Name    string
				Target  int
				Actual  int
				Reached int `json:"reached_bps"`
			}
		}
		h.want(t, 200, finance, "GET "+at+"/report", "").into(t, &report)
		if got, want := fmt.Sprint(report.Targets), "[{paid_orders 4 1 2500} {net_fen 19800 9900 5000}]"; got != want {
			t.Errorf("report: got %s, want %s", got, want)
		}

		var draft struct{ ID, Status string }
		h.want(t, 201, marketer, "POST "+at+"/copy", `{}`).into(t, &draft)
		if h.want(t, 200, marketer, "POST /v1/campaigns/"+draft.ID+"/cancel", "{}").into(t, &draft); draft.Status != "cancelled" {
			t.Errorf("cancelled: got %+v", draft)
		}
		h.want(t, 409, marketer, "POST /v1/campaigns/"+draft.ID+"/publish", "{}")
		h.want(t, 409, marketer, "POST "+at+"/cancel", "{}")
	})
}
