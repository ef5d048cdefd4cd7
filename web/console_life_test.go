package web

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/community"
	"siyu/community/gathering"
	"siyu/community/life"
	"siyu/community/ritual"
	"siyu/community/split"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// lifeGallery are the console's pages about running a group.
func lifeGallery() []shown {
	now := noon()
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		b := base(lang, "群事务")
		p := lifePage{page: b, ID: 9 << 40, Name: "西湖茶友群 " + longName, Version: 3, State: "进行中", Tone: "good", EndsAt: now.AddDate(0, 0, 20), Why: "旺季过了，老友们合到一处", Owner: "李秀英",
			Mergers:   []mergerRow{{ID: 5 << 40, Into: "西湖与龙井茶友大群", Why: "两个群的人都不多", State: "进行中", Tone: "full", By: now.AddDate(0, 0, 7), Open: true, Progress: life.Progress{Invited: 120, Joined: 31, Declined: 4, Open: 85}}},
			Handovers: []handoverRow{{ID: 6 << 40, From: "李秀英", To: "韩梅梅", State: "进行中", Tone: "full", Given: true, Open: true, Why: "换班"}},
			Groups:    []choice{{"grp_x", "西湖与龙井茶友大群"}}, Staff: []choice{{"stf_x", "韩梅梅"}}}
		list = append(list, shown{"life_" + lang, "life", b, p})
		x := splitPage{page: b, ID: 9 << 40, Name: "西湖茶友群 " + longName, Part: 1, People: []figure{{"王秀兰", "聊过 13 位 · 线下见过 2 位 · 一起拼团 4 位"}, {longName, "与谁都还没有往来"}}}
		x.fill(split.Split{ID: 4 << 40, Version: 2, Status: split.StatusApproved, People: 214, Kept: 8_221, Chance: 1_268, Parts: []split.Part{{Part: 1, People: 61, GroupID: 3, Invited: 61, Joined: 20, Declined: 2}, {Part: 2, People: 40, GroupID: 4}}})
		list = append(list, shown{"split_" + lang, "split", b, x})
		e := gatheringsPage{page: b, ID: 9 << 40, Name: "西湖茶友群", Edit: gatheringForm{ID: 7 << 40, Title: "龙井开采", Place: "梅家坞", Capacity: 20},
			Events: []gatheringRow{{ID: 7 << 40, Name: "龙井开采，一起上山采茶", Place: "杭州市西湖区梅家坞村 12 号茶园入口", When: now, Taken: 18, Capacity: 20, State: "报名中", Tone: "good", Ahead: true, Door: true}}}
		list = append(list, shown{"gatherings_" + lang, "gatherings", b, e})
		r := ritualsPage{page: b, ID: 9 << 40, Name: "西湖茶友群 " + longName, Kinds: []choice{{"topic", "话题"}, {"sop", "日常 SOP"}},
			Rituals: []ritualRow{
				{ID: 8 << 40, Name: "周三猜茶", Kind: "竞猜", When: weekdays(lang, []int{3}) + " 20:00", Due: 4, Held: 3, Open: []openDay{{Day: 20260304, Label: "03-04", Held: true, People: 38}}},
				{ID: 8<<40 + 1, Name: "群主的一天，从问早到晚间小结", Kind: "日常 SOP", When: weekdays(lang, nil) + " 09:00", Due: 30, Held: 24, Steps: []sopStep{{"问早，夸一位昨天帮过人的群友", "09:00", 30, 29}, {"晚间小结", "21:30", 30, 25}},
					Open: []openDay{{Day: 20260303, Label: "03-03"}, {Day: 20260304, Label: "03-04", Left: []leftStep{{1, "09:00 问早，夸一位昨天帮过人的群友"}, {2, "21:30 晚间小结"}}}}}},
			Topics: []topicRow{{ID: 1 << 41, Name: "你家第一泡茶用多少度的水？", When: now, State: "待办", Ahead: true, Open: true}, {ID: 1<<41 + 1, Name: longName, When: now.AddDate(0, 0, -1), State: "已办 41 人", Tone: "good", Joined: "38 人参与", Open: true, People: 41}}}
		r.Edit = r.form(ritual.Ritual{RemindMinutes: 30})
		list = append(list, shown{"rituals_" + lang, "rituals", b, r})
		r.Edit = r.form(ritual.Ritual{ID: 8<<40 + 1, Version: 3, Kind: ritual.KindSOP, Title: "群主的一天，从问早到晚间小结", Weekdays: ritual.Weekdays{1, 2, 3, 4, 5}, MinuteOfDay: 540, RemindMinutes: 15,
			Steps: []ritual.Step{{Step: 1, Title: "问早，夸一位昨天帮过人的群友", MinuteOfDay: 540}, {Step: 4, Title: longName, MinuteOfDay: 1290}}})
		list = append(list, shown{"rituals_edit_" + lang, "rituals", b, r})
		list = append(list, shown{"door_" + lang, "door", b, doorPage{page: b, ID: 7 << 40, Name: "龙井开采", Place: "梅家坞", When: now}})
		list = append(list, shown{"grades_" + lang, "grades", b, gradesPage{page: b, ID: 9 << 40, Name: "西湖茶友群", Rows: []gradeRow{{longName, "常客", "入群 41 天 · 近 30 天活跃 9 天", "核心：再活跃 3 天", "03-07"}}}})
	}
	return list
}

