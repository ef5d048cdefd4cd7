package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

func TestClaim(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("flash_sale", "限时抢购", `{}`)
		code := h.code(run)
		free, limited := run.Items[0].ID.String(), run.Items[1].ID.String()
		action := "/i/" + code + "/claim"

		t.Run("guest claims what is not limited", func(t *testing.T) {
			p := h.phone()
			form := p.get("/i/"+code).form(t, action)
			form.Set("item", free)
			form.Set("qty", "2")
			a := p.post(action, form).is(t, http.StatusSeeOther)
			order := orderOf(t, a)
			page := p.get(a.to).is(t, 200)
			page.has(t, "等你付款", "安吉白茶 100g", "176", "https://mall.example/pay?from=siyu&amp;order_id="+order.String(), "data-live")

			if again := p.post(action, form); again.to != a.to {
				t.Errorf("a second tap led to %d %q, want the same order %q", again.status, again.to, a.to)
			}
			h.phone().get(a.to).is(t, 404).lacks(t, "安吉白茶")

			var inviter id.Member
			must(t, db.Read(h.system).Raw("SELECT inviter_id FROM orders WHERE id = ?", order).Scan(&inviter).Error)
			if inviter != h.wang {
				t.Errorf("the order froze inviter %v, want %v", inviter, h.wang)
			}
			h.pay(order, 17600)
			p.get(a.to).has(t, "已付款")
		})
		t.Run("a limited item wants a member", func(t *testing.T) {
			p := h.phone()
			form := p.get("/i/"+code).form(t, action)
			form.Set("item", limited)
			form.Set("qty", "1")
			a := p.post(action, form).is(t, 422)
			a.has(t, `value="`+limited+`" data-fen="3990" aria-label="明前龙井 50g" checked`, `id="sum">¥<b>39</b>.90`)
			a.has(t, `role="alert"`, "https://mall.example/login?return_to=", url.QueryEscape(h.url+"/i/"+code)+`"`, `hreflang="en"`, "/i/"+code+"?lang=en", "去登录")
			m := h.signedIn(h.member("李雷", "m-li"))
			form = m.get("/i/"+code).form(t, action)
			form.Set("item", limited)
			form.Set("qty", "1")
			orderOf(t, m.post(action, form))
			form.Set("key", strings.Repeat("k", 26))
			m.post(action, form).is(t, 409).has(t, "每人限购 1 件")
		})
		t.Run("a member pays with a coupon and points", func(t *testing.T) {
			_, err := h.s.Wallet.CreateCoupon(h.staff, wallet.CouponIn{NameZH: "新茶券", NameEN: "Tea", Kind: wallet.DiscountAmount, Amount: 1000, Claimable: true, ValidDays: 7, Total: 10})
			must(t, err)
			var def id.Coupon
			must(t, db.Read(h.system).Raw("SELECT id FROM coupons").Scan(&def).Error)
			who := h.member("韩梅梅", "m-han")
			p := h.signedIn(who)
			coupon, err := h.s.Wallet.IssueCoupon(h.staff, def, wallet.IssueIn{Member: who, Reference: "r"})
			must(t, err)
			must(t, h.s.Wallet.EarnPoints(h.staff, wallet.EarnPoints{Member: who, Reference: "r", Points: 300, ExpiresDay: 20261231}))
			p.get("/i/"+code).lacks(t, coupon.String(), `name="points"`)
			yes, part := true, money.Bps(1000)
			must(t, h.s.Campaign.Edit(h.staff, run.ID, run.Version, campaign.CampaignEdit{AcceptsCoupons: &yes, AcceptsPoints: &part}))
			h.phone().get("/i/"+code).lacks(t, `name="points"`)
			page := p.get("/i/"+code).is(t, 200)
			page.has(t, `<option value="`+coupon.String()+`">新茶券 · 减 ¥10.00`, "有 300 分")
			form := page.form(t, action)
			form.Set("item", free)
			form.Set("qty", "1")
			form.Set("coupon", coupon.String())
			form.Set("points", "881")
			p.post(action, form).is(t, 422).has(t, "最多可用 880 积分", coupon.String()+`" selected`, `value="881"`)
			form.Set("points", "300")
			form.Set("key", strings.Repeat("d", 26))
			a := p.post(action, form).is(t, http.StatusSeeOther)
			p.get(a.to).is(t, 200).has(t, "−¥10.00", "积分（300 分）", "−¥3.00", "应付", "<b>75</b></span>")
		})
		t.Run("forged forms", func(t *testing.T) {
			p, other := h.phone(), h.phone()
			form := p.get("/i/"+code).form(t, action)
			form.Set("item", free)
			form.Set("qty", "1")
			other.get("/i/" + code)
			other.post(action, form).is(t, 403).has(t, "请再点一次")
			form.Set("form", "x.y")
			p.post(action, form).is(t, 403)
			form.Del("form")
			p.post(action, form).is(t, 403)
			db.Clock.Jump(13 * time.Hour)
			late := p.get("/i/"+code).form(t, action)
			late.Set("item", "itm_0000000000000")
			late.Set("qty", "1")
			p.post(action, late).is(t, 403)
			late.Set("item", free)
			late.Set("qty", "0")
			p.post(action, late).is(t, 422)
			p.post("/i/"+code+"/steal", late).is(t, 404)
		})
	})
}

