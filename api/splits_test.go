package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"siyu/access"
	"siyu/community/split"
)

// largeGroup is a group of 21 members.
func largeGroup(t *testing.T, h *house) (group string, members []string) {
	t.Helper()
	group = groupOf(t, h)
	var rows []string
	for range 21 {
		members = append(members, member1(t, h))
		rows = append(rows, fmt.Sprintf(`{"member_id":%q}`, members[len(members)-1]))
	}
	got := h.call(t, h.keys[east][access.Marketer], "PUT /v1/groups/"+group+"/memberships", `{"memberships":[`+strings.Join(rows, ",")+`]}`)
	if got.status != http.StatusOK {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	return group, members
}

func splitOf(t *testing.T, h *house) string {
	t.Helper()
	group, _ := largeGroup(t, h)
	return h.make(t, access.Marketer, "POST /v1/groups/"+group+"/splits", `{"size":20}`)
}

// TestSplit plays a proposal over REST: read, approved in the version that was
// read, accepted by a member who stays in the large group.
func TestSplit(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		group, members := largeGroup(t, h)
		owner := h.keys[east][access.GroupOwner]
		p := h.makeAs(t, owner, "POST /v1/groups/"+group+"/splits", `{"size":20}`)
		var seats struct{ Items []split.Seat }
		if h.call(t, owner, "GET /v1/splits/"+p+"/seats?part=2", "").into(t, &seats); len(seats.Items) != 10 {
			t.Errorf("part 2 has %d people", len(seats.Items))
		}
		for call, want := range map[string]int{
			"GET /v1/splits/" + p + "/seats?part=0": http.StatusUnprocessableEntity,
			"POST /v1/splits/" + p + "/approve":     http.StatusPreconditionRequired,
		} {
			if got := h.call(t, owner, call, ""); got.status != want {
				t.Errorf("%s: got %d %s", call, got.status, got.body)
			}
		}
		var now split.Split
		if got := h.call(t, owner, "POST /v1/splits/"+p+"/approve", "", `If-Match: "1"`); got.status != http.StatusOK {
			t.Fatalf("got %d %s", got.status, got.body)
		} else if got.into(t, &now); now.Status != split.StatusApproved || now.Parts[0].GroupID == 0 {
			t.Errorf("got %+v", now)
		}
		token := tokenOf(t, h, members[0])
		if got := h.call(t, token, "POST /v1/splits/"+p+"/accept", `{"charter_version":1}`); got.status != http.StatusOK {
			t.Errorf("accept: got %d %s", got.status, got.body)
		}
		if got := h.call(t, tokenOf(t, h, members[1]), "POST /v1/splits/"+p+"/decline", ""); got.status != http.StatusOK {
			t.Errorf("decline: got %d %s", got.status, got.body)
		}
		joined := 0
		h.call(t, owner, "GET /v1/splits/"+p, "").into(t, &now)
		for _, x := range now.Parts {
			joined += x.Joined
		}
		if joined != 1 {
			t.Errorf("%d joined: %+v", joined, now)
		}
		if got := h.call(t, owner, "POST /v1/splits/"+p+"/reject", `{"reason":"到此为止"}`, `If-Match: "2"`); got.status != http.StatusOK {
			t.Errorf("reject: got %d %s", got.status, got.body)
		}
	})
}
