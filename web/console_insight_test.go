package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// The page shows what the invitations of the last 90 days came to, to those
// who see it over REST.
func TestConsoleInsight(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.phone().get("/console/insight").is(t, http.StatusSeeOther)
		h.consoleOf(h.staffKey(access.Cashier)).get("/console/insight").is(t, http.StatusForbidden)
		desk := h.consoleOf(h.key)
		unknown := func(names ...string) {
			t.Helper()
			a := desk.get("/console/insight").is(t, 200)
			for _, name := range names {
				a.has(t, "<dt>"+name+`</dt><dd class="num">未知</dd>`)
			}
			a.lacks(t, `<dd class="num">0%</dd>`)
		}
		desk.get("/console/insight").is(t, 200).has(t, "邀请分析", "兑现记录")
		unknown("K 因子", "满 30 天仍在", "每留住一人的奖励", "按时兑现", "前 1 位带来", "前 10 位带来", "退款用时中位数")
		run := h.run("flash_sale", "限时抢购", `{}`)
		code := h.code(run)
		h.brings(code, "李雷", 3)
		desk = h.consoleOf(h.key)
		unknown("K 因子", "满 30 天仍在", "每留住一人的奖励", "按时兑现")
		db.Clock.Jump(31 * 24 * time.Hour)
		desk = h.consoleOf(h.key)
		a := desk.get("/console/insight").is(t, 200)
		a.has(t, "第 1 层", `<dt>被邀请</dt><dd class="num">3</dd>`, `<dt>满 30 天仍在</dt><dd class="num">100%</dd>`, "王*", "03-02（3）")
		a.lacks(t, "%!", "王小明")
		desk.lang = "en"
		desk.get("/console/insight").has(t, "Invitations", "step 1", "still there after 30 days", `<dt>median refund time</dt><dd class="num">unknown</dd>`)
		none := desk.get("/console/insight?program=prg_0000000000007").is(t, 200)
		none.lacks(t, "step 1")
		desk.get("/console").has(t, `href="/console/insight"`)
	})
}
