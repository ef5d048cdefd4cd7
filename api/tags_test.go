package api

import (
	"fmt"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
)

// TestAudience sells to a store's group members with a tag, over REST.
func TestAudience(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		tag := h.make(t, access.Marketer, "POST /v1/tags", `{"name_zh":"会员","name_en":"VIP"}`)
		ruled := h.make(t, access.Marketer, "POST /v1/tags", `{"name_zh":"老客","name_en":"loyal","rule":{"paid_orders":2,"days":90}}`)
		in, out := member1(t, h), member1(t, h)
		group := groupOf(t, h)
		for call, body := range map[string]string{
			"PUT /v1/groups/" + group + "/memberships": fmt.Sprintf(`{"memberships":[{"member_id":%q},{"member_id":%q}]}`, in, out),
			"PUT /v1/tags/" + tag + "/members":         fmt.Sprintf(`{"members":[{"member_id":%q}]}`, in),
		} {
			if got := h.call(t, marketer, call, body); got.status != 200 {
				t.Fatalf("%s: got %d %s", call, got.status, got.body)
			}
		}
		sku := "sku-audience"
		if got := h.call(t, marketer, "PUT /v1/products", fmt.Sprintf(`{"products":[{"sku":%q,"name":"苹果","list_price_fen":900}]}`, sku)); got.status != 200 {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		now := clock.MilliOf(h.DB.Clock.Now())
		draft := func(audience string) string {
			return fmt.Sprintf(`{"kind":"flash_sale","name":"会员日","starts_at":%q,"ends_at":%q,"audience":%s,"items":[{"sku":%q,"price_fen":900,"stock":10}]}`,
				now, now.Add(24*time.Hour), audience, sku)
		}
		for audience, field := range map[string]string{
			`{"tags_any":["tag_0000000000007"]}`:                         "audience.tags_any[0]",
			`{"roles":["king"]}`:                                         "audience.roles[0]",
			`{"invited":true}`:                                           "audience.invited",
			`{"bought":{"days":3}}`:                                      "audience.bought",
			`{"bought":{"skus":["a"],"days":0}}`:                         "audience.bought.days",
			fmt.Sprintf(`{"units":[%q]}`, h.units[west]):                 "audience.units[0]",
			fmt.Sprintf(`{"early":[{"tags":[%q],"from":%q}]}`, tag, now): "audience.early[0].from",
		} {
			got := h.call(t, marketer, "POST /v1/campaigns", draft(audience), h.newKey())
			if f := got.problem().Fields; got.status != 422 || len(f) != 1 || f[0].Name != field {
				t.Errorf("%s: got %d %s, want %s", audience, got.status, got.body, field)
			}
		}
		c := h.make(t, access.Marketer, "POST /v1/campaigns", draft(fmt.Sprintf(`{"units":[%q],"tags_any":[%q,%q]}`, h.units[east], tag, ruled)))
		var shown struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		h.call(t, marketer, "POST /v1/campaigns/"+c+"/publish", "{}").into(t, &shown)
		for range 2 { // the second batch reads along with the locks
			for who, want := range map[string]string{in: "", out: "campaign.tag_required"} {
				got := h.call(t, tokenOf(t, h, who), "POST /v1/campaigns/"+c+"/claims", fmt.Sprintf(`{"item_id":%q,"qty":1}`, shown.Items[0].ID), h.newKey())
				if (got.status == 201) != (want == "") || got.problem().Code != want {
					t.Errorf("got %d %s, want %q", got.status, got.body, want)
				}
			}
		}
		var p struct {
			Seen, Matching int
			Refused        map[string]int
			Complete       bool
		}
		h.call(t, marketer, "GET /v1/campaigns/"+c+"/audience/preview", "").into(t, &p)
		if p.Matching != 1 || !p.Complete || p.Refused["campaign.tag_required"] != p.Seen-1 {
			t.Errorf("preview: got %+v", p)
		}
		if got := h.call(t, marketer, "PUT /v1/members/"+in+"/block", `{"reason":"恶意退单"}`); got.status != 200 {
			t.Errorf("block: got %d %s", got.status, got.body)
		}
		if got := h.call(t, marketer, "DELETE /v1/members/"+in+"/block", ""); got.status != 204 {
			t.Errorf("unblock: got %d %s", got.status, got.body)
		}
	})
}
