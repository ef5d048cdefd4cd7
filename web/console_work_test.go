package web

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/campaign/promotion"
	"siyu/community"
	"siyu/community/gate"
	"siyu/community/request"
	"siyu/community/ritual"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
)

// owned is a house with an owner of one group, in which an ad was handed out, a
// request and an applicant wait, and a ritual is due.
type owned struct {
	*house
	owner   string // his key
	ctx     context.Context
	group   id.Group
	slot    id.Slot
	request id.Request
	knock   id.Application
	ritual  id.Ritual
	reg     *task.Registry
}

func openOwned(t *testing.T, db *database.DB) *owned {
	t.Helper()
	h := &owned{house: open(t, db), reg: task.NewRegistry()}
	h.owner = h.staffKey(access.GroupOwner)
	actor, err := h.s.Access.Authenticate(h.system, h.owner)
	must(t, err)
	h.ctx = database.WithActor(h.system, actor)
	h.s.Promotion.Register(h.reg)
	now := clock.MilliOf(db.Clock.Now())
	h.group, err = h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "茶友群" + hostileName, OwnerID: actor.Staff, Preset: community.PresetRetail, BornAt: now.Add(-400 * 24 * time.Hour)})
	must(t, err)
	h.sendAd()
	li := h.member("李雷", "m-li")
	_, err = h.s.Community.PutMemberships(h.staff, h.group, []community.MembershipIn{{MemberID: li}})
	must(t, err)
	h.request, err = h.s.Request.Ask(h.system, li, request.In{GroupID: h.group, Kind: request.KindBuy, Line: "想要龙井" + hostileName})
	must(t, err)
	_, err = h.s.Gate.Set(h.staff, h.group, 0, gate.In{Review: true, Questions: []gate.Question{{Key: "why", ZH: "为什么想来", EN: "why"}}})
	must(t, err)
	h.knock, err = h.s.Gate.Apply(h.system, h.group, h.member("韩梅梅", "m-han"), gate.ApplyIn{Charter: 1, Answers: map[string]string{"why": "爱喝茶"}})
	must(t, err)
	h.ritual, err = h.s.Ritual.Create(h.staff, h.group, ritual.In{Kind: ritual.KindTopic, Title: "周一话题", Weekdays: ritual.Weekdays{1}, MinuteOfDay: 20 * 60})
	must(t, err)
	return h
}

// sendAd has a material with a picture handed to the group's owner.
func (h *owned) sendAd() {
	t := h.t
	t.Helper()
	shelf, second := &material.Service{DB: h.db}, database.WithActor(h.staff, database.Actor{Kind: database.ActorStaff, Staff: 99})
	var body bytes.Buffer
	must(t, png.Encode(&body, image.NewGray(image.Rect(0, 0, 300, 300))))
	pic, err := shelf.Upload(h.staff, material.PictureIn{Image: body.Bytes()})
	must(t, err)
	m, err := shelf.Create(h.staff, material.In{Name: "春茶", Kind: material.KindPicture, Sponsor: "有鲜超市", Variants: []material.Content{{PictureID: pic, TextZH: "春茶今天 39.9<b>"}}})
	must(t, err)
	must(t, shelf.Approve(second, m, 0))
	run := h.run("flash_sale", "抢茶", `{}`)
	now := clock.MilliOf(h.db.Clock.Now())
	p, err := h.s.Promotion.Create(h.staff, promotion.In{CampaignID: run.ID, Name: "大场", MaterialID: m, Groups: []id.Group{h.group}, Channel: "file", Value: 900,
		Windows: []guard.Window{{From: now, To: now.Add(time.Hour)}, {From: now.Add(2 * time.Hour), To: now.Add(4 * time.Hour)}}})
	must(t, err)
	must(t, h.s.Promotion.Approve(second, p, 0))
	must(t, task.Drain(h.system, h.db, h.reg))
	slots, err := h.s.Guard.ListSlots(h.staff, guard.SlotFilter{Group: h.group}, database.Page{})
	must(t, err)
	if len(slots.Items) != 1 || slots.Items[0].Status() != guard.StatusStarted {
		t.Fatalf("slots of the group: %+v", slots.Items)
	}
	h.slot = slots.Items[0].ID
}

