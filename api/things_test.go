package api

import (
	"fmt"
	"image/color"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/task"
)

// things make one thing in the region `east` and give its public name, by the
// beginning of the routes that name such a thing. A room's owner adds his.
var things = map[string]func(t *testing.T, h *house) string{
	"/v1/units/:id": func(t *testing.T, h *house) string { return h.units[east].String() },
	"/v1/staff/:id": func(t *testing.T, h *house) string { return staffOf(t, h).String() },
	"/v1/api-keys/:id": func(t *testing.T, h *house) string {
		a, err := h.Access.Authenticate(bg, h.keys[east][access.Admin])
		if err != nil {
			t.Fatal(err)
		}
		return a.Key.String()
	},
	"/v1/work-links/:id": workLinkOf,
	"/v1/members/:id":    member1,
	"/v1/groups/:id": func(t *testing.T, h *house) string {
		return h.make(t, access.Marketer, "POST /v1/groups", `{"name":"南京路福利群","preset":"benefit"}`)
	},
	"/v1/imports/:id":      importFileOf,
	"/v1/applications/:id": applicationOf,
	"/v1/requests/:id":     requestOf,
	"/v1/rituals/:id":      ritualOf,
	"/v1/topics/:id":       topicOf,
	"/v1/gatherings/:id":   gatheringOf,
	"/v1/handovers/:id":    handoverOf,
	"/v1/mergers/:id":      mergerOf,
	"/v1/splits/:id":       splitOf,
	"/v1/tags/:id": func(t *testing.T, h *house) string {
		h.seq++
		return h.make(t, access.Marketer, "POST /v1/tags", fmt.Sprintf(`{"name_zh":"会员%d","name_en":"member %d"}`, h.seq, h.seq))
	},
	"/v1/materials/:id":              materialOf,
	"/v1/pictures/:id":               pictureOf,
	"/v1/programs/:id":               program,
	"/v1/campaigns/:id":              func(t *testing.T, h *house) string { c, _ := campaignOf(t, h, "flash_sale", ""); return c },
	"/v1/campaigns/:id/report":       endedOf,
	"/v1/campaigns/:id/breaker":      inviteOf,
	"/v1/campaigns/:id/leaderboard":  inviteOf,
	"/v1/campaigns/:id/step-rewards": inviteOf,
	"/v1/ledger/accounts/:id":        accountOf,
	"/v1/step-rewards/:id":           stepRewardOf,
	"/v1/rehearsals/:id":             rehearsalOf,
	"/v1/calendar/days/:id": func(t *testing.T, h *house) string {
		return h.make(t, access.Marketer, "POST /v1/calendar/days", `{"from_day":20261001,"name_zh":"店庆"}`)
	},
	"/v1/calendar/feeds/:id": func(t *testing.T, h *house) string {
		return h.make(t, access.Marketer, "POST /v1/calendar/feeds", `{"name":"手机"}`)
	},
	"/v1/campaign-templates/:id": func(t *testing.T, h *house) string {
		c, _ := campaignOf(t, h, "flash_sale", "")
		return h.make(t, access.Marketer, "POST /v1/campaign-templates", `{"campaign_id":"`+c+`"}`)
	},
	"/v1/orders/:id":              orderOf,
	"/v1/teams/:id":               teamOf,
	"/v1/codes/:code":             codeOf,
	"/v1/codes/:code/poster.png":  func(t *testing.T, h *house) string { templateOf(t, h); return codeOf(t, h) },
	"/v1/jobs/:id/cards.pdf":      func(t *testing.T, h *house) string { templateOf(t, h); return jobOf(t, h) },
	"/v1/jobs/:id":                jobOf,
	"/v1/rewards/:id":             rewardOf,
	"/v1/review-cases/:id":        caseOf,
	"/v1/promoters/:id":           promoterOf,
	"/v1/koc-proposals/:id":       proposalOf,
	"/v1/promotions/:id":          promotionOf,
	"/v1/slots/:id":               slotOf,
	"/v1/decisions/:id":           decisionOf,
	"/v1/guard/permits/:id":       permitOf,
	"/v1/guard/silences/:id":      silenceOf,
	"/v1/settlements/:id":         settlementOf,
	"/v1/settlements/:id/preview": openSettlementOf,
	"/v1/payouts/:id":             payoutOf,
	"/v1/payouts/:id/file":        sentPayoutOf,
	"/v1/payouts/:id/imports":     func(t *testing.T, h *house) string { p := sentPayoutOf(t, h); importOf(t, h, p); return p },
	"/v1/objections/:id":          objectionOf,
	"/v1/tieouts/:id":             tieOutOf,
	"/v1/withdrawals/:id":         func(t *testing.T, h *house) string { _, w := asked(t, h); return w.ID.String() },
	"/v1/payers/:id/tax-months":   closedPayerOf,
	"/v1/payers/:id":              payerOf,
	"/v1/payees/:id":              payeeOf,
	"/v1/members/:id/payee":       func(t *testing.T, h *house) string { m, _ := payeeOfMember(t, h); return m },
	"/v1/coupons/:id":             couponOf,
	"/v1/member-coupons/:id":      memberCouponOf,
	"/v1/webhooks/:id": func(t *testing.T, h *house) string {
		return h.make(t, access.Mall, "POST /v1/webhooks", `{"url":"https://mall.example/hook","events":["*"]}`)
	},
}

