package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/task"
	"siyu/referral/voucher"
	"siyu/wallet"
)

// yesterdayOf is the local day before the store's.
func yesterdayOf(t *testing.T, h *house) int {
	t.Helper()
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return clock.Day(h.DB.Clock.Now().Add(-24*time.Hour), loc)
}

func drainWallet(t *testing.T, h *house) {
	t.Helper()
	reg := task.NewRegistry()
	h.Wallet.Register(reg)
	if err := task.Drain(bg, h.DB, reg); err != nil {
		t.Fatal(err)
	}
}

// TestLedger closes a day over HTTP and reads it as JSON and CSV; the books
// are the whole brand's.
func TestLedger(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		program(t, h) // funds a budget of 100000
		h.DB.Clock.Jump(25 * time.Hour)
		finance, part := h.keys[""][access.Finance], h.keys[east][access.Finance]
		day := yesterdayOf(t, h)
		body, key := fmt.Sprintf(`{"day":%d}`, day), h.newKey()
		for _, c := range []struct {
			key, call, body string
			status          int
			code            string
		}{
			{part, "GET /v1/ledger/trial-balance", "", 403, "wallet.books"},
			{part, "GET /v1/ledger/closes", "", 403, "wallet.books"},
			{part, "POST /v1/ledger/closes", body, 403, "wallet.books"},
			{finance, "GET /v1/ledger/trial-balance?at=today", "", 422, "invalid"},
			{finance, "GET /v1/ledger/trial-balance.csv?bom=1", "", 422, "invalid"},
			{finance, "POST /v1/ledger/closes", fmt.Sprintf(`{"day":%d}`, day+1), 409, "wallet.day_open"},
			{finance, "POST /v1/ledger/closes", `{"day":20261399}`, 422, "invalid"},
			{finance, fmt.Sprintf("GET /v1/ledger/closes/%d", day), "", 404, "not_found"},
			{finance, fmt.Sprintf("POST /v1/ledger/closes/%d/vouchers", day), "{}", 409, "voucher.not_closed"},
		} {
			a := h.call(t, c.key, c.call, c.body, h.newKey())
			if a.status != c.status || a.problem().Code != c.code {
				t.Errorf("%s %s: got %d %s, want %d %s", c.call, c.body, a.status, a.body, c.status, c.code)
			}
		}
		made := h.call(t, finance, "POST /v1/ledger/closes", body, key)
		drainWallet(t, h)
		again := h.call(t, finance, "POST /v1/ledger/closes", body, key)
		if made.status != http.StatusAccepted || again.status != http.StatusAccepted || again.header.Get("Idempotency-Replayed") != "true" {
			t.Fatalf("got %d %s, again %d %s", made.status, made.body, again.status, again.body)
		}
		var c wallet.Close
		h.call(t, finance, fmt.Sprintf("GET /v1/ledger/closes/%d", day), "").into(t, &c)
		if c.Status != wallet.CloseSealed || c.Transfers != 1 || len(c.Lines) != 2 || c.Lines[0].Came != 100000 || c.Digest == "" {
			t.Errorf("got %+v", c)
		}
		var trial wallet.Trial
		h.call(t, finance, "GET /v1/ledger/trial-balance?at="+c.Until.String(), "").into(t, &trial)
		if len(trial.Rows) != 2 || trial.Sums[0].Sum != 0 || trial.Sums[0].Above != 100000 {
			t.Errorf("got %+v", trial)
		}
		plain := h.call(t, finance, "GET /v1/ledger/trial-balance.csv", "")
		want := "stage,owner_kind,currency,balance_fen\nbudget,program,CNY,100000\nsource,brand,CNY,-100000\nsum,,CNY,0\n"
		if string(plain.body) != want || !strings.HasPrefix(plain.header.Get("Content-Type"), "text/csv") {
			t.Errorf("got %d %q", plain.status, plain.body)
		}
		marked := h.call(t, finance, fmt.Sprintf("GET /v1/ledger/closes/%d/lines.csv?bom=true", day), "")
		want = fmt.Sprintf("\ufeffday,kind,stage,owner_kind,currency,entry_count,in_fen,out_fen\n%d,fund,budget,program,CNY,1,100000,0\n%d,fund,source,brand,CNY,1,0,100000\n", day, day)
		if string(marked.body) != want {
			t.Errorf("got %q", marked.body)
		}
		bookDay(t, h, day)
	})
}

// accountOf is the budget account of a program.
func accountOf(t *testing.T, h *house) string {
	t.Helper()
	var list database.Paged[wallet.Account]
	a := h.call(t, h.keys[east][access.Finance], "GET /v1/ledger/accounts?stage=budget&owner_id="+program(t, h), "")
	if a.into(t, &list); len(list.Items) != 1 || list.Items[0].Balance != 100000 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	return list.Items[0].ID.String()
}

