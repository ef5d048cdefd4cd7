package api

import (
	"net/http"
	"testing"

	"siyu/access"
	"siyu/community/ritual"
)

const someRitual = `{"kind":"topic","title":"周一话题","weekdays":[1],"minute_of_day":600}`

func ritualOf(t *testing.T, h *house) string {
	t.Helper()
	return h.makeAs(t, h.keys[east][access.GroupOwner], "POST /v1/groups/"+groupOf(t, h)+"/rituals", someRitual)
}

func TestRituals(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner, g := h.keys[east][access.GroupOwner], groupOf(t, h)
		r := h.makeAs(t, owner, "POST /v1/groups/"+g+"/rituals", someRitual)
		var got ritual.Ritual
		x := h.call(t, owner, "POST /v1/rituals/"+r+"/holds", `{"people":12}`)
		if x.into(t, &got); x.status != http.StatusOK || got.Held != 1 || got.Due != 1 {
			t.Errorf("held: got %d %s", x.status, x.body)
		}
		var list struct{ Items []ritual.Ritual }
		if h.call(t, owner, "GET /v1/groups/"+g+"/rituals", "").into(t, &list); len(list.Items) != 1 || list.Items[0].Weekdays[0] != 1 {
			t.Errorf("list: got %+v", list)
		}
		if h.call(t, owner, "DELETE /v1/rituals/"+r, "").into(t, &got); got.EndedAt == 0 {
			t.Errorf("ended: got %+v", got)
		}
	})
}
