package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// staffKey is the key of a new member of staff of the house's unit.
func (h *house) staffKey(role access.Role) string {
	h.t.Helper()
	return h.keyIn(h.unit, role)
}

func (h *house) keyIn(unit id.Unit, role access.Role) string {
	h.t.Helper()
	who, err := h.s.Access.AddStaff(h.staff, access.StaffIn{UnitID: unit, Name: "同事", Role: role})
	must(h.t, err)
	_, key, err := h.s.Access.AddKey(h.staff, access.KeyIn{StaffID: who, Name: "console"})
	must(h.t, err)
	return key
}

// The console's page of a campaign shows its figures while it runs, and its
// report with targets, the last like it and advice after the end.
func TestConsoleCampaign(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		before := h.made(func(in *campaign.CampaignIn) {
			in.Name, in.EndsAt = "上月抢茶", in.StartsAt.Add(time.Hour)
			in.Items[0].Stock = 10
		})
		h.pay(h.claim(before, h.member("李雷", "m-li"), 1), 3900)
		db.Clock.Jump(2 * time.Hour)
		run := h.made(func(in *campaign.CampaignIn) { in.Name, in.Items[0].Stock = hostileName, 4 })
		must(t, h.s.Campaign.SetTargets(h.staff, run.ID, 0, campaign.Targets{PaidOrders: 4, Pieces: 2, Net: 10000}))
		h.consoleOf(h.key).get("/console/campaigns/"+run.ID.String()).is(t, 200).has(t, `<dt>付款率</dt><dd class="num">未知</dd>`)
		code := h.code(run)
		h.phone().get("/i/" + code)
		must(t, h.s.Referral.Flush(h.system))
		for _, m := range []string{"a", "b"} {
			h.pay(h.claim(run, h.member("陈", "m-"+m), 1), 3900)
		}
		h.claim(run, h.member("赵", "m-z"), 1)

		address := "/console/campaigns/" + run.ID.String()
		h.phone().get(address).is(t, http.StatusSeeOther)
		desk := h.consoleOf(h.key)
		desk.get("/console").is(t, 200).has(t, `href="`+address+`"`)
		live := desk.get(address).is(t, 200)
		live.has(t, "&lt;script&gt;", "进行中", "付款率", "66.66%", "¥78.00", "目标与实际", "2 / 4 · <b>50%</b>", "2 / 2 · <b>100%</b>", "78%", "漏斗", "每小时订单", "售 2 · 待付 1 · 剩 1 / 4", "<svg")
		live.lacks(t, "<script>alert", "%!", " style=", "下次怎么做", "上次同类")
		desk.get("/console/campaigns/cmp_0000000000001").is(t, http.StatusNotFound)
		desk.get("/console/campaigns/x").is(t, http.StatusNotFound)

		db.Clock.Jump(73 * time.Hour)
		must(t, h.s.Campaign.Sweep(h.system))
		desk = h.consoleOf(h.key)
		done := desk.get(address).is(t, 200)
		done.has(t, "已结束", "结果", "成本未填", "成交最多的一小时", "上月抢茶", "&#43;100%", "本次 ¥78.00 · 上次 ¥39.00", "下次怎么做", "笔未付款")
		done.lacks(t, "%!", " style=")
		en := desk.get(address+"?lang=en").is(t, 200)
		en.has(t, "What to change next time", "Beside the last like it", "were not paid", "Paid orders", "Funnel")
		en.lacks(t, "%!", "漏斗", "目标")
		desk.get("/console/campaigns/"+before.ID.String()+"?lang=zh").is(t, 200).has(t, "还没有同类活动可比")

		h.consoleOf(h.staffKey(access.Finance)).get(address).is(t, 200)
		h.consoleOf(h.staffKey(access.GroupOwner)).get(address).is(t, http.StatusForbidden)
		west, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "华西"})
		must(t, err)
		h.consoleOf(h.keyIn(west, access.Marketer)).get(address).is(t, http.StatusNotFound)
		h.consoleOf(h.staffKey(access.GroupOwner)).get("/console").is(t, 200).lacks(t, address)
	})
}

// Hours are drawn up to the last with an order, the silent ones between too.
func TestDrawHours(t *testing.T) {
	at := func(h int, orders, paid int64) campaign.FunnelRow {
		return campaign.FunnelRow{HourAt: clock.MilliOf(noon().Add(time.Duration(h) * time.Hour)), FunnelSteps: campaign.FunnelSteps{Orders: orders, Paid: paid}}
	}
	for _, x := range []struct {
		name string
		rows []campaign.FunnelRow
		n    int
		most int64
		last column
	}{
		{"nothing", []campaign.FunnelRow{at(0, 0, 0)}, 0, 0, column{}},
		{"one", []campaign.FunnelRow{at(0, 4, 1)}, 1, 4, column{X: 0, Width: 25, Y: 0, Height: 64, PaidY: 48, PaidH: 16}},
		{"a silent hour between", []campaign.FunnelRow{at(0, 8, 8), at(2, 2, 2)}, 3, 8, column{X: 52, Width: 25, Y: 48, Height: 16, PaidY: 48, PaidH: 16}},
		{"older than the field", []campaign.FunnelRow{at(0, 100, 0), at(100, 5, 5), at(120, 1, 0)}, 21, 5, column{X: 300, Width: 14, Y: 52, Height: 12, PaidY: 64}},
	} {
		c := drawHours(langZH, noon(), shanghai, x.rows)
		if x.n == 0 {
			if c != nil {
				t.Errorf("%s: drew %+v", x.name, c)
			}
			continue
		}
		got := c.List[len(c.List)-1]
		got.Title = ""
		if len(c.List) != x.n || c.Most != x.most || got != x.last {
			t.Errorf("%s: got %d columns, most %d, last %+v", x.name, len(c.List), c.Most, got)
		}
	}
}
