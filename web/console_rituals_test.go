package web

import (
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"siyu/access"
	"siyu/community/ritual"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestConsoleRituals sets a ritual and an SOP up, once by two taps, notes what
// was done, plans a topic and ends all of it, from the page.
func TestConsoleRituals(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		page, desk := "/console/groups/"+h.group.String()+"/rituals", h.consoleOf(h.key)
		h.consoleOf(h.staffKey(access.Finance)).get(page).is(t, http.StatusForbidden)
		at := func(hours int) string {
			return db.Clock.Now().In(shop).Add(time.Duration(hours) * time.Hour).Format(localTime)
		}
		all := []string{"day", "1", "day", "2", "day", "3", "day", "4", "day", "5", "day", "6", "day", "7"}
		setUp := func(fields ...string) url.Values {
			t.Helper()
			f := desk.get(page).is(t, 200).form(t, page+"/set-up")
			f.Del("day")
			for i := 0; i < len(all); i += 2 {
				f.Add(all[i], all[i+1])
			}
			for i := 0; i < len(fields); i += 2 {
				f.Set(fields[i], fields[i+1])
			}
			return f
		}
		desk.post(page+"/set-up", setUp("kind", "quiz", "title", "猜茶", "at", "25:00", "remind", "30")).is(t, http.StatusUnprocessableEntity).has(t, "09:30")
		twice := setUp("kind", "quiz", "title", "猜茶"+hostileName, "at", "12:00", "remind", "30")
		for range 2 {
			desk.post(page+"/set-up", twice).is(t, http.StatusSeeOther)
		}
		a := desk.get(page).is(t, 200)
		a.has(t, "猜茶", "每天 12:00", "0/0", "办过了")
		a.lacks(t, "<script>alert", " style=", "%!")
		f := a.form(t, page+"/hold")
		f.Set("people", "38")
		desk.post(page+"/hold", f).is(t, http.StatusSeeOther)
		desk.get(page).is(t, 200).has(t, "已登记", "1/1", `value="38"`)
		list, err := h.s.Ritual.List(h.staff, h.group)
		if must(t, err); len(list) != 1 || list[0].Kind != ritual.KindQuiz || list[0].Held != 1 {
			t.Fatalf("got %+v, want one that was held", list)
		}
		end := desk.get(page).is(t, 200).form(t, page+"/end")
		desk.post(page+"/end", end).is(t, http.StatusSeeOther)
		desk.post(page+"/hold", f).is(t, http.StatusConflict).has(t, "已停")

		desk.post(page+"/set-up", setUp("kind", "sop", "title", "日常", "at", "11:00", "steps", "11:00 问早\r\n21:30 晚间小结\r\n")).is(t, http.StatusSeeOther)
		for _, left := range []string{"问早", "晚间小结"} {
			x := desk.get(page).is(t, 200)
			x.has(t, left, "做完了")
			desk.post(page+"/hold", x.form(t, page+"/hold")).is(t, http.StatusSeeOther)
		}
		desk.get(page).is(t, 200).has(t, "都做完了", "1/1")

		// The SOP is edited: its second step earlier, another added, the first gone.
		list, err = h.s.Ritual.List(h.staff, h.group)
		must(t, err)
		sop := list[0].ID.String()
		shown := desk.get(page+"?edit="+sop).is(t, 200)
		shown.has(t, "修改固定互动", `value="11:00"`, `name="day" value="7" checked`, `name="step" value="1"`, `value="问早"`, `name="step" value="2"`, `name="step" value="0"`)
		form := shown.form(t, page+"/edit")
		form.Set("title", "日常")
		form.Set("at", "11:00")
		form["day"], form["step"] = []string{"1", "2", "3", "4", "5", "6", "7"}, []string{"1", "2", "0", "0", "0"}
		form["step_at"], form["step_title"] = []string{"11:00", "20:30", "15:00", "", ""}, []string{"", "晚间小结", "答疑", "", ""}
		bad := maps.Clone(form)
		bad["step_at"] = []string{"11:00", "20:30", "3pm", "", ""}
		desk.post(page+"/edit", bad).is(t, http.StatusUnprocessableEntity).has(t, "09:30", "修改固定互动")
		desk.post(page+"/edit", form).is(t, http.StatusSeeOther)
		desk.post(page+"/edit", form).is(t, http.StatusPreconditionFailed)
		got, err := h.s.Ritual.Find(h.staff, list[0].ID)
		if must(t, err); len(got.Steps) != 2 || got.Steps[0].Title != "答疑" || got.Steps[0].Step != 3 || got.Steps[1].Step != 2 || got.Steps[1].MinuteOfDay != 20*60+30 || got.Held != 1 {
			t.Errorf("edited: got %+v", got)
		}

		plan := desk.get(page).is(t, 200).form(t, page+"/plan")
		plan.Set("title", "多少度的水")
		plan.Set("at", at(-1))
		desk.post(page+"/plan", plan).is(t, http.StatusUnprocessableEntity)
		for _, hours := range []int{1, 2} {
			p := desk.get(page).is(t, 200).form(t, page+"/plan")
			p.Set("title", "多少度的水")
			p.Set("at", at(hours))
			for range 2 {
				desk.post(page+"/plan", p).is(t, http.StatusSeeOther)
			}
		}
		desk.post(page+"/cancel-topic", desk.get(page).is(t, 200).form(t, page+"/cancel-topic")).is(t, http.StatusSeeOther)
		held := desk.get(page).is(t, 200).form(t, page+"/hold-topic")
		held.Set("people", "12")
		desk.post(page+"/hold-topic", held).is(t, http.StatusSeeOther)
		desk.get(page).is(t, 200).has(t, "已办 12 人", "已取消")
		topics, err := h.s.Ritual.ListTopics(h.staff, h.group, database.Page{})
		if must(t, err); len(topics.Items) != 2 {
			t.Errorf("%d topics are planned by two taps each, want 2", len(topics.Items))
		}
		desk.get(page+"?lang=en").is(t, 200).has(t, "daily SOP", "called off")
		desk.get("/console/groups/grp_0000000000009/rituals").is(t, http.StatusNotFound)
	})
}
