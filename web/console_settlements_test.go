package web

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

// TestConsoleSettles: three people bring a reward from its period to paid and
// reconciled on the console alone; nobody takes two of the steps, and a second
// tap of any of them changes nothing.
func TestConsoleSettles(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwed(t, db)
		h.s.Settlement.Vault = h.s.Payee
		_, err := h.s.Payee.Enter(h.as(201), h.wang, payee.Entry{ConsentVersion: "1", Details: payee.Details{Type: payee.TypeNatural, Name: "王小明", IDNo: "11010519491231002X", Kind: payee.AccountBank, CardNo: "6222020000000000000", BankName: "招商银行"}})
		must(t, err)
		at, err := h.s.Payee.PayeeOf(h.as(202), h.wang)
		must(t, err)
		must(t, h.s.Payee.Approve(h.as(202), at.ID, payee.DecideIn{No: at.Pending.No}))

		h.consoleOf(h.staffKey(access.Marketer)).get("/console/settlements").is(t, http.StatusForbidden)
		preparer, reviewer, cashier := h.consoleOf(h.staffKey(access.Finance)), h.consoleOf(h.staffKey(access.Finance)), h.consoleOf(h.staffKey(access.Cashier))
		preparer.get("/console").is(t, 200).has(t, `href="/console/settlements"`)
		cashier.get("/console/settlements").is(t, 200).lacks(t, `action="/console/settlements"`)
		form := preparer.get("/console/settlements").is(t, 200).form(t, "/console/settlements")
		cashier.post("/console/settlements", form).is(t, http.StatusForbidden)
		preparer.post("/console/settlements", form).is(t, http.StatusUnprocessableEntity) // no label
		form.Set("label", "2026-03<b>")
		doc := preparer.post("/console/settlements", form).is(t, http.StatusSeeOther).to
		if again := preparer.post("/console/settlements", form).is(t, http.StatusSeeOther).to; again != doc {
			t.Errorf("a second tap led to %s, not %s", again, doc)
		}

		open := preparer.get(doc+"?preview=1").is(t, 200)
		open.has(t, "2026-03&lt;b&gt;", "待关账", "2 行，2 人有应付", "¥13.00", "全部奖励方案")
		cashier.get(doc).is(t, 200).lacks(t, "<form class")
		form = open.form(t, doc+"/close")
		for range 2 {
			preparer.post(doc+"/close", form).is(t, http.StatusSeeOther)
		}
		preparer.get(doc).is(t, 200).has(t, "data-live", "正在收行、写文件")
		h.work()

		sealed := preparer.get(doc).is(t, 200)
		sealed.has(t, "待审核", "须由同事审核", "lines.csv", "settlement.xlsx", "王*")
		sealed.lacks(t, doc+"/review", "王小明", "data-live")
		seen := reviewer.get(doc).is(t, 200)
		form = seen.form(t, doc+"/review")
		own := preparer.get(doc).form(t, doc+"/reject")
		own.Set("digest", form.Get("digest"))
		preparer.post(doc+"/review", own).is(t, http.StatusForbidden)
		file := reviewer.get(doc+"/files/lines.csv").is(t, 200)
		if !strings.Contains(file.header.Get("Content-Disposition"), "lines.csv") || !strings.Contains(file.body, "reward") {
			t.Errorf("the sealed lines came as %v %q", file.header, file.body)
		}
		reviewer.get(doc+"/files/other.csv").is(t, http.StatusNotFound)
		wrong := url.Values{"form": form["form"], "key": {strings.Repeat("k", 20)}, "digest": {"abc"}}
		reviewer.post(doc+"/review", wrong).is(t, http.StatusConflict)
		for range 2 {
			reviewer.post(doc+"/review", form).is(t, http.StatusSeeOther)
		}

		form = cashier.get(doc).is(t, 200).form(t, "/console/payouts")
		form.Set("channel", "bank_generic")
		form.Set("carry_held", "1")
		form.Set("limit", "x")
		cashier.post("/console/payouts", form).is(t, http.StatusUnprocessableEntity)
		form.Set("limit", "100.50")
		pay := cashier.post("/console/payouts", form).is(t, http.StatusSeeOther).to
		cashier.post("/console/payouts", form).is(t, http.StatusSeeOther)
		theirs := reviewer.get(pay).is(t, 200)
		theirs.has(t, "须由第三人付款", "¥100.50", "转下期结算")
		theirs.lacks(t, pay+"/pay")
		form = cashier.get(pay).is(t, 200).form(t, pay+"/pay")
		reviewer.post(pay+"/pay", reviewer.get("/console/settlements").form(t, "/console/settlements")).is(t, http.StatusForbidden)
		for range 2 {
			cashier.post(pay+"/pay", form).is(t, http.StatusSeeOther)
		}
		h.work()

		reviewer.get(pay).is(t, 200).lacks(t, pay+"/file") // finance takes no file
		sent := cashier.get(pay).is(t, 200)
		sent.has(t, "在途，待回单", "还没有导入", "没有实名和账号")
		form = sent.form(t, pay+"/file")
		taken := cashier.post(pay+"/file", form).is(t, 200)
		if !strings.Contains(taken.body, "6222020000000000000") {
			t.Errorf("the file names no card: %q", taken.body)
		}
		cashier.get(pay).is(t, 200).has(t, "第 1 份 · 第 1 次")
		answer := "序号,金额,处理结果\n1,8.00,成功\n2,1.00,成功\n"
		cashier.upload(pay+"/imports", url.Values{"form": {"x"}}, answer).is(t, http.StatusForbidden)
		to := cashier.upload(pay+"/imports", form, answer).is(t, http.StatusSeeOther).to
		if again := cashier.upload(pay+"/imports", form, answer).to; again != to || to != pay+"?import=1" {
			t.Errorf("the same answer led to %s and %s", to, again)
		}
		h.work()
		done := cashier.get(to).is(t, 200)
		done.has(t, "已完成", "到账", "无此笔", "第 1 份逐行")
		done.lacks(t, "data-live")
		cashier.upload(pay+"/imports", form, strings.Repeat("x", 9<<20)).is(t, http.StatusRequestEntityTooLarge)
		cashier.post(pay+"/imports", form).is(t, http.StatusUnprocessableEntity) // no file
		cashier.get(doc).is(t, 200).has(t, "已付款", "付清")

		// It came back after all: the next settlement carries it.
		form = cashier.get(pay).is(t, 200).form(t, pay+"/results")
		form.Set("line", "1")
		form.Set("reason", "户名不符<b>")
		for range 2 {
			cashier.post(pay+"/results", form).is(t, http.StatusSeeOther)
		}
		cashier.get(pay).is(t, 200).has(t, "退回", "户名不符&lt;b&gt;")
		form = preparer.get("/console/settlements").form(t, "/console/settlements")
		form.Set("label", "补付")
		db.Clock.Jump(time.Hour)
		next := preparer.post("/console/settlements", form).is(t, http.StatusSeeOther).to
		preparer.get(next+"?preview=1").is(t, 200).has(t, "上次退回，再付", "¥13.00")
		form = preparer.get(next).form(t, next+"/discard")
		preparer.post(next+"/discard", form).is(t, http.StatusSeeOther)
		preparer.get(next).is(t, 200).has(t, "已作废")
		preparer.get("/console/settlements?lang=en&status=discarded").is(t, 200).has(t, "Settlements", "discarded")
		for _, path := range []string{doc, pay, "/console/settlements"} {
			cashier.get(path+"?lang=en").is(t, 200).lacks(t, "%!", " style=", "结算")
		}
	})
}

