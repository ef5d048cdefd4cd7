package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/referral/settlement"
)

func TestMe(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("flash_sale", "限时抢购", `{}`)
		code := h.code(run)
		h.phone().get("/me").is(t, http.StatusUnauthorized).has(t, "请从商城登录后打开")
		wang := h.signedIn(h.wang)
		wang.get("/me").is(t, 200).has(t, "我的奖励", "王*", "还没有奖励")

		li := h.signedIn(h.member("李雷", "m-li"))
		form := li.get("/i/"+code).form(t, "/i/"+code+"/claim")
		form.Set("item", run.Items[0].ID.String())
		form.Set("qty", "1")
		h.pay(orderOf(t, li.post("/i/"+code+"/claim", form)), 8800)

		a := wang.get("/me").is(t, 200)
		a.has(t, "邀请奖", "<b>8</b>", "待生效", "3月17日 10:00 生效")
		a.lacks(t, "钱包", "王小明", "李雷", "%!")
		li.get("/me").has(t, "新人礼", "<b>5</b>")
		wang.lang = "en"
		en := wang.get("/me").is(t, 200)
		en.has(t, "My rewards", "For inviting", "matures Mar 17, 10:00")
		en.lacks(t, "wallet", "Wallet", "奖励")

		codes := wang.get("/me/codes?lang=zh").is(t, 200)
		codes.has(t, code, "限时抢购", "/me/codes/"+code+"/qr.png")
		png := wang.get("/me/codes/"+code+"/qr.png").is(t, 200)
		if !strings.HasPrefix(png.body, "\x89PNG") {
			t.Error("the QR is no PNG")
		}
		li.get("/me/codes/"+code+"/qr.png").is(t, 404)
	})
}

// TestPaidReward follows a reward to the day its money was sent.
func TestPaidReward(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
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
		work := func() {
			t.Helper()
			must(t, task.Drain(h.system, db, reg))
		}
		person := func(who id.Staff) context.Context {
			return database.WithActor(h.system, database.Actor{Kind: database.ActorStaff, Staff: who, Unit: h.unit})
		}
		db.Clock.Jump(16 * 24 * time.Hour)
		work()
		h.signedIn(h.wang).get("/me").has(t, "等下一次结算")
		db.Clock.Jump(time.Hour)
		sid, err := h.s.Settlement.Create(person(201), settlement.CreateIn{Label: "2026-03"})
		must(t, err)
		must(t, h.s.Settlement.Close(person(201), sid))
		work()
		sealed, err := h.s.Settlement.Find(h.system, sid)
		must(t, err)
		must(t, h.s.Settlement.Review(person(202), sid, settlement.ReviewIn{Digest: sealed.Digest}))
		pid, err := h.s.Settlement.CreatePayout(person(203), settlement.PayoutIn{SettlementID: sid})
		must(t, err)
		h.signedIn(h.wang).get("/me").lacks(t, "11:00 到账")
		must(t, h.s.Settlement.Pay(person(203), pid))
		work()
		wang := h.signedIn(h.wang)
		a := wang.get("/me").is(t, 200)
		a.has(t, "已到账", "3月18日 11:00 到账")
		a.lacks(t, "等下一次结算")
		wang.lang = "en"
		wang.get("/me").has(t, "paid on Mar 18")
	})
}

func TestConsole(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.run("group_buy", "春茶尝鲜", `{"size": 2}`)
		p := h.phone()
		if a := p.get("/console").is(t, http.StatusSeeOther); a.to != "/console/login" {
			t.Errorf("led to %q", a.to)
		}
		form := p.get("/console/login").is(t, 200).form(t, "/console/login")
		form.Set("api_key", "sk_siyu_wrong")
		p.post("/console/login", form).is(t, http.StatusUnauthorized).has(t, `role="alert"`)
		p.post("/console/login", url.Values{"api_key": {h.key}}).is(t, http.StatusForbidden)
		form.Set("api_key", h.key)
		log := logged(t, func() {
			a := p.post("/console/login", form).is(t, http.StatusSeeOther)
			for _, c := range a.header.Values("Set-Cookie") {
				if strings.Contains(c, h.key) || !strings.Contains(c, "HttpOnly") {
					t.Errorf("the cookie shows the key: %s", c)
				}
			}
		})
		if strings.Contains(log, h.key) {
			t.Error("the log shows the key")
		}
		a := p.get("/console").is(t, 200)
		a.has(t, "控制台", "管理员", "春茶尝鲜", "进行中", "剩 10 / 10", "西湖茶友群", "本周 0/2", "结算单", "还没有判定")
		a.lacks(t, "%!", h.key)
		p.lang = "en"
		p.get("/console").has(t, "Console", "week 0/2", "running", "interest")
		p.post("/console/logout", nil).is(t, http.StatusSeeOther)
		p.get("/console").is(t, http.StatusSeeOther)
	})
}
