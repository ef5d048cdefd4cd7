package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/payee"
	"siyu/referral/tax"
)

// TestConsoleTaxes: four payments of 500 in one month withhold 240; finance
// closes the month once it is over and takes its sheet and its return, a
// cashier only reads, and another unit's finance sees nothing.
func TestConsoleTaxes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		as := database.WithActor(h.system, database.Actor{Kind: database.ActorStaff, Staff: 301, Unit: h.unit})
		payer, err := h.s.Payee.CreatePayer(as, payee.PayerIn{UnitID: h.unit, Name: "晨光文化<b>", TaxNo: "91350100M000100Y43", Strategy: tax.Labor2018})
		must(t, err)
		li := h.member("李雷", "m-li")
		_, err = h.s.Payee.Enter(database.WithActor(h.system, database.Actor{Kind: database.ActorMember, Member: li}), li, payee.Entry{ConsentVersion: "1", Details: payee.Details{
			Type: payee.TypeNatural, Name: "王小明", IDNo: "11010519491231002X", Kind: payee.AccountBank, CardNo: "6222020000000000000", BankName: "招商银行"}})
		must(t, err)
		for n := range 4 {
			must(t, db.Tx(h.system, func(tx *database.Tx) error {
				_, err := payee.WithholdTx(tx, []payee.Withholding{{Key: fmt.Sprint("p:", n), Payer: payer, Member: li, Amount: 500_00}})
				return err
			}))
		}
		agent, err := h.s.Payee.CreatePayer(as, payee.PayerIn{UnitID: h.unit, Name: "代发机构", Strategy: tax.ExternalAgent})
		must(t, err)
		han := h.member("韩梅梅", "m-han")
		must(t, db.Tx(h.system, func(tx *database.Tx) error {
			_, err := payee.WithholdTx(tx, []payee.Withholding{{Key: "p:agent", Payer: agent, Member: han, Amount: 3_00}})
			return err
		}))
		for _, role := range []access.Role{access.Marketer, access.GroupOwner} {
			h.consoleOf(h.staffKey(role)).get("/console/taxes").is(t, http.StatusForbidden)
			h.consoleOf(h.staffKey(role)).get("/console").lacks(t, "/console/taxes")
		}
		key, at := h.staffKey(access.Finance), taxesAt(payer)+"&month=202603"
		desk := h.consoleOf(key)
		desk.get("/console").is(t, 200).has(t, `href="/console/taxes"`)
		desk.get("/console/taxes").is(t, 200).has(t, "晨光文化&lt;b&gt;", "2026 年 3 月", "进行中", "1 人 · 4 笔", "¥2,000.00", "已扣 ¥240.00")
		a := desk.get(at).is(t, 200)
		a.has(t, "王**", "劳务报酬", "¥2,000.00", "¥240.00", "月底后才能关账")
		a.lacks(t, "王小明", "/console/taxes/close", "/console/taxes/return", "%!", " style=", "<b>晨")
		desk.get(taxesAt(agent)+"&month=202603").is(t, 200).has(t, "韩*（未登记）", "¥3.00")
		sheet := "/console/taxes/sheet?payer=" + payer.String() + "&month=202603"
		desk.get(sheet).is(t, http.StatusConflict).has(t, "还没有关账")

		db.Clock.Jump(31 * 24 * time.Hour)
		desk = h.consoleOf(key)
		form := desk.get(at).is(t, 200).form(t, "/console/taxes/close")
		cashier := h.consoleOf(h.staffKey(access.Cashier))
		seen := cashier.get(at).is(t, 200)
		seen.has(t, "待关账", "¥240.00")
		seen.lacks(t, "/console/taxes/close")
		cashier.post("/console/taxes/close", form).is(t, http.StatusForbidden)
		cashier.get(sheet).is(t, http.StatusForbidden)
		if to := desk.post("/console/taxes/close", form).is(t, http.StatusSeeOther).to; to != taxesAt(payer) {
			t.Errorf("led to %s", to)
		}
		desk.post("/console/taxes/close", form).is(t, http.StatusConflict).has(t, "202603 已经关账")
		desk.get("/console/taxes").is(t, 200).has(t, "已关账", "2026 年 4 月", "进行中")

		closed := desk.get(at).is(t, 200)
		closed.has(t, "下载申报表", "format=csv-bom")
		file := desk.get(sheet+"&format=csv-bom").is(t, 200)
		file.has(t, "\ufeff", "王**", "2000.00,240.00,240.00", "合计")
		file.lacks(t, "王小明")
		form = closed.form(t, "/console/taxes/return")
		form.Set("format", "csv")
		taken := desk.post("/console/taxes/return", form).is(t, 200)
		taken.has(t, "王小明", "11010519491231002X", "240.00")
		if name := taken.header.Get("Content-Disposition"); !strings.Contains(name, ".csv") {
			t.Errorf("named %s", name)
		}
		cashier.post("/console/taxes/return", form).is(t, http.StatusForbidden)
		form.Set("format", "pdf")
		desk.post("/console/taxes/return", form).is(t, http.StatusUnprocessableEntity)
		desk.post("/console/taxes/x", form).is(t, http.StatusNotFound)
		desk.get(at+"&lang=en").is(t, 200).has(t, "Months of tax", "Take the return", "withheld ¥240.00")

		away, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "分店"})
		must(t, err)
		other := h.consoleOf(h.keyIn(away, access.Finance))
		other.get("/console/taxes").is(t, 200).lacks(t, "晨光文化")
		other.get(at).is(t, http.StatusNotFound)
		other.get(sheet).is(t, http.StatusNotFound)
		desk.get(taxesAt(payer)+"&month=202512").is(t, http.StatusNotFound)
		desk.get("/console/taxes?payer=x").is(t, http.StatusNotFound)
	})
}