// TestWork: the owner of a group sees what there is to do in it, the most
// urgent first, and does it from the page, once however often he taps.
func TestWork(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwned(t, db)
		desk := h.consoleOf(h.owner)
		a := desk.get("/console/work").is(t, 200)
		a.has(t, "今天的群务", "群主", "4 件", "【广告】", "春茶今天 39.9&lt;b&gt;", "发布方：有鲜超市", promotion.RefuseZH, "3月2日 11:00 前发", "想要龙井", "3月2日 12:00 前答复",
			"韩*", "为什么想来", "爱喝茶", "周一话题", "3月2日 20:00", "本周 1/", "最近可发推广", "先把群友互动接进来")
		a.lacks(t, "<script>alert", " style=", "%!", "西湖茶友群")
		order := []string{"春茶今天", "想要龙井", "周一话题", "爱喝茶"}
		for i, at := 0, 0; i < len(order); i++ {
			n := strings.Index(a.body, order[i])
			if n < at {
				t.Errorf("%s does not come in its order", order[i])
			}
			at = n
		}
		desk.get("/console/work?lang=en").is(t, 200).has(t, "Today", "post it by", "It is in the group")
		desk.get("/console/work?lang=zh")
		if got := desk.get("/console/work/slots/"+h.slot.String()+"/picture").is(t, 200); got.header.Get("Content-Type") != "image/png" || len(got.body) == 0 {
			t.Errorf("picture: %v", got.header)
		}

		twice := func(path string, fields ...string) {
			t.Helper()
			form := desk.get("/console/work").form(t, path)
			for i := 0; i+1 < len(fields); i += 2 {
				form.Set(fields[i], fields[i+1])
			}
			for range 2 {
				if got := desk.post(path, form).is(t, http.StatusSeeOther); got.to != "/console/work" {
					t.Errorf("led to %s", got.to)
				}
			}
		}
		twice("/console/work/slots/" + h.slot.String() + "/confirm")
		if slot, err := h.s.Guard.FindSlot(h.staff, h.slot); err != nil || slot.Status() != guard.StatusConfirmed || slot.Late {
			t.Errorf("slot: %+v, %v", slot, err)
		}
		twice("/console/work/requests/"+h.request.String()+"/answer", "status", "answered", "answer", "下周到货")
		if r, err := h.s.Request.Find(h.staff, h.request); err != nil || r.Status != request.StatusAnswered || r.Answer != "下周到货" {
			t.Errorf("request: %+v, %v", r, err)
		}
		twice("/console/work/applications/"+h.knock.String()+"/decide", "admit", "yes")
		if x, err := h.s.Gate.FindApplication(h.staff, h.knock); err != nil || x.Status != gate.StatusAdmitted {
			t.Errorf("application: %+v, %v", x, err)
		}
		twice("/console/work/rituals/"+h.ritual.String()+"/hold", "people", "12")
		if due, err := h.s.Ritual.ListDue(h.staff, []id.Group{h.group}); err != nil || len(due) != 1 || due[0].People != 12 {
			t.Errorf("ritual: %+v, %v", due, err)
		}
		a = desk.get("/console/work").is(t, 200)
		a.has(t, "都做完了", "今天办了 1 次互动")
		a.lacks(t, "/confirm", "/answer", "/decide", "/hold")
	})
}

