package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/referral/settlement"
)

// owed is a house in which Wang is owed a reward of 8 yuan, with a way to work
// its tasks and to act as one of its staff.
type owed struct {
	*house
	work func()
	as   func(id.Staff) context.Context
}

func openOwed(t *testing.T, db *database.DB) owed {
	t.Helper()
	h := open(t, db)
	run := h.run("flash_sale", "限时抢购", `{}`)
	code := h.code(run)
	li := h.signedIn(h.member("李雷", "m-li"))
	form := li.get("/i/"+code).form(t, "/i/"+code+"/claim")
	form.Set("item", run.Items[0].ID.String())
	form.Set("qty", "1")
	h.pay(orderOf(t, li.post("/i/"+code+"/claim", form)), 8800)
	reg := task.NewRegistry()
	h.s.Referral.Register(reg)
	h.s.Settlement.Register(reg)
	o := owed{h, func() { t.Helper(); must(t, task.Drain(h.system, db, reg)) }, func(who id.Staff) context.Context {
		return database.WithActor(h.system, database.Actor{Kind: database.ActorStaff, Staff: who, Unit: h.unit})
	}}
	db.Clock.Jump(16 * 24 * time.Hour)
	o.work()
	db.Clock.Jump(time.Hour)
	return o
}

func (o owed) create() id.Settlement {
	o.t.Helper()
	sid, err := o.s.Settlement.Create(o.as(201), settlement.CreateIn{Label: "2026-03"})
	must(o.t, err)
	return sid
}

// settled closes and reviews what is due.
func (o owed) settled() id.Settlement {
	o.t.Helper()
	sid := o.create()
	must(o.t, o.s.Settlement.Close(o.as(201), sid))
	o.work()
	sealed, err := o.s.Settlement.Find(o.system, sid)
	must(o.t, err)
	must(o.t, o.s.Settlement.Review(o.as(202), sid, settlement.ReviewIn{Digest: sealed.Digest}))
	return sid
}

func (o owed) paid(sid id.Settlement) id.Payout {
	o.t.Helper()
	pid, err := o.s.Settlement.CreatePayout(o.as(203), settlement.PayoutIn{SettlementID: sid})
	must(o.t, err)
	must(o.t, o.s.Settlement.Pay(o.as(203), pid))
	o.work()
	return pid
}

// TestWithdrawPage: a member asks on his phone, takes it back, asks again, and
// reads what became of it.
func TestWithdrawPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwed(t, db)
		h.phone().get("/me/withdrawals").is(t, http.StatusUnauthorized)
		wang := h.signedIn(h.wang)
		wang.get("/me").is(t, 200).has(t, `href="/me/withdrawals"`, "等下一次结算")
		wang.get("/me/withdrawals").is(t, 200).has(t, "按期结算", "不用申请")
		must(t, h.s.Settlement.Discard(h.as(201), h.create())) // makes the default payer
		must(t, h.s.Settlement.SetTerms(h.as(201), id.Payer(h.unit), 1, settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 500, Most: 100_000, FeeFixed: 50, FeeRate: 100, PerDay: 2}))

		wang.get("/me").is(t, 200).has(t, "可申请提现")
		a := wang.get("/me/withdrawals").is(t, 200)
		a.has(t, "可提现 ¥8.00", "1 笔奖励共 ¥8.00，手续费 ¥0.58", "每次 ¥5.00 到 ¥1,000.00", "每次手续费 ¥0.50 加 1%", "每天最多 2 次，今天已申请 0 次")
		a.lacks(t, "%!", "申请记录")
		form := a.form(t, "/me/withdrawals")
		for range 2 { // a double tap
			wang.post("/me/withdrawals", form).is(t, http.StatusSeeOther)
		}
		a = wang.get("/me/withdrawals").is(t, 200)
		a.has(t, "第 1 号", "已申请", "没有可提现的奖励", "今天已申请 1 次")
		a.lacks(t, "第 2 号")
		wang.get("/me").is(t, 200).has(t, "已申请提现，等下一次结算")
		_, action, _ := strings.Cut(a.body, `action="/me/withdrawals/`)
		action, _, _ = strings.Cut(action, `"`)
		li := h.signedIn(h.member("李雷", "m-li"))
		li.get("/me/withdrawals").is(t, 200).lacks(t, "第 1 号")
		stolen := li.get("/me/promoter?program="+h.prog.String()).form(t, "/me/promoter")
		li.post("/me/withdrawals/"+action, stolen).is(t, http.StatusNotFound)
		wang.post("/me/withdrawals/"+action, a.form(t, "/me/withdrawals/"+action)).is(t, http.StatusSeeOther)
		a = wang.get("/me/withdrawals").is(t, 200)
		a.has(t, "已取消", "今天已申请 1 次")
		wang.post("/me/withdrawals", a.form(t, "/me/withdrawals")).is(t, http.StatusSeeOther)

		sid := h.settled()
		wang.get("/me/withdrawals").is(t, 200).has(t, "结算中", "列入结算单，等打款")
		h.paid(sid)
		a = wang.get("/me/withdrawals").is(t, 200)
		a.has(t, "已到账", "当次共付 ¥7.42，实到 ¥7.42", "第 2 号")
		wang.lang = "en"
		a = wang.get("/me/withdrawals").is(t, 200)
		a.has(t, "Withdraw", "No. 2", "paid", "cancelled", "fee ¥0.58")
		a.lacks(t, "%!", "提现手续费")
	})
}

