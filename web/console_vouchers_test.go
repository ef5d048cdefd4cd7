package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral/payee"
	"siyu/referral/tax"
	"siyu/referral/voucher"
	"siyu/wallet"
)

// TestConsoleVouchers: finance of the brand closes a day that is over, has its
// vouchers made, and takes them in each form, whole and by payer; a new chart
// asks for new ones. Finance of a part of the brand sees none of it.
func TestConsoleVouchers(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		for _, role := range []access.Role{access.Marketer, access.Cashier} {
			h.consoleOf(h.staffKey(role)).get("/console/vouchers").is(t, http.StatusForbidden)
			h.consoleOf(h.staffKey(role)).get("/console").lacks(t, "/console/vouchers")
		}
		away, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "分店"})
		must(t, err)
		part := h.consoleOf(h.keyIn(away, access.Finance))
		part.get("/console/vouchers").is(t, http.StatusForbidden)
		part.get("/console/vouchers/file?day=20260302&form=csv").is(t, http.StatusForbidden)
		desk := h.consoleOf(h.staffKey(access.Finance))
		desk.get("/console").is(t, 200).has(t, `href="/console/vouchers"`)
		must(t, db.Tx(h.system, func(tx *database.Tx) error {
			_, err := wallet.FundTx(tx, wallet.Fund{Key: "f", Owner: wallet.Program(900), Currency: money.CNY, Amount: 123456})
			if err != nil {
				return err
			}
			_, err = wallet.PostTx(tx, wallet.Move("r", "reward_earn", money.CNY, 800, wallet.At(wallet.StageBudget, wallet.Program(900)), wallet.At(wallet.StageReserved, wallet.Member(5))))
			if err != nil {
				return err
			}
			_, err = wallet.PostTx(tx, wallet.Move("c", "reward_clear", money.CNY, 800, wallet.At(wallet.StageReserved, wallet.Member(5)), wallet.At(wallet.StagePayable, wallet.Member(5))))
			return err
		}))
		day := booksDay(t, db)
		a := desk.get("/console/vouchers").is(t, 200)
		a.has(t, "内置科目对照", "下一个日结", "2026-03-01", "现在日结", "还没有日结") // the first is yesterday
		a.lacks(t, "%!", " style=")

		db.Clock.Jump(26 * time.Hour)
		desk = h.consoleOf(h.staffKey(access.Finance)) // the first session is over
		reg := task.NewRegistry()
		h.s.Wallet.Register(reg)
		form := desk.get("/console/vouchers").form(t, "/console/vouchers/close")
		if form.Get("day") != day {
			t.Fatalf("closes %s next, want %s", form.Get("day"), day)
		}
		h.consoleOf(h.staffKey(access.Marketer)).post("/console/vouchers/close", form).is(t, http.StatusForbidden)
		desk.post("/console/vouchers/close", url.Values{"form": {"x"}, "day": {day}}).is(t, http.StatusForbidden)
		for range 2 { // a second tap is none
			desk.post("/console/vouchers/close", form).is(t, http.StatusSeeOther)
		}
		desk.get("/console/vouchers").has(t, "日结中")
		early := url.Values{"form": form["form"], "day": {booksDay(t, db)}}
		desk.post("/console/vouchers/close", early).is(t, http.StatusConflict)
		desk.post("/console/vouchers/make", early).is(t, http.StatusConflict).has(t, "尚未日结")
		must(t, task.Drain(h.system, db, reg))
		a = desk.get("/console/vouchers").is(t, 200)
		a.has(t, "已日结", "未生成凭证", "这一天还没结束")
		a.lacks(t, "/console/vouchers/close")

		at := "/console/vouchers?day=" + day
		desk.get("/console/vouchers/file?day="+day+"&form=csv").is(t, http.StatusNotFound)
		form = desk.get(at).is(t, 200).form(t, "/console/vouchers/make")
		for range 2 {
			if to := desk.post("/console/vouchers/make", form).is(t, http.StatusSeeOther).to; to != at {
				t.Errorf("led to %s", to)
			}
		}
		a = desk.get(at).is(t, 200)
		a.has(t, "计提推广奖励 "+day, "¥8.00", "合计", "已生成凭证", `name="payer"`, "不属于任何付款主体的")
		a.lacks(t, "/console/vouchers/make", "%!")
		for _, f := range voucher.Forms() {
			file := desk.get("/console/vouchers/file?day="+day+"&form="+f.Name).is(t, 200)
			if name := "vouchers-" + day + "." + string(f.Format); !strings.Contains(file.header.Get("Content-Disposition"), name) || len(file.body) == 0 {
				t.Errorf("%s: %v, %d bytes", f.Name, file.header, len(file.body))
			}
		}
		desk.get("/console/vouchers/file?day="+day+"&form=csv&payer=none").is(t, 200).has(t, "8.00")
		payer, err := h.s.Payee.CreatePayer(database.WithActor(h.system, database.Actor{Kind: database.ActorStaff, Staff: 301, Unit: h.unit}), payee.PayerIn{UnitID: h.unit, Name: "晨光文化", Strategy: tax.Labor2018})
		must(t, err)
		desk.get("/console/vouchers/file?day="+day+"&form=csv&payer="+payer.String()).is(t, http.StatusConflict).has(t, "没有要记的账")
		desk.get("/console/vouchers/file?day="+day+"&form=csv&payer=ent_0000000000099").is(t, http.StatusNotFound)
		desk.get("/console/vouchers/file?day="+day+"&form=sap").is(t, http.StatusUnprocessableEntity)
		desk.get(at+"&lang=en").is(t, 200).has(t, "Days and vouchers", "vouchers made", "what is no payer&#39;s")
		desk.get("/console/vouchers?lang=zh&day=20200101").is(t, http.StatusNotFound)

		chart, err := h.s.Voucher.Chart(h.system)
		must(t, err)
		must(t, h.s.Voucher.SetChart(database.WithActor(h.system, database.Actor{Kind: database.ActorStaff, Staff: 1}), voucher.ChartIn{Rules: chart.Rules}))
		form = desk.get(at).is(t, 200).form(t, "/console/vouchers/make")
		desk.get(at).has(t, "第 1 版科目对照", "旧科目对照", "按现行科目对照重新生成")
		desk.post("/console/vouchers/make", form).is(t, http.StatusSeeOther)
		desk.get(at).lacks(t, "旧科目对照")
	})
}