// bodies are what a write needs to get as far as looking for the thing; "{}"
// for routes not named.
var bodies = map[string]string{
	"POST /v1/campaigns/:id/items":                             `{"sku":"pear","price_fen":100,"stock":1}`,
	"POST /v1/campaigns/:id/price-approvals":                   `{"item_id":"itm_0000000000007","price_fen":1,"reason":"清仓"}`,
	"POST /v1/campaigns/:id/price-approvals/:approval/approve": `{"digest":"x"}`,
	"PATCH /v1/units/:id":                                      `{"name":"新名"}`,
	"PATCH /v1/staff/:id":                                      `{"name":"新名"}`,
	"PATCH /v1/groups/:id":                                     `{"name":"新名"}`,
	"PATCH /v1/materials/:id":                                  `{"name":"梨","kind":"text","sponsor":"有鲜超市","variants":[{"text_zh":"甜的"}]}`,
	"POST /v1/promotions/:id/groups":                           `{"groups":["grp_0000000000007"]}`,
	"PUT /v1/groups/:id/gate":                                  `{"capacity":200}`,
	"POST /v1/groups/:id/violations":                           `{"member_id":"mem_0000000000007","rule":"ad"}`,
	"POST /v1/applications/:id/decide":                         `{"admit":true}`,
	"POST /v1/applications/:id/fee":                            `{"payment_no":"p-9","amount_fen":100}`,
	"POST /v1/requests/:id/answer":                             `{"status":"answered","answer":"有"}`,
	"POST /v1/requests/:id/group-buy":                          `{"sku":"a","price_fen":1,"stock":1,"size":2,"starts_at":"2036-01-01T09:00:00+08:00","ends_at":"2036-01-02T09:00:00+08:00"}`,
	"POST /v1/groups/:id/rituals":                              someRitual,
	"POST /v1/groups/:id/topics":                               someTopic,
	"POST /v1/groups/:id/applications":                         `{"charter_version":1}`,
	"POST /v1/groups/:id/gatherings":                           `{"title":"采茶","place":"梅家坞","starts_at":"2036-01-01T09:00:00+08:00","ends_at":"2036-01-01T12:00:00+08:00","capacity":9}`,
	"PUT /v1/rituals/:id":                                      `{"title":"周一话题","weekdays":[1,3],"minute_of_day":600,"remind_minutes":30,"steps":[]}`,
	"PUT /v1/gatherings/:id":                                   `{"title":"采茶","place":"龙井","starts_at":"2036-01-01T09:00:00+08:00","ends_at":"2036-01-01T12:00:00+08:00","capacity":12}`,
	"POST /v1/gatherings/:id/cancel":                           `{"reason":"下雨"}`,
	"POST /v1/gatherings/:id/check-in":                         `{"door":"k.x"}`,
	"POST /v1/gatherings/:id/scans":                            `{"seat":"k.x"}`,
	"PUT /v1/groups/:id/welcome":                               `{"minutes_of_day":[]}`,
	"POST /v1/groups/:id/close":                                `{"reason":"人太少"}`,
	"PUT /v1/groups/:id/end":                                   `{"ends_at":null}`,
	"POST /v1/groups/:id/handovers":                            `{"to_id":"stf_0000000000007"}`,
	"POST /v1/groups/:id/mergers":                              `{"into_id":"grp_0000000000007","reason":"人太少","by_at":"2036-01-01T00:00:00+08:00"}`,
	"POST /v1/splits/:id/accept":                               `{"charter_version":1}`,
	"POST /v1/splits/:id/reject":                               `{"reason":"先不分"}`,
	"POST /v1/mergers/:id/accept":                              `{"charter_version":1}`,
	"POST /v1/groups/:id/charter":                              `{"purpose":"少而精","ads_per_day":1,"ads_per_week":2,"quiet_from":1290,"quiet_to":480}`,
	"PUT /v1/groups/:id/memberships":                           `{"memberships":[{"member_id":"mem_0000000000007","role":"member"}]}`,
	"POST /v1/groups/:id/activity":                             `{"events":[{"event_id":"e1","member_id":"mem_0000000000007","kind":"reply","at":"2026-03-01T10:00:00+08:00"}]}`,
	"PUT /v1/members/:id/consents":                             `{"consents":[{"purpose":"group_ops","granted":true,"text_version":"v1"}]}`,
	"POST /v1/members/:id/merge":                               `{"into_id":"mem_0000000000001"}`,
	"POST /v1/members/:id/tokens":                              `{"ttl_seconds":60}`,
	"POST /v1/orders/:id/payments":                             `{"provider":"mall","payment_no":"p-2","goods_fen":9900,"amount_fen":9900}`,
	"POST /v1/orders/:id/refunds":                              `{"refund_no":"r-1","amount_fen":100,"goods_fen":100,"qty":1}`,
	"POST /v1/orders/:id/shipments":                            `{"stage":"shipped","shipment_no":"s-1"}`,
	"PUT /v1/tags/:id/members":                                 `{"members":[{"member_id":"mem_0000000000007"}]}`,
	"PUT /v1/members/:id/block":                                `{"reason":"恶意退单"}`,
	"PUT /v1/groups/:id/ad-policy":                             `{"preset":"retail","mode":"enforce"}`,
	"POST /v1/tieouts/:id/explain":                             `{"run":1,"numbers":[1],"reason":"已核实"}`,
	"POST /v1/tieouts/:id/approve":                             `{"run":1}`,
	"POST /v1/promoters/:id/refuse":                            `{"reason":"资料不全"}`,
	"POST /v1/promoters/:id/freeze":                            `{"reason":"刷单"}`,
	"POST /v1/koc-proposals/:id/refuse":                        `{"reason":"下月再评"}`,
	"POST /v1/slots/:id/release":                               `{"reason":"not_sent"}`,
	"POST /v1/slots/:id/report":                                `{"status":"sent"}`,
	"POST /v1/campaigns/:id/breaker/resume":                    `{"reason":"已核实"}`,
	"POST /v1/rewards/:id/review":                              `{"reason":"同一台设备"}`,
	"POST /v1/rewards/:id/release":                             `{"reason":"已核实"}`,
	"POST /v1/rewards/:id/void":                                `{"reason":"自买自推"}`,
	"POST /v1/campaign-templates/:id/drafts":                   `{"start_day":20300101}`,
	"POST /v1/programs/:id/budget":                             `{"amount_fen":100}`,
	"POST /v1/programs/:id/versions":                           `{"rules":` + someRules + `}`,
	"POST /v1/settlements/:id/review":                          `{"digest":"x"}`,
	"POST /v1/settlements/:id/reject":                          `{"reason":"金额不符"}`,
	"POST /v1/payouts/:id/imports":                             someResults,
	"POST /v1/payouts/:id/results":                             `{"failed":[{"line":1,"reason":"账号不存在"}]}`,
	"PUT /v1/payers/:id":                                       somePayer,
	"POST /v1/payers/:id/closes":                               `{"month":202601}`,
	"POST /v1/members/:id/payee":                               somePayee,
	"PUT /v1/payers/:id/withdrawal-terms":                      onRequest,
	"POST /v1/members/:id/withdrawals":                         `{"payer_id":"ent_0000000000007"}`,
	"POST /v1/withdrawals/:id/refuse":                          `{"reason":"资料待核实"}`,
	"POST /v1/objections/:id/answer":                           `{"answer":"已核对"}`,
	"POST /v1/members/:id/objections":                          `{"settlement_id":"stl_0000000000007","line":1,"reason":"少算"}`,
	"POST /v1/payees/:id/approve":                              `{"no":1}`,
	"POST /v1/payees/:id/reject":                               `{"no":1,"reason":"姓名不符"}`,
	"POST /v1/payees/:id/invoices":                             `{"payer_id":"ent_0000000000007","invoice_no":"24312000000000000001","amount_fen":100}`,
	"POST /v1/coupons/:id/codes":                               `{"qty":1}`,
	"POST /v1/coupons/:id/issue":                               `{"member_id":"mem_0000000000007"}`,
	"POST /v1/member-coupons/:id/redeem":                       `{"order_ref":"o-1","lines":[{"sku":"a","amount_fen":900}]}`,
	"POST /v1/member-coupons/:id/return":                       `{"order_ref":"o-1"}`,
}