// TestWithdrawPageRefuses: what cannot be asked for says why, in the page.
func TestWithdrawPageRefuses(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwed(t, db)
		must(t, h.s.Settlement.Discard(h.as(201), h.create()))
		terms := settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 801, Most: 100_000, PerDay: 1}
		must(t, h.s.Settlement.SetTerms(h.as(201), id.Payer(h.unit), 1, terms))
		wang := h.signedIn(h.wang)
		a := wang.get("/me/withdrawals").is(t, 200)
		a.has(t, "可提现 8.00 元，最低 8.01 元才能申请")
		a.lacks(t, "<form")
		terms.Least = 100
		must(t, h.s.Settlement.SetTerms(h.as(201), id.Payer(h.unit), 2, terms))
		form := wang.get("/me/withdrawals").is(t, 200).form(t, "/me/withdrawals")
		must(t, h.db.Tx(h.system, func(tx *database.Tx) error {
			return tx.Exec("UPDATE payers SET payee_needed = 1 WHERE id = ?", h.unit).Error
		}))
		wang.post("/me/withdrawals", form).is(t, http.StatusConflict).has(t, `role="alert"`, "还没有收款信息，填好后再付")
	})
}

// TestStatementPage: the month on the phone, an objection to a line, and the
// console where finance answers it.
func TestStatementPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwed(t, db)
		h.phone().get("/me/statements").is(t, http.StatusUnauthorized)
		h.settled()
		wang := h.signedIn(h.wang)
		wang.get("/me").is(t, 200).has(t, `href="/me/statements"`)
		a := wang.get("/me/statements").is(t, 200)
		a.has(t, "2026 年 3 月", "共 1 行", "¥8.00", "待打款", "有异议（3月21日 11:00 前可提）", `rel="prev" href="/me/statements?month=202602"`)
		a.lacks(t, "%!", `rel="next"`, "李雷")
		wang.get("/me/statements?month=202602").is(t, 200).has(t, "这个月没有结算到你的奖励", `month=202603`)
		for _, bad := range []string{"202613", "x", "2026-03"} {
			wang.get("/me/statements?month="+bad).is(t, http.StatusNotFound)
		}
		li := h.signedIn(h.member("李雷", "m-li"))
		form := a.form(t, "/me/statements")
		theirs := li.get("/me/promoter?program="+h.prog.String()).form(t, "/me/promoter")
		for _, name := range []string{"month", "settlement", "line"} {
			theirs.Set(name, form.Get(name))
		}
		theirs.Set("reason", "不是我的")
		li.post("/me/statements", theirs).is(t, http.StatusNotFound)
		wang.post("/me/statements", form).is(t, http.StatusUnprocessableEntity).has(t, `role="alert"`, "必填")
		form = wang.get("/me/statements").form(t, "/me/statements")
		form.Set("reason", "少算了<b>一单")
		for range 2 { // a double tap
			wang.post("/me/statements", form).is(t, http.StatusSeeOther)
		}
		a = wang.get("/me/statements").is(t, 200)
		a.has(t, "异议处理中", "你的异议：<bdi>少算了&lt;b&gt;一单")
		a.lacks(t, "有异议（")

		h.consoleOf(h.staffKey(access.Marketer)).get("/console/objections").is(t, http.StatusForbidden)
		desk := h.consoleOf(h.staffKey(access.Finance))
		desk.get("/console").is(t, 200).has(t, `href="/console/objections"`)
		open := desk.get("/console/objections").is(t, 200)
		open.has(t, "王*", "奖励", "¥8.00", "少算了&lt;b&gt;一单", "待答复")
		open.lacks(t, "王小明", "%!")
		_, action, _ := strings.Cut(open.body, `action="/console/objections/`)
		action, _, _ = strings.Cut(action, `"`)
		answer := open.form(t, "/console/objections/"+action)
		answer.Set("answer", "已核对，下期补")
		desk.post("/console/objections/"+action, answer).is(t, http.StatusSeeOther)
		desk.post("/console/objections/"+action, answer).is(t, http.StatusConflict)
		desk.get("/console/objections").is(t, 200).has(t, "没有待答复的异议")
		desk.get("/console/objections?all=1").is(t, 200).has(t, "已答复", "已核对，下期补")
		a = wang.get("/me/statements").is(t, 200)
		a.has(t, "答复：<bdi>已核对，下期补", "待打款")
		wang.lang = "en"
		wang.get("/me/statements").has(t, "Statement", "3/2026", "1 line", "Answer: ")
	})
}

