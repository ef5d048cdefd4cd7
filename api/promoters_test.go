package api

import (
	"fmt"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// promoterOf is a member who applied.
func promoterOf(t *testing.T, h *house) string {
	t.Helper()
	return h.makeAs(t, tokenOf(t, h, member1(t, h)), "POST /v1/promoters", fmt.Sprintf(`{"program_id":%q}`, program(t, h)))
}

// TestPromoters: a member applies, a marketer decides, and the member reads
// where he stands but neither who decided nor about others.
func TestPromoters(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		prg := h.make(t, access.Marketer, "POST /v1/programs", `{"name":"推广员专享","budget_fen":100000,"rules":{"inviters":"approved","attribution":{"wins":"last_touch","touch_days":7,"renewal":"paid_order"},`+someRules[1:]+`}`)
		var made struct {
			Rules struct {
				Inviters    string
				Attribution struct {
					Wins, Renewal string
					Days          int `json:"touch_days"`
				}
			}
		}
		marketer := h.keys[east][access.Marketer]
		if h.call(t, marketer, "GET /v1/programs/"+prg, "").into(t, &made); made.Rules.Inviters != "approved" || made.Rules.Attribution.Wins != "last_touch" || made.Rules.Attribution.Days != 7 || made.Rules.Attribution.Renewal != "paid_order" {
			t.Errorf("rules: got %+v", made.Rules)
		}
		member := member1(t, h)
		token := tokenOf(t, h, member)
		if a := h.call(t, token, "POST /v1/codes", fmt.Sprintf(`{"program_id":%q}`, prg), h.newKey()); a.problem().Code != "referral.promoter_required" {
			t.Errorf("a code before: got %d %s", a.status, a.body)
		}
		pid := h.makeAs(t, token, "POST /v1/promoters", fmt.Sprintf(`{"program_id":%q}`, prg))
		if a := h.call(t, token, "POST /v1/promoters", fmt.Sprintf(`{"program_id":%q,"member_id":%q}`, prg, member1(t, h)), h.newKey()); a.status != 403 {
			t.Errorf("for somebody else: got %d %s", a.status, a.body)
		}
		for _, act := range []string{"refuse", "freeze"} {
			if a := h.call(t, marketer, "POST /v1/promoters/"+pid+"/"+act, `{}`); a.status != 422 {
				t.Errorf("%s without a reason: got %d %s", act, a.status, a.body)
			}
		}
		if a := h.call(t, marketer, "POST /v1/promoters/"+pid+"/approve", `{}`); a.status != 200 {
			t.Fatalf("approve: got %d %s", a.status, a.body)
		}
		code := h.makeAs(t, token, "POST /v1/codes", fmt.Sprintf(`{"program_id":%q}`, prg))
		if a := h.call(t, marketer, "POST /v1/promoters/"+pid+"/freeze", `{"reason":"刷单"}`); a.status != 200 {
			t.Fatalf("freeze: got %d %s", a.status, a.body)
		}
		if a := h.call(t, tokenOf(t, h, member1(t, h)), "POST /v1/codes/"+code+"/bind", `{}`, h.newKey()); a.problem().Code != "referral.promoter_frozen" {
			t.Errorf("bind: got %d %s", a.status, a.body)
		}
		var own struct {
			Items []struct {
				Status, Reason string
				DecidedBy      *string `json:"decided_by"`
			}
		}
		if h.call(t, token, "GET /v1/promoters", "").into(t, &own); len(own.Items) != 1 || own.Items[0].Status != "frozen" || own.Items[0].Reason != "刷单" {
			t.Errorf("his own: got %+v", own)
		}
		if a := h.call(t, tokenOf(t, h, member1(t, h)), "GET /v1/promoters/"+pid, ""); a.status != 404 {
			t.Errorf("another member's: got %d", a.status)
		}
		t.Run("a ladder is the brand's", func(t *testing.T) {
			body := `{"period_days":90,"levels":[{"name_zh":"银牌","name_en":"Silver","reach":{"any":[{"fact":"invitees_kept","at_least":5},{"fact":"own_orders","at_least":3}]}}]}`
			if a := h.call(t, marketer, "PUT /v1/promoter-levels", body, `If-Match: "1"`); a.status != 403 {
				t.Errorf("by a region: got %d %s", a.status, a.body)
			}
			root := h.keys[""][access.Admin]
			set := h.call(t, root, "PUT /v1/promoter-levels", body, `If-Match: "1"`)
			if set.status != 200 || set.header.Get("ETag") != `"2"` {
				t.Errorf("set: got %d %s", set.status, set.body)
			}
			if a := h.call(t, marketer, "GET /v1/promoter-levels", ""); string(a.body) != string(set.body) {
				t.Errorf("read: got %d %s", a.status, a.body)
			}
			if a := h.call(t, root, "PUT /v1/promoter-levels", `{"period_days":90,"levels":[{"name_zh":"银","name_en":"S","reach":{"fact":"shares","at_least":1}}]}`, `If-Match: "2"`); a.status != 422 {
				t.Errorf("paying for shares: got %d %s", a.status, a.body)
			}
			if a := h.call(t, marketer, "GET /v1/promoters?level=2", ""); a.status != 200 || len(a.body) > 60 {
				t.Errorf("of level 2: got %d %s", a.status, a.body)
			}
		})
		if a := h.call(t, marketer, "GET /v1/promoters?status=approved", ""); a.status != 200 || len(a.body) > 60 {
			t.Errorf("approved ones: got %d %s", a.status, a.body)
		}
	})
}

// TestPromotersTurn: who was refused reads why, and a thawed one's codes work
// again.
func TestPromotersTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		prg := h.make(t, access.Marketer, "POST /v1/programs", `{"name":"推广员专享","budget_fen":100000,"rules":{"inviters":"approved",`+someRules[1:]+`}`)
		token := tokenOf(t, h, member1(t, h))
		ask := fmt.Sprintf(`{"program_id":%q}`, prg)
		pid := h.makeAs(t, token, "POST /v1/promoters", ask)
		at := "/v1/promoters/" + pid
		h.want(t, 200, marketer, "POST "+at+"/refuse", `{"reason":"资料不全"}`)
		var own struct{ Status, Reason string }
		if h.want(t, 200, token, "GET "+at, "").into(t, &own); own.Status != "refused" || own.Reason != "资料不全" {
			t.Errorf("refused: got %+v", own)
		}
		h.want(t, 422, token, "POST /v1/codes", ask)
		if again := h.makeAs(t, token, "POST /v1/promoters", ask); again != pid {
			t.Errorf("he applies again as %s, was %s", again, pid)
		}
		h.want(t, 200, marketer, "POST "+at+"/approve", `{}`)
		code := h.makeAs(t, token, "POST /v1/codes", ask)
		h.want(t, 200, marketer, "POST "+at+"/freeze", `{"reason":"刷单"}`)
		friend := tokenOf(t, h, member1(t, h))
		bind := "POST /v1/codes/" + code + "/bind"
		h.want(t, 422, friend, bind, `{}`)
		h.want(t, 200, marketer, "POST "+at+"/thaw", `{}`)
		h.want(t, 409, marketer, "POST "+at+"/thaw", `{}`)
		if got := h.call(t, friend, bind, `{}`, h.newKey()); got.status/100 != 2 {
			t.Errorf("thawed: got %d %s", got.status, got.body)
		}
	})
}
