package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
)

// brings lets so many people accept the code and join the group.
func (h *house) brings(code, name string, n int) []id.Member {
	h.t.Helper()
	var list []id.Member
	for i := range n {
		m := h.member(name, name+string(rune('a'+i)))
		_, err := h.s.Referral.Bind(h.system, referral.Bind{Code: code, Invitee: m})
		must(h.t, err)
		must(h.t, h.s.Community.Join(h.system, community.Join{Group: h.group, Member: m}))
		list = append(list, m)
	}
	return list
}

func (h *house) steps(rules string) campaign.Campaign {
	h.t.Helper()
	return h.made(func(in *campaign.CampaignIn) {
		in.Kind, in.Name, in.Rules, in.Items, in.EndsAt = "referral", "老带新", json.RawMessage(rules), nil, in.StartsAt.Add(30*24*time.Hour)
	})
}

func (h *house) consoleOf(key string) *phone {
	h.t.Helper()
	p := h.phone()
	login := p.get("/console/login").form(h.t, "/console/login")
	login.Set("api_key", key)
	p.post("/console/login", login).is(h.t, http.StatusSeeOther)
	return p
}

// An inviter sees how far he has come, what each step gives and when, and his
// place; others see neither his progress nor his rewards. Staff hand the goods
// over on the console.
func TestSteps(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.steps(`{"stay_days":1,"steps":[{"kind":"stayed","count":1,"gift":{"kind":"points","points":50}},
			{"kind":"stayed","count":2,"hold_days":3,"gift":{"kind":"goods","name":"保温杯<b>"}},{"kind":"stayed","count":5,"gift":{"kind":"points","points":90}}],
			"leaderboard":{"by":"stayed"}}`)
		code := h.code(run)
		wang := h.signedIn(h.wang)
		first := wang.get("/i/"+code).is(t, 200)
		first.has(t, "我的邀请进度", "已邀请 0/1", "50 积分", "还差 1 位", "邀请榜", "还没有人上榜", "把我的邀请码给朋友扫")
		h.brings(code, "陈", 3)
		must(t, h.s.Invite.Measure(h.system, 0))
		wang.get("/i/"+code).has(t, "3 位好友已进群，留满 1 天后计入")
		db.Clock.Jump(25 * time.Hour)
		must(t, h.s.Invite.Measure(h.system, 0))
		wang = h.signedIn(h.wang)
		li := h.signedIn(h.member("李雷", "m-li"))

		own := wang.get("/i/"+code).is(t, 200)
		own.has(t, "已邀请 3/5", "再来 2 位", "已发放", "已达成", "可领", "保温杯&lt;b&gt; ×1", "3 位", `<span class="tag">我</span>`, "王*")
		own.lacks(t, "王小明", "%!", "<b>保温杯")
		wang.get("/me").is(t, 200).has(t, "老带新", "已邀请 3/5", `href="/i/`+code)
		wang.lang = "en"
		en := wang.get("/i/"+code).is(t, 200)
		en.has(t, "My progress", "3 of 5", "50 points", "given", "can be taken from", "Leaderboard")
		en.lacks(t, "%!", "已邀请", "榜")
		wang.get("/me").has(t, "3 of 5")

		for _, p := range []*phone{li, h.phone()} {
			other := p.get("/i/"+code).is(t, 200)
			other.has(t, "邀请榜", "王*", "3 位")
			other.lacks(t, "我的邀请进度", "已邀请", "保温杯", "王小明", `<span class="tag">我</span>`)
		}
		li.get("/me").lacks(t, "老带新", "已邀请")

		db.Clock.Jump(73 * time.Hour)
		must(t, h.s.Invite.Measure(h.system, 0))
		wang = h.signedIn(h.wang)
		wang.get("/i/"+code).has(t, "可领取", "请联系群主或门店领取")

		address := "/console/campaigns/" + run.ID.String()
		desk := h.consoleOf(h.key)
		goods := desk.get(address).is(t, 200)
		goods.has(t, "待交付实物", "保温杯&lt;b&gt; ×1", "王*", h.wang.String(), "第 2 阶", "已给奖励")
		goods.lacks(t, "王小明", "%!", " style=")
		_, rest, _ := strings.Cut(goods.body, `action="/console/step-rewards/`)
		act := "/console/step-rewards/" + rest[:strings.Index(rest, `"`)]
		form := goods.form(t, act)
		other := h.consoleOf(h.staffKey(access.Marketer))
		other.post(act, form).is(t, http.StatusForbidden) // signed for somebody else
		desk.post(act, url.Values{"form": {"x.y"}}).is(t, http.StatusForbidden)
		h.consoleOf(h.staffKey(access.Finance)).post(act, form).is(t, http.StatusForbidden)
		h.phone().post(act, form).is(t, http.StatusSeeOther) // to the sign-in
		form.Set("note", "SF123")
		for range 2 {
			if a := desk.post(act, form).is(t, http.StatusSeeOther); a.to != address+"#goods" {
				t.Errorf("led to %q", a.to)
			}
		}
		desk.get(address).has(t, "没有待交付的实物")
		wang.get("/i/"+code).lacks(t, "可领取")
		var note string
		must(t, db.Read(h.system).Raw("SELECT note FROM invite_rewards WHERE state = 'given' AND kind = 'goods'").Scan(&note).Error)
		if note != "SF123" {
			t.Errorf("note %q", note)
		}
	})
}
