package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign/tieout"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/task"
)

// shanghaiDay is today where days are counted.
func shanghaiDay(h *house) int { return clock.Day(h.DB.Clock.Now(), time.FixedZone("", 8*3600)) }

// tieOutOf is a day of east that has a difference of one payment.
func tieOutOf(t *testing.T, h *house) string {
	t.Helper()
	day := shanghaiDay(h) - 1
	if day%100 == 0 {
		day = 20260228
	}
	tid := h.make(t, access.Finance, "POST /v1/tieouts", fmt.Sprintf(`{"day":%d,"payer_id":%q}`, day, payerOf(t, h)))
	at := fmt.Sprintf("%d-%02d-%02d 10:00:00", day/10000, day/100%100, day%100)
	h.did(t, 201, access.Mall, "POST /v1/tieouts/"+tid+"/mall", "kind,no,order_id,amount_fen,at\npayment,p-1,,100,"+at+"\n", csvBody)
	h.did(t, 201, access.Cashier, "POST /v1/tieouts/"+tid+"/statement?form=generic", "kind,no,amount,at\n", csvBody)
	h.did(t, 202, access.Cashier, "POST /v1/tieouts/"+tid+"/run", "{}")
	reg := task.NewRegistry()
	h.TieOut.Register(reg)
	if err := task.Drain(bg, h.DB, reg); err != nil {
		t.Fatal(err)
	}
	return tid
}

// did calls as staff of east and wants the status.
func (h *house) did(t *testing.T, want int, role access.Role, call, body string, headers ...string) answer {
	t.Helper()
	a := h.call(t, h.keys[east][role], call, body, append(headers, h.newKey())...)
	if a.status != want {
		t.Fatalf("%s: got %d %s, want %d", call, a.status, a.body, want)
	}
	return a
}

// TestTieOuts: each side by who may deliver it, NDJSON as CSV, a wrong line
// refuses the file and names it, the differences as a file, two people.
func TestTieOuts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		tid := tieOutOf(t, h)
		at := "/v1/tieouts/" + tid
		var x tieout.TieOut
		h.did(t, 200, access.Finance, "GET "+at, "").into(t, &x)
		if x.Status != tieout.StatusDiffers || x.Differences != 1 || len(x.Totals) != 1 || len(x.Files) != 3 {
			t.Fatalf("got %+v", x)
		}
		h.did(t, 403, access.Mall, "POST "+at+"/statement", "kind\n", csvBody)
		h.did(t, 403, access.Cashier, "POST "+at+"/mall", "kind\n", csvBody)
		h.did(t, 403, access.Mall, "GET "+at+"/differences", "")
		csv := h.did(t, 200, access.Finance, "GET "+at+"/differences.csv?bom=true", "")
		if want := "\ufeffnumber,difference,kind,no,order_id,mall_fen,siyu_fen,statement_fen,other_day,reason,explained_by\n1,only_mall,payment,p-1,,100,,,,,\n"; string(csv.body) != want {
			t.Errorf("got %q", csv.body)
		}
		day := fmt.Sprintf("%d-%02d-%02d", x.Day/10000, x.Day/100%100, x.Day%100)
		const ndjson = "Content-Type: application/x-ndjson"
		for body, code := range map[string]string{
			`{"kind":"payment","no":"p-1","amount_fen":1,"at":"` + day + `T10:00:00+08:00","color":"red"}`: "invalid",
			`{"kind":"payment","no":"p-1","amount_fen":1,"at":"2020-01-01T10:00:00+08:00"}`:                "tieout.day",
			`{"kind":"payout","no":"p-1","amount_fen":1,"at":"` + day + `T10:00:00+08:00"}`:                "tieout.line",
		} {
			if a := h.call(t, h.keys[east][access.Mall], "POST "+at+"/mall", body, h.newKey(), ndjson); a.status != 422 || a.problem().Code != code {
				t.Errorf("%s: got %d %s", body, a.status, a.body)
			}
		}
		for _, call := range []string{"/statement?form=none", "/statement?numbers=mine", "/statement?part=51", "/statement?form=generic&part=0"} {
			h.did(t, 422, access.Cashier, "POST "+at+call, "kind,no,amount,at\n", csvBody)
		}
		key := h.newKey()
		part := `{"kind":"refund","no":"r-1","amount_fen":7,"at":"` + day + "T10:00:00+08:00\"}\n\n"
		for range 2 {
			if a := h.call(t, h.keys[east][access.Mall], "POST "+at+"/mall?part=2", part, key, ndjson); a.status != http.StatusCreated {
				t.Fatalf("got %d %s", a.status, a.body)
			}
		}
		h.did(t, 409, access.Finance, "POST "+at+"/explain", `{"run":1,"numbers":[1],"reason":"x"}`)
		h.did(t, 202, access.Finance, "POST "+at+"/run", "{}")
		reg := task.NewRegistry()
		h.TieOut.Register(reg)
		if err := task.Drain(bg, h.DB, reg); err != nil {
			t.Fatal(err)
		}
		h.did(t, 422, access.Finance, "POST "+at+"/explain", `{"run":2,"reason":"x"}`)
		h.did(t, 200, access.Finance, "POST "+at+"/explain", `{"run":2,"difference":"only_mall","reason":"次日入账"}`)
		h.did(t, 403, access.Finance, "POST "+at+"/approve", `{"run":2}`)
		h.did(t, 200, access.Cashier, "POST "+at+"/approve", `{"run":2}`).into(t, &x)
		if x.Status != tieout.StatusExplained || x.ApprovedBy == 0 {
			t.Errorf("got %+v", x)
		}
		if a := h.did(t, 200, access.Cashier, "GET "+at+"/differences?difference=only_mall", ""); strings.Count(string(a.body), "次日入账") != 2 {
			t.Errorf("got %s", a.body)
		}
		var list struct{ Items []tieout.TieOut }
		if h.did(t, 200, access.Mall, fmt.Sprintf("GET /v1/tieouts?day=%d&status=explained&payer_id=%s", x.Day, x.PayerID), "").into(t, &list); len(list.Items) != 1 {
			t.Errorf("got %+v", list)
		}
		// East does not see the brand's default payer; the brand does.
		h.did(t, 422, access.Finance, "POST /v1/tieouts", fmt.Sprintf(`{"day":%d}`, x.Day))
		if a := h.call(t, h.keys[""][access.Finance], "POST /v1/tieouts", fmt.Sprintf(`{"day":%d}`, x.Day), h.newKey()); a.status != 201 {
			t.Errorf("the default payer: got %d %s", a.status, a.body)
		}
		h.did(t, 409, access.Finance, "POST /v1/tieouts", fmt.Sprintf(`{"day":20980101,"payer_id":%q}`, x.PayerID))
		h.did(t, 422, access.Finance, "POST /v1/tieouts", fmt.Sprintf(`{"day":20260230,"payer_id":%q}`, x.PayerID))
		h.did(t, 200, access.Cashier, "GET /v1/statement-forms", "")
	})
}
