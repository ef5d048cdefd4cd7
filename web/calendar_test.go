package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/calendar"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
)

func TestConsoleCalendar(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.run("flash_sale", hostileName, `{"sessions":[{"from":"10:00","to":"12:00"},{"from":"20:00","to":"22:00"}]}`)
		_, err := h.s.Calendar.AddDay(h.staff, calendar.DayIn{FromDay: 20260416, NameZH: "店庆<b>", NameEN: "Anniversary"})
		must(t, err)
		p := h.phone()
		p.get("/console/calendar").is(t, http.StatusSeeOther)
		login := p.get("/console/login").form(t, "/console/login")
		login.Set("api_key", h.key)
		p.post("/console/login", login).is(t, http.StatusSeeOther)
		a := p.get("/console/calendar").is(t, 200)
		a.has(t, "周一", "周日", "&lt;script&gt;", `aria-current="date"`, "<svg")
		a.lacks(t, "<script>alert", " style=", "%!")
		a = p.get("/console/calendar?month=202604").is(t, 200)
		a.has(t, "2026年4月", "清明节", "不宜促销", "店庆&lt;b&gt;", `data-day="20260330"`, `data-day="20260503"`, "month=202603", "month=202605")
		if n := strings.Count(a.body, "data-day="); n != 35 {
			t.Errorf("%d cells, want five weeks", n)
		}
		p.get("/console/calendar?month=202604&lang=en").is(t, 200).has(t, "April 2026", "Qingming", "Anniversary", "no promotion", "Mon")
		p.get("/console/calendar?month=209913").is(t, 200)
	})
}

// TestConsoleAvoidedDay: a marketer sees how many ads have a slot on a day that
// was added to avoid, and takes them back with one button; others see nothing.
func TestConsoleAvoidedDay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwned(t, db)
		_, err := h.s.Calendar.AddDay(h.staff, calendar.DayIn{FromDay: 20260302, NameZH: "公祭<b>", NameEN: "Mourning", Avoid: true})
		must(t, err)
		page := "/console/calendar?month=202603"
		h.consoleOf(h.owner).get(page).is(t, 200).lacks(t, "自设的不宜促销日")
		desk := h.consoleOf(h.key)
		a := desk.get(page).is(t, 200)
		a.has(t, "自设的不宜促销日", "公祭&lt;b&gt;", "03-02", ">1</span>", "收回")
		action := "/console/calendar/days/" + strings.Split(strings.SplitN(a.body, "/console/calendar/days/", 2)[1], "/")[0] + "/recall"
		form := a.form(t, action)
		foreign := h.consoleOf(h.owner)
		foreign.post(action, form).is(t, http.StatusForbidden)
		away, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "分店"})
		must(t, err)
		below := h.consoleOf(h.keyIn(away, access.Marketer)).get(page).is(t, 200)
		below.has(t, "公祭&lt;b&gt;", "自设的不宜促销日", "上级设的，只算本组织的群", ">0</span>")
		below.lacks(t, action)
		for range 2 {
			desk.post(action, form).is(t, http.StatusSeeOther)
		}
		must(t, task.Drain(h.system, db, h.reg))
		a = desk.get(page).is(t, 200)
		a.has(t, "公祭", ">0</span>")
		a.lacks(t, action)
		desk.get(page+"&lang=en").is(t, 200).has(t, "Added days to avoid", "Mourning")
	})
}

// TestFaceOnPage shows a campaign's words and card, and asks for a reminder.
func TestFaceOnPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("flash_sale", "春茶", `{}`)
		now := clock.MilliOf(db.Clock.Now())
		cid, err := h.s.Campaign.Copy(h.staff, run.ID, campaign.CopyIn{StartsAt: now.Add(3 * time.Hour)})
		must(t, err)
		texts := campaign.Texts{ZH: campaign.Words{Title: "春茶尝鲜", Subtitle: "明前第一采", Rules: "每人一次\n<b>售完即止</b>"}, EN: campaign.Words{Title: "Spring tea", Subtitle: "The first picking"}}
		banner, title, desc := "https://cdn.example/spring.jpg", `一起喝"茶"`, ""
		must(t, h.s.Campaign.Edit(h.staff, cid, 1, campaign.CampaignEdit{FaceEdit: campaign.FaceEdit{Texts: &texts, Banner: &banner, ShareTitle: &title, ShareDesc: &desc}}))
		must(t, h.s.Campaign.Turn(h.staff, cid, campaign.Publish))
		next, err := h.s.Campaign.FindCampaign(h.staff, cid)
		must(t, err)
		code := h.code(next)
		p := h.signedIn(h.member("李雷", "m-li"))
		a := p.get("/i/"+code).is(t, 200)
		a.has(t, "春茶尝鲜", "明前第一采", "每人一次", "&lt;b&gt;售完即止", `<img src="https://cdn.example/spring.jpg"`,
			`<meta property="og:title" content="一起喝&#34;茶&#34;">`, `<meta property="og:description" content="明前第一采">`,
			`<meta property="og:image" content="https://cdn.example/spring.jpg">`, `<meta property="og:url" content="`+h.url+`/i/`+code+`">`, "开始前 5 分钟提醒我")
		english := h.phone()
		english.lang = "en"
		english.get("/i/"+code).is(t, 200).has(t, "Spring tea", "The first picking", "Remind me 5 minutes before")

		form := a.form(t, "/i/"+code+"/remind")
		if r := p.post("/i/"+code+"/remind", form); r.status != http.StatusSeeOther || r.to != "/i/"+code+"?reminded=1" {
			t.Fatalf("led to %d %q: %s", r.status, r.to, r.body)
		}
		p.post("/i/"+code+"/remind", form).is(t, http.StatusSeeOther)
		a = p.get("/i/"+code+"?reminded=1").is(t, 200)
		a.has(t, "开始前 5 分钟提醒你", "已设提醒")
		a.lacks(t, `action="/i/`+code+`/remind"`)
		guest := h.phone()
		form = guest.get("/i/"+code).is(t, 200).form(t, "/i/"+code+"/remind")
		guest.post("/i/"+code+"/remind", form).is(t, http.StatusUnprocessableEntity).has(t, "请先登录", "mall.example/login")
		guest.post("/i/"+code+"/remind", url.Values{}).is(t, http.StatusForbidden)
		var n []id.Reminder
		must(t, db.Read(h.system).Raw("SELECT id FROM reminders").Scan(&n).Error)
		if len(n) != 1 {
			t.Errorf("%d reminders, want the member's one", len(n))
		}
		h.phone().get("/i/"+h.code(run)).is(t, 200).lacks(t, "提醒我")
	})
}
