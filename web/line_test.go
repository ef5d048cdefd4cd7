package web

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// made is a published campaign of one product, changed by fn before.
func (h *house) made(fn func(*campaign.CampaignIn)) campaign.Campaign {
	h.t.Helper()
	_, err := h.s.Campaign.PutProducts(h.staff, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: "LJ-1", Name: "明前龙井", ListPrice: 6800}}})
	must(h.t, err)
	now := clock.MilliOf(h.db.Clock.Now())
	in := campaign.CampaignIn{
		Kind: "flash_sale", Name: "抢茶", StartsAt: now, EndsAt: now.Add(72 * time.Hour), ProgramID: h.prog, Rules: json.RawMessage(`{}`), LoginURL: "https://mall.example/login",
		Items: []campaign.ItemIn{{SKU: "LJ-1", Price: 3900, Stock: 1, PerMember: 1}},
	}
	fn(&in)
	cid, err := h.s.Campaign.CreateCampaign(h.staff, in)
	must(h.t, err)
	must(h.t, h.s.Campaign.Turn(h.staff, cid, campaign.Publish))
	run, err := h.s.Campaign.FindCampaign(h.staff, cid)
	must(h.t, err)
	return run
}

func (h *house) claim(run campaign.Campaign, m id.Member, qty int) id.Order {
	h.t.Helper()
	ctx := database.WithActor(h.system, database.Actor{Kind: database.ActorMember, Member: m})
	ctx = database.WithKey(ctx, database.Key{Principal: m.String(), Route: "test", Key: rand.Text(), Hash: "0123456789abcdef0123456789abcdef"})
	out, err := h.s.Campaign.Claim(ctx, campaign.Claim{Campaign: run.ID, Item: run.Items[0].ID, Member: m, Qty: qty})
	must(h.t, err)
	return out.Order.ID
}

// A sold-out item's page offers its line, tells the place, lets him leave, and
// leads to the order once it was his turn; nobody sees or leaves another's.
func TestLineOnThePage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.made(func(*campaign.CampaignIn) {})
		code := h.code(run)
		page, join, leave := "/i/"+code, "/i/"+code+"/wait", "/i/"+code+"/leave"
		li, han := h.signedIn(h.member("李雷", "m-li")), h.signedIn(h.member("韩梅梅", "m-han"))
		early := li.get(page).is(t, 200)
		early.lacks(t, "候补")
		order := h.claim(run, h.wang, 1)

		h.phone().get(page).is(t, 200).has(t, "登录后候补", "https://mall.example/login")
		shown := li.get(page).is(t, 200)
		shown.has(t, "排队候补", "已抢完", "15 分钟内付款有效")
		form := shown.form(t, join)
		li.post(join, form).is(t, http.StatusSeeOther)
		li.post(join, form).is(t, http.StatusSeeOther) // a second tap
		h.phone().post(join, form).is(t, http.StatusForbidden)
		a := li.get(page+"?waiting=1").is(t, 200)
		a.has(t, "已排进候补", "第 1 位", "放弃", "看候补")
		han.post(join, han.get(page).form(t, join)).is(t, http.StatusSeeOther)
		han.get(page).is(t, 200).has(t, "第 2 位")
		li.lang = "en"
		en := li.get(page).is(t, 200)
		en.has(t, "Waiting list", "place 1", "Leave")
		en.lacks(t, "%!", "候补")
		li.lang = "zh-CN"

		stolen := han.get(page).form(t, leave)
		stolen.Set("wait", li.get(page).form(t, leave).Get("wait"))
		han.post(leave, stolen).is(t, http.StatusNotFound)
		h.phone().get(page).lacks(t, "第 1 位")

		must(t, h.s.Campaign.CancelOrder(h.system, order))
		granted := li.get(page).is(t, 200)
		granted.has(t, "轮到你了，已为你下单", "看订单", "/o/ord_")
		_, rest, _ := strings.Cut(granted.body, `href="/o/`)
		li.get("/o/"+rest[:strings.Index(rest, `"`)]).is(t, 200).has(t, "等你付款")
		han.get(page).lacks(t, "/o/ord_")

		han.post(leave, han.get(page).form(t, leave)).is(t, http.StatusSeeOther)
		han.get(page).has(t, "你已放弃候补", "排队候补")
		han.post(join, han.get(page).form(t, join)).is(t, http.StatusSeeOther)
		db.Clock.Jump(73 * time.Hour)
		han = h.signedIn(h.member("韩梅梅", "m-han"))
		han.get(page).is(t, 200).has(t, "活动已结束，没有轮到")
	})
}

