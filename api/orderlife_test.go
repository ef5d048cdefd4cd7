package api

import (
	"fmt"
	"testing"

	"siyu/access"
)

// TestOrderFromPaymentToRefund: what the mall reports of an order, in its order
// and twice, and the team that two of them form.
func TestOrderFromPaymentToRefund(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		mall := h.keys[east][access.Mall]
		type order struct {
			Status   string `json:"status"`
			Team     string `json:"team_id"`
			Received string `json:"received_at"`
			Goods    int    `json:"refunded_goods_fen"`
			Qty      int    `json:"refunded_qty"`
			Refunds  []struct {
				No     string `json:"refund_no"`
				Status string `json:"status"`
			} `json:"refunds"`
		}
		pay := func(o string) {
			t.Helper()
			h.want(t, 200, mall, "POST /v1/orders/"+o+"/payments", fmt.Sprintf(`{"provider":"mall","payment_no":%q,"goods_fen":9900,"amount_fen":9900}`, o))
		}
		at := "/v1/orders/" + orderOf(t, h)
		see := func() (o order) {
			t.Helper()
			h.want(t, 200, h.keys[east][access.Finance], "GET "+at, "").into(t, &o)
			return o
		}
		pay(at[len("/v1/orders/"):])
		h.want(t, 422, mall, "POST "+at+"/shipments", `{"stage":"lost","shipment_no":"SF1"}`)
		h.want(t, 200, mall, "POST "+at+"/shipments", `{"stage":"shipped","shipment_no":"SF1"}`)
		if o := see(); o.Status != "paid" || o.Received != "" {
			t.Errorf("shipped: got %+v", o)
		}
		for range 2 {
			h.want(t, 200, mall, "POST "+at+"/shipments", `{"stage":"received","shipment_no":"SF1","at":"2026-03-02T10:00:00+08:00"}`)
		}
		if o := see(); o.Received != "2026-03-02T02:00:00Z" && o.Received != "2026-03-02T02:00:00.000Z" {
			t.Errorf("received: got %+v", o)
		}
		for range 2 { // the same number is the same refund
			h.want(t, 200, mall, "POST "+at+"/refunds", `{"refund_no":"r-1","amount_fen":100,"goods_fen":100,"qty":0}`)
		}
		if o := see(); o.Status != "paid" || o.Goods != 100 || o.Qty != 0 || len(o.Refunds) != 1 || o.Refunds[0].Status != "done" {
			t.Errorf("a part refunded: got %+v", o)
		}
		h.want(t, 200, mall, "POST "+at+"/refunds", `{"refund_no":"r-2","amount_fen":9800,"goods_fen":9800,"qty":1}`)
		if o := see(); o.Status != "refunded" || o.Goods != 9900 || o.Qty != 1 || len(o.Refunds) != 2 {
			t.Errorf("all refunded: got %+v", o)
		}

		c, item := campaignOf(t, h, "group_buy", "")
		li, han := tokenOf(t, h, member1(t, h)), tokenOf(t, h, member1(t, h))
		var first, second struct {
			ID   string `json:"id"`
			Team string `json:"team_id"`
		}
		h.want(t, 201, li, "POST /v1/campaigns/"+c+"/teams", fmt.Sprintf(`{"item_id":%q,"qty":1}`, item)).into(t, &first)
		h.want(t, 201, han, "POST /v1/teams/"+first.Team+"/join", `{"qty":1}`).into(t, &second)
		if second.Team != first.Team || second.ID == first.ID {
			t.Errorf("joined: got %+v beside %+v", second, first)
		}
		pay(first.ID)
		pay(second.ID)
		var team struct {
			Status string `json:"status"`
			Seats  int    `json:"live_seats"`
		}
		if h.want(t, 200, han, "GET /v1/teams/"+first.Team, "").into(t, &team); team.Status != "formed" || team.Seats != 2 {
			t.Errorf("team: got %+v", team)
		}
		if got := h.call(t, tokenOf(t, h, member1(t, h)), "POST /v1/teams/"+first.Team+"/join", `{"qty":1}`, h.newKey()); got.status != 409 {
			t.Errorf("a third: got %d %s", got.status, got.body)
		}
	})
}
