package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/community/gate"
)

// gated is a group of the region's owner that looks at each applicant.
func gated(t *testing.T, h *house) string {
	t.Helper()
	g := groupOf(t, h)
	got := h.call(t, h.keys[east][access.GroupOwner], "PUT /v1/groups/"+g+"/gate", `{"review":true,"fee_fen":100}`, `If-Match: "0"`)
	if got.status != http.StatusOK || got.header.Get("ETag") != `"1"` {
		t.Fatalf("gate: got %d %s", got.status, got.body)
	}
	return g
}

func applicationOf(t *testing.T, h *house) string {
	t.Helper()
	return h.makeAs(t, tokenOf(t, h, member1(t, h)), "POST /v1/groups/"+gated(t, h)+"/applications", `{"charter_version":1}`)
}

func TestGates(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner, g := h.keys[east][access.GroupOwner], gated(t, h)
		at := "/v1/groups/" + g
		if got := h.call(t, owner, "PUT "+at+"/gate", `{"capacity":5}`, `If-Match: "0"`); got.status != http.StatusPreconditionFailed {
			t.Errorf("an old version: got %d", got.status)
		}
		m := member1(t, h)
		token := tokenOf(t, h, m)
		if got := h.call(t, token, "GET "+at+"/gate", ""); got.status != http.StatusOK {
			t.Errorf("a member reads it: got %d %s", got.status, got.body)
		}
		if got := h.call(t, token, "POST "+at+"/applications", `{"charter_version":9}`, h.newKey()); got.problem().Code != "gate.charter" {
			t.Errorf("another charter: got %d %s", got.status, got.body)
		}
		key := h.newKey()
		first := h.call(t, token, "POST "+at+"/applications", `{"charter_version":1}`, key)
		again := h.call(t, token, "POST "+at+"/applications", `{"charter_version":1}`, key)
		var a gate.Application
		if first.into(t, &a); first.status != http.StatusCreated || a.Status != gate.StatusFee || string(again.body) != string(first.body) {
			t.Fatalf("apply: got %d %s, again %s", first.status, first.body, again.body)
		}
		is := func(bearer, call, body string, want gate.Status) {
			t.Helper()
			got := h.call(t, bearer, call, body, h.newKey())
			if got.into(t, &a); got.status != http.StatusOK || a.Status != want {
				t.Errorf("%s: got %d %s, want %s", call, got.status, got.body, want)
			}
		}
		one := "/v1/applications/" + a.ID.String()
		is(h.keys[east][access.Mall], "POST "+one+"/fee", `{"payment_no":"p1","amount_fen":100}`, gate.StatusReview)
		if got := h.call(t, tokenOf(t, h, member1(t, h)), "GET "+one, ""); got.status != http.StatusNotFound {
			t.Errorf("another member reads it: got %d", got.status)
		}
		is(owner, "POST "+one+"/decide", `{"admit":true}`, gate.StatusAdmitted)
		var list struct{ Items []gate.Application }
		if h.call(t, owner, "GET "+at+"/applications?status=admitted", "").into(t, &list); len(list.Items) != 1 {
			t.Errorf("list: got %+v", list)
		}
		if got := h.call(t, token, "POST "+at+"/agreement", `{"charter_version":1}`); got.status != http.StatusOK {
			t.Errorf("agree: got %d %s", got.status, got.body)
		}
		if got := h.call(t, token, "POST "+at+"/vouches", "", h.newKey()); got.status != http.StatusNotFound {
			t.Errorf("a voucher nobody asks for: got %d %s", got.status, got.body)
		}
		got := h.call(t, owner, "POST "+at+"/violations", fmt.Sprintf(`{"member_id":%q,"rule":"ad"}`, m), h.newKey())
		var bad struct{ Items []gate.Violation }
		if h.call(t, owner, "GET "+at+"/violations", "").into(t, &bad); got.status != http.StatusCreated || len(bad.Items) != 1 {
			t.Errorf("violation: got %d %s, %+v", got.status, got.body, bad)
		}
		var copied struct{ Gate gate.Personal }
		h.call(t, h.keys[east][access.Mall], "GET /v1/members/"+m+"/export", "").into(t, &copied)
		if p := copied.Gate; len(p.Applications) != 1 || p.Applications[0].ID != a.ID || len(p.Violations) != 1 || len(p.Vouches) != 0 {
			t.Errorf("his copy: got %+v", p)
		}
		var b gate.Application
		other := tokenOf(t, h, member1(t, h))
		h.call(t, other, "POST "+at+"/applications", `{"charter_version":1}`, h.newKey()).into(t, &b)
		is(other, "POST /v1/applications/"+b.ID.String()+"/withdraw", "", gate.StatusWithdrawn)
	})
}

// TestVouched: a voucher lets in one person, once; who gave one has none left.
func TestVouched(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner, g := h.keys[east][access.GroupOwner], groupOf(t, h)
		at := "/v1/groups/" + g
		friend := member1(t, h)
		h.want(t, 200, owner, "PUT "+at+"/memberships", fmt.Sprintf(`{"memberships":[{"member_id":%q,"role":"member"}]}`, friend))
		h.want(t, 200, owner, "PUT "+at+"/gate", `{"vouch_days":1,"vouch_month":1}`, `If-Match: "0"`)
		if got := h.want(t, 409, tokenOf(t, h, friend), "POST "+at+"/vouches", ""); got.problem().Code != "gate.too_new" {
			t.Errorf("on his first day: got %s", got.body)
		}
		h.DB.Clock.Jump(25 * time.Hour)
		voucher := tokenOf(t, h, friend)
		v := h.makeAs(t, voucher, "POST "+at+"/vouches", "")
		if got := h.want(t, 409, voucher, "POST "+at+"/vouches", ""); got.problem().Code != "gate.vouches" {
			t.Errorf("a second one: got %s", got.body)
		}
		apply, body := "POST "+at+"/applications", `{"charter_version":1,"vouch_id":"`+v+`"}`
		first, second := tokenOf(t, h, member1(t, h)), tokenOf(t, h, member1(t, h))
		if got := h.call(t, second, apply, `{"charter_version":1}`, h.newKey()); got.status/100 == 2 {
			t.Errorf("without one: got %d %s", got.status, got.body)
		}
		var a gate.Application
		if h.want(t, 201, first, apply, body).into(t, &a); a.Status != gate.StatusAdmitted {
			t.Errorf("vouched for: got %+v", a)
		}
		if got := h.call(t, second, apply, body, h.newKey()); got.status/100 == 2 || len(got.problem().Fields) != 1 || got.problem().Fields[0].Name != "vouch_id" {
			t.Errorf("used again: got %d %s", got.status, got.body)
		}
	})
}
