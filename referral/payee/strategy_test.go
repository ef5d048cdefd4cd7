package payee_test

import (
	"strings"
	"testing"
	"time"

	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/tax"
)

// TestATaxNumberChangesItsStrategy: payers of one tax number tax an income in one
// way, and may together go over to another.
func TestATaxNumberChangesItsStrategy(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		second := h.newPayer(payee.PayerIn{UnitID: brand, Name: "晨光文化二部", TaxNo: firmNo, Strategy: tax.Labor2018, DailyLimit: 700})
		gifts := h.newPayer(payee.PayerIn{UnitID: brand, Name: "晨光礼品", TaxNo: firmNo, Strategy: tax.Incidental20, IncomeType: tax.IncomeIncidental})
		apart := h.newPayer(payee.PayerIn{UnitID: brand, Name: "另一家", Strategy: tax.Labor2018})
		m := h.paid(natural(idNo))
		h.pay(m, 1000*yuan)
		change := func(to tax.Strategy, version int) error {
			return h.ChangePayer(as(1), h.payer, version, payee.PayerIn{Name: "晨光文化", TaxNo: firmNo, Strategy: to})
		}
		if err := change(tax.LaborCumulative2025, 1); err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct {
			payer    id.Payer
			strategy tax.Strategy
			version  int
		}{{h.payer, tax.LaborCumulative2025, 2}, {second, tax.LaborCumulative2025, 2}, {gifts, tax.Incidental20, 1}, {apart, tax.Labor2018, 1}} {
			p, err := h.FindPayer(as(1), want.payer)
			if err != nil || p.Strategy != want.strategy || p.Version != want.version || want.payer == second && p.DailyLimit != 700 {
				t.Errorf("got %+v, %v; want %s in version %d", p, err, want.strategy, want.version)
			}
		}
		if l := h.withhold(payee.Withholding{Key: "second", Payer: second, Member: m, Amount: 1000 * yuan})[0]; l.Rule != "labor_2018.1" || l.Tax != 200*yuan {
			t.Errorf("the month that had begun: %+v", l)
		}
		if err := change(tax.ExternalAgent, 2); err != nil {
			t.Fatal(err)
		}
		no := false
		err := h.ChangePayer(as(1), second, 3, payee.PayerIn{Name: "晨光文化二部", TaxNo: firmNo, Strategy: tax.ExternalAgent, PayeeNeeded: &no})
		if err != nil {
			t.Fatal(err)
		}
		if f, _ := fault.As(change(tax.Labor2018, 3)); f == nil || !strings.Contains(f.Error(), "strategy") {
			t.Errorf("who pays people he does not know went along: %v", f)
		}
		if p, err := h.FindPayer(as(1), second); err != nil || p.Strategy != tax.ExternalAgent || p.Version != 4 {
			t.Errorf("after the refusal: %+v, %v", p, err)
		}
	})
}

func TestAMonthKeepsTheRuleItBeganWith(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		h.pay(m, 1000*yuan)
		err := h.ChangePayer(as(1), h.payer, 1, payee.PayerIn{Name: "晨光文化", TaxNo: firmNo, Strategy: tax.ExternalAgent})
		if err != nil {
			t.Fatal(err)
		}
		if l := h.pay(m, 1000*yuan); l.Rule != "labor_2018.1" || l.Tax != 200*yuan {
			t.Errorf("in March: %+v", l)
		}
		h.toMonth(time.April)
		if l := h.pay(m, 1000*yuan); l.Rule != "external_agent.1" || l.Tax != 0 {
			t.Errorf("in April: %+v", l)
		}
	})
}

func TestMonthsOfAnotherStrategyAreNotOfTheYear(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		h.pay(m, 60_000*yuan)
		h.toMonth(time.April)
		err := h.ChangePayer(as(1), h.payer, 1, payee.PayerIn{Name: "晨光文化", TaxNo: firmNo, Strategy: tax.LaborCumulative2025})
		if err != nil {
			t.Fatal(err)
		}
		if l := h.pay(m, 10_000*yuan); l.Tax != 90*yuan {
			t.Errorf("the first month year to date: withheld %s", l.Tax)
		}
	})
}

// TestAMonthCountsOnce: year to date a month's own payments are of the month and
// not of the months before it too.
func TestAMonthCountsOnce(t *testing.T) {
	run(t, tax.LaborCumulative2025, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		for i, want := range []money.Amount{90, 240, 240} { // 3 % of a fifth less, 5,000 off once
			if l := h.pay(m, 10_000*yuan); l.Tax != want*yuan {
				t.Errorf("payment %d: withheld %s, want %s", i+1, l.Tax, want*yuan)
			}
		}
	})
}

// TestWhatComesBackIsOfItsMonth: as long as its month is open, however late.
func TestWhatComesBackIsOfItsMonth(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		first, m := h.paid(natural(idNo)), h.paid(natural(otherID))
		h.pay(first, 3000*yuan)
		h.toMonth(time.April)
		if err := h.CloseMonth(as(1), h.payer, 202603); err != nil {
			t.Fatal(err)
		}
		l := h.pay(m, 3000*yuan)
		h.toMonth(time.May) // April is over and still open
		if back := h.reverse(l.Key)[0]; l.Month != 202604 || back.Month != 202604 {
			t.Errorf("paid in %d, taken back in %d", l.Month, back.Month)
		}
		h.holds(t)
	})
}
