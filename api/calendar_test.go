package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
)

// TestCalendar walks the calendar, its own days and a feed over the wire.
func TestCalendar(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		c, _ := campaignOf(t, h, "flash_sale", "")
		marketer := h.keys[east][access.Marketer]
		var page struct {
			Campaigns []struct {
				ID       string `json:"id"`
				Status   string `json:"status"`
				Sessions []any  `json:"sessions"`
			} `json:"campaigns"`
			Days []struct {
				Code, NameZH string
				Avoid        bool
			} `json:"days"`
		}
		h.call(t, marketer, "GET /v1/calendar", "").into(t, &page)
		if len(page.Campaigns) != 1 || page.Campaigns[0].ID != c || page.Campaigns[0].Status != "running" || page.Campaigns[0].Sessions == nil {
			t.Errorf("this month: %+v", page.Campaigns)
		}
		if got := h.call(t, h.keys[west][access.Marketer], "GET /v1/calendar", ""); strings.Contains(string(got.body), c) {
			t.Error("another region sees the campaign")
		}
		if got := h.call(t, marketer, "GET /v1/calendar?from=20261212&to=20261214&zone=Asia/Tokyo", ""); got.status != 200 || !strings.Contains(string(got.body), `"code":"nanjing"`) || !strings.Contains(string(got.body), `"avoid":true`) {
			t.Errorf("got %d %s", got.status, got.body)
		}
		for _, bad := range []string{"from=2026-12-12", "from=20261301", "from=20261212&to=20261211", "from=20260101&to=20280101", "zone=Mars", "month=1"} {
			if got := h.call(t, marketer, "GET /v1/calendar?"+bad, ""); got.status != http.StatusUnprocessableEntity {
				t.Errorf("%s: got %d %s", bad, got.status, got.body)
			}
		}

		day := h.make(t, access.Marketer, "POST /v1/calendar/days", `{"from_day":20261016,"to_day":20261018,"name_zh":"店庆","name_en":"Anniversary"}`)
		if got := h.call(t, marketer, "PATCH /v1/calendar/days/"+day, `{"name_zh":"周年店庆"}`, `If-Match: "1"`); got.status != 200 || got.header.Get("ETag") != `"2"` {
			t.Errorf("edit: got %d %s", got.status, got.body)
		}
		if got := h.call(t, marketer, "GET /v1/calendar?from=20261017&to=20261017", ""); !strings.Contains(string(got.body), "周年店庆") {
			t.Errorf("got %s", got.body)
		}
		h.want(t, 409, marketer, "POST /v1/calendar/days/"+day+"/recall", "{}")
		var avoided struct {
			ReservedAds *int `json:"reserved_ads"`
		}
		h.want(t, 200, marketer, "PATCH /v1/calendar/days/"+day, `{"avoid":true}`, `If-Match: "2"`).into(t, &avoided)
		if avoided.ReservedAds == nil || *avoided.ReservedAds != 0 {
			t.Errorf("a day to avoid has %v ads on it, want none", avoided.ReservedAds)
		}
		h.want(t, 202, marketer, "POST /v1/calendar/days/"+day+"/recall", "{}")
		if got := h.call(t, marketer, "DELETE /v1/calendar/days/"+day, ""); got.status != http.StatusNoContent {
			t.Errorf("delete: got %d %s", got.status, got.body)
		}

		var feed struct{ ID, Token, Path string }
		key := h.newKey()
		h.call(t, marketer, "POST /v1/calendar/feeds", `{"name":"手机"}`, key).into(t, &feed)
		again := h.call(t, marketer, "POST /v1/calendar/feeds", `{"name":"手机"}`, key)
		if feed.Token == "" || strings.Contains(string(again.body), feed.Token) || !strings.Contains(string(again.body), feed.ID) {
			t.Fatalf("made %+v, then %s", feed, again.body)
		}
		got := h.call(t, "", "GET "+feed.Path, "")
		if got.status != 200 || got.header.Get("Content-Type") != "text/calendar; charset=utf-8" || !strings.Contains(string(got.body), "UID:"+c+"@siyu\r\n") {
			t.Errorf("the feed: got %d %s", got.status, got.header)
		}
		tag := got.header.Get("ETag")
		if got := h.call(t, "", "GET "+feed.Path, "", "If-None-Match: W/"+tag); got.status != http.StatusNotModified || len(got.body) != 0 || got.header.Get("ETag") != tag {
			t.Errorf("unchanged: got %d %s", got.status, got.body)
		}
		if got := h.call(t, marketer, "POST /v1/campaigns/"+c+"/pause", "{}"); got.status != 200 {
			t.Fatal(got.status)
		}
		if got := h.call(t, "", "GET "+feed.Path, "", "If-None-Match: "+tag); got.status != 200 {
			t.Errorf("changed: got %d", got.status)
		}
		if got := h.call(t, feed.Token, "GET /v1/campaigns", ""); got.status != http.StatusUnauthorized {
			t.Errorf("the token as a key: got %d", got.status)
		}
		if got := h.call(t, marketer, "DELETE /v1/calendar/feeds/"+feed.ID, ""); got.status != 200 || !strings.Contains(string(got.body), `"revoked"`) {
			t.Errorf("revoke: got %d %s", got.status, got.body)
		}
		if got := h.call(t, "", "GET "+feed.Path, ""); got.status != http.StatusNotFound || got.problem().Code != "calendar.no_feed" {
			t.Errorf("revoked: got %d %s", got.status, got.body)
		}
	})
}

