package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/payee"
	"siyu/referral/tax"
)

// Numbers with right check digits that belong to nobody.
const (
	somePayer = `{"name":"晨光文化","tax_no":"91350100M000100Y43","strategy":"labor_2018"}`
	somePayee = `{"payee_type":"natural","name":"王小明","id_no":"11010519491231002X","phone":"13800000000","account_kind":"bank","card_no":"6222020000000000000","bank_name":"招商银行","consent_version":"payout-1"}`
)

func payerOf(t *testing.T, h *house) string {
	t.Helper()
	return h.make(t, access.Finance, "POST /v1/payers", fmt.Sprintf(`{"name":"晨光文化","strategy":"labor_2018","unit_id":%q}`, h.units[east]))
}

// payeeOfMember is a member of east with what he gave himself.
func payeeOfMember(t *testing.T, h *house) (member, found string) {
	t.Helper()
	member = member1(t, h)
	return member, h.makeAs(t, tokenOf(t, h, member), "POST /v1/members/"+member+"/payee", somePayee)
}

func payeeOf(t *testing.T, h *house) string {
	t.Helper()
	_, p := payeeOfMember(t, h)
	return p
}

func TestPayeeByTwoPeople(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		finance, second, cashier := h.keys[east][access.Finance], h.keys[east][access.Admin], h.keys[east][access.Cashier]
		member := member1(t, h)
		token := tokenOf(t, h, member)
		at := "/v1/members/" + member + "/payee"
		do := func(status int, key, call, body string) payee.Payee {
			t.Helper()
			got := h.call(t, key, call, body, h.newKey())
			if got.status != status {
				t.Fatalf("%s: got %d %s, want %d", call, got.status, got.body, status)
			}
			for _, secret := range []string{"11010519491231002X", "6222020000000000000", "王小明", "13800000000"} {
				if strings.Contains(string(got.body), secret) {
					t.Errorf("%s answers %s", call, secret)
				}
			}
			var p payee.Payee
			if status/100 == 2 {
				got.into(t, &p)
			}
			return p
		}
		do(404, token, "GET "+at, "")
		do(404, tokenOf(t, h, member1(t, h)), "POST "+at, somePayee) // somebody else
		do(422, token, "POST "+at, strings.Replace(somePayee, "002X", "0021", 1))
		p := do(201, finance, "POST "+at, somePayee)
		if p.Active != nil || p.Pending == nil || p.Pending.NameMask != "王**" || p.Pending.AccountMask != "****0000" {
			t.Fatalf("entered by staff: %+v", p)
		}
		var waiting database.Paged[payee.Payee]
		h.call(t, cashier, "GET /v1/payees", "").into(t, &waiting)
		if len(waiting.Items) != 1 || waiting.Items[0].ID != p.ID {
			t.Errorf("waiting: %+v", waiting)
		}
		approve := "POST /v1/payees/" + p.ID.String() + "/approve"
		do(403, finance, approve, `{"no":1}`) // who entered it
		do(403, cashier, approve, `{"no":1}`)
		do(409, second, approve, `{"no":2}`)
		if p = do(200, second, approve, `{"no":1}`); p.Pending != nil || p.Active == nil || p.Active.No != 1 {
			t.Errorf("approved: %+v", p)
		}
		p = do(201, token, "POST "+at, somePayee) // nobody was paid yet
		if p.Active == nil || p.Active.No != 2 || p.Pending != nil {
			t.Errorf("changed before the first payment: %+v", p)
		}
		if p = do(200, token, "GET "+at, ""); p.Active.No != 2 {
			t.Errorf("read by the member: %+v", p)
		}
		h.call(t, h.keys[east][access.Admin], "DELETE /v1/members/"+member, "")
		if p = do(200, cashier, "GET /v1/payees/"+p.ID.String(), ""); p.Active.NameMask != "" || p.Active.Status != payee.StatusErased {
			t.Errorf("erased with the member: %+v", p.Active)
		}
	})
}

func TestGuestsGiveNoAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		token := h.token(t)
		m := h.memberOf(t, token)
		err := h.DB.Tx(bg, func(tx *database.Tx) error { return tx.Exec("UPDATE members SET guest = 1 WHERE id = ?", m).Error })
		if err != nil {
			t.Fatal(err)
		}
		got := h.call(t, token, "POST /v1/members/"+m.String()+"/payee", somePayee, h.newKey())
		if got.status != 422 || got.problem().Code != "identity_required" {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

// TestTaxMonthOverREST: a payer, a month of payments withheld under it, its
// close, and the copy of it in the person's export.
func TestTaxMonthOverREST(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		finance := h.keys[east][access.Finance]
		payer := payerOf(t, h)
		member, p := payeeOfMember(t, h)
		var in struct {
			payer  id.Payer
			member id.Member
		}
		if in.payer.UnmarshalText([]byte(payer)) != nil || in.member.UnmarshalText([]byte(member)) != nil {
			t.Fatal("ids")
		}
		err := h.DB.Tx(bg, func(tx *database.Tx) error {
			var list []payee.Withholding
			for i := range 4 {
				list = append(list, payee.Withholding{Key: fmt.Sprint("k", i), Payer: in.payer, Member: in.member, Amount: 500_00})
			}
			_, err := payee.WithholdTx(tx, list)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var months database.Paged[payee.Month]
		h.call(t, finance, "GET /v1/payers/"+payer+"/tax-months", "").into(t, &months)
		if len(months.Items) != 1 || months.Items[0].Tax != 240_00 || months.Items[0].PayeeID.String() != p || months.Items[0].Name != "王**" {
			t.Fatalf("months: %+v", months)
		}
		var lines database.Paged[payee.Line]
		h.call(t, finance, "GET /v1/payers/"+payer+"/tax-lines?limit=3", "").into(t, &lines)
		if len(lines.Items) != 3 || lines.NextCursor == "" || lines.Items[0].Tax != 100_00 {
			t.Errorf("lines: %+v", lines)
		}
		month := fmt.Sprint(months.Items[0].Month)
		if got := h.call(t, finance, "POST /v1/payers/"+payer+"/closes", `{"month":`+month+`}`); got.status != 409 {
			t.Errorf("closed before it is over: %d %s", got.status, got.body)
		}
		h.DB.Clock.Jump(31 * 24 * time.Hour)
		if got := h.call(t, finance, "POST /v1/payers/"+payer+"/closes", `{"month":`+month+`}`); got.status != 201 {
			t.Errorf("closed: %d %s", got.status, got.body)
		}
		var closes database.Paged[payee.Close]
		h.call(t, finance, "GET /v1/payers/"+payer+"/closes", "").into(t, &closes)
		if len(closes.Items) != 1 || closes.Items[0].Tax != 240_00 || closes.Items[0].Gross != 2000_00 {
			t.Errorf("closes: %+v", closes)
		}
		var copied struct {
			Payee    payee.Payee  `json:"payee"`
			TaxLines []payee.Line `json:"tax_lines"`
		}
		h.call(t, h.keys[east][access.Mall], "GET /v1/members/"+member+"/export", "").into(t, &copied)
		if copied.Payee.ID.String() != p || len(copied.TaxLines) != 4 {
			t.Errorf("in his copy: %+v", copied)
		}
	})
}

func TestPayerIsEditedByVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		finance := h.keys[east][access.Finance]
		payer := payerOf(t, h)
		at := "/v1/payers/" + payer
		body := `{"name":"晨光文化（厦门）","strategy":"incidental_20","income_type":"incidental","tax_borne_by":"company"}`
		if got := h.call(t, finance, "PUT "+at, body, `If-Match: "2"`); got.status != 412 {
			t.Errorf("a stale version: %d %s", got.status, got.body)
		}
		if got := h.call(t, finance, "PUT "+at, strings.Replace(body, `{`, fmt.Sprintf(`{"unit_id":%q,`, h.brand), 1), `If-Match: "1"`); got.status != 422 {
			t.Errorf("moved to another unit: %d %s", got.status, got.body)
		}
		got := h.call(t, finance, "PUT "+at, body, `If-Match: "1"`)
		var p payee.Payer
		if got.into(t, &p); got.status != 200 || got.header.Get("ETag") != `"2"` || p.Strategy != tax.Incidental20 || p.BorneBy != tax.BorneCompany || !p.PayeeNeeded {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if got = h.call(t, finance, "POST /v1/payers", `{"name":"x","strategy":"labor_2018","payee_needed":false}`, h.newKey()); got.status != 422 {
			t.Errorf("withholding from nobody in particular: %d %s", got.status, got.body)
		}
	})
}

// TestPayeeIsRejected: what a second person rejects leaves what was there, and
// an invoice counts once.
func TestPayeeIsRejected(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		finance, second := h.keys[east][access.Finance], h.keys[east][access.Admin]
		member := member1(t, h)
		var p payee.Payee
		h.want(t, 201, tokenOf(t, h, member), "POST /v1/members/"+member+"/payee", somePayee)
		h.want(t, 201, finance, "POST /v1/members/"+member+"/payee", strings.Replace(somePayee, "招商银行", "建设银行", 1)).into(t, &p)
		if p.Pending == nil {
			t.Fatalf("entered by staff: %+v", p)
		}
		at := "/v1/payees/" + p.ID.String()
		h.want(t, 422, second, "POST "+at+"/reject", fmt.Sprintf(`{"no":%d}`, p.Pending.No))
		h.want(t, 200, second, "POST "+at+"/reject", fmt.Sprintf(`{"no":%d,"reason":"户名不符"}`, p.Pending.No)).into(t, &p)
		if p.Pending != nil || p.Active == nil || p.Active.No != 1 {
			t.Errorf("rejected: %+v", p)
		}
		var waiting database.Paged[payee.Payee]
		if h.want(t, 200, finance, "GET /v1/payees", "").into(t, &waiting); len(waiting.Items) != 0 {
			t.Errorf("waiting: %+v", waiting.Items)
		}

		payer := payerOf(t, h)
		body := fmt.Sprintf(`{"payer_id":%q,"invoice_no":"24312000000000000001","amount_fen":60000}`, payer)
		h.want(t, 201, finance, "POST "+at+"/invoices", body)
		if got := h.want(t, 409, finance, "POST "+at+"/invoices", body); got.problem().Code != "payee.invoice" {
			t.Errorf("recorded twice: got %s", got.body)
		}
		var list struct {
			Items []struct {
				Payer  string `json:"payer_id"`
				No     string `json:"invoice_no"`
				Amount int    `json:"amount_fen"`
			} `json:"items"`
		}
		h.want(t, 200, h.keys[east][access.Cashier], "GET "+at+"/invoices", "").into(t, &list)
		if len(list.Items) != 1 || list.Items[0].Payer != payer || list.Items[0].No != "24312000000000000001" || list.Items[0].Amount != 60000 {
			t.Errorf("invoices: %+v", list.Items)
		}
	})
}
