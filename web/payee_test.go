package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/referral/settlement"
)

func TestPayeePage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.phone().get("/me/payee").is(t, http.StatusUnauthorized)
		wang := h.signedIn(h.wang)
		empty := wang.get("/me/payee").is(t, 200)
		empty.has(t, "收款信息", "银行卡号", "身份证号", "我同意")
		empty.lacks(t, "微信零钱", "现在的")
		if kept := empty.header.Get("Cache-Control"); !strings.Contains(kept, "no-store") {
			t.Errorf("the page may be kept: %q", kept)
		}
		form := empty.form(t, "/me/payee")
		form.Set("name", "王小明")
		form.Set("id_no", "110105194912310021")
		form.Set("card_no", "6222 0200 0000 0000 000")
		form.Set("bank_name", "招商银行")
		wang.post("/me/payee", form).is(t, http.StatusUnprocessableEntity).has(t, "请先同意")
		form.Set("agreed", agreed)
		bad := wang.post("/me/payee", form).is(t, http.StatusUnprocessableEntity)
		bad.has(t, "应为 18 位居民身份证号", `value="招商银行"`)
		for name, values := range bad.form(t, "/me/payee") { // a fresh token and key
			form[name] = values
		}
		form.Set("id_no", "11010519491231002X")
		wang.post("/me/payee", form).is(t, http.StatusSeeOther)
		now := wang.get("/me/payee").is(t, 200)
		now.has(t, "现在的", "银行卡", "王")
		now.lacks(t, "6222020000000000000", "11010519491231002X", "王小明")

		// What he changes after he was paid waits for a second person.
		must(t, db.Tx(h.system, func(tx *database.Tx) error { return tx.Exec("UPDATE payees SET paid_at = 1").Error }))
		form = wang.get("/me/payee?kind=alipay").is(t, 200).form(t, "/me/payee")
		form.Set("name", "王小明")
		form.Set("id_no", "11010519491231002X")
		form.Set("alipay", "wang@example.com")
		form.Set("agreed", agreed)
		wang.post("/me/payee", form).is(t, http.StatusSeeOther)
		wang.post("/me/payee", form).is(t, http.StatusSeeOther) // a second tap
		wang.get("/me/payee").is(t, 200).has(t, "变更待审核", "支付宝")

		// Inside WeChat his openid is known, and his own.
		must(t, db.Tx(h.system, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO identities (id, member_id, kind, app, value, created_at) VALUES (9, ?, 'openid', 'wx1', 'oWang', 1)", h.wang).Error
		}))
		wang.lang = "en"
		en := wang.get("/me/payee?kind=wechat").is(t, 200)
		en.has(t, "How you are paid", "WeChat", "A change is being checked")
		en.lacks(t, "card_no", "收款", "%!")
		form = en.form(t, "/me/payee")
		form.Set("name", "王小明")
		form.Set("id_no", "11010519491231002X")
		form.Set("agreed", agreed)
		wang.post("/me/payee", form).is(t, http.StatusSeeOther)
		var app string
		must(t, db.Read(h.system).Raw("SELECT app_id FROM payee_versions WHERE account_kind = 'wechat'").Scan(&app).Error)
		if app != "wx1" {
			t.Errorf("the account is of app %q", app)
		}
	})
}

// TestConfirm shows a bill that waits for its member, with what the script
// confirms it by, until its 24 hours are over by our clock.
func TestConfirm(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.s.Settlement.Bills = &settlement.Bills{MerchantID: "1900000109", AppID: "wx1"}
		until := clock.MilliOf(db.Clock.Now()).Add(3 * time.Hour)
		must(t, db.Tx(h.system, func(tx *database.Tx) error {
			return tx.Exec(`INSERT INTO payout_bills (id, bill_no, payout_id, line_id, line_no, try_no, member_id, payee_id, payee_no, net, status, asked_no, refused, code, platform_no, package_info,
				made_at, sent_at, until_at, next_at, ended_at) VALUES (1, 'P1', 1, 1, 1, 1, ?, 1, 1, 2050, 'waiting', 1, 0, '', '', 'pkg', 1, 1, ?, 1, 0)`, h.wang, until).Error
		}))
		wang := h.signedIn(h.wang)
		page := wang.get("/me").is(t, 200)
		page.has(t, "待确认", "<b>20</b>.50", `data-package="pkg"`, `data-mch="1900000109"`, `data-app="wx1"`, "请在微信里打开")
		h.signedIn(h.member("李雷", "m-li")).get("/me").is(t, 200).lacks(t, "待确认", "pkg")
		wang.lang = "en"
		en := wang.get("/me").is(t, 200)
		en.has(t, "Waiting for you to confirm")
		en.lacks(t, "待确认")
		db.Clock.Jump(3 * time.Hour)
		h.signedIn(h.wang).get("/me").is(t, 200).lacks(t, "待确认", "pkg")
	})
}