// TestConsoleLife ends, merges and hands a group over from its page: what is
// refused is said there, and who takes a group confirms before he sees it.
func TestConsoleLife(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		into, err := h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "大群" + hostileName})
		must(t, err)
		page := "/console/groups/" + h.group.String() + "/life"
		h.consoleOf(h.staffKey(access.Finance)).get(page).is(t, http.StatusForbidden)
		taker := h.staffKey(access.GroupOwner)
		desk := h.consoleOf(h.key)
		at := func(days int) string { return db.Clock.Now().In(shop).AddDate(0, 0, days).Format(localTime) }
		send := func(act string, want int, fields ...string) answer {
			t.Helper()
			form := desk.get(page).is(t, 200).form(t, page+"/"+act)
			for i := 0; i < len(fields); i += 2 {
				form.Set(fields[i], fields[i+1])
			}
			return desk.post(page+"/"+act, form).is(t, want)
		}
		send("end", http.StatusUnprocessableEntity, "at", at(0), "reason", "旺季过了").has(t, "至少提前一天")
		send("end", http.StatusSeeOther, "at", at(20), "reason", "<b>旺季</b>过了")
		a := desk.get(page).is(t, 200)
		a.has(t, "计划", "旺季", "不结束了")
		a.lacks(t, "<b>旺季", "<script>alert", " style=", "%!")
		send("end", http.StatusSeeOther)
		desk.get(page).is(t, 200).lacks(t, "不结束了")
		send("merge", http.StatusSeeOther, "into", into.String(), "at", at(7), "reason", "合到一起")
		m := desk.get(page).is(t, 200)
		m.has(t, "已邀请 0", "合到一起")
		send("merge", http.StatusConflict, "into", into.String(), "at", at(7), "reason", "再来").has(t, "已有一项在进行")
		send("merger-cancel", http.StatusSeeOther)

		actor, err := h.s.Access.Authenticate(h.system, taker)
		must(t, err)
		send("hand-over", http.StatusSeeOther, "to", actor.Staff.String(), "reason", "换班")
		theirs := h.consoleOf(taker)
		theirs.get(page).is(t, http.StatusNotFound)
		home := theirs.get("/console").is(t, 200)
		home.has(t, "请你接手的群", "西湖茶友群", "换班")
		list, err := h.s.Life.ListHandovers(h.staff, h.group, database.Page{})
		must(t, err)
		act := "/console/handovers/" + list.Items[0].ID.String() + "/confirm"
		theirs.post(act, home.form(t, act)).is(t, http.StatusSeeOther)
		theirs.get(page).is(t, 200).has(t, "换班", "已完成")
		theirs.get("/console").is(t, 200).lacks(t, "请你接手的群")

		send("close", http.StatusSeeOther, "reason", "没人了")
		desk.get(page).is(t, 200).has(t, "已结束", "没人了")
		desk.post(page+"/close", url.Values{"reason": {"x"}}).is(t, http.StatusForbidden)
	})
}

