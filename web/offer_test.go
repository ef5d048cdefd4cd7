package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// tiers is a running group-buy of teams of 2 and of 5, of which 3 are enough.
func (h *house) tiers() campaign.Campaign {
	h.t.Helper()
	_, err := h.s.Campaign.PutProducts(h.staff, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: "T-1", Name: "明前龙井", ListPrice: 6800}}})
	must(h.t, err)
	now := clock.MilliOf(h.db.Clock.Now())
	cid, err := h.s.Campaign.CreateCampaign(h.staff, campaign.CampaignIn{
		Kind: "group_buy", Name: "阶梯团", StartsAt: now, EndsAt: now.Add(48 * time.Hour), ProgramID: h.prog,
		Rules: json.RawMessage(`{"sizes":[{"size":2},{"size":5,"min_size":3}],"open_for_s":3600,"late_choice_minutes":30}`),
		Items: []campaign.ItemIn{{SKU: "T-1", Price: 3900, Stock: 50, TeamPrices: []campaign.TeamPrice{{Size: 5, Price: 2900, OpenerPrice: 2500}}}},
	})
	must(h.t, err)
	must(h.t, h.s.Campaign.Turn(h.staff, cid, campaign.Publish))
	run, err := h.s.Campaign.FindCampaign(h.staff, cid)
	must(h.t, err)
	return run
}

func (h *house) sweep(jump time.Duration) {
	h.t.Helper()
	h.db.Clock.Jump(jump)
	must(h.t, h.s.Campaign.Sweep(h.system))
	must(h.t, h.s.GroupBuy.Sweep(h.system))
}

// The sizes to choose from, a team that forms with k of N, its QR, why it
// failed, and opening it again.
func TestTiers(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.tiers()
		code := h.code(run)
		who, other := h.member("李雷", "m-li"), h.member("韩梅梅", "m-han")
		li := h.signedIn(who)
		page := li.get("/i/"+code).is(t, 200)
		page.has(t, "拼团 · 2/5 人成团", `<select id="size" name="size">`, "2 人团 ¥39.00", "5 人团 ¥29.00（开团 ¥25.00）", `data-fens="2:3900 5:2500"`, "5 人团到截止时有 3 人付款也成团")
		form := page.form(t, "/i/"+code+"/open")
		form.Set("qty", "1")
		form.Set("item", run.Items[0].ID.String())
		form.Set("size", "4")
		li.post("/i/"+code+"/open", form).is(t, 422).has(t, "请选择团人数")
		form.Set("size", "5")
		order := orderOf(t, li.post("/i/"+code+"/open", form).is(t, http.StatusSeeOther))
		o, err := h.s.Campaign.FindOrder(h.staff, order)
		must(t, err)
		if o.UnitPrice != 2500 {
			t.Errorf("opened at %s, want 25", o.UnitPrice)
		}
		team := "/t/" + o.TeamID.String()
		h.pay(order, 2500)
		li.get(team).has(t, "满 5 人付款即成团；到时有 3 人付款也成团", team+"/qr.png", "29")
		if got := li.get(team+"/qr.png").is(t, 200); got.header.Get("Content-Type") != "image/png" || !strings.HasPrefix(got.body, "\x89PNG") {
			t.Errorf("the QR is %q", got.header.Get("Content-Type"))
		}
		h.sweep(time.Hour)
		li, han := h.signedIn(who), h.signedIn(other)
		failed := li.get(team).is(t, 200)
		failed.has(t, "没有成团", "截止时 1 人付款，需要 3 人", "team_"+o.TeamID.String(), "退款中", "原班人马重新开团")
		failed.lacks(t, "%!", "qr.png")
		han.get(team).lacks(t, "原班人马重新开团", "退款中")
		again := orderOf(t, li.post(team+"/reopen", failed.form(t, team+"/reopen")).is(t, http.StatusSeeOther))
		li.get(team).has(t, "看重新开的团")
		// Not paid in time, then paid too late: the choice.
		h.sweep(16 * time.Minute)
		h.pay(again, 2500)
		li = h.signedIn(who)
		page = li.get("/o/"+again.String()).is(t, 200)
		page.has(t, "付款到晚了，请选择", "现在没有同价的团可换", "不换了，退款")
		page.lacks(t, "%!")
		form = page.form(t, "/o/"+again.String()+"/late")
		han.post("/o/"+again.String()+"/late", form).is(t, 403)
		li.post("/o/"+again.String()+"/late", form).is(t, http.StatusSeeOther)
		done := li.get("/o/" + again.String())
		done.has(t, "退款中")
		done.lacks(t, "请选择")
	})
}
