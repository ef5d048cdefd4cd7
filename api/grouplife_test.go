package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/community"
	"siyu/community/life"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// handoverOf is a hand-over of a marketer's group to himself.
func handoverOf(t *testing.T, h *house) string {
	t.Helper()
	return h.make(t, access.Marketer, "POST /v1/groups/"+groupOf(t, h)+"/handovers", fmt.Sprintf(`{"to_id":%q}`, h.staffOf(t, access.Marketer)))
}

func mergerOf(t *testing.T, h *house) string {
	t.Helper()
	return h.make(t, access.Marketer, "POST /v1/groups/"+groupOf(t, h)+"/mergers", mergerInto(h, groupOf(t, h)))
}

func mergerInto(h *house, group string) string {
	return fmt.Sprintf(`{"into_id":%q,"reason":"人太少","by_at":%q}`, group, h.DB.Clock.Now().Add(7*24*time.Hour).Format(time.RFC3339))
}

// TestGroupLife plays a group to its end over REST: handed over, merged into
// another by invitation, closed.
func TestGroupLife(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner, marketer := h.keys[east][access.GroupOwner], h.keys[east][access.Marketer]
		ok := func(bearer, call, body string, into any, headers ...string) {
			t.Helper()
			x := h.call(t, bearer, call, body, append(headers, h.newKey())...)
			if x.into(t, into); x.status != http.StatusOK {
				t.Fatalf("%s: got %d %s", call, x.status, x.body)
			}
		}
		a, b := groupOf(t, h), groupOf(t, h)
		var g community.Group
		ends := clock.MilliOf(h.DB.Clock.Now().Add(72 * time.Hour).Truncate(time.Second))
		ok(owner, "PUT /v1/groups/"+a+"/end", fmt.Sprintf(`{"ends_at":%q,"reason":"活动结束"}`, ends.Time().Format(time.RFC3339)), &g, `If-Match: "1"`)
		if g.EndsAt != ends || g.EndReason != "活动结束" {
			t.Errorf("planned end: got %+v", g)
		}
		var v life.Handover
		x := h.makeAs(t, owner, "POST /v1/groups/"+a+"/handovers", fmt.Sprintf(`{"to_id":%q}`, h.staffOf(t, access.Marketer)))
		ok(marketer, "POST /v1/handovers/"+x+"/confirm", "{}", &v)
		if v.Status != life.StatusDone {
			t.Errorf("hand-over: got %+v", v)
		}
		if got := h.call(t, owner, "GET /v1/groups/"+a, ""); got.status != http.StatusNotFound {
			t.Errorf("who gave it away still sees it: %d", got.status)
		}
		member := member1(t, h)
		token := tokenOf(t, h, member)
		if got := h.call(t, marketer, "PUT /v1/groups/"+a+"/memberships", fmt.Sprintf(`{"memberships":[{"member_id":%q,"role":"member"}]}`, member)); got.status != http.StatusOK {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		m := h.makeAs(t, marketer, "POST /v1/groups/"+a+"/mergers", mergerInto(h, b))
		for range 2 {
			var said struct{ Joined bool }
			if ok(token, "POST /v1/mergers/"+m+"/accept", `{"charter_version":1}`, &said); !said.Joined {
				t.Error("not joined")
			}
		}
		var in []id.Group
		if err := h.DB.Read(bg).Raw("SELECT group_id FROM memberships WHERE left_at = 0 ORDER BY id").Scan(&in).Error; err != nil || len(in) != 2 {
			t.Errorf("memberships: %v, %v", in, err)
		}
		var merger life.Merger
		ok(marketer, "POST /v1/mergers/"+m+"/cancel", "{}", &merger)
		if merger.Status != life.StatusCancelled {
			t.Errorf("got %+v", merger)
		}
		for range 2 {
			if ok(marketer, "POST /v1/groups/"+a+"/close", `{"reason":"到期"}`, &g); g.Status != community.GroupDissolved {
				t.Errorf("got %+v", g)
			}
		}
	})
}

// TestGroupStays: a hand-over that is called off leaves the group with its
// owner, and who declines a merger stays where he is.
func TestGroupStays(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner, marketer := h.keys[east][access.GroupOwner], h.keys[east][access.Marketer]
		a, b := groupOf(t, h), groupOf(t, h)
		x := h.makeAs(t, owner, "POST /v1/groups/"+a+"/handovers", fmt.Sprintf(`{"to_id":%q}`, h.staffOf(t, access.Marketer)))
		var v life.Handover
		if h.want(t, 200, owner, "POST /v1/handovers/"+x+"/cancel", "{}").into(t, &v); v.Status != life.StatusCancelled {
			t.Errorf("called off: got %+v", v)
		}
		if got := h.want(t, 409, marketer, "POST /v1/handovers/"+x+"/confirm", "{}"); got.problem().Code != "life.over" {
			t.Errorf("confirmed after that: got %s", got.body)
		}
		var g community.Group
		if h.want(t, 200, owner, "GET /v1/groups/"+a, "").into(t, &g); g.OwnerID != h.staffOf(t, access.GroupOwner) {
			t.Errorf("its owner: got %+v", g)
		}
		member := member1(t, h)
		token := tokenOf(t, h, member)
		h.want(t, 200, marketer, "PUT /v1/groups/"+a+"/memberships", fmt.Sprintf(`{"memberships":[{"member_id":%q,"role":"member"}]}`, member))
		m := h.makeAs(t, marketer, "POST /v1/groups/"+a+"/mergers", mergerInto(h, b))
		for range 2 {
			var said struct{ Joined bool }
			if h.want(t, 200, token, "POST /v1/mergers/"+m+"/decline", "").into(t, &said); said.Joined {
				t.Error("joined by declining")
			}
		}
		var merger life.Merger
		if h.want(t, 200, marketer, "GET /v1/mergers/"+m, "").into(t, &merger); merger.Progress.Declined != 1 || merger.Progress.Joined != 0 || merger.Progress.Open != 0 {
			t.Errorf("merger: got %+v", merger)
		}
		var in []id.Group
		if err := h.DB.Read(bg).Raw("SELECT group_id FROM memberships WHERE left_at = 0").Scan(&in).Error; err != nil || len(in) != 1 || in[0] != g.ID {
			t.Errorf("memberships: %v, %v", in, err)
		}
	})
}