// Of a sale by sessions the page tells what is left of the open one, and once
// it is out the next; the reminder is for that.
func TestSessionStockOnThePage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		shanghai, err := time.LoadLocation("Asia/Shanghai")
		must(t, err)
		now := db.Clock.Now().In(shanghai)
		db.Clock.Jump(time.Date(now.Year(), now.Month(), now.Day()+1, 9, 0, 0, 0, shanghai).Sub(now))
		run := h.made(func(in *campaign.CampaignIn) {
			in.Rules = json.RawMessage(`{"sessions": [{"from": "10:00", "to": "12:00"}, {"from": "20:00", "to": "22:00"}]}`)
			in.Items[0].Stock, in.Items[0].SessionStock, in.Items[0].PerOrder, in.Items[0].PerMember = 100, 3, 3, 0
		})
		code := h.code(run)
		page, act := "/i/"+code, "/i/"+code+"/claim"
		who := h.member("李雷", "m-li")
		li := h.signedIn(who)
		between := li.get(page).is(t, 200)
		between.has(t, "每场 3 件", "距下一场")
		refused := between.form(t, act)
		refused.Set("item", run.Items[0].ID.String())
		refused.Set("qty", "1")
		li.post(act, refused).is(t, http.StatusConflict).has(t, "当前不在场次时间内", "10:00")
		db.Clock.Jump(time.Hour)
		li = h.signedIn(who)
		h.claim(run, h.wang, 2)
		p := li.get(page).is(t, 200)
		p.has(t, "本场剩余 1 件", "立即抢购")
		p.lacks(t, "<option>2</option>", "还剩 98 件")
		form := p.form(t, act)
		form.Set("item", run.Items[0].ID.String())
		form.Set("qty", "1")
		h.claim(run, h.wang, 1)
		li.post(act, form).is(t, http.StatusConflict).has(t, "本场已抢完，请等下一场", "下一场", "20:00")
		out := li.get(page).is(t, 200)
		out.has(t, "本场已抢完，距下一场", "20:00", "开始前 5 分钟提醒我")
		out.lacks(t, "立即抢购", "候补")
		li.post("/i/"+code+"/remind", out.form(t, "/i/"+code+"/remind")).is(t, http.StatusSeeOther)
		li.get(page).has(t, "已设提醒", "20:00")
		li.lang = "en"
		li.get(page).has(t, "Sold out; next session in", "this session is sold out; next")
		db.Clock.Jump(10 * time.Hour)
		li = h.signedIn(who)
		li.get(page).is(t, 200).has(t, "本场剩余 3 件", "立即抢购")
	})
}

// An early member sees that he may buy now, and others see the start.
func TestEarlyOnThePage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		who := h.member("李雷", "m-li")
		tag, err := h.s.Community.CreateTag(h.staff, community.TagIn{NameZH: "会员日", NameEN: "vip"})
		must(t, err)
		_, err = h.s.Community.TagMembers(h.staff, tag, []community.TagRow{{MemberID: who}})
		must(t, err)
		run := h.made(func(in *campaign.CampaignIn) {
			in.Audience = campaign.Audience{Early: []campaign.Early{{Tags: []id.Tag{tag}, From: in.StartsAt.Add(time.Hour)}}}
			in.StartsAt = in.StartsAt.Add(3 * time.Hour)
		})
		code := h.code(run)
		page, act := "/i/"+code, "/i/"+code+"/claim"
		li := h.signedIn(who)
		soon := li.get(page).is(t, 200)
		soon.has(t, "距你的提前购", "起可提前购买")
		soon.lacks(t, "立即抢购")
		db.Clock.Jump(time.Hour)
		li = h.signedIn(who)
		han := h.signedIn(h.member("韩梅梅", "m-han"))
		now := li.get(page).is(t, 200)
		now.has(t, "你可以提前购买", "只有受邀会员能买", "立即抢购", "会员提前购")
		li.lang = "en"
		li.get(page).has(t, "You may buy before it starts", "Get it now")
		for _, p := range []*phone{han, h.phone()} {
			other := p.get(page).is(t, 200)
			other.has(t, "距开始", "开始")
			other.lacks(t, "立即抢购", "提前购")
		}
		form := now.form(t, act)
		form.Set("item", run.Items[0].ID.String())
		form.Set("qty", "1")
		orderOf(t, li.post(act, form))
		li.get(page).is(t, 200).has(t, "All taken", "Join the line")
	})
}
