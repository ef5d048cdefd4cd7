package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/community/request"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// wishGallery is a request to draft a group-buy for, in both languages.
func wishGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		b := base(lang, choose(lang, "求购开团", "A group-buy for a request"))
		list = append(list, shown{"wish_" + lang, "wish", b, wishPage{page: b, ID: 7 << 40, Line: "想买今年的明前龙井，二两就够，谁有靠谱的渠道", Group: "西湖茶友群 " + longName, GroupID: 9 << 40, Wants: 6,
			Products: []choice{{"LJ-50", "明前龙井 50g ¥68.00"}}, Size: "2", StartsAt: "2026-03-02T12:00", EndsAt: "2026-03-04T12:00"}})
	}
	return list
}

// TestConsoleWish drafts a group-buy from a request: a marketer finds the way on
// the group's page, two taps make one, who asked reads of it, and its owner sees
// that it was drafted but drafts none himself.
func TestConsoleWish(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwned(t, db)
		group, page := "/console/work/groups/"+h.group.String(), "/console/requests/"+h.request.String()+"/group-buy"
		_, err := h.s.Campaign.PutProducts(h.staff, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: "LJ-50", Name: "明前龙井" + hostileName, ListPrice: 6800}}})
		must(t, err)
		owner, desk := h.consoleOf(h.owner), h.consoleOf(h.staffKey(access.Marketer))
		owner.get(group).is(t, 200).lacks(t, page)
		owner.get(page).is(t, http.StatusForbidden)
		desk.get("/console/work").is(t, 200).has(t, `href="`+page+`"`)
		desk.get(group).is(t, 200).has(t, `href="`+page+`"`, "为它开团")
		desk.get("/console/requests/req_0000000000009/group-buy").is(t, http.StatusNotFound)
		shown := desk.get(page).is(t, 200)
		shown.has(t, "想要龙井", "1 人想要", "LJ-50", "¥68.00")
		shown.lacks(t, "<script>alert", "%!")
		f := shown.form(t, page)
		day := func(days int) string { return db.Clock.Now().In(shop).AddDate(0, 0, days).Format(localTime) }
		for k, v := range map[string]string{"sku": "LJ-50", "price": "39.9", "stock": "20", "size": "3", "starts_at": day(1), "ends_at": day(3)} {
			f.Set(k, v)
		}
		for field, bad := range map[string]string{"price": "四十", "stock": "many", "size": "1", "sku": "nothing", "ends_at": day(0)} {
			wrong := desk.get(page).is(t, 200).form(t, page)
			for k, v := range f {
				if k != "key" {
					wrong[k] = v
				}
			}
			wrong.Set(field, bad)
			again := desk.post(page, wrong).is(t, http.StatusUnprocessableEntity)
			again.has(t, "为它开团")
			if field != "sku" {
				again.has(t, `value="LJ-50"`)
			}
		}
		for range 2 {
			desk.post(page, f).is(t, http.StatusSeeOther)
		}
		got, err := h.s.Request.Find(h.staff, h.request)
		must(t, err)
		made, err := h.s.Campaign.ListCampaigns(h.staff, campaign.CampaignFilter{Kind: "group_buy"}, database.Page{})
		if must(t, err); len(made.Items) != 1 || made.Items[0].ID != got.CampaignID || made.Items[0].Status != campaign.StatusDraft {
			t.Fatalf("two taps made %+v; the request has %s", made.Items, got.CampaignID)
		}
		there := "/console/campaigns/" + got.CampaignID.String()
		if to := desk.get(page).is(t, http.StatusSeeOther).header.Get("Location"); to != there {
			t.Errorf("what has its draft leads to %s", to)
		}
		desk.get(there).is(t, 200).has(t, "想要龙井")
		desk.get(group).is(t, 200).has(t, "看它的拼团")
		owner.get(group).is(t, 200).has(t, "运营已为它起草拼团")
		li := h.signedIn(got.MemberID)
		li.get("/g/"+h.group.String()+"/requests").is(t, 200).has(t, "正在准备拼团")
		must(t, h.s.Request.Answer(h.staff, h.request, request.AnswerIn{Status: request.StatusSolved, Answer: "开团了"}))
		li.get("/g/"+h.group.String()+"/requests").is(t, 200).lacks(t, "正在准备拼团")
		db.Clock.Jump(time.Hour)
		over, err := h.s.Request.Ask(h.system, got.MemberID, request.In{GroupID: h.group, Kind: request.KindBuy, Line: "想要白茶"})
		must(t, err)
		must(t, h.s.Request.Answer(h.staff, over, request.AnswerIn{Status: request.StatusDeclined, Answer: "没有"}))
		desk.get("/console/requests/"+over.String()+"/group-buy").is(t, http.StatusConflict)
	})
}