// TestRewardToConfirm: a payment that waits for its member's tap says so on the
// reward's own page, as long as there is time, and can be confirmed there.
func TestRewardToConfirm(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwed(t, db)
		h.s.Settlement.Bills = &settlement.Bills{MerchantID: "1900000109", AppID: "wx1"}
		pid := h.paid(h.settled())
		// As the channel of bills leaves them once it was asked.
		must(t, h.db.Tx(h.system, func(tx *database.Tx) error {
			until := tx.Now.Add(24 * time.Hour)
			if err := tx.Exec("UPDATE payout_lines SET status = 'sent', paid_at = 0 WHERE payout_id = ?", pid).Error; err != nil {
				return err
			}
			return tx.Exec(`INSERT INTO payout_bills (id, bill_no, payout_id, line_id, line_no, try_no, member_id, payee_id, payee_no, net, status, asked_no, refused,
					code, platform_no, package_info, made_at, sent_at, until_at, next_at, ended_at)
				SELECT id, 'P1', payout_id, id, line_no, 1, member_id, 0, 0, net, 'waiting', 1, 0, '', '', 'pkg-of-wang', ?, ?, ?, ?, 0 FROM payout_lines WHERE payout_id = ? AND member_id = ?`,
				tx.Now, tx.Now, until, until, pid, h.wang).Error
		}))
		wang := h.signedIn(h.wang)
		a := wang.get("/me").is(t, 200)
		a.has(t, "待确认", "3月19日 11:00 前在微信里确认收款", "pkg-of-wang")
		_, link, _ := strings.Cut(a.body, `href="/me/rewards/`)
		link, _, _ = strings.Cut(link, `"`)
		wang.get("/me/rewards/"+link).is(t, 200).has(t, "待确认", "前在微信里确认收款", `data-package="pkg-of-wang"`, "还剩")
		db.Clock.Jump(25 * time.Hour)
		wang = h.signedIn(h.wang)
		a = wang.get("/me/rewards/"+link).is(t, 200)
		a.has(t, "打款中")
		a.lacks(t, "待确认", "pkg-of-wang")
	})
}
