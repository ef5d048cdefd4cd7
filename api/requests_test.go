package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/community/request"
	"siyu/internal/clock"
)

// asker is somebody in a group of the region's owner.
func asker(t *testing.T, h *house, group string) string {
	t.Helper()
	m := member1(t, h)
	got := h.call(t, h.keys[east][access.Marketer], "PUT /v1/groups/"+group+"/memberships", fmt.Sprintf(`{"memberships":[{"member_id":%q}]}`, m))
	if got.status != http.StatusOK {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	return tokenOf(t, h, m)
}

func requestOf(t *testing.T, h *house) string {
	t.Helper()
	g := groupOf(t, h)
	return h.makeAs(t, asker(t, h, g), "POST /v1/requests", fmt.Sprintf(`{"group_id":%q,"kind":"buy","line":"想买龙井"}`, g))
}

func TestRequests(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		g := groupOf(t, h)
		a, b := asker(t, h, g), asker(t, h, g)
		r := h.makeAs(t, a, "POST /v1/requests", fmt.Sprintf(`{"group_id":%q,"kind":"buy","line":"想买龙井"}`, g))
		one := "/v1/requests/" + r
		var got request.Request
		h.call(t, b, "POST "+one+"/wants", "").into(t, &got)
		if got.Wants != 1 {
			t.Errorf("got %+v", got)
		}
		if x := h.call(t, h.token(t), "GET "+one, ""); x.status != http.StatusNotFound {
			t.Errorf("somebody else reads it: got %d", x.status)
		}
		if x := h.call(t, a, "GET /v1/requests", ""); x.status != http.StatusUnprocessableEntity {
			t.Errorf("a member names no group: got %d", x.status)
		}
		var list struct{ Items []request.Request }
		h.call(t, h.keys[east][access.GroupOwner], "GET /v1/requests?status=open", "").into(t, &list)
		if len(list.Items) != 1 {
			t.Errorf("list: got %+v", list)
		}
		marketer := h.keys[east][access.Marketer]
		h.call(t, marketer, "PUT /v1/products", `{"products":[{"sku":"tea","name":"龙井","list_price_fen":6800}]}`)
		now := clock.MilliOf(h.DB.Clock.Now())
		body := fmt.Sprintf(`{"sku":"tea","price_fen":3990,"stock":20,"size":3,"starts_at":%q,"ends_at":%q}`, now.Add(time.Hour), now.Add(48*time.Hour))
		var draft struct {
			ID, Kind, Name, Status string
			Audience               struct{ Groups []string }
		}
		first := h.call(t, marketer, "POST "+one+"/group-buy", body, h.newKey())
		if first.into(t, &draft); first.status != http.StatusCreated || draft.Kind != "group_buy" || draft.Name != "想买龙井" || draft.Status != "draft" || len(draft.Audience.Groups) != 1 {
			t.Fatalf("draft: got %d %s", first.status, first.body)
		}
		was := draft.ID
		if h.call(t, marketer, "POST "+one+"/group-buy", body, h.newKey()).into(t, &draft); draft.ID != was {
			t.Errorf("asked again: got %s, want %s", draft.ID, was)
		}
		x := h.call(t, h.keys[east][access.GroupOwner], "POST "+one+"/answer", `{"status":"offered","answer":"拼团已开"}`, h.newKey())
		if x.into(t, &got); x.status != http.StatusOK || got.Status != request.StatusOffered || got.CampaignID.String() != was {
			t.Errorf("answer: got %d %s", x.status, x.body)
		}
		if h.call(t, marketer, "POST "+one+"/group-buy", body, h.newKey()).into(t, &draft); draft.ID != was {
			t.Errorf("of what is over, its draft: got %s, want %s", draft.ID, was)
		}
		var copied struct{ Requests request.Personal }
		h.call(t, h.keys[east][access.Mall], "GET /v1/members/"+got.MemberID.String()+"/export", "").into(t, &copied)
		if p := copied.Requests; len(p.Requests) != 1 || p.Requests[0].Line != "想买龙井" || len(p.Wants) != 0 {
			t.Errorf("the asker's copy: got %+v", p)
		}
		if h.call(t, a, "POST "+one+"/rating", `{"stars":5}`).into(t, &got); got.Rating != 5 {
			t.Errorf("rating: got %+v", got)
		}
	})
}
