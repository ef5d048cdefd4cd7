package api

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"siyu/access"
)

// TestNoSuchUnit: whoever sees every unit makes nothing in one that there is
// not; the answer names the field.
func TestNoSuchUnit(t *testing.T) {
	const none = "unt_0zzzzzzzzzzzz"
	picture := base64.StdEncoding.EncodeToString(greyPicture(t))
	inUnit := map[string]string{
		"POST /v1/campaigns":       `{"unit_id":%q,"kind":"flash_sale","name":"早市","starts_at":"2036-01-01T09:00:00+08:00","ends_at":"2036-01-02T09:00:00+08:00","items":[{"sku":"pear","price_fen":9900,"stock":5}]}`,
		"POST /v1/calendar/days":   `{"unit_id":%q,"from_day":20261001,"name_zh":"店庆"}`,
		"POST /v1/calendar/feeds":  `{"unit_id":%q,"name":"手机"}`,
		"POST /v1/coupons":         `{"unit_id":%q,"name_zh":"券","name_en":"coupon","kind":"amount","amount_fen":100,"total":3,"per_member":2,"valid_days":30}`,
		"POST /v1/groups":          `{"unit_id":%q,"name":"邻里群","preset":"retail"}`,
		"POST /v1/materials":       `{"unit_id":%q,"name":"梨","kind":"text","sponsor":"有鲜超市","variants":[{"text_zh":"甜的"}]}`,
		"POST /v1/payers":          `{"unit_id":%q,"name":"主体","tax_no":"91350100M000100Y43","strategy":"labor_2018"}`,
		"POST /v1/pictures":        `{"unit_id":%q,"image":"` + picture + `"}`,
		"POST /v1/programs":        `{"unit_id":%q,"name":"老带新","budget_fen":100000,"rules":` + someRules + `}`,
		"POST /v1/settlements":     `{"unit_id":%q,"label":"2026-03"}`,
		"POST /v1/staff":           `{"unit_id":%q,"name":"林晓","role":"marketer"}`,
		"POST /v1/tags":            `{"unit_id":%q,"name_zh":"常客","name_en":"regular"}`,
		"POST /v1/webhooks":        `{"unit_id":%q,"url":"https://mall.example/hook","events":["*"]}`,
		"PUT /v1/members":          `{"members":[{"unit_id":%q,"identities":[{"kind":"mall","value":"m-1"}]}]}`,
		"PUT /v1/poster-templates": `{"unit_id":%q,"name":"春","image":"` + picture + `","layout":{"qr":{"x":10,"y":10,"size":200}}}`,
		"PUT /v1/products":         `{"products":[{"unit_id":%q,"sku":"fig","name":"无花果","list_price_fen":19900}]}`,
	}
	onBoth(t, func(t *testing.T, h *house) {
		h.want(t, http.StatusOK, h.keys[""][access.Admin], "PUT /v1/products", `{"products":[{"sku":"pear","name":"梨","list_price_fen":19900}]}`)
		for _, route := range slices.Sorted(maps.Keys(inUnit)) {
			got := h.call(t, h.keys[""][access.Admin], route, fmt.Sprintf(inUnit[route], none), h.newKey())
			if (got.status != http.StatusNotFound && got.status != http.StatusUnprocessableEntity) || !strings.Contains(string(got.body), "unit_id") {
				t.Errorf("%s: got %d %s", route, got.status, got.body)
			}
		}
	})
}