// TestConsoleSettlementsOfUnits: finance of a store sees its settlement, which
// a payer of the brand pays, and not the brand's; who rejects says why.
func TestConsoleSettlementsOfUnits(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwed(t, db)
		store, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "分店"})
		must(t, err)
		sid := h.settled()
		shop := h.consoleOf(h.keyIn(store, access.Finance))
		shop.get("/console/settlements").is(t, 200).lacks(t, sid.String())
		shop.get(settlementAt(sid)).is(t, http.StatusNotFound)
		form := shop.get("/console/settlements").form(t, "/console/settlements")
		form.Set("label", "门店三月")
		own := shop.post("/console/settlements", form).is(t, http.StatusSeeOther).to
		shop.get(own).is(t, 200).has(t, "门店三月", "分店", "<bdi>brand</bdi>") // the brand's default payer, by its name

		desk := h.consoleOf(h.staffKey(access.Finance))
		at := settlementAt(sid)
		form = desk.get(at).is(t, 200).form(t, at+"/reject")
		desk.post(at+"/reject", form).is(t, http.StatusUnprocessableEntity) // no reason
		form.Set("reason", "少算一单<b>")
		for range 2 {
			desk.post(at+"/reject", form).is(t, http.StatusSeeOther)
		}
		desk.get(at).is(t, 200).has(t, "已驳回", "少算一单&lt;b&gt;")
		desk.post(at+"/x", form).is(t, http.StatusNotFound)
	})
}