// TestTemplates saves a campaign and drafts it anew, and one of the house.
func TestTemplates(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		c, _ := campaignOf(t, h, "group_buy", "")
		marketer := h.keys[east][access.Marketer]
		saved := h.make(t, access.Marketer, "POST /v1/campaign-templates", fmt.Sprintf(`{"campaign_id":%q,"name":"周一团"}`, c))
		draft := h.make(t, access.Marketer, "POST /v1/campaign-templates/"+saved+"/drafts", `{"start_day":20300107}`)
		if got := h.call(t, marketer, "GET /v1/campaigns/"+draft, ""); !strings.Contains(string(got.body), `"status":"draft"`) || !strings.Contains(string(got.body), `"name":"周一团"`) || !strings.Contains(string(got.body), `"size":2`) {
			t.Errorf("got %s", got.body)
		}
		if got := h.call(t, marketer, "GET /v1/campaign-templates", ""); !strings.Contains(string(got.body), saved) || !strings.Contains(string(got.body), `"flash-618"`) {
			t.Errorf("got %s", got.body)
		}
		if got := h.call(t, marketer, "POST /v1/campaign-templates/flash-618/drafts", `{"start_day":20300618}`, h.newKey()); got.status != 422 || !strings.Contains(string(got.body), `"items"`) {
			t.Errorf("without products: got %d %s", got.status, got.body)
		}
		h.make(t, access.Marketer, "POST /v1/campaign-templates/flash-618/drafts",
			fmt.Sprintf(`{"start_day":20300618,"name":"六月大促","items":[{"sku":"sku-%d","price_fen":9900,"stock":5}]}`, skuOf(h)))
		if got := h.call(t, marketer, "DELETE /v1/campaign-templates/flash-618", ""); got.status != http.StatusConflict {
			t.Errorf("dropping one of the house: got %d", got.status)
		}
		if got := h.call(t, marketer, "DELETE /v1/campaign-templates/"+saved, ""); got.status != http.StatusNoContent {
			t.Errorf("drop: got %d %s", got.status, got.body)
		}
	})
}

// skuOf is the number of the product campaignOf made first.
func skuOf(h *house) int {
	for n := range 1000 {
		var found int
		h.DB.Read(bg).Raw("SELECT COUNT(*) FROM products WHERE sku = ?", fmt.Sprintf("sku-%d", n)).Scan(&found)
		if found > 0 {
			return n
		}
	}
	return 0
}

// TestReminders asks over the wire, sees it, and takes it back.
func TestReminders(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		c, _ := campaignOf(t, h, "flash_sale", "")
		marketer := h.keys[east][access.Marketer]
		now := clock.MilliOf(h.DB.Clock.Now())
		next := h.make(t, access.Marketer, "POST /v1/campaigns/"+c+"/copy", fmt.Sprintf(`{"starts_at":%q}`, now.Add(2*time.Hour)))
		if got := h.call(t, marketer, "POST /v1/campaigns/"+next+"/publish", "{}"); got.status != 200 {
			t.Fatalf("publish: %d %s", got.status, got.body)
		}
		mid := member1(t, h)
		me := tokenOf(t, h, mid)
		var r, again struct{ ID, Status string }
		h.call(t, me, "POST /v1/campaigns/"+next+"/reminders", `{"lead_s":600}`, h.newKey()).into(t, &r)
		h.call(t, me, "POST /v1/campaigns/"+next+"/reminders", `{}`, h.newKey()).into(t, &again)
		if r.ID == "" || r != again || r.Status != "waiting" {
			t.Errorf("asked twice: %+v, %+v", r, again)
		}
		if got := h.call(t, me, "POST /v1/campaigns/"+c+"/reminders", `{}`, h.newKey()); got.status != 409 || got.problem().Code != "reminder.no_start" {
			t.Errorf("of what runs: got %d %s", got.status, got.body)
		}
		if got := h.call(t, h.token(t), "POST /v1/campaigns/"+next+"/reminders", `{}`, h.newKey()); got.problem().Code != "identity_required" {
			t.Errorf("a guest: got %d %s", got.status, got.body)
		}
		if got := h.call(t, h.keys[east][access.Mall], "GET /v1/members/"+mid+"/export", ""); !strings.Contains(string(got.body), r.ID) {
			t.Errorf("the export lacks the reminder: %s", got.body)
		}
		if got := h.call(t, me, "GET /v1/campaigns/"+next+"/reminders", ""); !strings.Contains(string(got.body), r.ID) {
			t.Errorf("got %s", got.body)
		}
		for range 2 {
			if got := h.call(t, me, "DELETE /v1/campaigns/"+next+"/reminders", ""); got.status != http.StatusNoContent {
				t.Errorf("forget: got %d %s", got.status, got.body)
			}
		}
		if got := h.call(t, me, "GET /v1/campaigns/"+next+"/reminders", ""); strings.Contains(string(got.body), r.ID) {
			t.Errorf("still there: %s", got.body)
		}
	})
}
