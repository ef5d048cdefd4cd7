package api

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/money"
	"siyu/referral/settlement"
)

// onRequest are terms as finance puts them.
const onRequest = `{"mode":"on_request","least_fen":1000,"most_fen":200000,"fee_fixed_fen":100,"fee_bp":60,"per_day":2}`

// putTerms puts terms of a payer in force; version is that of those before.
func putTerms(t *testing.T, h *house, payer, version, body string) settlement.Terms {
	t.Helper()
	var out settlement.Terms
	a := h.call(t, h.keys[east][access.Finance], "PUT /v1/payers/"+payer+"/withdrawal-terms", body, h.newKey(), `If-Match: "`+version+`"`)
	if a.into(t, &out); a.status != 200 {
		t.Fatalf("terms: got %d %s", a.status, a.body)
	}
	return out
}

// asked is a request of a member of east.
func asked(t *testing.T, h *house) (member string, w settlement.SeenWithdrawal) {
	t.Helper()
	member, _ = payeeOfMember(t, h)
	payer := payerOf(t, h)
	putTerms(t, h, payer, "1", onRequest)
	clearReward(t, h, readMember(t, member), 5000)
	f := &period{house: h}
	f.exec(t, "UPDATE programs SET payer_id = ?", readPayer(t, payer))
	a := h.call(t, tokenOf(t, h, member), "POST /v1/members/"+member+"/withdrawals", fmt.Sprintf(`{"payer_id":%q}`, payer), h.newKey())
	if a.into(t, &w); a.status != 201 {
		t.Fatalf("ask: got %d %s", a.status, a.body)
	}
	return member, w
}

// TestWithdrawals: terms, who may do what, and the answers to a second try.
func TestWithdrawals(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		member, w := asked(t, h)
		token, finance, other := tokenOf(t, h, member), h.keys[east][access.Finance], tokenOf(t, h, member1(t, h))
		payer, at := w.PayerID.String(), "/v1/withdrawals/"+w.ID.String()
		if w.State != settlement.AskedState || w.Gross != 5000 || w.Fee != 130 || w.No != 1 || w.TermsNo != 2 {
			t.Errorf("got %+v", w)
		}
		for _, c := range []struct {
			key, call, body string
			status          int
			says            string
		}{
			{finance, "GET /v1/payers/" + payer + "/withdrawal-terms", "", 200, `"no":2`},
			{finance, "GET /v1/payers/" + payer + "/withdrawal-terms?no=1", "", 200, `"mode":"period"`},
			{finance, "GET /v1/payers/" + payer + "/withdrawal-terms?no=x", "", 422, ""},
			{finance, "PUT /v1/payers/" + payer + "/withdrawal-terms", `{"mode":"on_request","per_day":1}`, 422, "least_fen"},
			{finance, "PUT /v1/payers/" + payer + "/withdrawal-terms", onRequest, 412, ""},
			{token, "GET /v1/members/" + member + "/withdrawal-offers", "", 200, `"refusal":"withdrawal.nothing"`},
			{token, "GET /v1/members/" + member + "/rewards", "", 200, `"reason":"asked"`},
			{token, "POST /v1/members/" + member + "/withdrawals", fmt.Sprintf(`{"payer_id":%q}`, payer), 409, "withdrawal.nothing"},
			{token, "POST /v1/members/" + member + "/withdrawals", `{}`, 422, "payer_id"},
			{other, "POST /v1/members/" + member + "/withdrawals", fmt.Sprintf(`{"payer_id":%q}`, payer), 404, ""},
			{finance, "POST /v1/members/" + member + "/withdrawals", fmt.Sprintf(`{"payer_id":%q}`, payer), 403, ""},
			{other, "GET " + at, "", 404, ""},
			{other, "POST " + at + "/cancel", "", 404, ""},
			{h.keys[west][access.Finance], "GET " + at, "", 404, ""},
			{h.keys[west][access.Finance], "GET /v1/withdrawals", "", 200, `"items":[]`},
			{finance, "GET /v1/withdrawals?status=lost", "", 422, "status"},
			{finance, "GET /v1/withdrawals?status=asked&payer_id=" + payer, "", 200, w.ID.String()},
			{token, "GET /v1/members/" + member + "/withdrawals", "", 200, w.ID.String()},
			{finance, "POST " + at + "/refuse", `{}`, 422, "reason"},
			{finance, "POST " + at + "/refuse", `{"reason":"请先上传发票"}`, 200, "请先上传发票"},
			{token, "POST " + at + "/cancel", "", 409, "withdrawal.state"},
			{h.keys[""][access.Mall], "GET /v1/members/" + member + "/export", "", 200, "请先上传发票"},
			{h.keys[east][access.Admin], "DELETE /v1/members/" + member, "", 204, ""},
			{finance, "GET " + at, "", 200, `"reason":""`},
		} {
			header := []string{h.newKey()}
			if strings.HasPrefix(c.call, "PUT") {
				header = append(header, `If-Match: "1"`)
			}
			if a := h.call(t, c.key, c.call, c.body, header...); a.status != c.status || !strings.Contains(string(a.body), c.says) {
				t.Errorf("%s %s: got %d %s, want %d %s", c.call, c.body, a.status, a.body, c.status, c.says)
			}
		}
	})
}