// others fill the second parameter of a path.
var others = map[string]string{
	":name":     "lines.csv",
	":no":       "1",
	":preset":   "chain",
	":month":    "202601",
	":delivery": "dlv_0000000000007",
	":item":     "itm_0000000000007",
	":approval": "pap_0000000000007",
	":day":      "20260301",
}

// shared are beginnings of routes whose things belong to no unit, and why.
var shared = map[string]string{
	"/v1/notice-templates/:name": "the texts are the brand's; every region tells its members the same",
	"/v1/guard/presets/:preset":  "a preset is the brand's; setting it is for colleagues of the brand itself (TestAdPolicyRoutes)",
	"/v1/ledger/closes/:day":     "the books are the whole brand's; staff of a part of it get 403",
	"/v1/dead-tasks/:id":         "the queue is the house's; only the brand's admin may touch it",
}

// make posts as the role in east and gives the id of what was made.
func (h *house) make(t *testing.T, r access.Role, call, body string) string {
	t.Helper()
	return h.makeAs(t, h.keys[east][r], call, body)
}

func (h *house) makeAs(t *testing.T, bearer, call, body string) string {
	t.Helper()
	got := h.call(t, bearer, call, body, h.newKey())
	var made struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	}
	if got.status != 201 {
		t.Fatalf("%s: got %d %s", call, got.status, got.body)
	}
	if got.into(t, &made); made.Code != "" {
		return made.Code
	}
	return made.ID
}

