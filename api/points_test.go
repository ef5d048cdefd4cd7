package api

import (
	"fmt"
	"testing"

	"siyu/access"
)

func TestPoints(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		who := member1(t, h)
		mall := h.keys[east][access.Mall]
		move := func(verb, body, want string) {
			t.Helper()
			got := h.call(t, mall, "POST /v1/members/"+who+"/points/"+verb, body, h.newKey())
			if p := got.problem(); p.Code != want {
				t.Errorf("%s %s: got %d %s, want %q", verb, body, got.status, got.body, want)
			}
		}
		move("earn", `{"reference":"","points":0,"expires_day":20269999}`, "invalid")
		move("earn", `{"reference":"o-1","points":100,"expires_day":20261231}`, "")
		move("freeze", `{"order_ref":"o-2"}`, "invalid")
		move("freeze", `{"order_ref":"o-2","points":101}`, "points.insufficient")
		move("freeze", `{"order_ref":"o-2","points":60}`, "")
		move("spend", `{"order_ref":"o-2"}`, "")
		move("refund", `{"order_ref":"o-2","refund_no":"r-1","points":10}`, "")
		move("freeze", `{"order_ref":"o-3","points":20}`, "")
		move("unfreeze", `{"order_ref":"o-2"}`, "points.order_state")
		move("freeze", `{"order_ref":"o-4","points":30}`, "")
		move("unfreeze", `{"order_ref":"o-4"}`, "") // all of them come back

		var shown struct {
			Available, Frozen int
			Lots              []struct {
				Day  int `json:"expires_day"`
				Left int
			}
		}
		h.call(t, tokenOf(t, h, who), "GET /v1/members/"+who+"/points", "").into(t, &shown)
		if shown.Available != 30 || shown.Frozen != 20 || len(shown.Lots) != 1 || shown.Lots[0].Day != 20261231 || shown.Lots[0].Left != 30 {
			t.Errorf("got %+v", shown)
		}
		if got := h.call(t, h.token(t), "GET /v1/members/"+who+"/points", ""); got.status != 404 {
			t.Errorf("somebody else's: got %d %s", got.status, got.body)
		}
		var wallet struct {
			Balances []struct {
				Stage, Currency string
				Amount          int `json:"amount_fen"`
			}
		}
		h.call(t, h.keys[east][access.Finance], "GET /v1/members/"+who+"/wallet", "").into(t, &wallet)
		if got, want := fmt.Sprint(wallet.Balances), "[{points PTS 30} {frozen PTS 20}]"; got != want {
			t.Errorf("wallet: got %s, want %s", got, want)
		}
	})
}
