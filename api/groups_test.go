package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/community"
)

func TestGroups(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		key := h.newKey()
		create := func() answer {
			return h.call(t, marketer, "POST /v1/groups", fmt.Sprintf(`{"name":"东店福利群","preset":"benefit","external_id":"wr1","owner_id":%q}`, h.staffOf(t, access.GroupOwner)), key)
		}
		made, again := create(), create()
		var g community.Group
		made.into(t, &g)
		if made.status != 201 || g.UnitID != h.units[east] || g.Preset != community.PresetBenefit || g.Imported || made.header.Get("ETag") != `"1"` {
			t.Fatalf("got %d %s", made.status, made.body)
		}
		if again.status != 201 || string(again.body) != string(made.body) || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("the same call again: got %d %s", again.status, again.body)
		}
		at := "/v1/groups/" + g.ID.String()

		t.Run("edited by version", func(t *testing.T) {
			a := h.call(t, marketer, "PATCH "+at, `{"name":"东店老友"}`)
			if a.status != 428 {
				t.Errorf("without If-Match: got %d", a.status)
			}
			a = h.call(t, marketer, "PATCH "+at, `{"name":"东店老友"}`, `If-Match: "1"`)
			if a.status != 200 || a.header.Get("ETag") != `"2"` {
				t.Errorf("got %d %s", a.status, a.body)
			}
			if a = h.call(t, marketer, "PATCH "+at, `{"name":"晚了"}`, `If-Match: "1"`); a.status != 412 {
				t.Errorf("a stale edit: got %d", a.status)
			}
		})
		t.Run("its charter is announced", func(t *testing.T) {
			body := `{"purpose":"多一点","ads_per_day":4,"ads_per_week":20,"quiet_from":1290,"quiet_to":420}`
			key := h.newKey()
			a := h.call(t, h.keys[east][access.GroupOwner], "POST "+at+"/charter", body, key)
			var c community.Charter
			a.into(t, &c)
			if a.status != 201 || c.Version != 2 || c.EffectiveAt != c.AnnouncedAt.Add(7*24*time.Hour) {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			if b := h.call(t, h.keys[east][access.GroupOwner], "POST "+at+"/charter", body, key); string(b.body) != string(a.body) {
				t.Errorf("the same call again: got %s", b.body)
			}
			var list community.CharterList
			h.call(t, marketer, "GET "+at+"/charter", "").into(t, &list)
			if list.InForce.Version != 1 || len(list.Versions) != 2 {
				t.Errorf("got %+v", list)
			}
			a = h.call(t, marketer, "POST "+at+"/charter", strings.Replace(body, "420", "1300", 1), h.newKey())
			if f := a.problem().Fields; a.status != 422 || f[0].Name != "quiet_to" {
				t.Errorf("ten minutes of quiet: got %d %s", a.status, a.body)
			}
		})
		t.Run("another unit's is not there", func(t *testing.T) {
			key := h.keys[west][access.Marketer]
			for _, call := range []struct{ what, body, header string }{
				{"GET " + at, "", ""},
				{"GET " + at + "/charter", "", ""},
				{"GET " + at + "/memberships", "", ""},
				{"PATCH " + at, `{}`, `If-Match: "2"`},
				{"POST " + at + "/charter", `{"purpose":"x","ads_per_day":0,"ads_per_week":0,"quiet_from":0,"quiet_to":720}`, h.newKey()},
				{"PUT " + at + "/memberships", `{"memberships":[{"member_id":"mem_0000000000001"}]}`, ""},
			} {
				var headers []string
				if call.header != "" {
					headers = []string{call.header}
				}
				if a := h.call(t, key, call.what, call.body, headers...); a.status != 404 {
					t.Errorf("%s: got %d %s", call.what, a.status, a.body)
				}
			}
			for _, body := range []string{
				fmt.Sprintf(`{"name":"群","unit_id":%q}`, h.units[east]),
				fmt.Sprintf(`{"name":"群","owner_id":%q}`, g.OwnerID),
			} {
				if a := h.call(t, key, "POST /v1/groups", body, h.newKey()); a.status != 422 {
					t.Errorf("%s: got %d %s", body, a.status, a.body)
				}
			}
		})
		t.Run("imported in a batch", func(t *testing.T) {
			body := `{"groups":[{"external_id":"wr1","name":"东店福利"},{"external_id":"wr2","name":"老群","preset":"retail","born_at":"2024-01-01T00:00:00+08:00"}]}`
			out := h.batch(t, marketer, "PUT /v1/groups", body)
			if out.Results[0].GroupID != g.ID || out.Results[0].Result != "updated" || out.Results[1].Result != "created" {
				t.Errorf("got %+v", out)
			}
			out = h.batch(t, h.keys[west][access.Marketer], "PUT /v1/groups", body)
			if e := out.Results[0].Error; e == nil || e.Code != "community.group_taken" {
				t.Errorf("from another unit: got %+v", out.Results[0])
			}
			var list struct{ Items []community.Group }
			h.call(t, marketer, "GET /v1/groups?preset=retail", "").into(t, &list)
			if len(list.Items) != 1 || !list.Items[0].Imported {
				t.Errorf("got %+v", list)
			}
		})
		t.Run("who is in it", func(t *testing.T) {
			people := h.batch(t, h.keys[east][access.Mall], "PUT /v1/members", `{"members":[{"identities":[{"kind":"mall","value":"1"}]}]}`)
			m := people.Results[0].MemberID
			body := fmt.Sprintf(`{"memberships":[{"member_id":%q,"role":"koc"},{"member_id":"mem_0000000000001"}]}`, m)
			out := h.batch(t, marketer, "PUT "+at+"/memberships", body)
			if out.Results[0].Result != "created" || out.Results[1].Error == nil || out.Results[1].Error.Code != "community.member_unknown" {
				t.Errorf("got %+v", out)
			}
			var list struct{ Items []community.Membership }
			h.call(t, marketer, "GET "+at+"/memberships?role=koc&state=in", "").into(t, &list)
			if len(list.Items) != 1 || list.Items[0].MemberID != m {
				t.Errorf("got %+v", list)
			}
			if a := h.call(t, marketer, "GET "+at+"/memberships?state=away", ""); a.status != http.StatusUnprocessableEntity {
				t.Errorf("an unknown state: got %d", a.status)
			}
		})
		t.Run("what they did there", func(t *testing.T) {
			people := h.batch(t, h.keys[east][access.Mall], "PUT /v1/members", `{"members":[{"identities":[{"kind":"mall","value":"1"}]}]}`)
			now := h.DB.Clock.Now()
			body := fmt.Sprintf(`{"events":[{"event_id":"e1","member_id":%q,"kind":"ugc_post","at":%q},{"event_id":"e2","member_id":"mem_0000000000001","kind":"reply","at":%q}]}`,
				people.Results[0].MemberID, now.Format(time.RFC3339), now.Format(time.RFC3339))
			for _, want := range []string{"recorded", "repeated"} {
				out := h.batch(t, marketer, "POST "+at+"/activity", body)
				if out.Results[0].Result != want || out.Results[1].Error == nil || out.Results[1].Error.Code != "community.member_unknown" {
					t.Errorf("want %s, got %+v", want, out)
				}
			}
			var list struct{ Days []community.ActivityDay }
			h.call(t, marketer, "GET "+at+"/activity?days=2", "").into(t, &list)
			if len(list.Days) != 1 || list.Days[0].People != 1 || list.Days[0].Points != 3 {
				t.Errorf("got %+v", list)
			}
			if a := h.call(t, marketer, "GET "+at+"/activity?days=91", ""); a.status != http.StatusUnprocessableEntity {
				t.Errorf("91 days: got %d", a.status)
			}
		})
	})
}