// vouchersGallery is a day's vouchers below a day that waits.
func vouchersGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		p := vouchersPage{page: base(lang, choose(lang, "日结与凭证", "Days and vouchers")), Chart: chartName(lang, 3), More: "#"}
		p.Next = &nextDay{No: 20260302, Day: dayText(20260302), From: noon(), May: true}
		set := voucher.Set{Day: 20260301, ChartNo: 2, Debit: 128_800_000, Part: voucher.Part{PayerName: "晨光文化传播（上海）有限公司"}, Lines: []voucher.Line{
			{Kind: "reward_clear", Code: "6601.07", Title: "销售费用-推广奖励", Debit: 128_800_000}, {Kind: "reward_clear", Code: "2241.03.01", Title: "其他应付款-推广奖励-自然人", Credit: 128_800_000},
			{Kind: "payout", Code: "2241.03.01", Title: "其他应付款-推广奖励-自然人", Debit: 99_123_456}, {Kind: "payout", Code: "1002.01", Title: "银行存款-招商银行", Credit: 90_123_456}, {Kind: "payout", Code: "2221.05", Title: "应交税费-代扣个人所得税", Credit: 9_000_000},
		}}
		closed := wallet.Close{Day: 20260301, Status: wallet.CloseSealed, Transfers: 128_456, Late: 2, Digest: "9f3a01bc"}
		d := voucherDayOf(lang, closed, set, true, 3)
		v := voucherViewOf(lang, d, set)
		v.Payers = []choice{{"ent_1", "晨光文化传播（上海）有限公司"}, {"ent_2", "西湖茶业"}}
		p.Day = &v
		p.Days = []voucherDay{d, voucherDayOf(lang, wallet.Close{Day: 20260228, Status: wallet.CloseSealed, Transfers: 12, Digest: "9f3a01bc"}, voucher.Set{}, false, 3)}
		for n := range 3 {
			p.Days = append(p.Days, voucherDayOf(lang, wallet.Close{Day: 20260227 - n, Status: wallet.CloseSealed, Transfers: int64(n), Digest: "9f3a01bc"}, voucher.Set{ChartNo: 3, Debit: money.Amount(n) * 1000}, true, 3))
		}
		list = append(list, shown{"vouchers_" + lang, "vouchers", p.page, p})
	}
	return list
}
