package web

import (
	"net/http"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/promoter"
)

// TestPromoterPage: a member applies on the page, reads what was decided, and
// while he is suspended his code says so.
func TestPromoterPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		code := h.code(h.run("flash_sale", "限时抢购", `{}`))
		wang := h.signedIn(h.wang)
		h.phone().get("/me/promoter").is(t, http.StatusUnauthorized)
		a := wang.get("/me/promoter").is(t, 200)
		a.has(t, "还不是推广员", "招募页面")
		a.lacks(t, "<form")
		form := wang.get("/me/promoter?program="+h.prog.String()).is(t, 200).form(t, "/me/promoter")
		for range 2 { // a double tap
			wang.post("/me/promoter", form).is(t, http.StatusSeeOther)
		}
		a = wang.get("/me/promoter?program="+h.prog.String()).is(t, 200)
		a.has(t, "等待审核", "提交申请")
		a.lacks(t, "<form")
		list, err := h.s.Promoter.ListPromoters(h.staff, promoter.Filter{Member: h.wang}, database.Page{})
		must(t, err)
		decide := func(act promoter.Act) {
			t.Helper()
			must(t, h.s.Promoter.Decide(h.staff, list.Items[0].ID, act, "投诉<b>核实"))
		}
		decide(promoter.Approve)
		h.phone().get("/i/"+code).is(t, 200)
		must(t, h.s.Promoter.SetLadder(h.staff, 1, promoter.Ladder{PeriodDays: 30, Levels: []promoter.Level{{NameZH: "银牌", NameEN: "Silver",
			Reach: promoter.Condition{Any: []promoter.Condition{{Fact: promoter.FactReward, AtLeast: 50_000}, {Fact: promoter.FactOwnOrders, AtLeast: 2}}}}}}))
		wang.get("/me/promoter").is(t, 200).has(t, "还没有等级", "下一级：银牌", "满足以下一项即可", "0.00 / 500.00", "0 / 2")
		decide(promoter.Freeze)
		wang.get("/me/promoter").is(t, 200).has(t, "已暂停推广", "投诉&lt;b&gt;核实")
		wang.get("/me/codes").is(t, 200).has(t, "暂停")
		h.phone().get("/i/"+code).is(t, http.StatusUnprocessableEntity).has(t, "已被暂停推广")
		wang.lang = "en"
		wang.get("/me/promoter").is(t, 200).has(t, "suspended", "Why: ")
		other := h.signedIn(h.member("李雷", "m-li"))
		bad := other.get("/me/promoter?program="+h.prog.String()).form(t, "/me/promoter")
		bad.Set("program", id.Program(7).String())
		other.post("/me/promoter", bad).is(t, http.StatusUnprocessableEntity)
	})
}