// TestAccountStatement reads an account page by page and as CSV; what is not
// the caller's answers 404.
func TestAccountStatement(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		acc := accountOf(t, h)
		finance, elsewhere, all := h.keys[east][access.Finance], h.keys[west][access.Finance], h.keys[""][access.Finance]
		var st wallet.Statement
		a := h.call(t, finance, "GET /v1/ledger/accounts/"+acc+"/statement?limit=1", "")
		a.into(t, &st)
		if st.Closing != 100000 || len(st.Lines.Items) != 1 || st.Lines.Items[0].Balance != 100000 || st.OwnerID == "" {
			t.Errorf("got %d %s", a.status, a.body)
		}
		csv := string(h.call(t, finance, "GET /v1/ledger/accounts/"+acc+"/statement.csv?bom=true", "").body)
		if lines := strings.Split(csv, "\n"); len(lines) != 5 || !strings.HasPrefix(csv, "\ufeffat,transfer_id,") || !strings.HasSuffix(lines[3], ",closing,,,,100000") {
			t.Errorf("got %q", csv)
		}
		for _, c := range []struct {
			key, query string
			status     int
		}{
			{all, "", 200}, {all, "?owner_id=brand", 200}, {finance, "", 403}, {finance, "?owner_id=brand", 404},
			{elsewhere, "?owner_id=" + st.OwnerID, 404}, {finance, "?owner_id=x", 422}, {all, "?stage=x", 422},
			{finance, "/" + acc + "/statement?from=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", 422},
			{finance, "/" + acc + "/statement.csv?from=now", 422},
		} {
			if a := h.call(t, c.key, "GET /v1/ledger/accounts"+c.query, ""); a.status != c.status {
				t.Errorf("%s: got %d %s, want %d", c.query, a.status, a.body, c.status)
			}
		}
	})
}

// bookDay books a closed day and fetches its vouchers; what is the ledger's
// own movement alone leaves heads.
func bookDay(t *testing.T, h *house, day int) {
	t.Helper()
	finance, at := h.keys[""][access.Finance], fmt.Sprintf("/v1/ledger/closes/%d/vouchers", day)
	if a := h.call(t, finance, "GET "+at, ""); a.status != 404 {
		t.Errorf("vouchers before they are made: got %d", a.status)
	}
	key := h.newKey()
	for range 2 {
		var set voucher.Set
		a := h.call(t, finance, "POST "+at, "{}", key)
		if a.into(t, &set); a.status != 201 || set.Debit != 100000 || set.Credit != 100000 || len(set.Lines) != 2 {
			t.Errorf("got %d %s", a.status, a.body)
		}
	}
	if a := h.call(t, finance, "GET "+at+"/file?form=csv", ""); a.status != 200 || string(a.body) != "date,word,voucher_no,line,summary,code,title,debit,credit,payer,cost_centre,budget_no,settlement\r\n" {
		t.Errorf("got %d %q", a.status, a.body)
	}
	if a := h.call(t, finance, "GET "+at+"/file?form=x", ""); a.status != 422 {
		t.Errorf("an unknown form: got %d", a.status)
	}
	if a := h.call(t, h.keys[east][access.Finance], "GET "+at, ""); a.status != 403 {
		t.Errorf("finance of a part: got %d", a.status)
	}
	var chart voucher.Chart
	a := h.call(t, finance, "PUT /v1/voucher-chart", `{"rules":[{"code":"6601","title":"销售费用"}]}`)
	if a.into(t, &chart); a.status != 200 || chart.No != 1 || len(chart.Rules) != 1 {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

// closedPayerOf is a payer whose January is closed.
func closedPayerOf(t *testing.T, h *house) string {
	t.Helper()
	p := payerOf(t, h)
	if a := h.call(t, h.keys[east][access.Finance], "POST /v1/payers/"+p+"/closes", `{"month":202601}`, h.newKey()); a.status != 201 {
		t.Fatalf("close a month: got %d %s", a.status, a.body)
	}
	return p
}

// TestTaxReturn fetches a closed month in every format.
func TestTaxReturn(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		at, finance := "/v1/payers/"+closedPayerOf(t, h)+"/tax-months/", h.keys[east][access.Finance]
		for _, kind := range []string{"sheet", "return"} {
			for format, begins := range map[string]string{"xlsx": "PK", "csv": "工号,", "csv-bom": "\ufeff工号,"} {
				a := h.call(t, finance, "GET "+at+"202601/"+kind+"?format="+format, "")
				if a.status != 200 || !strings.HasPrefix(string(a.body), begins) || a.header.Get("Siyu-File-Sha256") == "" || a.header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s %s: got %d %.40q", kind, format, a.status, a.body)
				}
			}
			for path, status := range map[string]int{"202602/": 409, "x/": 404, "202601/": 422} {
				query := ""
				if status == 422 {
					query = "?format=pdf"
				}
				if a := h.call(t, finance, "GET "+at+path+kind+query, ""); a.status != status {
					t.Errorf("%s%s: got %d %s", path, kind, a.status, a.body)
				}
			}
		}
	})
}
