package web

import (
	"net/http"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// TestConsoleWithdrawals: finance sees what a member of its unit asked to be
// paid and refuses it once, with the reason that he reads; a cashier only
// looks, and another unit sees nothing.
func TestConsoleWithdrawals(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwed(t, db)
		must(t, h.s.Settlement.Discard(h.as(201), h.create())) // makes the default payer
		must(t, h.s.Settlement.SetTerms(h.as(201), id.Payer(h.unit), 1, settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 500, Most: 100_000, FeeFixed: 50, PerDay: 2}))
		wid, err := h.s.Settlement.Ask(database.WithActor(h.system, database.Actor{Kind: database.ActorMember, Member: h.wang}), h.wang, settlement.AskIn{PayerID: id.Payer(h.unit)})
		must(t, err)
		act := "/console/withdrawals/" + wid.String() + "/refuse"

		h.consoleOf(h.staffKey(access.Marketer)).get("/console/withdrawals").is(t, http.StatusForbidden)
		cashier := h.consoleOf(h.staffKey(access.Cashier))
		seen := cashier.get("/console/withdrawals").is(t, 200)
		seen.has(t, "第 1 号", "¥8.00", "手续费 ¥0.50", "等下一次结算")
		seen.lacks(t, act)
		desk := h.consoleOf(h.staffKey(access.Finance))
		desk.get("/console").is(t, 200).has(t, `href="/console/withdrawals"`)
		a := desk.get("/console/withdrawals?payer="+id.Payer(h.unit).String()).is(t, 200)
		a.has(t, "付款主体：", "第 1 号")
		desk.get("/console/withdrawals?status=x").is(t, http.StatusUnprocessableEntity)
		desk.get("/console/withdrawals?payer=x").is(t, http.StatusNotFound)
		form := a.form(t, act)
		desk.post(act, form).is(t, http.StatusUnprocessableEntity) // no reason
		form.Set("reason", "资料待核实<b>")
		cashier.post(act, form).is(t, http.StatusForbidden)
		away, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "分店"})
		must(t, err)
		other := h.consoleOf(h.keyIn(away, access.Finance))
		other.get("/console/withdrawals").is(t, 200).lacks(t, "第 1 号")
		desk.post(act, form).is(t, http.StatusSeeOther)
		desk.post(act, form).is(t, http.StatusConflict)
		desk.get("/console/withdrawals").is(t, 200).lacks(t, "第 1 号")
		desk.get("/console/withdrawals?status=refused").is(t, 200).has(t, "未通过", "资料待核实&lt;b&gt;")
		h.signedIn(h.wang).get("/me/withdrawals").is(t, 200).has(t, "资料待核实&lt;b&gt;", "可提现 ¥8.00")
		if en := desk.get("/console/withdrawals?status=all&lang=en").is(t, 200); strings.Contains(en.body, "%!") {
			t.Error("a text of the page has a wrong argument")
		}
	})
}

func sampleRequested(lang string) requestedPage {
	p := requestedPage{page: base(lang, choose(lang, "提现申请", "Withdrawal requests")), Status: "all", Refuses: true, Payer: "晨光文化传播（上海）有限公司", Next: "#"}
	for _, one := range requestTabs {
		p.Tabs = append(p.Tabs, tab{choose(lang, one.zh, one.en), "#", one.status == "all"})
	}
	for i, w := range []settlement.SeenWithdrawal{{State: settlement.AskedState}, {State: settlement.SettlingState, Why: settlement.WhySettled},
		{State: settlement.RefusedState, Withdrawal: settlement.Withdrawal{EndedBy: 1, Reason: "资料待核实，请先上传发票"}}} {
		w.ID, w.No, w.Gross, w.Fee, w.AskedAt, w.At = id.Withdrawal(99-i), int64(128-i), 180_500, 1183, clock.MilliOf(noon()), clock.MilliOf(noon())
		p.Cards = append(p.Cards, requestedCard{askedOf(lang, noon(), w), "王*明", "晨光文化传播（上海）有限公司", 7 << 40})
	}
	return p
}
