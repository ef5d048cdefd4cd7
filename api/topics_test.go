package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/community/ritual"
)

const someTopic = `{"title":"今天喝什么茶","starts_at":"2026-03-02T20:00:00+08:00","remind_minutes":30}`

func topicOf(t *testing.T, h *house) string {
	t.Helper()
	return h.makeAs(t, h.keys[east][access.GroupOwner], "POST /v1/groups/"+groupOf(t, h)+"/topics", someTopic)
}

// A topic is planned, joined by an event that names it, held and listed; one
// that has not begun is called off.
func TestTopics(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner, g, m := h.keys[east][access.GroupOwner], groupOf(t, h), member1(t, h)
		first, other := h.makeAs(t, owner, "POST /v1/groups/"+g+"/topics", someTopic), h.makeAs(t, owner, "POST /v1/groups/"+g+"/topics", someTopic)
		var got ritual.Topic
		if h.call(t, owner, "GET /v1/topics/"+first, "").into(t, &got); got.Joined != nil || got.Day != 20260302 {
			t.Errorf("planned: got %+v", got)
		}
		at := h.DB.Clock.Now().Format(time.RFC3339)
		h.batch(t, owner, "POST /v1/groups/"+g+"/activity", fmt.Sprintf(`{"events":[{"event_id":"1","member_id":%q,"kind":"topic_join","at":%q,"topic":%q}]}`, m, at, first))
		x := h.call(t, owner, "POST /v1/topics/"+first+"/holds", `{"people":12}`)
		if x.into(t, &got); x.status != http.StatusOK || got.Joined == nil || *got.Joined != 1 || got.People != 12 || got.HeldAt == 0 {
			t.Errorf("held: got %d %s", x.status, x.body)
		}
		if h.call(t, owner, "DELETE /v1/topics/"+other, "").into(t, &got); got.CancelledAt == 0 {
			t.Errorf("called off: got %+v", got)
		}
		if x := h.call(t, owner, "DELETE /v1/topics/"+first, ""); x.status != http.StatusConflict {
			t.Errorf("calling off what was held: got %d", x.status)
		}
		var list struct{ Items []ritual.Topic }
		if h.call(t, owner, "GET /v1/groups/"+g+"/topics", "").into(t, &list); len(list.Items) != 2 || list.Items[1].Joined == nil {
			t.Errorf("list: got %+v", list)
		}
	})
}