// TestWorkRefusals: what is refused is said on the page, and nobody does
// anything in a group that is not his.
func TestWorkRefusals(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwned(t, db)
		desk := h.consoleOf(h.owner)
		own := "/console/work/groups/" + h.group.String()
		confirm, decide := "/console/work/slots/"+h.slot.String()+"/confirm", "/console/work/applications/"+h.knock.String()+"/decide"
		paths := []string{confirm, "/console/work/slots/" + h.slot.String() + "/release", "/console/work/requests/" + h.request.String() + "/answer", decide,
			"/console/work/rituals/" + h.ritual.String() + "/hold", own + "/quiet", own + "/silence", own + "/posted"}
		fields := url.Values{"status": {"answered"}, "answer": {"有"}, "admit": {"yes"}, "day": {"20260302"}, "people": {"3"},
			"from": {"20:00"}, "to": {"08:00"}, "version": {"1"}, "until": {"2026-03-03T09:00"}, "reason": {"歇一天"}}

		// Another owner, of the same unit, sees none of it and moves none of it.
		foreign := h.consoleOf(h.staffKey(access.GroupOwner))
		empty := foreign.get("/console/work").is(t, 200)
		empty.has(t, "还没有归你管的群", "都做完了")
		empty.lacks(t, "茶友群", "龙井", "爱喝茶")
		foreign.get(own).is(t, http.StatusNotFound)
		foreign.get("/console/work/slots/"+h.slot.String()+"/picture").is(t, http.StatusNotFound)
		theirs, err := h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "他的群", OwnerID: h.staffOf(foreign)})
		must(t, err)
		armed := foreign.get("/console/work/groups/"+theirs.String()).is(t, 200).form(t, "/console/work/groups/"+theirs.String()+"/posted")
		armed.Del("at")
		for k, v := range fields {
			armed[k] = v
		}
		for i, path := range paths {
			armed.Set("key", "another-owners-key-"+strconv.Itoa(i))
			foreign.post(path, armed).is(t, http.StatusNotFound)
		}

		// Nor by the rooms' own lists, whatever group he names.
		actor, err := h.s.Access.FindStaff(h.staff, h.staffOf(foreign))
		must(t, err)
		his := database.WithActor(h.system, database.Actor{Kind: database.ActorStaff, Staff: actor.ID, Role: string(actor.Role), Unit: h.unit, Own: true})
		ads, err := h.s.Promotion.ListPostings(his, []id.Group{h.group})
		must(t, err)
		knocks, err := h.s.Gate.ListToDecide(his, []id.Group{h.group})
		must(t, err)
		due, err := h.s.Ritual.ListDue(his, []id.Group{h.group})
		must(t, err)
		if len(ads)+len(knocks)+len(due) != 0 {
			t.Errorf("listed to another owner: %d ads, %d applicants, %d rituals", len(ads), len(knocks), len(due))
		}

		// Roles that do not work groups, and forms made elsewhere.
		h.phone().get("/console/work").is(t, http.StatusSeeOther)
		form := desk.get("/console/work").form(t, confirm)
		for _, role := range []access.Role{access.Finance, access.Cashier} {
			other := h.consoleOf(h.staffKey(role))
			other.get("/console/work").is(t, http.StatusForbidden)
			other.get(own).is(t, http.StatusForbidden)
			for _, path := range paths {
				other.post(path, form).is(t, http.StatusForbidden)
			}
		}
		for _, path := range paths {
			desk.post(path, url.Values{"key": {"0123456789abcdef"}}).is(t, http.StatusForbidden)
		}
		foreign.post(confirm, form).is(t, http.StatusForbidden) // signed for somebody else

		// Nothing of all that had an effect.
		if slot, err := h.s.Guard.FindSlot(h.staff, h.slot); err != nil || slot.Status() != guard.StatusStarted {
			t.Fatalf("slot: %+v, %v", slot, err)
		}
		desk.get("/console/work").is(t, 200).has(t, "4 件")

		// Refusals are said where they happen.
		no := desk.get("/console/work").form(t, decide)
		no.Set("admit", "no")
		desk.post(decide, no).is(t, http.StatusUnprocessableEntity).has(t, `role="alert"`, "请写明不通过的原因", "4 件")
		form.Set("shown", "2026-03-09T10:00")
		desk.post(confirm, form).is(t, http.StatusUnprocessableEntity).has(t, "应在预留之后")
		db.Clock.Jump(61 * time.Minute)
		must(t, task.Drain(h.system, db, h.reg)) // the channel takes it back
		desk.get("/console/work").is(t, 200).lacks(t, confirm)
	})
}

