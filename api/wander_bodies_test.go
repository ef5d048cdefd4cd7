package api

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"siyu/internal/clock"
)

// wanderings are bodies that TestWander sends where bodies has none that can be
// done. <n> is a small number, <k> one not used before, <+3h> a moment from now.
var wanderings = map[string]string{
	"POST /v1/campaigns":                     `{"kind":"flash_sale","name":"活动<k>","program_id":"prg_0000000000007","starts_at":"<-1h>","ends_at":"<+90h>","items":[{"sku":"<sku>","price_fen":9900,"stock":<n>,"per_member":2}]}`,
	"POST /v1/campaigns/:id/items":           `{"sku":"<sku>","price_fen":9900,"stock":<n>}`,
	"PATCH /v1/campaigns/:id":                `{"items":[{"id":"itm_0000000000007","add_stock":<n>}]}`,
	"POST /v1/campaigns/:id/claims":          `{"item_id":"itm_0000000000007","qty":<n>}`,
	"POST /v1/campaigns/:id/teams":           `{"item_id":"itm_0000000000007","qty":1}`,
	"POST /v1/campaigns/:id/waits":           `{"item_id":"itm_0000000000007"}`,
	"PUT /v1/campaigns/:id/targets":          `{"net_fen":100000,"paid_orders":<n>}`,
	"POST /v1/orders/:id/payments":           `{"provider":"mall","payment_no":"p-<k>","goods_fen":9900,"amount_fen":9900}`,
	"POST /v1/orders/:id/refunds":            `{"refund_no":"r-<k>","amount_fen":300,"goods_fen":300}`,
	"POST /v1/orders/:id/shipments":          `{"stage":"received","shipment_no":"s-<n>"}`,
	"POST /v1/programs":                      `{"name":"方案<k>","budget_fen":<n>00000,"rules":` + someRules + `}`,
	"POST /v1/codes":                         `{"program_id":"prg_0000000000007","inviter_id":"mem_0000000000007"}`,
	"POST /v1/codes/batches":                 `{"program_id":"prg_0000000000007","members":["mem_0000000000007"],"channel":"card","cost_fen":80}`,
	"POST /v1/coupons":                       `{"name_zh":"券<k>","name_en":"coupon","kind":"amount","amount_fen":100,"total":<n>,"per_member":2,"valid_days":30}`,
	"POST /v1/groups":                        `{"name":"群<k>","preset":"retail"}`,
	"POST /v1/groups/:id/agreement":          `{"charter_version":<n>}`,
	"POST /v1/groups/:id/topics":             `{"title":"话题<k>","starts_at":"<+20h>","remind_minutes":30}`,
	"POST /v1/groups/:id/gatherings":         `{"title":"采茶","place":"梅家坞","starts_at":"<+60h>","ends_at":"<+63h>","capacity":<n>}`,
	"POST /v1/requests":                      `{"group_id":"grp_0000000000007","kind":"buy","line":"想买龙井"}`,
	"POST /v1/requests/:id/rating":           `{"stars":<n>}`,
	"POST /v1/requests/:id/group-buy":        `{"sku":"<sku>","price_fen":9900,"stock":<n>,"size":2,"starts_at":"<+1h>","ends_at":"<+90h>"}`,
	"POST /v1/guard/check":                   `{"groups":["grp_0000000000007"],"to_at":"<+12h>"}`,
	"POST /v1/guard/enforce":                 `{"groups":["grp_0000000000007"]}`,
	"POST /v1/guard/advances":                `{"groups":["grp_0000000000007"],"reason":"周末","from_at":"<-1h>","to_at":"<+48h>"}`,
	"POST /v1/guard/passes":                  `{"groups":["grp_0000000000007"],"reason":"节日","from_at":"<-1h>","to_at":"<+48h>"}`,
	"POST /v1/guard/overrides":               `{"groups":["grp_0000000000007"],"promotion_id":"prm_0000000000007","reason":"开业","from_at":"<-1h>","to_at":"<+20h>"}`,
	"POST /v1/guard/silences":                `{"scope":"group","group_id":"grp_0000000000007","reason":"休息","until_at":"<+30h>"}`,
	"POST /v1/promotions":                    `{"campaign_id":"cmp_0000000000007","name":"推送<k>","text_zh":"苹果 9.9","groups":["grp_0000000000007","grp_0000000000001"],"windows":[{"from_at":"<+1h>","to_at":"<+10h>"}],"priority":<n>,"channel":"file"}`,
	"POST /v1/settlements":                   `{"unit_id":"unt_0000000000007","label":"账期<k>"}`,
	"POST /v1/payouts":                       `{"settlement_id":"stl_0000000000007"}`,
	"POST /v1/ledger/closes":                 `{"day":<day>}`,
	"POST /v1/members/:id/points/earn":       `{"reference":"o-<k>","points":<n>00,"expires_day":20301231}`,
	"POST /v1/members/:id/points/freeze":     `{"order_ref":"o-<n>","points":<n>}`,
	"POST /v1/members/:id/points/spend":      `{"order_ref":"o-<n>","points":<n>}`,
	"POST /v1/members/:id/points/unfreeze":   `{"order_ref":"o-<n>"}`,
	"POST /v1/members/:id/points/refund":     `{"order_ref":"o-<n>","refund_no":"r-<n>","points":1}`,
	"POST /v1/member-coupons/:id/redeem":     `{"order_ref":"o-<k>","lines":[{"sku":"a","amount_fen":9900}]}`,
	"POST /v1/units":                         `{"parent_id":"unt_0000000000007","name":"店<k>"}`,
	"PUT /v1/members":                        `{"members":[{"identities":[{"kind":"mall","value":"m-<n>"}],"name":"会员<n>"}]}`,
	"PUT /v1/products":                       `{"products":[{"sku":"<sku>","name":"苹果","list_price_fen":19900}]}`,
	"POST /v1/tags":                          `{"name_zh":"标签<k>","name_en":"tag <k>"}`,
	"POST /v1/promoters":                     `{"program_id":"prg_0000000000007","member_id":"mem_0000000000007"}`,
	"POST /v1/calendar/days":                 `{"from_day":20261001,"name_zh":"店庆<k>"}`,
	"POST /v1/calendar/feeds":                `{"name":"日历<k>"}`,
	"POST /v1/campaign-templates/:id/drafts": `{"start_day":<tomorrow>}`,
	"POST /v1/campaign-templates":            `{"campaign_id":"cmp_0000000000007"}`,
	"PUT /v1/sightings":                      `{"sightings":[{"member_id":"mem_0000000000007","device":"d-<n>"}]}`,
	"POST /v1/tieouts":                       `{"payer_id":"ent_0000000000007","day":<day>}`,
	"POST /v1/webhooks":                      `{"url":"https://mall.example/hook<k>","events":["*"]}`,
	"PUT /v1/groups/:id/memberships":         `{"memberships":[{"member_id":"mem_0000000000007","role":"member"},{"member_id":"mem_0000000000001","role":"member"}]}`,
	"POST /v1/groups/:id/activity":           `{"events":[{"event_id":"e<k>","member_id":"mem_0000000000007","kind":"reply","at":"<-1h>"},{"event_id":"f<k>","member_id":"mem_0000000000001","kind":"topic_join","at":"<-2h>"}]}`,
	"POST /v1/groups/:id/handovers":          `{"to_id":"stf_0000000000007"}`,
	"POST /v1/groups/:id/mergers":            `{"into_id":"grp_0000000000007","reason":"人太少","by_at":"<+90h>"}`,
	"POST /v1/codes/batch":                   `{"codes":[{"program_id":"prg_0000000000007","inviter_id":"mem_0000000000007"}]}`,
	"POST /v1/codes/:code/bind":              `{"invitee_id":"mem_0000000000007"}`,
	"POST /v1/orders/:id/late-choice":        `{"choice":"refund"}`,
	"POST /v1/payers":                        `{"name":"主体<k>","tax_no":"91350100M000100Y43","strategy":"labor_2018"}`,
	"POST /v1/materials":                     `{"name":"梨<k>","kind":"text","sponsor":"有鲜超市","variants":[{"text_zh":"甜的"}]}`,
	"POST /v1/koc-proposals":                 `{"program_id":"prg_0000000000007","group_id":"grp_0000000000007"}`,
	"PUT /v1/ad-words":                       `{"words":[{"text":"最便宜<n>","result":"refusal","reason_zh":"绝对化用语","reason_en":"absolute"}]}`,
	"POST /v1/work-links":                    `{"staff_id":"stf_0000000000007"}`,
	"POST /v1/groups/:id/violations":         `{"member_id":"mem_0000000000007","rule":"ad"}`,
	"PUT /v1/guard/exposure":                 `{"mode":"advise"}`,
	"PUT /v1/groups":                         `{"groups":[{"name":"导入群<n>","external_id":"ext-<n>"}]}`,
	"POST /v1/coupon-codes/use":              `{"code":"ABCD1234"}`,
	"POST /v1/payees/:id/invoices":           `{"payer_id":"ent_0000000000007","invoice_no":"24312000<k>","amount_fen":<n>00}`,
	"POST /v1/campaigns/:id/price-approvals": `{"item_id":"itm_0000000000007","price_fen":<n>,"reason":"清仓"}`,
}

