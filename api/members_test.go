package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/id"
)

// batchRows are the results of a batch.
type batchRows struct {
	Results []struct {
		MemberID id.Member `json:"member_id"`
		GroupID  id.Group  `json:"group_id"`
		Result   string    `json:"result"`
		Error    *rowError `json:"error"`
	} `json:"results"`
}

func (h *house) batch(t testing.TB, key, methodPath, body string) batchRows {
	t.Helper()
	a := h.call(t, key, methodPath, body)
	if a.status != http.StatusOK {
		t.Fatalf("%s: got %d %s", methodPath, a.status, a.body)
	}
	var out batchRows
	a.into(t, &out)
	return out
}

func TestMembers(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		mall := h.keys[east][access.Mall]
		body := `{"members":[{"identities":[{"kind":"mall","value":"1"},{"kind":"phone","value":"13800138000"}],"name":"王芳"},
			{"identities":[{"kind":"mall","value":"2"}]}]}`
		first := h.batch(t, mall, "PUT /v1/members", body)
		second := h.batch(t, mall, "PUT /v1/members", body)
		m := first.Results[0].MemberID
		if first.Results[0].Result != "created" || second.Results[0].Result != "updated" || second.Results[0].MemberID != m {
			t.Fatalf("got %+v then %+v", first, second)
		}

		t.Run("a conflict is told in its row", func(t *testing.T) {
			out := h.batch(t, mall, "PUT /v1/members", `{"members":[{"identities":[{"kind":"mall","value":"2"},{"kind":"phone","value":"13800138000"}]}]}`)
			e := out.Results[0].Error
			if out.Results[0].Result != "conflict" || e == nil || e.Code != "community.identity_conflict" || !strings.Contains(e.Message, m.String()) {
				t.Errorf("got %+v", out.Results[0])
			}
		})
		t.Run("shown without the phone", func(t *testing.T) {
			a := h.call(t, mall, "GET /v1/members/"+m.String(), "")
			if a.status != 200 || strings.Contains(string(a.body), "138") || !strings.Contains(string(a.body), `"kind":"phone"`) || a.header.Get("ETag") != `"1"` {
				t.Errorf("got %d %s", a.status, a.body)
			}
		})
		t.Run("found by identity within the unit", func(t *testing.T) {
			for key, want := range map[string]int{mall: 1, h.keys[west][access.Mall]: 0} {
				var list struct{ Items []struct{ ID id.Member } }
				h.call(t, key, "GET /v1/members?kind=mall&value=1", "").into(t, &list)
				if len(list.Items) != want {
					t.Errorf("got %+v, want %d", list.Items, want)
				}
			}
			if a := h.call(t, mall, "GET /v1/members?kind=phone&value=13800138000", ""); a.status != 422 {
				t.Errorf("a phone in the address: got %d", a.status)
			}
		})
		t.Run("another unit's is not there", func(t *testing.T) {
			key := h.keys[west][access.Mall]
			for _, call := range [][2]string{
				{"GET /v1/members/" + m.String(), ""},
				{"POST /v1/members/" + m.String() + "/tokens", `{}`},
				{"PUT /v1/members/" + m.String() + "/consents", `{"consents":[{"purpose":"referral","granted":true,"text_version":"1"}]}`},
			} {
				if a := h.call(t, key, call[0], call[1]); a.status != 404 {
					t.Errorf("%s: got %d %s", call[0], a.status, a.body)
				}
			}
			a := h.call(t, key, "PUT /v1/members", fmt.Sprintf(`{"members":[{"identities":[{"kind":"mall","value":"9"}],"unit_id":%q}]}`, h.units[east]))
			if a.status != 422 || a.problem().Code != "community.unit_unknown" {
				t.Errorf("a foreign unit: got %d %s", a.status, a.body)
			}
		})
		t.Run("what is wrong is named", func(t *testing.T) {
			for body, field := range map[string]string{
				`{"members":[]}`: "members",
				`{"members":[{"identities":[{"kind":"mall","value":""}]}]}`:              "members[0].identities[0].value",
				`{"members":[{"identities":[{"kind":"mall","value":"1"}],"age":3}]}`:     "members[0].age",
				`{"members":[{"identities":[{"kind":"mall","value":7}]}]}`:               "members[0].identities[0].value",
				`{"members":[{"identities":[{"kind":"mall","value":"1"}],"unit_id":1}]}`: "members[0].unit_id",
			} {
				a := h.call(t, mall, "PUT /v1/members", body)
				if f := a.problem().Fields; a.status != 422 || len(f) == 0 || f[0].Name != field {
					t.Errorf("%s: got %d %s, want %s", body, a.status, a.body, field)
				}
			}
		})
		t.Run("a token acts for its member alone", func(t *testing.T) {
			var issued struct {
				Token     string
				ExpiresAt time.Time `json:"expires_at"`
			}
			a := h.call(t, mall, "POST /v1/members/"+m.String()+"/tokens", `{"ttl_seconds":60}`)
			a.into(t, &issued)
			if a.status != 201 || !issued.ExpiresAt.Equal(h.DB.Clock.Now().Add(time.Minute)) {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			if a := h.call(t, mall, "POST /v1/members/"+m.String()+"/tokens", `{"ttl_seconds":901}`); a.status != 422 {
				t.Errorf("a longer one: got %d", a.status)
			}
			decide := func(who id.Member, granted bool) answer {
				return h.call(t, issued.Token, "PUT /v1/members/"+who.String()+"/consents",
					fmt.Sprintf(`{"consents":[{"purpose":"marketing_1to1","granted":%v,"text_version":"2026-03"}]}`, granted))
			}
			for _, granted := range []bool{true, false} {
				if a := decide(m, granted); a.status != 200 || !strings.Contains(string(a.body), fmt.Sprintf(`"granted":%v`, granted)) {
					t.Errorf("got %d %s", a.status, a.body)
				}
			}
			if a := decide(first.Results[1].MemberID, true); a.status != 404 {
				t.Errorf("for somebody else: got %d", a.status)
			}
			if a := h.call(t, issued.Token, "GET /v1/members/"+m.String(), ""); a.status != 403 {
				t.Errorf("a staff route: got %d", a.status)
			}
		})
	})
}

func TestMembers_largest_batch(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var rows []string
		for i := range 500 {
			rows = append(rows, fmt.Sprintf(`{"identities":[{"kind":"mall","value":"m%d"},{"kind":"unionid","value":"u%d"}],"name":"会员%d"}`, i, i, i))
		}
		out := h.batch(t, h.keys[""][access.Mall], "PUT /v1/members", `{"members":[`+strings.Join(rows, ",")+`]}`)
		if len(out.Results) != 500 || out.Results[499].Result != "created" {
			t.Errorf("got %d results", len(out.Results))
		}
	})
}