// staffOf is who has signed in on a phone.
func (h *house) staffOf(p *phone) id.Staff {
	h.t.Helper()
	list, err := h.s.Access.ListStaff(h.staff, database.Page{})
	must(h.t, err)
	return list.Items[0].ID // the newest
}

// TestWorkGroup: quiet hours, silence, an ad posted by hand and the outcome of
// a request, on the page of one group.
func TestWorkGroup(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwned(t, db)
		desk, own := h.consoleOf(h.owner), "/console/work/groups/"+h.group.String()
		a := desk.get(own).is(t, 200)
		a.has(t, "免打扰", "本周 1/", "接下来 7 天", "想要龙井", "周一话题", "周一 20:00")
		a.lacks(t, "<script>alert", " style=", "%!")
		send := func(act string, status int, fields ...string) answer {
			t.Helper()
			path := own + "/" + act
			if strings.HasPrefix(act, "/") {
				path = act
			}
			form := desk.get(own).form(t, path)
			for i := 0; i+1 < len(fields); i += 2 {
				form.Set(fields[i], fields[i+1])
			}
			got := desk.post(path, form).is(t, status)
			if status == http.StatusSeeOther && got.to != own {
				t.Errorf("%s led to %s", act, got.to)
			}
			return got
		}
		send("quiet", http.StatusUnprocessableEntity, "from", "23:00", "to", "05:00").has(t, "免打扰时间至少 7 小时")
		send("quiet", http.StatusSeeOther, "from", "20:00", "to", "09:00")
		send("quiet", http.StatusSeeOther, "from", "22:30", "to", "06:30")
		desk.get(own).is(t, 200).has(t, "20:00–09:00", "3月9日 10:00 起改为", "22:30–06:30")
		send("quiet", http.StatusPreconditionFailed, "from", "20:00", "to", "09:00", "version", "1")

		send("silence", http.StatusUnprocessableEntity, "reason", "", "until", "2026-03-03T09:00").has(t, "必填")
		send("silence", http.StatusSeeOther, "reason", "群友家有喜事<b>", "until", "2026-03-03T09:00")
		desk.get(own).is(t, 200).has(t, "群友家有喜事&lt;b&gt;", "3月3日 09:00")
		must(t, task.Drain(h.system, db, h.reg))
		if slot, err := h.s.Guard.FindSlot(h.staff, h.slot); err != nil || slot.Status() != guard.StatusReleased {
			t.Errorf("what was handed out before the silence: %+v, %v", slot, err)
		}

		form := desk.get(own).form(t, own+"/posted")
		for range 2 {
			desk.post(own+"/posted", form).is(t, http.StatusSeeOther)
		}
		slots, err := h.s.Guard.ListSlots(h.staff, guard.SlotFilter{Group: h.group}, database.Page{})
		must(t, err)
		if len(slots.Items) != 2 || slots.Items[0].Status() != guard.StatusConfirmed {
			t.Errorf("posted by hand twice by one tap: %+v", slots.Items)
		}

		send("/console/work/requests/"+h.request.String()+"/answer", http.StatusSeeOther, "status", "answered", "answer", "下周到")
		desk.get("/console/work").is(t, 200).lacks(t, "想要龙井")
		send("/console/work/requests/"+h.request.String()+"/answer", http.StatusSeeOther, "status", "solved", "answer", "到了")
		desk.get(own).is(t, 200).lacks(t, "想要龙井")
		h.consoleOf(h.key).get(own).is(t, 200) // an admin too
		desk.get(own+"?lang=en").is(t, 200).has(t, "Quiet hours", "Silence")
	})
}