func staffOf(t *testing.T, h *house) fmt.Stringer {
	t.Helper()
	return h.staffOf(t, access.Admin)
}

const someRules = `{"trigger":"every_paid_order","inviter_has_completed_order":false,"rewards":[{"rule":"inviter","to":"inviter","mode":"fixed","amount_fen":500}]}`

func program(t *testing.T, h *house) string {
	return h.make(t, access.Marketer, "POST /v1/programs", `{"name":"老带新","budget_fen":100000,"rules":`+someRules+`}`)
}

// endedOf is a campaign that has ended.
func endedOf(t *testing.T, h *house) string {
	t.Helper()
	c, _ := campaignOf(t, h, "flash_sale", "")
	if got := h.call(t, h.keys[east][access.Marketer], "POST /v1/campaigns/"+c+"/end", "{}"); got.status != 200 {
		t.Fatalf("end: got %d %s", got.status, got.body)
	}
	return c
}

// campaignOf is a running campaign and its one item.
func campaignOf(t *testing.T, h *house, kind, program string) (campaign, item string) {
	t.Helper()
	h.seq++
	sku := fmt.Sprintf("sku-%d", h.seq)
	marketer := h.keys[east][access.Marketer]
	if got := h.call(t, marketer, "PUT /v1/products", fmt.Sprintf(`{"products":[{"sku":%q,"name":"有机苹果","list_price_fen":19900}]}`, sku)); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	now := clock.MilliOf(h.DB.Clock.Now())
	named, rules := "", ""
	if kind == "group_buy" {
		rules = `"rules":{"size":2},`
	}
	if program != "" {
		named = fmt.Sprintf(`"program_id":%q,`, program)
	}
	campaign = h.make(t, access.Marketer, "POST /v1/campaigns", fmt.Sprintf(
		`{"kind":%q,"name":"周一活动",%s"starts_at":%q,"ends_at":%q,%s"items":[{"sku":%q,"price_fen":9900,"stock":10}]}`,
		kind, named, now, now.Add(24*time.Hour), rules, sku))
	if got := h.call(t, marketer, "POST /v1/campaigns/"+campaign+"/publish", "{}"); got.status != 200 {
		t.Fatalf("publish: got %d %s", got.status, got.body)
	}
	var c struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	h.call(t, marketer, "GET /v1/campaigns/"+campaign, "").into(t, &c)
	return campaign, c.Items[0].ID
}

