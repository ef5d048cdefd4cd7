package api

import (
	"fmt"
	"testing"

	"siyu/access"
)

// Whoever was merged still holds the token he had, for as long as it lives:
// what was his stays his under it, on routes with a key too.
func TestMergedAwayKeepsHisToken(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		into := member1(t, h)
		was := member1(t, h)
		old := tokenOf(t, h, was)
		c, item := campaignOf(t, h, "flash_sale", "")
		order := h.makeAs(t, old, "POST /v1/campaigns/"+c+"/claims", fmt.Sprintf(`{"item_id":%q,"qty":1}`, item))
		prg := program(t, h)
		code := h.makeAs(t, old, "POST /v1/codes", fmt.Sprintf(`{"program_id":%q}`, prg))
		free := h.make(t, access.Marketer, "POST /v1/coupons", `{"claimable":true,`+someCoupon+`}`)
		group := gated(t, h)
		h.want(t, 200, h.keys[east][access.Mall], "POST /v1/members/"+was+"/merge", fmt.Sprintf(`{"into_id":%q}`, into))
		for _, call := range []struct {
			path, body string
			status     int
		}{
			{"/v1/orders/" + order + "/cancel", `{}`, 200},
			{"/v1/codes/" + code + "/rotate", `{}`, 201},
			{"/v1/codes", fmt.Sprintf(`{"program_id":%q,"channel":"poster"}`, prg), 201},
			{"/v1/codes", fmt.Sprintf(`{"program_id":%q,"channel":"card","inviter_id":%q}`, prg, was), 201},
			{"/v1/members/" + was + "/payee", somePayee, 201},
			{"/v1/members/" + into + "/payee", somePayee, 201},
			{"/v1/promoters", fmt.Sprintf(`{"program_id":%q}`, prg), 201},
			{"/v1/groups/" + group + "/applications", `{"charter_version":1}`, 201},
			{"/v1/campaigns/" + c + "/claims", fmt.Sprintf(`{"item_id":%q,"qty":1}`, item), 201},
			{"/v1/coupons/" + free + "/take", `{}`, 201},
		} {
			if a := h.call(t, old, "POST "+call.path, call.body, h.newKey()); a.status != call.status {
				t.Errorf("POST %s: got %d %s, want %d", call.path, a.status, a.body, call.status)
			}
		}
		fresh := tokenOf(t, h, was) // names whom he became
		for _, token := range []string{old, fresh} {
			for _, who := range []string{was, into} {
				if a := h.call(t, token, "GET /v1/members/"+who+"/wallet", ""); a.status != 200 {
					t.Errorf("wallet of %s: got %d %s", who, a.status, a.body)
				}
			}
		}
		other := tokenOf(t, h, member1(t, h))
		if a := h.call(t, other, "POST /v1/orders/"+order+"/cancel", `{}`, h.newKey()); a.status != 404 {
			t.Errorf("somebody else: got %d %s", a.status, a.body)
		}
	})
}
