package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/community/gate"
	"siyu/community/grade"
	"siyu/community/life"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// groupGallery are the group's page in its moods.
func groupGallery() []shown {
	now := noon()
	open := groupPage{page: base(langZH, "西湖茶友群"), ID: 9 << 40, Name: "西湖茶友群", Used: 1, Strong: true,
		Charter: charterView{Group: "西湖茶友群", Version: 3, Purpose: "一起喝春茶、聊产地、团好茶。", AdsPerDay: 1, AdsPerWeek: 2, Quiet: true, QuietFrom: "22:00", QuietTo: "08:30"}}
	asks := open
	asks.Gated, asks.Coming = true, &comingView{2, 4, now.Add(5 * 24 * time.Hour)}
	asks.Looser = []looserView{{2, 4, 20, "22:00", "8:00", now.Add(5 * 24 * time.Hour)}}
	asks.Gate = gate.Gate{Version: 1, Capacity: 200, Review: true, PaidWithinDays: 90, Fee: 990, VouchDays: 30, Regions: []string{"杭州", "上海"},
		Questions: []gate.Question{{Key: "why", ZH: "为什么想来这个群？", EN: "Why would you like to come?", Required: true}, {Key: "tea", ZH: "最近在喝什么茶", EN: "What tea are you drinking?"}}}
	asks.Notice = &notice{Text: "还不符合入群条件", More: "需要一位群友的邀请；请回答"}
	waits := asks
	waits.Notice, waits.Coming, waits.Looser = nil, nil, nil
	waits.Mine = &applicationView{ID: 7 << 40, Text: "候补中，前面还有 3 位", More: "有人退群时按顺序轮到你", Open: true}
	inside := open
	inside.In = true
	steps := []grade.Grade{{NameZH: "常客", NameEN: "regular"}, {NameZH: "核心", NameEN: "core"}}
	facts := grade.Facts{DaysIn: 41, ActiveDays: 9, Replies: 3, Attended: 1}
	inside.Grade = &grade.Standing{Grade: steps[0], Why: facts.Say(), Next: &grade.Next{Grade: steps[1], Lacks: grade.Grade{DaysIn: 60, ActiveDays: 12, Replies: 5}.Lacks(facts)}}
	inside.EndsAt, inside.Why = now.Add(20*24*time.Hour), "旺季过了，老友们合到一处"
	inside.Invite = &inviteView{5 << 40, 8 << 40, "西湖与龙井茶友大群", "两个群的人都不多", now.Add(7 * 24 * time.Hour), false}
	invited := open
	invited.Invite = &inviteView{5 << 40, 9 << 40, "西湖茶友群", "", now, true}
	english := asks
	english.page, english.Name = base(langEN, "West Lake tea friends"), "West Lake tea friends and everybody who came along with them"
	english.Notice = nil
	list := []shown{}
	for name, p := range map[string]groupPage{"group": open, "group_gate": asks, "group_waits": waits, "group_inside": inside, "group_invited": invited, "group_gate_en": english} {
		list = append(list, shown{name, "group", p.page, p})
	}
	list = append(list, requestsGallery()...)
	list = append(list, wishGallery()...)
	list = append(list, gatheringGallery()...)
	return list
}

