package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// clearReward books a cleared reward of a program in east, as package referral
// writes it.
func clearReward(t testing.TB, h *house, m id.Member, amount money.Amount) {
	t.Helper()
	err := h.DB.Tx(bg, func(tx *database.Tx) error {
		program, rid := id.Program(tx.Next()), id.Reward(tx.Next())
		transfer, err := wallet.PostTx(tx, wallet.Move(fmt.Sprintf("reward:%d:clear", rid), "reward_clear", money.CNY, amount,
			wallet.At(wallet.StageSource, wallet.Brand()), wallet.At(wallet.StagePayable, wallet.Member(m))))
		if err != nil {
			return err
		}
		err = tx.Exec(`INSERT INTO programs (id, unit_id, name, scope, status, currency, budget, latest, version, created_at)
			VALUES (?, ?, '春季', 'x', 'active', 'CNY', 0, 1, 1, 1)`, program, h.units[east]).Error
		if err != nil {
			return err
		}
		err = tx.Exec(`INSERT INTO rewards (id, unit_id, program_id, program_version, fact, beneficiary_id, rule, side, order_id, campaign_id,
			code_id, binding_id, currency, base, amount, note, earned_at, matures_at)
			VALUES (?, ?, ?, 1, 'order:1', ?, 'invite', 'inviter', 0, 0, 0, 0, 'CNY', 0, ?, '', ?, ?)`,
			rid, h.units[east], program, m, amount, tx.Now, tx.Now).Error
		if err != nil {
			return err
		}
		return tx.Exec(`INSERT INTO reward_events (id, reward_id, kind, ref, amount, at, transfer_id, staff_id, reason)
			VALUES (?, ?, 'cleared', 'matured', ?, ?, ?, 0, '')`, tx.Next(), rid, amount, tx.Now, transfer).Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

// drainSettlement works the jobs of the settlement room.
func drainSettlement(t testing.TB, h *house) {
	t.Helper()
	r := task.NewRegistry()
	h.Settlement.Register(r)
	if err := task.Drain(bg, h.DB, r); err != nil {
		t.Fatal(err)
	}
}

// TestSettlementToPayment walks a settlement from open to paid over HTTP.
func TestSettlementToPayment(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		finance, admin, cashier := h.keys[east][access.Finance], h.keys[east][access.Admin], h.keys[east][access.Cashier]
		clearReward(t, h, 1, 1234)
		clearReward(t, h, 2, 66)
		h.DB.Clock.Jump(time.Hour)

		body := fmt.Sprintf(`{"unit_id":%q,"label":"2026-03"}`, h.units[east])
		key := h.newKey()
		made, again := h.call(t, finance, "POST /v1/settlements", body, key), h.call(t, finance, "POST /v1/settlements", body, key)
		if made.status != 201 || string(made.body) != string(again.body) || again.header.Get("Idempotency-Replayed") != "true" {
			t.Fatalf("got %d %s, again %d %s", made.status, made.body, again.status, again.body)
		}
		var st settlement.Settlement
		made.into(t, &st)
		at := "/v1/settlements/" + st.ID.String()

		for _, c := range []struct {
			key, call, body string
			status          int
			code            string
		}{
			{finance, "POST /v1/settlements", `{"label":""}`, 422, "invalid"},
			{finance, "POST /v1/settlements", `{"unit_id":"` + h.units[west].String() + `","label":"x"}`, 404, "not_found"},
			{cashier, "POST /v1/settlements", body, 403, "forbidden"},
			{finance, "GET " + at + "/verify", "", 409, "settlement.state"},
			{finance, "POST " + at + "/review", `{"digest":"x"}`, 409, "settlement.state"},
			{cashier, "POST " + at + "/close", `{}`, 403, "forbidden"},
			{finance, "POST " + at + "/close", `{"force":true}`, 422, "invalid"},
			{finance, "GET " + at + "/files/lines.csv", "", 404, "not_found"},
		} {
			a := h.call(t, c.key, c.call, c.body, h.newKey())
			if a.status != c.status || a.problem().Code != c.code {
				t.Errorf("%s %s: got %d %s, want %d %s", c.call, c.body, a.status, a.body, c.status, c.code)
			}
		}

		a := h.call(t, finance, "POST "+at+"/close", `{}`)
		if a.into(t, &st); a.status != 202 || st.Status != settlement.StatusClosing {
			t.Fatalf("close: got %d %s", a.status, a.body)
		}
		if a = h.call(t, finance, "POST "+at+"/close", `{}`); a.status != 409 || a.problem().Params["state"] != "closing" {
			t.Errorf("close again: got %d %s", a.status, a.body)
		}
		drainSettlement(t, h)
		h.call(t, cashier, "GET "+at, "").into(t, &st)
		if st.Status != settlement.StatusClosed || st.Net != 1300 || len(st.Files) != 2 {
			t.Fatalf("sealed: %+v", st)
		}
		sealedFiles(t, h, cashier, at, st)
		sealedLines(t, h, cashier, at)

		if a = h.call(t, finance, "POST "+at+"/review", `{"digest":"`+st.Digest+`"}`); a.status != 403 {
			t.Errorf("review by its maker: got %d %s", a.status, a.body)
		}
		if a = h.call(t, admin, "POST "+at+"/review", `{"digest":"00"}`); a.status != 409 || a.problem().Code != "settlement.digest" {
			t.Errorf("review of another digest: got %d %s", a.status, a.body)
		}
		if a = h.call(t, admin, "POST "+at+"/review", `{"digest":"`+st.Digest+`"}`); a.status != 200 {
			t.Fatalf("review: got %d %s", a.status, a.body)
		}
		payAndReport(t, h, st)
		var found settlement.Verification
		h.call(t, cashier, "GET "+at+"/verify", "").into(t, &found)
		if !found.OK || found.Checked == 0 {
			t.Errorf("verify: %+v", found)
		}
	})
}

func sealedFiles(t *testing.T, h *house, key, at string, st settlement.Settlement) {
	t.Helper()
	for _, f := range st.Files {
		a := h.call(t, key, "GET "+at+"/files/"+f.Name, "")
		sum := sha256.Sum256(a.body)
		tag := `"` + hex.EncodeToString(sum[:]) + `"`
		if a.status != 200 || tag != `"`+f.SHA256+`"` || a.header.Get("ETag") != tag || a.header.Get("Content-Type") != f.Media ||
			a.header.Get("Content-Disposition") != `attachment; filename="`+st.ID.String()+"-"+f.Name+`"` {
			t.Errorf("%s: got %d %v", f.Name, a.status, a.header)
		}
		if a = h.call(t, key, "GET "+at+"/files/"+f.Name, "", "If-None-Match: "+tag); a.status != 304 || len(a.body) != 0 {
			t.Errorf("%s, known: got %d", f.Name, a.status)
		}
	}
	plain, marked := h.call(t, key, "GET "+at+"/files/lines.csv", ""), h.call(t, key, "GET "+at+"/files/lines.csv?bom=true", "")
	if marked.status != 200 || string(marked.body) != "\ufeff"+string(plain.body) || marked.header.Get("ETag") == plain.header.Get("ETag") {
		t.Errorf("with a byte order mark: got %d, %d bytes beside %d", marked.status, len(marked.body), len(plain.body))
	}
	if a := h.call(t, key, "GET "+at+"/files/settlement.xlsx?bom=true", ""); a.status != 422 {
		t.Errorf("a workbook with a byte order mark: got %d, want 422", a.status)
	}
	if a := h.call(t, key, "GET "+at+"/files/other.txt", ""); a.status != 404 {
		t.Errorf("a file it does not have: got %d", a.status)
	}
}

func sealedLines(t *testing.T, h *house, key, at string) {
	t.Helper()
	var all []settlement.Line
	for cursor := ""; ; {
		var page database.Paged[settlement.Line]
		h.call(t, key, "GET "+at+"/lines?limit=1&cursor="+cursor, "").into(t, &page)
		all = append(all, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(all) != 2 || all[0].LineNo != 1 || all[1].LineNo != 2 || all[0].Net != 1234 {
		t.Errorf("lines: %+v", all)
	}
}

func payAndReport(t *testing.T, h *house, st settlement.Settlement) {
	t.Helper()
	finance, cashier := h.keys[east][access.Finance], h.keys[east][access.Cashier]
	var p struct {
		settlement.Payout
		Lines database.Paged[settlement.PayoutLine]
	}
	a := h.call(t, cashier, "POST /v1/payouts", `{"settlement_id":"`+st.ID.String()+`"}`, h.newKey())
	if a.into(t, &p); a.status != 201 || p.Owed != 1300 || p.Net != 0 {
		t.Fatalf("payout: got %d %s", a.status, a.body)
	}
	if a = h.call(t, cashier, "POST /v1/payouts", `{"settlement_id":"`+st.ID.String()+`"}`, h.newKey()); a.status != 409 {
		t.Errorf("a second payout: got %d %s", a.status, a.body)
	}
	at := "/v1/payouts/" + p.ID.String()
	if a = h.call(t, cashier, "POST "+at+"/results", `{"failed":[{"line":1,"reason":"x"}]}`, h.newKey()); a.status != 409 {
		t.Errorf("results before it is paid: got %d %s", a.status, a.body)
	}
	if a = h.call(t, finance, "POST "+at+"/pay", `{}`, h.newKey()); a.status != 403 || a.problem().Code != "settlement.same_person" {
		t.Errorf("paid by its maker: got %d %s", a.status, a.body)
	}
	key := h.newKey()
	for range 2 {
		if a = h.call(t, cashier, "POST "+at+"/pay", `{}`, key); a.status != 202 {
			t.Errorf("pay: got %d %s", a.status, a.body)
		}
	}
	drainSettlement(t, h)
	h.call(t, cashier, "GET "+at, "").into(t, &p)
	if p.Status != settlement.PayoutPaid || len(p.Lines.Items) != 2 {
		t.Fatalf("paid: %+v", p)
	}
	a = h.call(t, cashier, "POST "+at+"/results", `{"failed":[{"line":2,"reason":"销户"}]}`, h.newKey())
	if a.into(t, &p); a.status != 200 || p.FailedCount != 1 || p.Lines.Items[1].Status != settlement.PayoutLineFailed {
		t.Errorf("results: got %d %s", a.status, a.body)
	}
	if a = h.call(t, cashier, "POST "+at+"/results", `{"failed":[{"line":9,"reason":"x"}]}`, h.newKey()); !strings.Contains(string(a.body), "failed[0].line") {
		t.Errorf("an unknown line: got %d %s", a.status, a.body)
	}
}

// TestSettlementIsGivenUp: an open one is discarded, and what a rejected one
// held is in the next.
func TestSettlementIsGivenUp(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		finance, admin := h.keys[east][access.Finance], h.keys[east][access.Admin]
		var st settlement.Settlement
		open := "/v1/settlements/" + openSettlementOf(t, h)
		if h.want(t, 200, finance, "POST "+open+"/discard", `{}`).into(t, &st); st.Status != settlement.StatusDiscarded {
			t.Errorf("discarded: %+v", st)
		}
		h.want(t, 409, finance, "POST "+open+"/close", `{}`)

		clearReward(t, h, readMember(t, member1(t, h)), 1300)
		h.DB.Clock.Jump(time.Hour)
		sealed := func() settlement.Settlement {
			var st settlement.Settlement
			h.want(t, 200, finance, "GET /v1/settlements/"+settlementOf(t, h), "").into(t, &st)
			return st
		}
		first := sealed()
		at := "/v1/settlements/" + first.ID.String()
		h.want(t, 422, admin, "POST "+at+"/reject", `{}`)
		if h.want(t, 200, admin, "POST "+at+"/reject", `{"reason":"金额不符"}`).into(t, &st); st.Status != settlement.StatusRejected || st.Gross != 1300 {
			t.Errorf("rejected: %+v", st)
		}
		drainSettlement(t, h)
		if next := sealed(); next.Gross != 1300 || next.LineCount != 1 {
			t.Errorf("the next: %+v", next)
		}
		var found settlement.Verification
		if h.want(t, 200, finance, "GET "+at+"/verify", "").into(t, &found); !found.OK {
			t.Errorf("verify: %+v", found)
		}
	})
}
