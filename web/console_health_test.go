package web

import (
	"context"
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/community"
	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// A group's page shows its state, its figures and what to do, and unknown where
// nobody reported.
func TestConsoleHealth(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		now := clock.MilliOf(db.Clock.Now())
		g, err := h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "茶友群" + hostileName, OwnerID: 7, Preset: community.PresetRetail, BornAt: now.Add(-40 * 24 * time.Hour)})
		must(t, err)
		page := "/console/groups/" + g.String() + "/health"
		h.phone().get(page).is(t, http.StatusSeeOther)
		h.consoleOf(h.staffKey(access.Finance)).get(page).is(t, http.StatusForbidden)
		desk := h.consoleOf(h.key)
		desk.get(page).is(t, 200).has(t, "还没有完整的一天", "先把群友互动接进来")
		must(t, h.s.Health.RollUp(context.Background()))
		a := desk.get(page).is(t, 200)
		a.has(t, "茶友群", "群 · 第 41 天", "未知", "没有群友名单", "<svg", "h-unknown", "未通过")
		a.lacks(t, "<script>alert", " style=", "%!", "社群 ·")
		desk.get(page+"?lang=en").is(t, 200).has(t, "What to do next", "not passed")
		desk.get("/console").is(t, 200).has(t, `href="`+page+`"`)
		desk.get("/console/groups/grp_0000000000009/health").is(t, http.StatusNotFound)
	})
}

// healthGallery is the page of a lively group in both languages: it warmed up,
// was not reported for a while, had an ad too many, and recovers.
func healthGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		r := health.Report{Name: "西湖茶友群 " + longName, Standing: &health.Standing{State: health.StateWarm, Since: 20260226}, Incubation: health.Incubation{Day: 91}}
		at := noon().AddDate(0, 0, -90)
		for i := range 90 {
			day := at.AddDate(0, 0, i)
			j := health.Judgement{Day: clock.Day(day, shanghai), State: health.StateHealthy, Rate: health.Figure(1_500 + i*17%900), DAR: health.Figure(1_900 + i*3)}
			switch {
			case i >= 30 && i < 38:
				j.State, j.Rate, j.DAR = health.StateUnknown, health.Unknown, health.Unknown
			case i >= 70 && i < 76:
				j.State, j.Rate, j.DAR = health.StateCooling, 600, health.Figure(1_900-(i-69)*190)
			case i >= 76:
				j.State, j.Rate, j.DAR = health.StateWarm, health.Figure(900+i*5), health.Figure(800+(i-75)*45)
			}
			r.History = append(r.History, j)
		}
		n := func(v int) *int { return &v }
		b := func(v bool) *bool { return &v }
		r.Metrics = []health.Metric{
			{Name: "dar", Value: n(1_430), Unit: health.UnitBP, Limit: n(2_000), Meets: b(false)}, {Name: "weekly_interaction", Value: n(1), Unit: health.UnitTimes, Limit: n(1), Meets: b(true)},
			{Name: "fatigue", Unit: health.UnitBP, Limit: n(3_000), Unknown: health.ReasonNoAds}, {Name: "ice_broken", Value: n(3_105), Unit: health.UnitBP},
		}
		r.Incubation.Criteria = []health.Criterion{{Name: "size", Observed: n(214), Limit: 200, Unit: health.UnitPeople, Passed: b(true)}, {Name: "on_topic", Limit: 7_000, Unit: health.UnitBP, Unknown: health.ReasonNotReported}}
		r.Advice = []health.Advice{{Zh: "本周还没有一次像样的固定互动：定个时间，出个话题、游戏或竞猜。", En: "No interaction drew enough people this week: set a time for a topic, a game or a quiz."}}
		w := health.WorkList{Praise: []health.Praise{{Name: "李秀英", Zh: "李秀英 这两天分享了 2 条好内容，大家去看看！", En: "李秀英 shared 2 good things these days. Have a look!"}},
			Candidates: []health.Candidate{{Member: 1, Merits: health.Merits{Score: 82, ActiveDays: 19, Helped: 7}}}, SwapOut: make([]health.SwapOut, 12), Feedback: health.Feedback{Deeds: 31, Thanked: 12, Minutes: 205}}
		p := healthPageOf(base(lang, "群健康"), r, w, map[id.Member]string{1: "王秀兰"})
		list = append(list, shown{"health_" + lang, "health", p.page, p})
	}
	return list
}