func orderOf(t *testing.T, h *house) string {
	c, item := campaignOf(t, h, "flash_sale", "")
	return h.makeAs(t, tokenOf(t, h, member1(t, h)), "POST /v1/campaigns/"+c+"/claims", fmt.Sprintf(`{"item_id":%q,"qty":1}`, item))
}

func teamOf(t *testing.T, h *house) string {
	t.Helper()
	c, item := campaignOf(t, h, "group_buy", "")
	got := h.call(t, tokenOf(t, h, member1(t, h)), "POST /v1/campaigns/"+c+"/teams", fmt.Sprintf(`{"item_id":%q,"qty":1}`, item), h.newKey())
	var o struct {
		Team string `json:"team_id"`
	}
	if got.into(t, &o); o.Team == "" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	return o.Team
}

func codeOf(t *testing.T, h *house) string {
	return h.makeAs(t, tokenOf(t, h, member1(t, h)), "POST /v1/codes", fmt.Sprintf(`{"program_id":%q}`, program(t, h)))
}

// jobOf makes a code in a job and works it.
func jobOf(t *testing.T, h *house) string {
	t.Helper()
	got := h.call(t, h.keys[east][access.Marketer], "POST /v1/codes/batches",
		fmt.Sprintf(`{"program_id":%q,"members":[%q],"channel":"card","cost_fen":80}`, program(t, h), member1(t, h)), h.newKey())
	var made struct{ ID string }
	if got.into(t, &made); got.status != 202 || made.ID == "" {
		t.Fatalf("batch: got %d %s", got.status, got.body)
	}
	drainReferral(t, h)
	return made.ID
}

