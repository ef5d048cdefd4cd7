package web

import (
	"net/http"
	"strings"
	"testing"

	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
	"siyu/wallet"
)

// Without JavaScript a member sees what his coupon and points leave to pay,
// before he opens or joins a team; asking takes nothing.
func TestQuote(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("group_buy", "春茶尝鲜", `{"size": 2}`)
		yes, part := true, money.Bps(1000)
		must(t, h.s.Campaign.Edit(h.staff, run.ID, run.Version, campaign.CampaignEdit{AcceptsCoupons: &yes, AcceptsPoints: &part}))
		code := h.code(run)
		who := h.member("韩梅梅", "m-han")
		def, err := h.s.Wallet.CreateCoupon(h.staff, wallet.CouponIn{NameZH: "新茶券", NameEN: "Tea", Kind: wallet.DiscountAmount, Amount: 1000, Claimable: true, ValidDays: 7, Total: 10})
		must(t, err)
		coupon, err := h.s.Wallet.IssueCoupon(h.staff, def, wallet.IssueIn{Member: who, Reference: "r"})
		must(t, err)
		must(t, h.s.Wallet.EarnPoints(h.staff, wallet.EarnPoints{Member: who, Reference: "r", Points: 300, ExpiresDay: 20261231}))
		li, han := h.signedIn(h.member("李雷", "m-li")), h.signedIn(who)

		page, act := "/i/"+code, "/i/"+code+"/open"
		form := han.get(page).form(t, act)
		form.Set("item", run.Items[0].ID.String())
		form.Set("qty", "2")
		form.Set("coupon", coupon.String())
		form.Set("points", "300")
		form.Set("quote", "1")
		quoted := han.post(act, form).is(t, http.StatusOK)
		quoted.has(t, "¥176.00 − 券 ¥10.00 − 积分 ¥3.00 = <b>应付 ¥163.00</b>", "优惠后应付", "<b>163</b>", coupon.String()+`" selected`, "<option selected>2</option>", `value="300"`)
		form.Set("points", "301")
		han.post(act, form).is(t, 200).has(t, "积分应为 0 到 300 的整数")
		form.Set("points", "")
		form.Set("qty", "1")
		form.Set("coupon", "mcp_0000000000001")
		han.post(act, form).is(t, 200).lacks(t, "应付 ¥")
		li.post(act, form).is(t, http.StatusForbidden)

		opened := li.get(page).form(t, act)
		opened.Set("item", run.Items[0].ID.String())
		opened.Set("qty", "1")
		order := li.get(li.post(act, opened).to).is(t, 200)
		_, rest, _ := strings.Cut(order.body, `href="/t/`)
		team := "/t/" + rest[:len("tem_")+13]
		li.get(team).lacks(t, `name="points"`)
		han.get(page).has(t, `href="`+team+"?c="+code, "选券参团")
		h.phone().get(team).is(t, 200).lacks(t, `name="coupon"`)
		shown := han.get(team).is(t, 200)
		shown.has(t, `form="join" id="coupon"`, "新茶券 · 减 ¥10.00", "有 300 分", `data-fen="8800"`)
		join := shown.form(t, team+"/join")
		join.Set("coupon", coupon.String())
		join.Set("points", "300")
		join.Set("quote", "1")
		han.post(team+"/join", join).is(t, 200).has(t, "应付 ¥75.00", "<b>75</b>")
		han.lang = "en"
		han.post(team+"/join", join).is(t, 200).has(t, "to pay ¥75.00")
		han.lang = "zh-CN"
		join.Del("quote")
		join.Set("points", "881")
		han.post(team+"/join", join).is(t, 422).has(t, "最多可用 880 积分", `value="881"`)
		join.Set("points", "300")
		han.get(han.post(team+"/join", join).is(t, http.StatusSeeOther).to).has(t, "−¥10.00", "积分（300 分）", "<b>75</b>")
	})
}
