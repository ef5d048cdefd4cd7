package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/campaign/promotion"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/promoter"
)

// TestConsolePromotions: a draft is read with its texts, windows and groups and
// approved, by somebody else than its author, in the version that was shown;
// what runs may be cancelled.
func TestConsolePromotions(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("flash_sale", "抢茶", `{}`)
		now := clock.MilliOf(db.Clock.Now())
		p, err := h.s.Promotion.Create(h.staff, promotion.In{CampaignID: run.ID, Name: "周一好价<b>", TextZH: "苹果今天 9.9<b>", TextEN: "apples", Groups: []id.Group{h.group}, Channel: "file",
			Windows: []guard.Window{{From: now.Add(time.Hour), To: now.Add(3 * time.Hour)}}})
		must(t, err)
		page, act := "/console/promotions", "/console/promotions/"+p.String()
		h.phone().get(page).is(t, http.StatusSeeOther)
		for _, role := range []access.Role{access.Finance, access.Cashier, access.GroupOwner} {
			h.consoleOf(h.staffKey(role)).get(page).is(t, http.StatusForbidden)
		}
		author := h.consoleOf(h.key)
		a := author.get(page).is(t, 200)
		a.has(t, "由你创建，须由同事批准", "苹果今天 9.9&lt;b&gt;")
		a.lacks(t, act+"/approve")
		author.get("/console").is(t, 200).has(t, `href="`+page+`"`, `href="/console/promoters"`)

		desk := h.consoleOf(h.staffKey(access.Marketer))
		a = desk.get(page).is(t, 200)
		a.has(t, "周一好价&lt;b&gt;", "1 个群", "运营小李 创建", "3月2日 11:00", "3月2日 13:00", "待批准")
		a.lacks(t, "<b>", " style=", "%!")
		form := a.form(t, act+"/approve")
		author.post(act+"/approve", form).is(t, http.StatusForbidden) // another's form
		own := author.get(page).form(t, act+"/cancel")
		own.Set("version", "1")
		author.post(act+"/approve", own).is(t, http.StatusForbidden) // his own draft
		stale := a.form(t, act+"/approve")
		stale.Set("version", "9")
		desk.post(act+"/approve", stale).is(t, http.StatusPreconditionFailed)
		desk.post(act+"/approve", form).is(t, http.StatusSeeOther)
		desk.post(act+"/approve", form).is(t, http.StatusConflict)
		desk.get(page).is(t, 200).lacks(t, "周一好价")
		desk.get(page+"?status=x").is(t, http.StatusNotFound)
		x := desk.get(page+"?status=approved&lang=en").is(t, 200)
		x.has(t, "apples", "approved")
		x.lacks(t, "%!")

		away, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "分店"})
		must(t, err)
		other := h.consoleOf(h.keyIn(away, access.Marketer))
		other.get(page+"?status=approved").is(t, 200).lacks(t, "周一好价")
		mine, err := h.s.Promotion.Create(h.staff, promotion.In{CampaignID: run.ID, Name: "周二", TextZH: "梨", Groups: []id.Group{h.group}, Channel: "file", Windows: []guard.Window{{From: now.Add(time.Hour), To: now.Add(3 * time.Hour)}}})
		must(t, err)
		desk.post(act+"/cancel", x.form(t, act+"/cancel")).is(t, http.StatusSeeOther)
		if got, err := h.s.Promotion.Find(h.staff, p); err != nil || got.Status != promotion.StatusCancelled {
			t.Errorf("cancelled: %+v, %v", got.Status, err)
		}
		if got, err := h.s.Promotion.Find(h.staff, mine); err != nil || got.Status != promotion.StatusDraft {
			t.Errorf("the other: %+v, %v", got.Status, err)
		}
	})
}

