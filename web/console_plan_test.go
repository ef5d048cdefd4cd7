package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/campaign/promotion"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
)

// The plan shows each promotion by day, and what of it others left no room
// for.
func TestConsolePlan(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.phone().get("/console/plan").is(t, http.StatusSeeOther)
		h.consoleOf(h.staffKey(access.Finance)).get("/console/plan").is(t, http.StatusForbidden)
		desk := h.consoleOf(h.key)
		desk.get("/console/plan").is(t, 200).has(t, "没有待发的推送计划")

		run := h.run("flash_sale", "抢茶", `{}`)
		now := clock.MilliOf(db.Clock.Now())
		g, err := h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "茶友群", OwnerID: 7, Preset: community.PresetRetail, BornAt: now.Add(-400 * 24 * time.Hour)})
		must(t, err)
		plan := func(name string, value money.Amount) id.Promotion {
			p, err := h.s.Promotion.Create(h.staff, promotion.In{CampaignID: run.ID, Name: name, TextZH: "春茶", Groups: []id.Group{g}, Channel: "file", Value: value,
				Windows: []guard.Window{{From: now, To: min(now.Add(time.Hour), run.EndsAt)}}})
			must(t, err)
			return p
		}
		rich, poor := plan("大场"+hostileName, 900), plan("小场", 100)
		second := database.WithActor(h.staff, database.Actor{Kind: database.ActorStaff, Staff: 99})
		must(t, h.s.Promotion.Approve(second, rich, 0))
		must(t, h.s.Promotion.Approve(second, poor, 0))
		a := desk.get("/console/plan").is(t, 200)
		a.has(t, "推送排期", "今后 14 天 · 1 个群", "大场", "&lt;script&gt;", "每群 ¥9.00 · 优先级 0", "1 / 1", "小场", "0 / 1", "让给更有价值的计划 <b>1</b>", "<svg")
		a.lacks(t, "<script>alert", " style=", "%!")
		desk.get("/console/plan?lang=en").is(t, 200).has(t, "Plan of promotions", "to promotions worth more <b>1</b>", "¥9.00 a group")
		desk.get("/console").is(t, 200).has(t, `href="/console/plan"`)
	})
}

// planGallery is the plan of three promotions in both languages.
func planGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		p := planPage{page: base(lang, choose(lang, "推送排期", "Plan of promotions")), Groups: 1240}
		for i := range 14 {
			p.Days = append(p.Days, dayHead{2 + i, weekdays(lang, []int{i%7 + 1}), i%7 > 4})
		}
		for _, e := range []promotion.Entry{
			{Name: "春茶上新 · 三人成团", Value: 900, Priority: 2, Sends: 1240, Placed: 1102, ByDay: []int{310, 402, 220, 170, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, LeftOut: []promotion.Cause{{Rule: guard.RuleWeek, Sends: 120}, {Rule: guard.RuleOwner, Sends: 18}}},
			{Name: longName, Value: 500, Priority: 1, Sends: 800, Placed: 633, ByDay: []int{0, 0, 90, 120, 160, 180, 83, 0, 0, 0, 0, 0, 0, 0}, LeftOut: []promotion.Cause{{Rule: guard.RuleGap, Sends: 167, Outranked: 140}}},
			{Name: "周末清仓", Value: 100, Sends: 600, Placed: 12, ByDay: []int{0, 0, 0, 0, 0, 7, 5, 0, 0, 0, 0, 0, 0, 0}, LeftOut: []promotion.Cause{{Rule: guard.RuleWeek, Sends: 588, Outranked: 588}}},
		} {
			p.Rows = append(p.Rows, planRowOf(lang, e, 402))
		}
		list = append(list, shown{"plan_" + lang, "plan", p.page, p})
	}
	return list
}
