package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/task"
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
	})
}