// taxesGallery is a month to close, of a payer with a year behind it.
func taxesGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		payer := id.Payer(7 << 40)
		over := payee.MonthSum{Month: 202602, State: payee.MonthOver, People: 98_012, Lines: 128_345, Gross: 1_283_450_000, Tax: 99_123_456}
		all := taxesPage{page: base(lang, choose(lang, "税期", "Months of tax")), Closes: true, Next: "#"}
		strategy := strategyWords["labor_2018"].in(lang)
		card := taxCard{ID: payer, Name: "晨光文化传播（上海）有限公司", TaxNo: "91310000MA1FL4YX2K", Strategy: strategy, Earlier: "#",
			Months: []taxMonthRow{taxMonthOf(lang, payer, payee.MonthSum{Month: 202603, State: payee.MonthCurrent}), taxMonthOf(lang, payer, over), taxMonthOf(lang, payer, payee.MonthSum{Month: 202601, State: payee.MonthClosed, People: 1, Lines: 4, Gross: 200_000, Tax: 24_000})}}
		all.Cards = []taxCard{card, {ID: 6 << 40, Name: "晨光门店", Strategy: strategyWords["external_agent"].in(lang)}}
		people := taxPeople(lang, []payee.Month{{Name: "王*", IncomeType: tax.IncomeLabor, Lines: 4, Gross: 200_000, Due: 24_000, Tax: 24_000}, {Name: "西湖******公司", IncomeType: tax.IncomeBusiness, Lines: 128, Gross: 128_345_000}, {MemberID: 9, IncomeType: tax.IncomeLabor, Lines: 1, Gross: 300}}, map[id.Member]string{9: "韩红"})
		one, shut := all, all
		one.Month = &taxMonthView{taxMonthRow: taxMonthOf(lang, payer, over), Name: card.Name, Strategy: strategy, Rows: people, More: "#"}
		over.State = payee.MonthClosed
		shut.Month = &taxMonthView{taxMonthRow: taxMonthOf(lang, payer, over), Name: card.Name, Strategy: strategy, Rows: people}
		list = append(list, shown{"taxes_" + lang, "taxes", all.page, all}, shown{"taxes_over_" + lang, "taxes", one.page, one}, shown{"taxes_closed_" + lang, "taxes", shut.page, shut})
	}
	return list
}