func TestTeam(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("group_buy", "春茶尝鲜", `{"size": 2}`)
		code := h.code(run)
		li, han, zhao := h.signedIn(h.member("李雷", "m-li")), h.signedIn(h.member("韩梅梅", "m-han")), h.signedIn(h.member("赵四", "m-zhao"))

		form := li.get("/i/"+code).form(t, "/i/"+code+"/open")
		form.Set("item", run.Items[0].ID.String())
		form.Set("qty", "1")
		first := li.post("/i/"+code+"/open", form).is(t, http.StatusSeeOther)
		order := li.get(first.to).is(t, 200)
		order.has(t, "等你付款", "还差 1 人", "/t/tem_")
		_, rest, _ := strings.Cut(order.body, `href="/t/`)
		team := "/t/" + rest[:len("tem_")+13]

		shown := li.get(team).is(t, 200)
		shown.has(t, "李* 的团", "还差 1 人成团", "开团人", "叫人一起", h.url+team)
		shown.lacks(t, "李雷", "我要参团", "%!")
		han.get("/i/"+code).has(t, "正在拼的团", "李*", "还差 1 人")

		join := han.get(team).form(t, team+"/join")
		second := han.post(team+"/join", join).is(t, http.StatusSeeOther)
		late := zhao.get(team).is(t, 200)
		late.has(t, "人已到齐，等付款")
		late.lacks(t, "我要参团", "韩梅梅")
		form = zhao.get("/i/"+code).form(t, "/i/"+code+"/open")
		zhao.post(team+"/join", form).is(t, 409).has(t, "该团已满")

		h.pay(orderOf(t, first), 8800)
		li.get(first.to).has(t, "已付款，等成团")
		h.pay(orderOf(t, second), 8800)
		li.get(first.to).has(t, "已成团")
		zhao.get(team).has(t, "已成团")
		zhao.get(team+"?c="+code).has(t, "已成团", `href="/i/`+code+`">看看这个活动`)
		en := h.phone()
		en.lang = "en"
		en.get(team).has(t, "The team is complete", "李*&#39;s team", `lang="en"`)
		h.phone().get("/t/tem_zzzz").is(t, 404)
		h.phone().get("/t/tem_0000000000001").is(t, 404)
	})
}

func TestTokenStaysOutOfSight(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		token, err := h.s.Access.IssueMemberToken(h.staff, h.wang, time.Minute)
		must(t, err)
		log := logged(t, func() {
			a := h.phone().get("/t/tem_0000000000001?c=x&token="+token).is(t, http.StatusSeeOther)
			if a.to != "/t/tem_0000000000001?c=x" {
				t.Errorf("led to %q", a.to)
			}
			h.phone().get("//elsewhere.example/i?token=" + token)
			h.phone().get("/i/nothing?token=forged").is(t, http.StatusSeeOther)
		})
		if strings.Contains(log, token) || strings.Contains(log, "王") {
			t.Errorf("the log names somebody:\n%s", log)
		}
	})
}
