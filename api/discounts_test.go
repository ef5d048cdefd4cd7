package api

import (
	"fmt"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
)

// TestDiscounts pays for an order with a coupon and points over HTTP: the
// parts are shown, the mall cannot move them by itself, and the budget and its
// forecast are in the figures.
func TestDiscounts(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, mall := h.keys[east][access.Marketer], h.keys[east][access.Mall]
		if got := h.call(t, marketer, "PUT /v1/products", `{"products":[{"sku":"tea","name":"龙井","list_price_fen":19900}]}`); got.status != 200 {
			t.Fatalf("products: got %d %s", got.status, got.body)
		}
		now := clock.MilliOf(h.DB.Clock.Now())
		body := func(more string) string {
			return fmt.Sprintf(`{"kind":"flash_sale","name":"券后价","starts_at":%q,"ends_at":%q,%s"items":[{"sku":"tea","price_fen":9900,"stock":10}]}`,
				now, now.Add(24*time.Hour), more)
		}
		for more, field := range map[string]string{
			`"accepts_points_bp":10001,`: "accepts_points_bp",
			`"budget_fen":-1,`:           "budget_fen",
		} {
			if got := h.call(t, marketer, "POST /v1/campaigns", body(more), h.newKey()); got.status != 422 || got.problem().Fields[0].Name != field {
				t.Errorf("%s: got %d %s", more, got.status, got.body)
			}
		}
		c := h.make(t, access.Marketer, "POST /v1/campaigns", body(`"accepts_coupons":true,"accepts_points_bp":1000,"budget_fen":1000,`))
		if got := h.call(t, marketer, "POST /v1/campaigns/"+c+"/publish", "{}"); got.status != 200 {
			t.Fatalf("publish: got %d %s", got.status, got.body)
		}
		var shown struct {
			Coupons bool `json:"accepts_coupons"`
			Points  int  `json:"accepts_points_bp"`
			Budget  int  `json:"budget_fen"`
			Items   []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		h.call(t, marketer, "GET /v1/campaigns/"+c, "").into(t, &shown)
		if !shown.Coupons || shown.Points != 1000 || shown.Budget != 1000 {
			t.Errorf("got %+v", shown)
		}
		who := member1(t, h)
		token := tokenOf(t, h, who)
		coupon := h.make(t, access.Mall, "POST /v1/coupons/"+couponOf(t, h)+"/issue", fmt.Sprintf(`{"member_id":%q}`, who))
		if got := h.call(t, mall, "POST /v1/members/"+who+"/points/earn", `{"reference":"o-1","points":900,"expires_day":20261231}`, h.newKey()); got.status >= 300 {
			t.Fatalf("earn: got %d %s", got.status, got.body)
		}
		claim := func(more string) answer {
			return h.call(t, token, "POST /v1/campaigns/"+c+"/claims", fmt.Sprintf(`{"item_id":%q,%s}`, shown.Items[0].ID, more), h.newKey())
		}
		if got := claim(`"points":-1`); got.status != 422 || got.problem().Fields[0].Name != "points" {
			t.Errorf("fewer than no points: got %d %s", got.status, got.body)
		}
		if got := claim(`"points":991`); got.problem().Code != "campaign.points_limit" {
			t.Errorf("too many points: got %d %s", got.status, got.body)
		}
		var o struct {
			ID      string `json:"id"`
			Amount  int    `json:"amount_fen"`
			Coupon  int    `json:"discount_coupon_fen"`
			Points  int    `json:"discount_points_fen"`
			Payable int    `json:"payable_fen"`
			Used    string `json:"member_coupon_id"`
		}
		got := claim(fmt.Sprintf(`"member_coupon":%q,"points":300`, coupon))
		if got.into(t, &o); got.status != 201 || o.Coupon == 0 || o.Points != 300 || o.Payable != o.Amount-o.Coupon-300 || o.Used != coupon {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		held := o
		if h.call(t, token, "GET /v1/orders/"+o.ID, "").into(t, &o); o != held {
			t.Errorf("shown as %+v, granted as %+v", o, held)
		}
		for call, body := range map[string]string{
			"POST /v1/member-coupons/" + coupon + "/return": `{"order_ref":"siyu:` + o.ID + `"}`,
			"POST /v1/members/" + who + "/points/unfreeze":  `{"order_ref":"siyu:` + o.ID + `"}`,
			"POST /v1/members/" + who + "/points/spend":     `{"order_ref":"siyu:` + o.ID + `"}`,
		} {
			if got := h.call(t, mall, call, body, h.newKey()); got.status != 422 || got.problem().Fields[0].Name != "order_ref" {
				t.Errorf("%s: got %d %s", call, got.status, got.body)
			}
		}
		pay := fmt.Sprintf(`{"provider":"wechat","payment_no":"p","goods_fen":%d,"discount_fen":%d,"points_fen":300,"amount_fen":%d}`, o.Amount, o.Coupon, o.Payable)
		if got := h.call(t, mall, "POST /v1/orders/"+o.ID+"/payments", pay, h.newKey()); got.status != 200 {
			t.Fatalf("pay: got %d %s", got.status, got.body)
		}
		var stats struct {
			Budget struct {
				Spent  int    `json:"spent_fen"`
				Left   int    `json:"left_fen"`
				Rate   int    `json:"rate_fen_per_hour"`
				UsedUp string `json:"used_up_at"`
			} `json:"budget"`
		}
		h.call(t, marketer, "GET /v1/campaigns/"+c+"/stats", "").into(t, &stats)
		if b := stats.Budget; b.Spent != o.Coupon+300 || b.Left != 1000-b.Spent || b.Rate == 0 || b.UsedUp == "" {
			t.Errorf("budget %+v", b)
		}
		if got := claim(`"points":300`); got.problem().Code != "campaign.budget_exhausted" {
			t.Errorf("beyond the budget: got %d %s", got.status, got.body)
		}
	})
}
