package web

import (
	"net/http"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

// TestConsolePayers: finance of a unit sees its payers, how each taxes and on
// which terms it pays, and what it owes from sealing to paying; another unit's
// finance sees none of it.
func TestConsolePayers(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwed(t, db)
		must(t, h.s.Settlement.Discard(h.as(201), h.create())) // makes the default payer
		payer := id.Payer(h.unit)
		found, err := h.s.Payee.FindPayer(h.as(201), payer)
		must(t, err)
		no := false
		must(t, h.s.Payee.ChangePayer(h.as(201), payer, found.Version, payee.PayerIn{Name: "晨光文化<b>", Strategy: found.Strategy, IncomeType: found.IncomeType, PayeeNeeded: &no, DailyLimit: 2000, CostCentre: "CC-10", BudgetNo: "B-2026-3"}))

		h.phone().get("/console/payers").is(t, http.StatusSeeOther)
		for _, role := range []access.Role{access.Marketer, access.GroupOwner} {
			h.consoleOf(h.staffKey(role)).get("/console/payers").is(t, http.StatusForbidden)
		}
		desk := h.consoleOf(h.staffKey(access.Finance))
		desk.get("/console").is(t, 200).has(t, `href="/console/payers"`)
		shows := func(want ...string) {
			t.Helper()
			desk.get("/console/payers").is(t, 200).has(t, want...)
		}
		a := desk.get("/console/payers").is(t, 200)
		a.has(t, "晨光文化&lt;b&gt;", "CC-10", "B-2026-3", "外部机构代发代扣", "由收款人承担", "不用先登记", "按期结算", "¥0.00 / ¥20.00", "还可付 ¥20.00", "0 张结算单还没付完", "到期未结 2 笔，最早 2026-03-")
		a.lacks(t, "<b>", " style=", "%!", "<form class=\"team\"", "提现申请")

		sid := h.settled()
		sealed, err := h.s.Settlement.Find(h.system, sid)
		must(t, err)
		owed := "¥" + sealed.Gross.String()
		a.has(t, `<dt>到期未结</dt><dd class="num">`+owed+`</dd>`) // before it was closed
		shows("1 张结算单还没付完", `<dt>到期未结</dt><dd class="num">¥0.00</dd>`, `<dt>待付（已封单）</dt><dd class="num">`+owed+`</dd>`, `<dt>本月已付</dt><dd class="num">¥0.00</dd>`)

		pid, err := h.s.Settlement.CreatePayout(h.as(202), settlement.PayoutIn{SettlementID: sid})
		must(t, err)
		must(t, h.s.Settlement.Pay(h.as(203), pid))
		h.work()
		shows("0 张结算单还没付完", `<dt>待付（已封单）</dt><dd class="num">¥0.00</dd>`, `<dt>打款中</dt><dd class="num">¥0.00</dd>`, `<dt>本月已付</dt><dd class="num">`+owed+`</dd>`, owed+" / ¥20.00")

		must(t, h.s.Settlement.SetTerms(h.as(201), payer, 1, settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 500, Most: 100_000, FeeFixed: 50, FeeRate: 60, PerDay: 2}))
		shows("每次 ¥5.00–¥1,000.00，每天 2 次，手续费 ¥0.50 加 0.6%", "第 2 版", `href="/console/withdrawals?payer=`+payer.String()+`"`)
		desk.get("/console/payers?lang=en").is(t, 200).has(t, "on request: ¥5.00 to ¥1,000.00", "owed, sealed")

		away, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "分店"})
		must(t, err)
		h.consoleOf(h.keyIn(away, access.Finance)).get("/console/payers").is(t, 200).lacks(t, "晨光文化", owed)
		elsewhere := database.WithActor(h.system, database.Actor{Kind: database.ActorStaff, Staff: 1, Unit: away, Units: []id.Unit{away}})
		if _, err := h.s.Settlement.FindOwing(elsewhere, payer); err == nil {
			t.Error("what a payer owes is told to another unit")
		}
	})
}

// payersGallery are two payers, one near its limit.
func payersGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		p := payersPage{page: base(lang, choose(lang, "付款主体", "Payers"))}
		p.Cards = []payerCard{
			{ID: 7 << 40, Name: "晨光文化传播（上海）有限公司", TaxNo: "91310000MA1FL4YX2K", Strategy: strategyWords["labor_cumulative_2025"].in(lang), Income: incomeWords["labor"].in(lang), Bearer: bearerWords["payee"].in(lang), Needed: true,
				CostCentre: "CC-1024-华东私域", BudgetNo: "B-2026-0317", Limit: 5_000_000, Left: 180_050, Settlements: 2, Sealed: 12_880_000, Flying: 150_000, Today: 4_819_950, Month: 88_123_450,
				Asked: true, TermsNo: 3, Terms: termsText(lang, settlement.Terms{Mode: settlement.ModeOnRequest, Least: 500, Most: 200_000, FeeFixed: 50, FeeRate: 60, PerDay: 2})},
			{ID: 6 << 40, Name: "晨光门店", Strategy: strategyWords["external_agent"].in(lang), Income: incomeWords["labor"].in(lang), Bearer: bearerWords["company"].in(lang), TermsNo: 1, Terms: termsText(lang, settlement.Terms{})},
		}
		list = append(list, shown{"payers_" + lang, "payers", p.page, p})
	}
	return list
}
