package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
)

const someCoupon = `"name_zh":"满减券","name_en":"5 off","kind":"amount","amount_fen":500,"valid_days":7,"total":10,"return_on_refund":true`

func couponOf(t *testing.T, h *house) string {
	t.Helper()
	return h.make(t, access.Marketer, "POST /v1/coupons", "{"+someCoupon+"}")
}

func memberCouponOf(t *testing.T, h *house) string {
	t.Helper()
	return h.make(t, access.Mall, "POST /v1/coupons/"+couponOf(t, h)+"/issue", fmt.Sprintf(`{"member_id":%q}`, member1(t, h)))
}

// shownCoupon is a member's coupon as the API shows it.
type shownCoupon struct {
	ID       string `json:"id"`
	MemberID string `json:"member_id"`
	Status   string `json:"status"`
	Amount   int    `json:"amount_fen"`
}

func TestCoupons(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, mall := h.keys[east][access.Marketer], h.keys[east][access.Mall]
		who := member1(t, h)
		token := tokenOf(t, h, who)

		t.Run("what is wrong is named", func(t *testing.T) {
			for body, field := range map[string]string{
				`{}`: "name_zh",
				`{"name_zh":"券","name_en":"c","kind":"percent","rate_bp":10001,"valid_days":1,"total":1}`:                           "rate_bp",
				`{"name_zh":"券","name_en":"c","kind":"amount","amount_fen":1,"total":1}`:                                            "valid_until",
				`{"name_zh":"券","name_en":"c","kind":"amount","amount_fen":1,"valid_days":1,"total":1,"zone":"Mars"}`:               "zone",
				`{"name_zh":"券","name_en":"c","kind":"amount","amount_fen":1,"valid_days":1,"total":1,"include":{"skus":["a",""]}}`: "include.skus[1]",
			} {
				got := h.call(t, marketer, "POST /v1/coupons", body, h.newKey())
				if f := got.problem().Fields; got.status != 422 || len(f) == 0 || f[0].Name != field {
					t.Errorf("%s: got %d %s, want %s", body, got.status, got.body, field)
				}
			}
		})
		t.Run("an edit takes nothing away once one is out", func(t *testing.T) {
			c := couponOf(t, h)
			h.make(t, access.Mall, "POST /v1/coupons/"+c+"/issue", fmt.Sprintf(`{"member_id":%q}`, who))
			got := h.call(t, marketer, "PATCH /v1/coupons/"+c, `{"total":9}`, `If-Match: "1"`)
			if f := got.problem().Fields; got.status != 422 || len(f) != 1 || f[0].Name != "total" || f[0].Code != "issued" {
				t.Errorf("got %d %s", got.status, got.body)
			}
			got = h.call(t, marketer, "PATCH /v1/coupons/"+c, `{"total":20,"status":"paused"}`, `If-Match: "1"`)
			if got.status != 200 || got.header.Get("ETag") != `"2"` || !strings.Contains(string(got.body), `"total":20,"issued":1`) {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if got := h.call(t, mall, "POST /v1/coupons/"+c+"/issue", fmt.Sprintf(`{"member_id":%q}`, who), h.newKey()); got.problem().Code != "coupon.paused" {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
		t.Run("a member takes one, a guest is asked to sign in", func(t *testing.T) {
			c := h.make(t, access.Marketer, "POST /v1/coupons", `{"claimable":true,"per_member":1,`+someCoupon+`}`)
			key := h.newKey()
			var first, again shownCoupon
			a := h.call(t, token, "POST /v1/coupons/"+c+"/take", `{}`, key)
			a.into(t, &first)
			b := h.call(t, token, "POST /v1/coupons/"+c+"/take", `{}`, key)
			if b.into(t, &again); a.status != 201 || again != first || first.MemberID != who || b.header.Get("Idempotency-Replayed") == "" {
				t.Errorf("got %d %s, then %d %s", a.status, a.body, b.status, b.body)
			}
			if got := h.call(t, token, "POST /v1/coupons/"+c+"/take", `{}`, h.newKey()); got.problem().Code != "coupon.limit" {
				t.Errorf("a second: got %d %s", got.status, got.body)
			}
			guest := h.token(t)
			if got := h.call(t, guest, "POST /v1/coupons/"+c+"/take", `{}`, h.newKey()); got.problem().Code != "identity_required" {
				t.Errorf("a guest: got %d %s", got.status, got.body)
			}
			if got := h.call(t, guest, "GET /v1/member-coupons/"+first.ID, ""); got.status != 404 {
				t.Errorf("somebody else's: got %d %s", got.status, got.body)
			}
		})
		t.Run("a code is told once and gives one coupon", func(t *testing.T) {
			key, path := h.newKey(), "POST /v1/coupons/"+couponOf(t, h)+"/codes"
			var batch struct{ Codes []string }
			got := h.call(t, marketer, path, `{"qty":2}`, key)
			if got.into(t, &batch); got.status != 201 || len(batch.Codes) != 2 {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if again := h.call(t, marketer, path, `{"qty":2}`, key); again.status != 201 || strings.Contains(string(again.body), "codes") {
				t.Errorf("replay: got %d %s", again.status, again.body)
			}
			body := fmt.Sprintf(`{"code":%q}`, strings.ToLower(batch.Codes[0]))
			for range 2 {
				if got := h.call(t, token, "POST /v1/coupon-codes/use", body, h.newKey()); got.status != 201 || !strings.Contains(string(got.body), `"source_kind":"code"`) {
					t.Errorf("got %d %s", got.status, got.body)
				}
			}
			if got := h.call(t, tokenOf(t, h, member1(t, h)), "POST /v1/coupon-codes/use", body, h.newKey()); got.problem().Code != "coupon.code_used" {
				t.Errorf("by another: got %d %s", got.status, got.body)
			}
		})
		t.Run("used by an order, returned, listed", func(t *testing.T) {
			c := h.make(t, access.Mall, "POST /v1/coupons/"+couponOf(t, h)+"/issue", fmt.Sprintf(`{"member_id":%q,"reference":"birthday"}`, who))
			key := h.newKey()
			body := `{"order_ref":"o-1","lines":[{"sku":"a","amount_fen":900},{"sku":"b","amount_fen":100}]}`
			var first answer
			for i := range 2 {
				got := h.call(t, mall, "POST /v1/member-coupons/"+c+"/redeem", body, key)
				if got.status != http.StatusOK || !strings.Contains(string(got.body), `"discount_fen":500,"lines_fen":[450,50]`) {
					t.Errorf("got %d %s", got.status, got.body)
				}
				if i == 0 {
					first = got
				} else if string(got.body) != string(first.body) {
					t.Errorf("replay: got %s, want %s", got.body, first.body)
				}
			}
			if got := h.call(t, mall, "POST /v1/member-coupons/"+c+"/redeem", strings.Replace(body, "o-1", "o-2", 1), h.newKey()); got.problem().Code != "coupon.redeemed" {
				t.Errorf("again: got %d %s", got.status, got.body)
			}
			if got := h.call(t, mall, "POST /v1/member-coupons/"+c+"/return", `{"order_ref":"o-1"}`, h.newKey()); got.status != 200 {
				t.Errorf("return: got %d %s", got.status, got.body)
			}
			var list struct{ Items []shownCoupon }
			h.call(t, token, "GET /v1/members/"+who+"/coupons?status=returned", "").into(t, &list)
			if len(list.Items) != 1 || list.Items[0].ID != c || list.Items[0].Status != "returned" || list.Items[0].Amount != 500 {
				t.Errorf("got %+v", list)
			}
		})
		t.Run("a copy of all the house knows of him holds them", func(t *testing.T) {
			got := h.call(t, mall, "GET /v1/members/"+who+"/export", "")
			if got.status != 200 || strings.Count(string(got.body), `"coupon_id":`) != 4 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
		t.Run("a merged member finds what was his", func(t *testing.T) {
			other := member1(t, h)
			if got := h.call(t, mall, "POST /v1/members/"+who+"/merge", fmt.Sprintf(`{"into_id":%q}`, other), h.newKey()); got.status != 200 {
				t.Fatalf("merge: got %d %s", got.status, got.body)
			}
			h.DB.Clock.Jump(time.Minute)
			var list struct{ Items []shownCoupon }
			h.call(t, token, "GET /v1/members/"+other+"/coupons", "").into(t, &list)
			if len(list.Items) != 4 || list.Items[0].MemberID != other {
				t.Errorf("got %+v", list)
			}
		})
	})
}
