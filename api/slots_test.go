package api

import (
	"fmt"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/task"
)

func promotionOf(t *testing.T, h *house) string {
	t.Helper()
	c, _ := campaignOf(t, h, "flash_sale", "")
	now := clock.MilliOf(h.DB.Clock.Now())
	return h.make(t, access.Marketer, "POST /v1/promotions", fmt.Sprintf(
		`{"campaign_id":%q,"name":"周一推送","text_zh":"苹果 9.9","groups":[%q],"windows":[{"from_at":%q,"to_at":%q}],"priority":5,"channel":"file"}`,
		c, groupOf(t, h), now, now.Add(2*time.Hour)))
}

// TestSlotGivenBack: an ad that was not shown gives its slot back, which the
// forecast shows; a draft takes more groups until it is cancelled.
func TestSlotGivenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, admin, owner := h.keys[east][access.Marketer], h.keys[east][access.Admin], h.keys[east][access.GroupOwner]
		p := promotionOf(t, h)
		h.want(t, 200, admin, "POST /v1/promotions/"+p+"/approve", "{}")
		r := task.NewRegistry()
		h.Promotion.Register(r)
		if err := task.Drain(bg, h.DB, r); err != nil {
			t.Fatal(err)
		}
		var slots struct {
			Items []struct {
				ID     string `json:"id"`
				Group  string `json:"group_id"`
				Status string `json:"status"`
			} `json:"items"`
		}
		h.want(t, 200, owner, "GET /v1/slots?promotion_id="+p, "").into(t, &slots)
		if len(slots.Items) != 1 || slots.Items[0].Status != "started" {
			t.Fatalf("slots: got %+v", slots.Items)
		}
		slot := slots.Items[0]
		foreseen := func() (ads, room int) {
			t.Helper()
			var f struct {
				Room int `json:"room"`
				Days []struct {
					Ads  int  `json:"ads"`
					Open bool `json:"open"`
				} `json:"days"`
			}
			if h.want(t, 200, owner, "GET /v1/guard/forecast?group_id="+slot.Group, "").into(t, &f); len(f.Days) != 14 {
				t.Fatalf("forecast: got %+v", f)
			}
			return f.Days[0].Ads, f.Room
		}
		ads, room := foreseen()
		if ads != 1 {
			t.Errorf("today: got %d ads", ads)
		}
		h.want(t, 422, owner, "POST /v1/slots/"+slot.ID+"/release", `{"reason":"tired"}`)
		if h.want(t, 200, owner, "POST /v1/slots/"+slot.ID+"/release", `{"reason":"not_sent"}`).into(t, &slot); slot.Status != "released" {
			t.Errorf("released: got %+v", slot)
		}
		h.want(t, 409, owner, "POST /v1/slots/"+slot.ID+"/confirm", `{}`)
		if ads, after := foreseen(); ads != 0 || after != room+1 {
			t.Errorf("after that: %d ads today, room for %d, was %d", ads, after, room)
		}

		draft := promotionOf(t, h)
		at, another := "/v1/promotions/"+draft, groupOf(t, h)
		var seen struct {
			Status string   `json:"status"`
			Groups []string `json:"groups"`
		}
		h.want(t, 412, marketer, "POST "+at+"/groups", fmt.Sprintf(`{"groups":[%q]}`, another), `If-Match: "9"`)
		h.want(t, 200, marketer, "POST "+at+"/groups", fmt.Sprintf(`{"groups":[%q]}`, another), `If-Match: "1"`)
		if h.want(t, 200, owner, "GET "+at, "").into(t, &seen); len(seen.Groups) != 2 || seen.Groups[1] != another {
			t.Errorf("with one more group: got %+v", seen)
		}
		h.want(t, 200, marketer, "POST "+at+"/cancel", "{}")
		if h.want(t, 200, marketer, "GET "+at, "").into(t, &seen); seen.Status != "cancelled" {
			t.Errorf("cancelled: got %+v", seen)
		}
		h.want(t, 409, admin, "POST "+at+"/approve", "{}")
	})
}
