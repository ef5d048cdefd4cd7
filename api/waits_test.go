package api

import (
	"fmt"
	"strings"
	"testing"

	"siyu/access"
)

// TestWaits walks a line over HTTP: refused while some is left, one place
// however often it is asked for, seen and left by its member alone.
func TestWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		c, item := campaignOf(t, h, "flash_sale", "")
		body := fmt.Sprintf(`{"item_id":%q}`, item)
		who := member1(t, h)
		wait, holder, other := tokenOf(t, h, who), tokenOf(t, h, member1(t, h)), tokenOf(t, h, member1(t, h))
		if got := h.call(t, wait, "POST /v1/campaigns/"+c+"/waits", body, h.newKey()); got.status != 409 || got.problem().Code != "campaign.in_stock" {
			t.Fatalf("with stock left: got %d %s", got.status, got.body)
		}
		var order string
		for range 10 {
			order = h.makeAs(t, holder, "POST /v1/campaigns/"+c+"/claims", body)
		}
		key := h.newKey()
		var first, again struct {
			ID     string `json:"id"`
			Status string `json:"status"`
			Place  int    `json:"place"`
			Order  string `json:"order_id"`
		}
		h.call(t, wait, "POST /v1/campaigns/"+c+"/waits", body, key).into(t, &first)
		got := h.call(t, wait, "POST /v1/campaigns/"+c+"/waits", body, key)
		if got.into(t, &again); again != first || first.Place != 1 || got.status != 201 || got.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("the same key: got %d %+v, first %+v", got.status, again, first)
		}
		var list struct {
			Items []struct {
				ID     string `json:"id"`
				Status string `json:"status"`
			} `json:"items"`
		}
		h.call(t, other, "GET /v1/campaigns/"+c+"/waits", "").into(t, &list)
		if len(list.Items) != 0 {
			t.Errorf("another member sees %+v", list.Items)
		}
		if got := h.call(t, other, "DELETE /v1/waits/"+first.ID, ""); got.status != 404 {
			t.Errorf("another member leaves: got %d %s", got.status, got.body)
		}
		second := h.makeAs(t, other, "POST /v1/campaigns/"+c+"/waits", body)
		if got := h.call(t, holder, "POST /v1/orders/"+order+"/cancel", "{}", h.newKey()); got.status != 200 {
			t.Fatalf("cancel: got %d %s", got.status, got.body)
		}
		h.call(t, wait, "GET /v1/campaigns/"+c+"/waits", "").into(t, &list)
		if len(list.Items) != 1 || list.Items[0].ID != first.ID || list.Items[0].Status != "granted" {
			t.Errorf("the head: got %+v", list.Items)
		}
		mall := h.keys[east][access.Mall]
		if got := h.call(t, mall, "GET /v1/members/"+who+"/export", ""); !strings.Contains(string(got.body), first.ID) || strings.Contains(string(got.body), second) {
			t.Errorf("the export has not his places alone: %s", got.body)
		}
		got = h.call(t, other, "DELETE /v1/waits/"+second, "")
		if got.into(t, &again); got.status != 200 || again.Status != "left" {
			t.Errorf("left: got %d %s", got.status, got.body)
		}
	})
}