// TestWithdrawalPage plays the part of docs/finance.md on withdrawal and
// compares its numbers.
func TestWithdrawalPage(t *testing.T) {
	page, err := os.ReadFile("../docs/finance.md")
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, h *house) {
		f := &period{house: h, payer: payerOf(t, h)}
		f.withdraw(t)
		if !strings.Contains(string(page), "```text\n"+f.out.String()+"```") {
			t.Errorf("docs/finance.md says other numbers than these:\n%s", f.out.String())
		}
	})
}

func (f *period) withdraw(t *testing.T) {
	t.Helper()
	member, _ := payeeOfMember(t, f.house)
	quiet, _ := payeeOfMember(t, f.house)
	for _, amount := range []money.Amount{300_00, 1500_00, 400_00, 5_00} {
		clearReward(t, f.house, readMember(t, member), amount)
	}
	clearReward(t, f.house, readMember(t, quiet), 500_00)
	f.exec(t, "UPDATE programs SET payer_id = ?", readPayer(t, f.payer))
	x := putTerms(t, f.house, f.payer, "1", onRequest)
	f.say("terms       %s  least %s  most %s  fee %s and %d bp  %d a day", x.Mode, x.Least, x.Most, x.FeeFixed, x.FeeRate, x.PerDay)
	token, ask := tokenOf(t, f.house, member), "POST /v1/members/"+member+"/withdrawals"
	body := fmt.Sprintf(`{"payer_id":%q}`, f.payer)
	var two [2]settlement.SeenWithdrawal
	for i := range two {
		f.call(t, token, ask, body, f.newKey()).into(t, &two[i])
		f.sayAsked(two[i])
	}
	f.call(t, token, "POST /v1/withdrawals/"+two[1].ID.String()+"/cancel", "", f.newKey()).into(t, &two[1])
	f.sayAsked(two[1])
	f.say("a third     %d", f.call(t, token, ask, body, f.newKey()).status)
	st := f.settle(t)
	f.say("settlement  %d lines  gross %s  net %s  tax rule %s", st.LineCount, st.Gross, st.Net, st.TaxRule)
	p := f.pay(t, st)
	f.answer(t, p, "1,"+f.net(t, p)+",成功,")
	f.call(t, tokenOf(t, f.house, member), "GET /v1/withdrawals/"+two[0].ID.String(), "").into(t, &two[0])
	f.sayAsked(two[0])
	f.say("            gross %s  tax %s  net %s", two[0].Payment.Gross, two[0].Payment.Tax, two[0].Payment.Net)
	f.balances(t, readMember(t, member), "first member")
	f.balances(t, readMember(t, quiet), "second, who did not ask")
	proofs, err := settlement.Verify(bg, f.DB)
	for _, x := range proofs {
		if err != nil || len(x.Broken) > 0 {
			t.Errorf("%s: %v %v", x.ID, x.Broken, err)
		}
	}
}

func (f *period) sayAsked(w settlement.SeenWithdrawal) {
	f.say("request %d   %-9s  %d rewards of %s  fee %s", w.No, w.State, w.RewardCount, w.Gross, w.Fee)
}

// net is what the first line of a payout sends.
func (f *period) net(t *testing.T, payout string) string {
	t.Helper()
	var p struct {
		Lines database.Paged[settlement.PayoutLine]
	}
	f.call(t, f.keys[east][access.Cashier], "GET /v1/payouts/"+payout, "").into(t, &p)
	return p.Lines.Items[0].Net.String()
}