// TestSplitPages: a proposal is asked for, read with each person's why,
// approved; the member reads why he is where, and joins by his own tap.
func TestSplitPages(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		var x answer
		var in []community.MembershipIn
		var people []id.Member
		for i := range 60 {
			people = append(people, h.member("王小明", "s-"+string(rune('A'+i))))
			in = append(in, community.MembershipIn{MemberID: people[i]})
		}
		_, err := h.s.Community.PutMemberships(h.staff, h.group, in)
		must(t, err)
		now := clock.MilliOf(db.Clock.Now())
		_, err = h.s.Community.PutActivity(h.staff, h.group, community.ActivityBatch{Events: []community.ActivityIn{{EventID: "e1", MemberID: people[0], Kind: community.ActivityReply, At: now, ToID: people[7]}}})
		must(t, err)
		page, desk := "/console/groups/"+h.group.String()+"/split", h.consoleOf(h.key)
		form := desk.get(page).is(t, 200).form(t, page+"/propose")
		desk.post(page+"/propose", form).is(t, http.StatusSeeOther)
		desk.post(page+"/propose", form).is(t, http.StatusConflict)
		shown := desk.get(page).is(t, 200)
		shown.has(t, "待确认", "60 人分 2 组", "100.0%", "聊过 1 位", "与谁都还没有往来")
		desk.post(page+"/approve", shown.form(t, page+"/approve")).is(t, http.StatusSeeOther)
		desk.post(page+"/approve", shown.form(t, page+"/approve")).is(t, http.StatusPreconditionFailed)
		x = desk.get(page+"?lang=en").is(t, 200)
		x.has(t, "inviting")
		x.lacks(t, "%!")
		list, err := h.s.Split.List(h.staff, h.group, database.Page{})
		must(t, err)
		seats, err := h.s.Split.Seats(h.staff, list.Items[0].ID, 0, database.Page{Limit: 200})
		must(t, err)
		var sub id.Group
		for _, seat := range seats.Items {
			if seat.Member == people[0] {
				sub = list.Items[0].Parts[seat.Part-1].GroupID
			}
		}
		li, from, there := h.signedIn(people[0]), "/g/"+h.group.String(), "/g/"+sub.String()
		li.get(from).is(t, 200).has(t, "聊过 1 位", "大群照旧", there)
		li.post(there+"/accept", li.get(there).is(t, 200).form(t, there+"/accept")).is(t, http.StatusSeeOther)
		li.get(there).is(t, 200).has(t, "你在群里")
		x = li.get(from).is(t, 200)
		x.has(t, "你在群里")
		x.lacks(t, "不进小组")
		wang := h.signedIn(people[1])
		wang.post(from+"/decline", wang.get(from).is(t, 200).form(t, from+"/decline")).is(t, http.StatusSeeOther)
		wang.get(from).is(t, 200).lacks(t, "不进小组")
	})
}

