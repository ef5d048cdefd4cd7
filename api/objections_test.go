package api

import (
	"fmt"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// objected is a sealed settlement with a line of a member who has objected to
// it himself.
func objected(t *testing.T, h *house) (member string, o settlement.Objection) {
	t.Helper()
	member = member1(t, h)
	var m id.Member
	if err := m.UnmarshalText([]byte(member)); err != nil {
		t.Fatal(err)
	}
	clearReward(t, h, m, 1234)
	h.DB.Clock.Jump(time.Hour)
	st := settlementOf(t, h)
	body := fmt.Sprintf(`{"settlement_id":%q,"line":1,"reason":"少算了一单"}`, st)
	key, token := h.newKey(), tokenOf(t, h, member)
	for range 2 {
		a := h.call(t, token, "POST /v1/members/"+member+"/objections", body, key)
		if a.into(t, &o); a.status != 201 || o.Status != settlement.ObjectionOpen || o.Reason != "少算了一单" {
			t.Fatalf("object: got %d %s", a.status, a.body)
		}
	}
	return member, o
}

func objectionOf(t *testing.T, h *house) string {
	_, o := objected(t, h)
	return o.ID.String()
}

// TestObjections: a member reads his month, objects to a line, and reads the
// answer; others neither see nor answer it.
func TestObjections(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		member, o := objected(t, h)
		token, finance := tokenOf(t, h, member), h.keys[east][access.Finance]
		local := h.DB.Clock.Now().In(time.FixedZone("CST", 8*3600))
		at := fmt.Sprintf("GET /v1/members/%s/statements/%d", member, local.Year()*100+int(local.Month()))
		var st settlement.MonthStatement
		a := h.call(t, token, at, "")
		if a.into(t, &st); a.status != 200 || st.Gross != 1234 || len(st.Lines.Items) != 1 || st.Lines.Items[0].Objection != settlement.ObjectionOpen {
			t.Errorf("got %d %s", a.status, a.body)
		}
		other := tokenOf(t, h, member1(t, h))
		for _, c := range []struct {
			key, call, body string
			status          int
		}{
			{other, at, "", 404},
			{h.keys[west][access.Finance], at, "", 404},
			{token, "GET /v1/members/" + member + "/statements/202613", "", 422},
			{other, "POST /v1/members/" + member + "/objections", fmt.Sprintf(`{"settlement_id":%q,"line":1,"reason":"x"}`, o.SettlementID), 404},
			{token, "POST /v1/members/" + member + "/objections", `{"line":1}`, 422},
			{finance, "GET /v1/objections?status=lost", "", 422},
			{finance, "POST /v1/objections/" + o.ID.String() + "/answer", `{}`, 422},
			{finance, "POST /v1/objections/" + o.ID.String() + "/answer", `{"answer":"下期补发"}`, 200},
			{finance, "POST /v1/objections/" + o.ID.String() + "/answer", `{"answer":"又"}`, 409},
		} {
			if a := h.call(t, c.key, c.call, c.body, h.newKey()); a.status != c.status {
				t.Errorf("%s %s: got %d %s, want %d", c.call, c.body, a.status, a.body, c.status)
			}
		}
		if h.call(t, token, at, "").into(t, &st); st.Lines.Items[0].Answer != "下期补发" {
			t.Errorf("got %+v", st)
		}
		if a := h.call(t, h.keys[east][access.Admin], "DELETE /v1/members/"+member, ""); a.status != 204 {
			t.Errorf("erase: got %d %s", a.status, a.body)
		}
		if h.call(t, finance, "GET /v1/objections/"+o.ID.String(), "").into(t, &o); o.Reason != "" || o.Answer != "" || o.Status != settlement.ObjectionAnswered {
			t.Errorf("after erasure: %+v", o)
		}
	})
}
