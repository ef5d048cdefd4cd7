package web

import (
	"net/http"
	"testing"

	"siyu/community"
	"siyu/community/request"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// requestsGallery are a group's requests in both languages.
func requestsGallery() []shown {
	p := requestsPage{page: base(langZH, "求购求助"), ID: 9 << 40, Group: "西湖茶友群", List: []requestView{
		{ID: 1 << 40, Line: "想买今年的明前龙井，二两就够，谁有靠谱的渠道", Buy: true, State: "等答复", By: "3月2日 12:00", Wants: 6, Can: true, Team: true},
		{ID: 2 << 40, Line: "白茶怎么存", State: "已答复", Answer: "避光、干燥、密封，常温就好。", Wants: 2, Wanted: true},
		{ID: 3 << 40, Line: "武夷岩茶试喝装", Buy: true, State: "有替代", Tone: "good", Answer: "岩茶缺货，拼团已开水仙。", Wants: 4, Mine: true, Rate: true},
		{ID: 4 << 40, Line: "玻璃盖碗", Buy: true, State: "没有", Tone: "dim", Answer: "易碎，暂时不做。", Wants: 1, Mine: true, Stars: 3},
	}}
	en := p
	en.page, en.Notice = base(langEN, "Requests"), &notice{Text: "3 of your requests in this group are still open; wait for one"}
	return []shown{{"requests", "requests", p.page, p}, {"requests_en", "requests", en.page, en}}
}

// TestRequestsPage: who is in the group asks, wants and rates there; for
// others the page does not exist.
func TestRequestsPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		page := "/g/" + h.group.String() + "/requests"
		liM, hanM := h.member("李雷", "m-li"), h.member("韩梅梅", "m-han")
		_, err := h.s.Community.PutMemberships(h.staff, h.group, []community.MembershipIn{{MemberID: liM}, {MemberID: hanM}})
		must(t, err)
		h.phone().get(page).is(t, http.StatusNotFound)
		li, han := h.signedIn(liM), h.signedIn(hanM)
		form := li.get(page).is(t, 200).form(t, page+"/ask")
		li.post(page+"/ask", form).is(t, http.StatusUnprocessableEntity).has(t, "buy、help")
		form = li.get(page).form(t, page+"/ask")
		form.Set("kind", "buy")
		form.Set("line", "<script>alert(1)</script> 龙井")
		li.post(page+"/ask", form).is(t, http.StatusSeeOther)
		li.post(page+"/ask", form).is(t, http.StatusSeeOther) // a second tap
		shown := han.get(page).is(t, 200)
		shown.has(t, "1 人想要", "我也要", "12:00")
		shown.lacks(t, "<script>alert")
		want := shown.form(t, page+"/want")
		han.post(page+"/want", want).is(t, http.StatusSeeOther)
		li.get(page).is(t, 200).has(t, "2 人想要", "你提的")
		list, err := h.s.Request.List(h.staff, request.Filter{Group: h.group}, database.Page{})
		must(t, err)
		if len(list.Items) != 1 {
			t.Fatalf("got %+v", list)
		}
		must(t, h.s.Request.Answer(h.staff, list.Items[0].ID, request.AnswerIn{Status: request.StatusSolved, Answer: "到货了"}))
		solved := li.get(page).is(t, 200)
		solved.has(t, "解决得怎样", "到货了")
		rate := solved.form(t, page+"/rate")
		rate.Set("stars", "5")
		li.post(page+"/rate", rate).is(t, http.StatusSeeOther)
		li.lang = "en"
		en := li.get(page).is(t, 200)
		en.has(t, "rated 5", "solved")
		en.lacks(t, "%!", "求购")
	})
}