// templateOf keeps a poster template.
func templateOf(t *testing.T, h *house) {
	t.Helper()
	body := fmt.Sprintf(`{"name":"card","image":%q,"layout":{"qr":{"x":100,"y":200,"size":300}}}`, backdrop(t, color.RGBA{200, 30, 30, 255}))
	if a := h.call(t, h.keys[east][access.Marketer], "PUT /v1/poster-templates", body); a.status != 200 {
		t.Fatalf("template: got %d %s", a.status, a.body)
	}
}

// drainReferral works the jobs of the referral room.
func drainReferral(t testing.TB, h *house) {
	t.Helper()
	r := task.NewRegistry()
	h.Referral.Register(r)
	if err := task.Drain(bg, h.DB, r); err != nil {
		t.Fatal(err)
	}
}

// rewardOf walks the main job: a code, a binding, a paid order.
func rewardOf(t *testing.T, h *house) string {
	t.Helper()
	prg := program(t, h)
	c, item := campaignOf(t, h, "flash_sale", prg)
	code := h.makeAs(t, tokenOf(t, h, member1(t, h)), "POST /v1/codes", fmt.Sprintf(`{"program_id":%q,"campaign_id":%q}`, prg, c))
	invitee := tokenOf(t, h, member1(t, h))
	if got := h.call(t, invitee, "POST /v1/codes/"+code+"/bind", `{}`, h.newKey()); got.status/100 != 2 {
		t.Fatalf("bind: got %d %s", got.status, got.body)
	}
	order := h.makeAs(t, invitee, "POST /v1/campaigns/"+c+"/claims", fmt.Sprintf(`{"item_id":%q,"qty":1}`, item))
	pay := h.call(t, h.keys[east][access.Mall], "POST /v1/orders/"+order+"/payments",
		fmt.Sprintf(`{"provider":"mall","payment_no":%q,"goods_fen":9900,"amount_fen":9900}`, order), h.newKey())
	if pay.status/100 != 2 {
		t.Fatalf("pay: got %d %s", pay.status, pay.body)
	}
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	got := h.call(t, h.keys[east][access.Finance], "GET /v1/rewards", "")
	if got.into(t, &list); len(list.Items) == 0 {
		t.Fatalf("no reward: got %d %s", got.status, got.body)
	}
	return list.Items[0].ID
}

func openSettlementOf(t *testing.T, h *house) string {
	h.seq++
	return h.make(t, access.Finance, "POST /v1/settlements", fmt.Sprintf(`{"unit_id":%q,"label":"三月第一周 %d"}`, h.units[east], h.seq))
}

// settlementOf is sealed and, for want of rewards that are due, empty.
func settlementOf(t *testing.T, h *house) string {
	t.Helper()
	made := openSettlementOf(t, h)
	if got := h.call(t, h.keys[east][access.Finance], "POST /v1/settlements/"+made+"/close", "{}"); got.status/100 != 2 {
		t.Fatalf("close: got %d %s", got.status, got.body)
	}
	sid := new(id.Settlement)
	if err := sid.UnmarshalText([]byte(made)); err != nil {
		t.Fatal(err)
	}
	if err := h.Settlement.RunClose(bg, *sid); err != nil {
		t.Fatal(err)
	}
	return made
}

func payoutOf(t *testing.T, h *house) string {
	t.Helper()
	s := settlementOf(t, h)
	var doc struct {
		Digest string `json:"digest"`
	}
	h.call(t, h.keys[east][access.Finance], "GET /v1/settlements/"+s, "").into(t, &doc)
	// The admin is another person than finance, who prepared it.
	if got := h.call(t, h.keys[east][access.Admin], "POST /v1/settlements/"+s+"/review", fmt.Sprintf(`{"digest":%q}`, doc.Digest)); got.status != 200 {
		t.Fatalf("review: got %d %s", got.status, got.body)
	}
	return h.make(t, access.Cashier, "POST /v1/payouts", fmt.Sprintf(`{"settlement_id":%q}`, s))
}