// upload sends a form with a file in it.
func (p *phone) upload(path string, form url.Values, file string) answer {
	p.h.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name := range form {
		must(p.h.t, w.WriteField(name, form.Get(name)))
	}
	part, err := w.CreateFormFile("answer", "回单.csv")
	must(p.h.t, err)
	_, err = part.Write([]byte(file))
	must(p.h.t, err)
	must(p.h.t, w.Close())
	req, err := http.NewRequest(http.MethodPost, p.h.url+path, &b)
	must(p.h.t, err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	return p.send(req)
}

// settlementsGallery are the pages of who settles and pays.
func settlementsGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		by := func(id.Staff) string { return "欧阳秀英" }
		all := settlementsPage{page: base(lang, choose(lang, "结算单", "Settlements")), Makes: true, Payers: []choice{{"ent_1", "晨光文化传播（上海）有限公司"}}, Units: []choice{{"unt_1", "华东大区"}}, Next: "#"}
		for _, one := range settlementTabs {
			all.Tabs = append(all.Tabs, tab{choose(lang, one.zh, one.en), "#", one.status == "all"})
		}
		at := clock.MilliOf(noon())
		x := settlement.Settlement{ID: 7 << 40, Label: "2026-03 邀请奖与开团服务费", Status: settlement.StatusClosed, AllPrograms: 1, CutAt: at, TaxRule: "labor_2018", LineCount: 128_345, Gross: 1_283_450_000, Net: 1_283_450_000,
			Digest: strings.Repeat("9f3a01bc", 8), CreatedBy: 1, CreatedAt: at, ClosedBy: 1, ClosingAt: at, Files: []settlement.File{{Name: "lines.csv", SHA256: strings.Repeat("ab", 32)}, {Name: "settlement.xlsx", SHA256: strings.Repeat("cd", 32)}}}
		row := settlementRowOf(lang, x)
		row.Payer = "晨光文化传播（上海）有限公司"
		all.Rows = []settlementRow{row, settlementRowOf(lang, settlement.Settlement{ID: 6 << 40, Label: "2026-02", Status: settlement.StatusPaid})}
		doc := settlementPage{page: base(lang, ""), Reviews: true, Rejects: true, Pays: true, Channels: channels(lang)}
		doc.show(x, "晨光文化传播（上海）有限公司", "华东大区", by)
		doc.Lines = []settledLine{{1, lineName(lang, settlement.KindReward), "", "王*", noon(), 800}, {128_345, lineName(lang, settlement.KindFailed), "stl_0000000000001/128344", "李*", noon(), 180_500}}
		first := settlementPage{page: base(lang, ""), Closes: true, Preview: &settlementPreview{noon(), 128_345, 98_012, 1_283_450_000, []previewRow{{lineName(lang, settlement.KindReward), 128_300, 1_283_000_000}, {lineName(lang, settlement.KindDebt), 45, -12_345}}}}
		first.show(settlement.Settlement{ID: 5 << 40, Label: "2026-04", Status: settlement.StatusOpen, TaxRule: "labor_2018", CreatedBy: 1, CreatedAt: at}, "晨光文化", "华东大区", by)
		busy := settlementPage{page: base(lang, "")}
		busy.show(settlement.Settlement{ID: 5 << 40, Label: "2026-04", Status: settlement.StatusSealing, CreatedBy: 1, CreatedAt: at}, "晨光文化", "华东大区", by)
		pay := payoutPage{page: base(lang, ""), Parts: []int{1, 2}, Made: []madeRow{{1, 2, 5000, 99_123_456, "9f3a01bc", "欧阳秀英", noon()}}, Import: 1,
			Holds: []holdRow{{"赵*", 6000, heldBecause(lang, payee.ReasonPending)}}}
		pay.show(settlement.Payout{ID: 4 << 40, Channel: "bank_pipe", Status: settlement.PayoutSent, Owed: 1_283_450_000, Limit: 500_000_000, CarryHeld: true, Gross: 499_999_000, Tax: 1_234_500, Net: 498_764_500, LineCount: 8123, FailedCount: 12, CreatedAt: at, PayingAt: at}, x, by)
		for i, status := range []settlement.PayoutLineStatus{settlement.PayoutLineSent, settlement.PayoutLineUnknown, settlement.PayoutLinePaid, settlement.PayoutLineFailed} {
			pay.Rows = append(pay.Rows, payoutLineOf(lang, settlement.PayoutLine{LineNo: 8000 + i, Owed: 300_000, Tax: 44_000, Net: 256_000, Status: status, TransferID: 1, Reason: map[bool]string{true: "户名不符，请核对后重新提交"}[status == settlement.PayoutLineFailed]}, "王*"))
		}
		m := settlement.Import{No: 1, Rows: 8123, Missing: 3, Status: settlement.ImportDone, ImportedAt: at, Outcomes: map[settlement.Outcome]int{}}
		for i, o := range outcomeOrder {
			m.Outcomes[o] = i + 1
			pay.Answers = append(pay.Answers, answerOf(lang, settlement.ImportRow{RowNo: i + 2, LineNo: i + 1, Amount: money.Amount(i*100_000 - 1), Outcome: o, Reason: "账户状态异常，退回原账户"}))
		}
		pay.Imports = []importRow{importRowOf(lang, m, "欧阳秀英")}
		for name, one := range map[string]settlementPage{"sealed": doc, "open": first, "busy": busy} {
			list = append(list, shown{fmt.Sprintf("settlement_%s_%s", name, lang), "settlement", one.page, one})
		}
		list = append(list, shown{"settlements_" + lang, "settlements", all.page, all}, shown{"payout_" + lang, "payout", pay.page, pay})
	}
	return list
}