// TestConsolePromoters: who applied is let in, turned down with a reason he
// reads, frozen and thawed, by marketers of the unit.
func TestConsolePromoters(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		li := h.member("李雷", "m-li")
		pid, err := h.s.Referral.ApplyPromoter(h.staff, referral.ApplyIn{ProgramID: h.prog, MemberID: li})
		must(t, err)
		const page = "/console/promoters"
		act := page + "/" + pid.String() + "/"
		h.consoleOf(h.staffKey(access.GroupOwner)).get(page).is(t, http.StatusForbidden)
		looks := h.consoleOf(h.staffKey(access.Finance)).get(page).is(t, 200)
		looks.has(t, "李*", "待审核")
		looks.lacks(t, act+"approve", act+"refuse")
		desk := h.consoleOf(h.staffKey(access.Marketer))
		away, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "分店"})
		must(t, err)
		other := h.consoleOf(h.keyIn(away, access.Marketer))
		other.get(page).is(t, 200).lacks(t, "李*")
		send := func(do string, status int, reason string) {
			t.Helper()
			from := map[string]string{"freeze": "?status=approved", "thaw": "?status=frozen"}[do]
			form := desk.get(page+from).is(t, 200).form(t, act+do)
			form.Set("reason", reason)
			other.post(act+do, form).is(t, http.StatusForbidden)
			desk.post(act+do, form).is(t, status)
		}
		send("refuse", http.StatusUnprocessableEntity, "")
		send("refuse", http.StatusSeeOther, "资料不全")
		again := desk.get(page+"?status=refused").is(t, 200)
		again.has(t, "资料不全", "未通过")
		again.lacks(t, act+"refuse")
		desk.post(act+"approve", again.form(t, act+"approve")).is(t, http.StatusSeeOther)
		send("freeze", http.StatusSeeOther, "刷单<b>")
		desk.get(page+"?status=frozen").is(t, 200).has(t, "刷单&lt;b&gt;", "已冻结")
		send("thaw", http.StatusSeeOther, "")
		got, err := h.s.Promoter.FindPromoter(h.staff, pid)
		must(t, err)
		if got.Status != promoter.Approved || len(got.Moves) != 5 {
			t.Errorf("got %+v", got)
		}
		desk.get(page+"?status=x").is(t, http.StatusUnprocessableEntity)
		if x := desk.get(page+"?status=approved&lang=en").is(t, 200); true {
			x.has(t, "approved", "Freeze")
			x.lacks(t, "%!")
		}
	})
}

// approvalsGallery are the pages of a second person's word.
func approvalsGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		p := promotionsPage{page: base(lang, choose(lang, "推送计划", "Promotions"))}
		for _, one := range promotionTabs {
			p.Tabs = append(p.Tabs, tab{choose(lang, one.zh, one.en), "#", one.status == "draft"})
		}
		state, tone := word(lang, promotionWords, promotion.StatusDraft)
		p.Cards = []promotionCard{{ID: 7 << 40, Version: 1, Name: "春茶上新 " + longName, Campaign: "春茶尝鲜 · 三人成团", State: state, Tone: tone, By: "李秀英", At: noon(), Groups: 1240, HeldOut: 62, Priority: 2,
			Windows: []promotionWindow{{noon().Add(time.Hour), noon().Add(9 * time.Hour)}}, Texts: []string{"明前龙井三人成团 ¥39.90，今天 18:00 截止 https://s.example/i/8K3Q-7TZP"}, Approves: true, Cancels: true}}
		m := promotersPage{page: base(lang, choose(lang, "推广员", "Promoters"))}
		for _, one := range promoterTabs {
			m.Tabs = append(m.Tabs, tab{choose(lang, one.zh, one.en), "#", one.status == "applied"})
		}
		state, tone = word(lang, promoterWords, promoter.Applied)
		m.Cards = []promoterCard{{ID: 6 << 40, Who: "王*", State: state, Tone: tone, At: noon(), Approves: true, Refuses: true}, {ID: 5 << 40, Who: "李*", State: state, Level: 3, At: noon(), Decided: noon(), Reason: longName, Freezes: true}}
		list = append(list, shown{"promotions_" + lang, "promotions", p.page, p}, shown{"promoters_" + lang, "promoters", m.page, m})
	}
	return list
}