// TestGroupPage: anybody sees what a group promises and how much of it is
// used; who meets the gate applies, waits for a place, and takes it back; who
// is in agrees to a new version.
func TestGroupPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		page := "/g/" + h.group.String()
		h.phone().get(page).is(t, 200).has(t, "西湖茶友群", "0/2", "每周最多 2 条", "邀请码")
		seven := 7
		_, err := h.s.Guard.SetLayerPolicy(h.staff, 0, guard.PresetInterest, guard.SettingsIn{GapHours: &seven}, 0)
		must(t, err)
		h.phone().get(page).is(t, 200).has(t, "推广的规则将变", "间隔至少 7 小时")
		_, err = h.s.Gate.Set(h.staff, h.group, 0, gate.In{Capacity: 1, Regions: []string{"杭州"}, Questions: []gate.Question{{Key: "why", ZH: "为什么想来", Required: true}}})
		must(t, err)
		h.phone().get(page).is(t, 200).has(t, "请从商城登录后再来", "为什么想来")

		li, han := h.signedIn(h.member("李雷", "m-li")), h.signedIn(h.member("韩梅梅", "m-han"))
		form := li.get(page).form(t, page+"/apply")
		form.Set("region", "杭州")
		li.post(page+"/apply", form).is(t, http.StatusUnprocessableEntity).has(t, "还不符合入群条件", "请回答", "selected>杭州")
		form = li.get(page).form(t, page+"/apply")
		form.Set("region", "杭州")
		form.Set("answer-why", "<script>alert(3)</script>")
		li.post(page+"/apply", form).is(t, http.StatusSeeOther)
		li.post(page+"/apply", form).is(t, http.StatusSeeOther) // a second tap
		han.post(page+"/apply", form).is(t, http.StatusForbidden)
		li.get(page).is(t, 200).has(t, "也看过现在的群约定")

		form = han.get(page).form(t, page+"/apply")
		form.Set("region", "杭州")
		form.Set("answer-why", "喝茶")
		han.post(page+"/apply", form).is(t, http.StatusSeeOther)
		waits := han.get(page).is(t, 200)
		waits.has(t, "候补中，前面还有 0 位", "撤回申请")
		han.post(page+"/withdraw", waits.form(t, page+"/withdraw")).is(t, http.StatusSeeOther)
		han.get(page).is(t, 200).has(t, "申请已撤回", "申请入群")

		db.Clock.Jump(time.Minute)
		_, err = h.s.Community.PublishCharter(h.staff, h.group, community.CharterIn{Purpose: "多一点", AdsPerDay: 2, AdsPerWeek: 4, QuietFrom: 1320, QuietTo: 510})
		must(t, err)
		li.get(page).is(t, 200).has(t, "群约定将放宽", "每周最多 4 条", "0/2")
		db.Clock.Jump(7 * 24 * time.Hour)
		li = h.signedIn(h.member("李雷", "m-li"))
		fresh := li.get(page).is(t, 200)
		fresh.has(t, "同意第 2 版", "0/4")
		li.post(page+"/agree", fresh.form(t, page+"/agree")).is(t, http.StatusSeeOther)
		li.get(page).is(t, 200).has(t, "也看过现在的群约定")
		li.lang = "en"
		li.get(page).is(t, 200).lacks(t, "%!", "群约定")
		h.phone().get("/g/grp_0000000000007").is(t, http.StatusNotFound)
	})
}

// TestInvitationPage: who is in a group that is to be merged reads of it there,
// and joins the other one or stays by his own tap.
func TestInvitationPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		into, err := h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "大群"})
		must(t, err)
		liM := h.member("李雷", "m-li")
		_, err = h.s.Community.PutMemberships(h.staff, h.group, []community.MembershipIn{{MemberID: liM}})
		must(t, err)
		found, err := h.s.Community.FindGroup(h.staff, h.group)
		must(t, err)
		day := func(n int) clock.Milli { return clock.MilliOf(db.Clock.Now().AddDate(0, 0, n)) }
		_, err = h.s.Life.PlanEnd(h.staff, h.group, found.Version, life.EndIn{EndsAt: day(20), Reason: "<b>旺季</b>过了"})
		must(t, err)
		_, err = h.s.Life.StartMerger(h.staff, h.group, life.MergerIn{IntoID: into, Reason: "合到一起", ByAt: day(7)})
		must(t, err)
		from, there := "/g/"+h.group.String(), "/g/"+into.String()
		h.phone().get(from).is(t, 200).lacks(t, "我不过去")
		li := h.signedIn(liM)
		shown := li.get(from).is(t, 200)
		shown.has(t, "将并入「大群」", "我不过去", "本群计划结束")
		shown.lacks(t, "<b>旺季")
		li.post(from+"/decline", shown.form(t, from+"/decline")).is(t, http.StatusSeeOther)
		form := li.get(there).is(t, 200).form(t, there+"/accept")
		li.post(there+"/accept", form).is(t, http.StatusSeeOther)
		li.get(there).is(t, 200).has(t, "你在群里")
		li.get(from).is(t, 200).lacks(t, "我不过去")
	})
}
