package api

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// TestFinancePage plays docs/finance.md over HTTP and compares its numbers.
func TestFinancePage(t *testing.T) {
	page, err := os.ReadFile("../docs/finance.md")
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, h *house) {
		f := &period{house: h, payer: payerOf(t, h)}
		f.play(t)
		if !strings.Contains(string(page), "```text\n"+f.out.String()+"```") {
			t.Errorf("docs/finance.md says other numbers than these:\n%s", f.out.String())
		}
	})
}

// period is one period from cleared rewards to what came back.
type period struct {
	*house
	payer string
	out   strings.Builder
}

func (f *period) say(format string, args ...any) { fmt.Fprintf(&f.out, format+"\n", args...) }

func (f *period) play(t *testing.T) {
	t.Helper()
	var people []id.Member
	for range 2 {
		name, _ := payeeOfMember(t, f.house)
		people = append(people, readMember(t, name))
	}
	// Both gave the same number, so here they are made two taxpayers.
	f.exec(t, "UPDATE payee_versions SET taxpayer_id = payee_id")
	people = append(people, readMember(t, member1(t, f.house)))
	for i, amount := range []money.Amount{3000_00, 500_00, 60_00} {
		clearReward(t, f.house, people[i], amount)
	}
	f.exec(t, "UPDATE programs SET payer_id = ?", readPayer(t, f.payer))
	st := f.settle(t)
	f.say("settlement  %d lines  gross %s  net %s  tax rule %s", st.LineCount, st.Gross, st.Net, st.TaxRule)
	p := f.pay(t, st)
	f.sayPayout(t, "payout", p)
	f.balances(t, people[0], "first member")
	f.answer(t, p, "1,2560.00,成功,", "2,500.00,失败,户名不符")
	f.sayPayout(t, "answered", p)
	next := f.settle(t)
	f.say("next        %d lines  gross %s", next.LineCount, next.Gross)
	p = f.pay(t, next)
	f.answer(t, p, "1,500.00,成功,")
	f.sayPayout(t, "paid", p)
	var months database.Paged[payee.Month]
	f.call(t, f.keys[east][access.Finance], "GET /v1/payers/"+f.payer+"/tax-months", "").into(t, &months)
	for _, m := range months.Items {
		f.say("month       %d lines  gross %s  tax %s  due %s", m.Lines, m.Gross, m.Tax, m.Due)
	}
	f.balances(t, people[0], "first member")
	proofs, err := settlement.Verify(bg, f.DB)
	for _, x := range proofs {
		if err != nil || len(x.Broken) > 0 {
			t.Errorf("%s: %v %v", x.ID, x.Broken, err)
		}
	}
}

// settle closes what is due of the payer and has a second person review it.
func (f *period) settle(t *testing.T) settlement.Settlement {
	t.Helper()
	f.DB.Clock.Jump(time.Hour)
	finance, second := f.keys[east][access.Finance], f.keys[east][access.Admin]
	made := f.make(t, access.Finance, "POST /v1/settlements", fmt.Sprintf(`{"unit_id":%q,"payer_id":%q,"label":"2026-03"}`, f.units[east], f.payer))
	f.must(t, 202, finance, "POST /v1/settlements/"+made+"/close", "{}")
	drainSettlement(t, f.house)
	var st settlement.Settlement
	f.call(t, finance, "GET /v1/settlements/"+made, "").into(t, &st)
	f.must(t, 200, second, "POST /v1/settlements/"+made+"/review", fmt.Sprintf(`{"digest":%q}`, st.Digest))
	return st
}

// pay is the third person: a payout by the bank's file, whoever cannot be paid
// carried, and the file fetched.
func (f *period) pay(t *testing.T, st settlement.Settlement) string {
	t.Helper()
	cashier := f.keys[east][access.Cashier]
	p := f.make(t, access.Cashier, "POST /v1/payouts", fmt.Sprintf(`{"settlement_id":%q,"channel":"bank_generic","carry_held":true}`, st.ID))
	f.must(t, 202, cashier, "POST /v1/payouts/"+p+"/pay", "{}")
	drainSettlement(t, f.house)
	f.must(t, 200, cashier, "GET /v1/payouts/"+p+"/file", "")
	return p
}

func (f *period) answer(t *testing.T, payout string, lines ...string) {
	t.Helper()
	f.must(t, 202, f.keys[east][access.Cashier], "POST /v1/payouts/"+payout+"/imports", "序号,金额,处理结果,失败原因\n"+strings.Join(lines, "\n"))
	drainSettlement(t, f.house)
}

func (f *period) sayPayout(t *testing.T, what, payout string) {
	t.Helper()
	var p struct {
		settlement.Payout
		Lines database.Paged[settlement.PayoutLine]
	}
	f.call(t, f.keys[east][access.Cashier], "GET /v1/payouts/"+payout, "").into(t, &p)
	f.say("%-11s %s  gross %s  tax %s  net %s", what, p.Status, p.Gross, p.Tax, p.Net)
	for _, l := range p.Lines.Items {
		f.say("%s", strings.TrimRight(fmt.Sprintf("  line %d    owed %s  tax %s  net %s  %s %s", l.LineNo, l.Owed, l.Tax, l.Net, l.Status, l.Reason), " "))
	}
}

func (f *period) balances(t *testing.T, m id.Member, what string) {
	t.Helper()
	w, err := f.Wallet.MemberWallet(bg, m)
	if err != nil {
		t.Fatal(err)
	}
	of := func(s wallet.Stage) money.Amount { return w.Of(s, money.CNY) }
	f.say("ledger      %s: payable %s  paying %s  paid %s  tax %s", what, of(wallet.StagePayable), of(wallet.StagePaying), of(wallet.StagePaid), of(wallet.StageTax))
}

func (f *period) must(t *testing.T, status int, key, call, body string) {
	t.Helper()
	if got := f.call(t, key, call, body, f.newKey()); got.status != status {
		t.Fatalf("%s: got %d %s, want %d", call, got.status, got.body, status)
	}
}

func (f *period) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if err := f.DB.Tx(bg, func(tx *database.Tx) error { return tx.Exec(sql, args...).Error }); err != nil {
		t.Fatal(err)
	}
}

func readMember(t *testing.T, text string) (m id.Member) {
	t.Helper()
	if err := m.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return m
}

func readPayer(t *testing.T, text string) (p id.Payer) {
	t.Helper()
	if err := p.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return p
}
