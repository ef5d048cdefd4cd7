package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
)

// TestPriceApprovals_over_the_wire: one asks, another approves, the price is
// set and published; a draft's items come and go by version.
func TestPriceApprovals_over_the_wire(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, finance := h.keys[east][access.Marketer], h.keys[east][access.Finance]
		if got := h.call(t, marketer, "PUT /v1/products", `{"products":[{"sku":"apple","name":"苹果","list_price_fen":10000,"floor_price_fen":5000},{"sku":"pear","name":"梨","list_price_fen":10000}]}`); got.status != 200 {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		now := clock.MilliOf(h.DB.Clock.Now())
		cid := h.make(t, access.Marketer, "POST /v1/campaigns", fmt.Sprintf(
			`{"kind":"flash_sale","name":"周一秒杀","starts_at":%q,"ends_at":%q,"items":[{"sku":"apple","price_fen":8000,"stock":10}]}`, now, now.Add(time.Hour)))
		at := "/v1/campaigns/" + cid
		type shown struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		do := func(status int, bearer, call, body string, headers ...string) answer {
			t.Helper()
			got := h.call(t, bearer, call, body, headers...)
			if got.status != status {
				t.Fatalf("%s: got %d %s, want %d", call, got.status, got.body, status)
			}
			return got
		}
		var c shown
		key := h.newKey()
		do(http.StatusPreconditionRequired, marketer, "POST "+at+"/items", `{"sku":"pear","price_fen":7000,"stock":5}`, key)
		do(http.StatusCreated, marketer, "POST "+at+"/items", `{"sku":"pear","price_fen":7000,"stock":5}`, key, `If-Match: "1"`)
		again := do(http.StatusCreated, marketer, "POST "+at+"/items", `{"sku":"pear","price_fen":7000,"stock":5}`, key, `If-Match: "1"`)
		if again.into(t, &c); again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Etag") != `"2"` || len(c.Items) != 2 {
			t.Fatalf("again: got %v %s", again.header, again.body)
		}
		do(http.StatusPreconditionFailed, marketer, "DELETE "+at+"/items/"+c.Items[1].ID, "", `If-Match: "1"`)
		got := do(http.StatusOK, marketer, "DELETE "+at+"/items/"+c.Items[1].ID, "", `If-Match: "2"`)
		if got.into(t, &c); len(c.Items) != 1 || got.header.Get("Etag") != `"3"` {
			t.Fatalf("got %s", got.body)
		}

		var a struct {
			ID      string `json:"id"`
			Digest  string `json:"digest"`
			Status  string `json:"status"`
			Refusal string `json:"refusal"`
			InForce bool   `json:"in_force"`
		}
		// What is refused gives no price.
		do(http.StatusCreated, marketer, "POST "+at+"/price-approvals", fmt.Sprintf(`{"item_id":%q,"price_fen":3000,"reason":"清仓"}`, c.Items[0].ID), h.newKey()).into(t, &a)
		if do(http.StatusOK, finance, "POST "+at+"/price-approvals/"+a.ID+"/reject", `{"refusal":"请先清旧价签"}`).into(t, &a); a.Status != "rejected" || a.InForce || a.Refusal != "请先清旧价签" {
			t.Errorf("rejected: got %+v", a)
		}
		do(http.StatusConflict, finance, "POST "+at+"/price-approvals/"+a.ID+"/approve", fmt.Sprintf(`{"digest":%q}`, a.Digest))
		do(http.StatusUnprocessableEntity, marketer, "PATCH "+at, fmt.Sprintf(`{"items":[{"id":%q,"price_fen":3000}]}`, c.Items[0].ID), `If-Match: "3"`)

		do(http.StatusCreated, marketer, "POST "+at+"/price-approvals", fmt.Sprintf(`{"item_id":%q,"price_fen":4000,"reason":"清仓"}`, c.Items[0].ID), h.newKey()).into(t, &a)
		approve := "POST " + at + "/price-approvals/" + a.ID + "/approve"
		do(http.StatusForbidden, marketer, approve, fmt.Sprintf(`{"digest":%q}`, a.Digest))
		do(http.StatusUnprocessableEntity, finance, approve, `{"digest":""}`)
		do(http.StatusNotFound, h.keys[west][access.Finance], approve, fmt.Sprintf(`{"digest":%q}`, a.Digest))
		if do(http.StatusOK, finance, approve, fmt.Sprintf(`{"digest":%q}`, a.Digest)).into(t, &a); a.Status != "approved" || !a.InForce {
			t.Errorf("got %+v", a)
		}
		do(http.StatusConflict, finance, "POST "+at+"/price-approvals/"+a.ID+"/reject", "{}")
		do(http.StatusOK, marketer, "PATCH "+at, fmt.Sprintf(`{"items":[{"id":%q,"price_fen":4000}]}`, c.Items[0].ID), `If-Match: "3"`)
		do(http.StatusOK, marketer, "POST "+at+"/publish", "{}")
		if got := do(http.StatusOK, finance, "GET "+at+"/price-approvals", ""); len(got.body) < 100 {
			t.Errorf("got %s", got.body)
		}
	})
}