// TestConsoleGatherings makes an event once, edits it in the version that was
// read, calls it off.
func TestConsoleGatherings(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		var x answer
		page, desk := "/console/groups/"+h.group.String()+"/gatherings", h.consoleOf(h.key)
		at := func(hours int) string {
			return db.Clock.Now().In(shop).Add(time.Duration(hours) * time.Hour).Format(localTime)
		}
		form := desk.get(page).is(t, 200).form(t, page+"/make")
		for k, v := range map[string]string{"title": "龙井" + hostileName, "place": "梅家坞", "starts_at": at(48), "ends_at": at(50), "capacity": "2"} {
			form.Set(k, v)
		}
		for range 2 {
			desk.post(page+"/make", form).is(t, http.StatusSeeOther)
		}
		list, err := h.s.Gathering.List(h.staff, h.group, database.Page{})
		must(t, err)
		if len(list.Items) != 1 {
			t.Fatalf("%d events were made by two taps", len(list.Items))
		}
		e := list.Items[0].ID.String()
		edit := desk.get(page+"?edit="+e).is(t, 200)
		edit.has(t, "修改活动")
		edit.lacks(t, "<script>alert")
		form = edit.form(t, page+"/edit")
		for k, v := range map[string]string{"title": "龙井", "place": "", "starts_at": at(48), "ends_at": at(50), "capacity": "3"} {
			form.Set(k, v)
		}
		desk.post(page+"/edit", form).is(t, http.StatusUnprocessableEntity)
		form.Set("place", "龙井路")
		desk.post(page+"/edit", form).is(t, http.StatusSeeOther)
		desk.post(page+"/edit", form).is(t, http.StatusPreconditionFailed)
		off := desk.get(page).is(t, 200)
		off.has(t, "0/3", "龙井路", "/console/gatherings/"+e+"/door")
		form = off.form(t, page+"/cancel")
		form.Set("reason", "下雨")
		desk.post(page+"/cancel", form).is(t, http.StatusSeeOther)
		x = desk.get(page).is(t, 200)
		x.has(t, "已取消", "下雨")
		x.lacks(t, "/door\"")
		desk.get("/console/groups/"+h.group.String()+"/grades").is(t, 200).has(t, "还没有人有等级")
	})
}

// TestDoorOnScreen photographs the door's page in a real browser and reads the
// code off the picture: who scans it is checked in.
func TestDoorOnScreen(t *testing.T) {
	program, zbar := dbtest.Need(t, "chromium"), dbtest.Need(t, "zbarimg")
	h := open(t, dbtest.Open(t, "sqlite"))
	li := h.member("李雷", "m-li")
	_, err := h.s.Community.PutMemberships(h.staff, h.group, []community.MembershipIn{{MemberID: li}})
	must(t, err)
	start := h.db.Clock.Now().Add(time.Minute)
	e, err := h.s.Gathering.Create(h.staff, h.group, gathering.In{Title: "龙井开采", Place: "梅家坞", StartsAt: clock.MilliOf(start), EndsAt: clock.MilliOf(start.Add(time.Hour)), Capacity: 1})
	must(t, err)
	_, err = h.s.Gathering.SignUp(h.system, e, li)
	must(t, err)
	door := "/console/gatherings/" + e.String() + "/door"
	h.phone().get(door).is(t, http.StatusSeeOther)
	desk := h.consoleOf(h.key)
	desk.get(door).is(t, 200).has(t, "扫码签到")
	shot := filepath.Join(t.TempDir(), "door.png")
	out, err := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--user-data-dir="+t.TempDir(),
		"--window-size=390,844", "--hide-scrollbars", "--virtual-time-budget=3000", "--screenshot="+shot, h.signed(desk, nil, "")+door+"?lang=zh").CombinedOutput()
	if _, gone := os.Stat(shot); err != nil || gone != nil {
		t.Fatalf("no picture: %v %s", err, out)
	}
	read, err := exec.Command(zbar, "--quiet", "--raw", shot).Output()
	if err != nil {
		t.Fatalf("zbarimg reads nothing off the page: %v", err)
	}
	_, code, ok := strings.Cut(strings.TrimSpace(string(read)), "/e/"+e.String()+"?k=")
	if !ok {
		t.Fatalf("the code says %q", read)
	}
	must(t, h.s.Gathering.CheckIn(h.system, e, li, code))
}
