package api

import (
	"fmt"
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
		sop := h.makeAs(t, owner, "POST /v1/groups/"+g+"/rituals", `{"kind":"sop","title":"日常","weekdays":[1,2,3,4,5,6,7],"minute_of_day":540,"steps":[{"title":"问早","minute_of_day":610},{"title":"答疑","minute_of_day":900}]}`)
		for step, held := range []int{0, 1, 1} {
			if step > 0 {
				x = h.call(t, owner, "POST /v1/rituals/"+sop+"/holds", fmt.Sprintf(`{"step":%d}`, step))
			} else {
				x = h.call(t, owner, "GET /v1/rituals/"+sop, "")
			}
			if x.into(t, &got); x.status != http.StatusOK || len(got.Steps) != 2 || got.Steps[0].Held != held || len(got.Open) != 1 || len(got.Open[0].Steps) != step || (got.Open[0].HeldAt != 0) != (step == 2) {
				t.Errorf("step %d: got %d %s", step, x.status, x.body)
			}
		}
		if x := h.call(t, owner, "POST /v1/rituals/"+sop+"/holds", `{"step":3}`); x.status != http.StatusUnprocessableEntity {
			t.Errorf("a step it has not: got %d", x.status)
		}
		body := `{"title":"日常","weekdays":[1,2,3,4,5,6,7],"minute_of_day":540,"remind_minutes":10,"steps":[{"step":2,"title":"答疑","minute_of_day":840},{"title":"晚安","minute_of_day":1300}]}`
		tag := "If-Match: " + h.call(t, owner, "GET /v1/rituals/"+sop, "").header.Get("ETag")
		h.want(t, 428, owner, "PUT /v1/rituals/"+sop, body)
		h.want(t, 200, owner, "PUT /v1/rituals/"+sop, body, tag).into(t, &got)
		if len(got.Steps) != 2 || got.Steps[0].Step != 2 || got.Steps[0].Held != 1 || got.Steps[1].Step != 3 || got.Version != 2 || got.EditedAt == 0 || got.Held != 1 {
			t.Errorf("edited: got %+v", got)
		}
		h.want(t, 412, owner, "PUT /v1/rituals/"+sop, body, tag)
		if h.call(t, owner, "DELETE /v1/rituals/"+r, "").into(t, &got); got.EndedAt == 0 {
			t.Errorf("ended: got %+v", got)
		}
	})
}