// TestWorkInBrowser opens the page in a real browser: under the page's policy
// the script offers to copy every text, and the picture of the ad is there.
func TestWorkInBrowser(t *testing.T) {
	program := dbtest.Need(t, "chromium")
	h := openOwned(t, dbtest.Open(t, "sqlite"))
	desk := h.consoleOf(h.owner)
	copied := `data-copy="ad-` + h.slot.String() + `"`
	desk.get("/console/work").is(t, 200).has(t, copied+` data-done="已复制" hidden>`)
	var pictures atomic.Int32
	dom := answer{status: http.StatusOK, body: chromium(t, program, h.signed(desk, func(r *http.Response) error {
		if r.StatusCode == http.StatusOK && strings.HasSuffix(r.Request.URL.Path, "/picture") {
			pictures.Add(1)
		}
		return nil
	}, "")+"/console/work?lang=zh")}
	dom.has(t, "今天的群务", "春茶今天 39.9&lt;b&gt;", copied+` data-done="已复制">`)
	if pictures.Load() != 1 {
		t.Errorf("the picture was fetched %d times", pictures.Load())
	}
}

// TestAdText: the message of a digest holds every ad of it, each with its label
// and sponsor, and the way to refuse more once.
func TestAdText(t *testing.T) {
	x := promotion.Posting{Sponsor: "有鲜超市", Shows: promotion.Shows{TitleZH: "春茶", TextZH: "39.9", TextEN: "tea", Link: "https://a.example"},
		Lines: []promotion.Line{{Sponsor: "茶庄", Shows: promotion.Shows{TextZH: "茶杯", AppID: "wx1", AppPath: "pages/cup"}}, {Shows: promotion.Shows{TextZH: "茶盘\u202e"}}}}
	want := "【广告】春茶\n39.9\nhttps://a.example\n发布方：有鲜超市\n【广告】\n茶杯\n小程序：wx1 pages/cup\n发布方：茶庄\n【广告】\n茶盘\n" + promotion.RefuseZH
	if got := adText(langZH, x); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	only := promotion.Posting{Shows: promotion.Shows{TextZH: "春茶"}}
	if got := adText(langEN, only); got != "【广告】\n春茶\n"+promotion.RefuseZH {
		t.Errorf("an ad in Chinese alone, for an owner who reads English: got %s", got)
	}
	if got := adText(langEN, promotion.Posting{Shows: x.Shows}); got != "【广告】春茶\ntea\nhttps://a.example\n"+promotion.RefuseEN {
		t.Errorf("got %q", got)
	}
}

// TestUrgent: what is due first comes first, whatever it is; what is only to be
// noted comes last.
func TestUrgent(t *testing.T) {
	at := func(hour int) time.Time { return noon().Add(time.Duration(hour) * time.Hour) }
	for _, c := range []struct {
		name string
		a, b workTask
		want int
	}{
		{"the earlier", workTask{Due: at(1)}, workTask{Due: at(2)}, -1},
		{"the later", workTask{Due: at(3)}, workTask{Due: at(2)}, 1},
		{"overdue", workTask{Due: at(-3), Late: true}, workTask{Due: at(2)}, -1},
		{"yesterday's note", workTask{Due: at(-14), Note: true}, workTask{Due: at(9)}, 1},
		{"two notes", workTask{Due: at(-14), Note: true}, workTask{Due: at(-13), Note: true}, -1},
	} {
		if got := urgent(c.a, c.b); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
		if got := urgent(c.b, c.a); got != -c.want {
			t.Errorf("%s turned round: got %d, want %d", c.name, got, -c.want)
		}
	}
}