var blank = regexp.MustCompile(`<(n|k|sku|day|tomorrow|[+-]\d+h)>`)

// bodyOf is what is sent to a route about what a look at the thing showed.
func (w *wanderer) bodyOf(rt *route, seen string) string {
	text := cmp.Or(wanderings[rt.name()], bodies[rt.name()], "{}")
	if first := firsts[rt.name()]; first != nil && wanderings[rt.name()] == "" && bodies[rt.name()] == "" && !strings.Contains(rt.path, "/campaigns/:id") {
		text = first(w.t, w.house, "")
	}
	text = blank.ReplaceAllStringFunc(text, func(b string) string {
		now := w.DB.Clock.Now()
		switch what := b[1 : len(b)-1]; what {
		case "n":
			return strconv.Itoa(1 + w.draw.IntN(4))
		case "k":
			w.seq++
			return strconv.Itoa(w.seq)
		case "sku":
			return anyOf(w, []string{"fig", "pear"})
		case "tomorrow":
			return now.AddDate(0, 0, 1).Format("20060102")
		case "day":
			return now.AddDate(0, 0, -w.draw.IntN(3)).Format("20060102")
		default:
			hours, _ := strconv.Atoi(what[:len(what)-1])
			return clock.MilliOf(now.Add(time.Duration(hours) * time.Hour)).String()
		}
	})
	if digest := digestOf.FindStringSubmatch(seen); digest != nil {
		text = strings.Replace(text, `"digest":"x"`, fmt.Sprintf(`"digest":%q`, digest[1]), 1)
	}
	return w.known(text, seen)
}

var digestOf = regexp.MustCompile(`"digest":"([0-9a-f]+)"`)
