package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/referral"
)

// TestRewardPage: both sides of an invitation see the same evidence, a third
// sees nothing, and a stopped reward says so.
func TestRewardPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("flash_sale", "限时抢购", `{}`)
		code := h.code(run)
		member := h.member("李雷", "m-li")
		li := h.signedIn(member)
		li.get("/i/"+code).is(t, 200) // scanned an hour before he acts
		db.Clock.Jump(10 * time.Minute)
		form := li.get("/i/"+code).form(t, "/i/"+code+"/claim")
		must(t, h.s.Referral.Flush(h.system))
		scanned := h.db.Clock.Now().In(shop).Format("15:04")
		db.Clock.Jump(3 * time.Minute)
		form.Set("item", run.Items[0].ID.String())
		form.Set("qty", "1")
		h.pay(orderOf(t, li.post("/i/"+code+"/claim", form)), 8800)
		wang := h.signedIn(h.wang)
		link := func(p *phone) string {
			t.Helper()
			_, rest, ok := strings.Cut(p.get("/me").is(t, 200).body, `href="/me/rewards/`)
			if !ok {
				t.Fatal("no link to the reward")
			}
			rest, _, _ = strings.Cut(rest, `"`)
			return "/me/rewards/" + rest
		}
		proof := func(a answer) string {
			t.Helper()
			_, rest, ok := strings.Cut(a.body, "依据")
			if !ok {
				t.Fatalf("no evidence in\n%s", a.body)
			}
			rest, _, _ = strings.Cut(rest, "</ul>")
			return rest
		}
		hers, his := wang.get(link(wang)).is(t, 200), li.get(link(li)).is(t, 200)
		hers.has(t, "邀请奖", "朋友付款，记下", code, "西湖茶友群", "老带新 第 1 版", "先邀请者优先", "¥88.00", "扫码</span><span class=\"said\"><bdi>")
		if proof(hers) != proof(his) {
			t.Errorf("the two sides see different evidence:\n%s\n%s", proof(hers), proof(his))
		}
		if !strings.Contains(proof(hers), scanned) {
			t.Errorf("the scan at %s is not in %s", scanned, proof(hers))
		}
		hers.lacks(t, "李雷", "王小明", "%!", member.String())
		li.get(link(wang)).is(t, http.StatusNotFound)

		var rid id.Reward
		must(t, rid.UnmarshalText([]byte(strings.TrimPrefix(link(wang), "/me/rewards/"))))
		must(t, h.s.Referral.ReviewReward(h.staff, rid, referral.Finding{Note: "同一台设备"}))
		reg := task.NewRegistry()
		h.s.Referral.Register(reg)
		db.Clock.Jump(30 * 24 * time.Hour)
		must(t, task.Drain(h.system, db, reg))
		wang = h.signedIn(h.wang)
		wang.get("/me").has(t, "核实中")
		a := wang.get(link(wang)).is(t, 200)
		a.has(t, "核实中", "人工核实后生效或取消")
		a.lacks(t, "同一台设备", "生效，可提现")
		wang.lang = "en"
		wang.get(link(wang)).has(t, "being checked", "What it rests on")
	})
}