// workGallery is a busy owner's day, in both languages.
func workGallery() []shown {
	now := noon()
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		p := workPage{page: base(lang, choose(lang, "今天的群务", "Today's work")), Role: roleName(lang, access.GroupOwner)}
		ad := promotion.Posting{Sponsor: "有鲜超市", Shows: promotion.Shows{TitleZH: "春茶上新", TextZH: "明前龙井三人成团 ¥39.90，今天 18:00 截止", TextEN: "First spring Longjing, a team of three at ¥39.90, until 18:00 today", Link: "https://s.example/i/8K3Q-7TZP"}}
		p.Tasks = []workTask{
			{Group: "西湖茶友群 " + longName, GroupID: 9 << 40, Due: now.Add(time.Hour), Ad: &adTask{ID: 5 << 40, From: now, Text: adText(lang, ad)}},
			{Group: "西湖茶友群", GroupID: 9 << 40, Due: now.Add(-time.Hour), Late: true, Wish: &wishTask{ID: 6 << 40, Buy: true, Line: "有没有适合送长辈的礼罐？", Wants: 7}},
			{Group: "龙井新客群", GroupID: 8 << 40, Due: now.Add(9 * time.Hour), Knock: &knockTask{ID: 7 << 40, Who: "王*", Region: "杭州", Answers: []figure{{"平时喝什么茶？", "绿茶多，想认识同城的茶友"}}, At: now.Add(-time.Hour)}},
			{Group: "西湖茶友群", GroupID: 9 << 40, Due: now.Add(10 * time.Hour), Ritual: &ritualTask{ID: 4 << 40, Name: "周一话题：你家的第一泡", Day: 20260302}},
		}
		p.Coming = []workTask{{Group: "龙井新客群", Due: now.Add(9 * time.Hour), Ad: &adTask{From: now.Add(7 * time.Hour)}}}
		p.Notices = []decisionRow{{Group: "西湖茶友群", Outcome: choose(lang, "推迟", "deferred"), Why: choose(lang, "离最近一条推广 20 小时，至少隔 48 小时；最早 3月3日 14:00", "20 hours after the last ad, 48 at least; not before Mar 3, 14:00"), When: now, Times: 2}}
		p.Groups = []workGroup{
			{ID: 9 << 40, Name: "西湖茶友群 " + longName, State: choose(lang, "健康", "healthy"), Tone: "good", Used: 1, Cap: 2, Free: now.Add(28 * time.Hour), Held: 1,
				Next: choose(lang, "群很健康：照现在的节奏做，今天夸一夸帮过别人的群友。", "This group is well: keep its rhythm."), Praise: []string{choose(lang, "谢谢 李秀英 这两天帮大家解答了 3 个问题，群里有你真好！", "Thank you, 李秀英, for answering 3 questions these days."), choose(lang, "王秀兰 这两天分享了 2 条好内容，大家去看看！", "王秀兰 shared 2 good things these days.")}},
			{ID: 8 << 40, Name: "龙井新客群", State: choose(lang, "未知", "unknown"), Tone: "dim", Used: 2, Cap: 2, Full: true, Shut: choose(lang, "全店静默到 3月20日", "silenced until Mar 20"), Next: choose(lang, "先把群友互动接进来：没有数据，就不知道这个群好不好。", "Connect what members do first.")},
		}
		p.Next = "#"
		g := workGroupPage{page: base(lang, "西湖茶友群"), ID: 9 << 40, Name: "西湖茶友群 " + longName, Used: 1, Cap: 2, From: "20:00", To: "09:00", Version: 3, Promised: "22:00–08:00", SilenceUntil: "2026-03-03T09:00",
			Coming: []quietView{{"22:30", "06:30", now.AddDate(0, 0, 7)}}, Silences: []silenceView{{now, now.AddDate(0, 0, 1), "群友家有喜事，歇一天"}},
			Days:    []aheadDay{{2, choose(lang, "周一", "Mon"), false, 1, choose(lang, "G3 离最近一条推广 20 小时，至少隔 48 小时", "G3 20 hours after the last ad, 48 at least")}, {3, choose(lang, "周二", "Tue"), true, 0, choose(lang, "3月3日 14:00 起可发", "from Mar 3, 14:00")}},
			Rituals: []figure{{"周一话题：你家的第一泡", choose(lang, "周一 20:00 · 30 天 3/4 次", "Mon 20:00 · 3 of 4 in 30 days")}}, Wishes: []workTask{p.Tasks[1]}}
		list = append(list, shown{"work_" + lang, "work", p.page, p}, shown{"workgroup_" + lang, "workgroup", g.page, g})
	}
	return list
}
