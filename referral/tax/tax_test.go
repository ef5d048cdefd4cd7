package tax

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"siyu/internal/money"
)

// yuan keeps the examples readable.
func yuan(n money.Amount) money.Amount { return n * 100 }

// run pays the amounts one after the other in one month and gives the tax of
// each.
func run(t testing.TB, s Strategy, amounts ...money.Amount) []money.Amount {
	t.Helper()
	var m Month
	m.Months = 1
	var out []money.Amount
	for _, a := range amounts {
		r, err := Withhold(s, m, a)
		if err != nil {
			t.Fatal(err)
		}
		if r.Net != a-r.Tax || r.Gross != a || r.Tax < 0 || r.Tax > a {
			t.Fatalf("%s of %s: %+v", s, a, r)
		}
		m.Gross, m.Tax = m.Gross+a, m.Tax+r.Tax
		out = append(out, r.Tax)
	}
	return out
}

// The worked examples of the rules, one payment or several in one month.
func TestWorkedExamples(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Strategy
		pay  []money.Amount
		want []money.Amount
	}{
		{"3,000 less 800, at 20 %", Labor2018, []money.Amount{yuan(3000)}, []money.Amount{yuan(440)}},
		{"10,000 less a fifth, at 20 %", Labor2018, []money.Amount{yuan(10000)}, []money.Amount{yuan(1600)}},
		{"30,000 less a fifth, at 30 % less 2,000", Labor2018, []money.Amount{yuan(30000)}, []money.Amount{yuan(5200)}},
		{"100,000 less a fifth, at 40 % less 7,000", Labor2018, []money.Amount{yuan(100000)}, []money.Amount{yuan(25000)}},
		{"800 is free", Labor2018, []money.Amount{yuan(800)}, []money.Amount{0}},
		{"both deductions meet at 4,000", Labor2018, []money.Amount{yuan(4000)}, []money.Amount{yuan(640)}},
		{"20 % ends at 25,000", Labor2018, []money.Amount{yuan(25000)}, []money.Amount{yuan(4000)}},
		{"30 % ends at 62,500", Labor2018, []money.Amount{yuan(62500)}, []money.Amount{yuan(13000)}},
		// A month is one time: 2,000 less 800 at 20 % is 240, whoever cut it up.
		{"four times 500", Labor2018, []money.Amount{yuan(500), yuan(500), yuan(500), yuan(500)}, []money.Amount{0, yuan(40), yuan(100), yuan(100)}},
		// (3 fen over 800) × 20 % = 0.6 fen, rounded to 1.
		{"half up to the fen", Labor2018, []money.Amount{yuan(800) + 3}, []money.Amount{1}},
		{"20 % of each receipt", Incidental20, []money.Amount{yuan(5), 1, 2, 3}, []money.Amount{yuan(1), 0, 0, 1}},
		{"a coupon is no income", NoneCoupon, []money.Amount{yuan(50)}, []money.Amount{0}},
		{"the agent withholds", ExternalAgent, []money.Amount{yuan(5000)}, []money.Amount{0}},
		{"a firm invoices", Invoiced, []money.Amount{yuan(5000)}, []money.Amount{0}},
		// 10,000 × 80 % − 5,000 = 3,000 at 3 %; with 20,000 more 30,000 × 80 % −
		// 5,000 = 19,000 at 3 % = 570, less 90.
		{"year to date, first month", LaborCumulative2025, []money.Amount{yuan(10000), yuan(20000)}, []money.Amount{yuan(90), yuan(480)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := run(t, c.s, c.pay...)
			for i := range got {
				if got[i] != c.want[i] {
					t.Fatalf("payment %d: got %s, want %s of %v", i+1, got[i], c.want[i], got)
				}
			}
		})
	}
}

// A year of pay for services, worked by hand beside each month.
func TestYearToDate(t *testing.T) {
	var gross, withheld money.Amount
	for _, c := range []struct{ month, pay, want money.Amount }{
		{1, 10_000, 90},      // 8,000 − 5,000 = 3,000 × 3 % = 90
		{2, 10_000, 90},      // 16,000 − 10,000 = 6,000 × 3 % = 180 − 90
		{3, 60_000, 2_200},   // 64,000 − 15,000 = 49,000 × 10 % − 2,520 = 2,380 − 180
		{5, 1_000, 0},        // 64,800 − 25,000 = 39,800 × 10 % − 2,520 = 1,460; 2,380 were withheld
		{6, 200_000, 19_660}, // 224,800 − 30,000 = 194,800 × 20 % − 16,920 = 22,040 − 2,380
	} {
		r, err := Withhold(LaborCumulative2025, Month{YearGross: gross, YearTax: withheld, Months: int(c.month)}, yuan(c.pay))
		if err != nil || r.Tax != yuan(c.want) {
			t.Fatalf("month %d: got %s %v, want %s", c.month, r.Tax, err, yuan(c.want))
		}
		gross, withheld = gross+yuan(c.pay), withheld+r.Tax
	}
}

// Neighbouring brackets agree where they meet, else a fen more of income would
// cost more than a fen.
func TestTablesAreWhole(t *testing.T) {
	for _, tb := range []table{labor, year} {
		for i, b := range tb[:len(tb)-1] {
			if low, high := share(b.upto, b.rate)-b.quick, share(b.upto, tb[i+1].rate)-tb[i+1].quick; low != high {
				t.Errorf("at %s: %s below, %s above", b.upto, low, high)
			}
		}
	}
}

func anyStrategy(t *rapid.T) Strategy { return rapid.SampledFrom(Strategies()).Draw(t, "strategy") }

func anyPayments(t *rapid.T) []money.Amount {
	list := rapid.SliceOfN(rapid.Int64Range(1, 3_000_000), 1, 12).Draw(t, "payments")
	out := make([]money.Amount, len(list))
	for i, n := range list {
		out[i] = money.Amount(n)
	}
	return out
}

// Of the payments of a month in any order the sum of what is withheld is the
// same, and is the tax of their sum.
func TestOrderWithinAMonthIsFree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, pay := anyStrategy(rt), anyPayments(rt)
		var sum, tax money.Amount
		for i, x := range run(t, s, pay...) {
			sum, tax = sum+pay[i], tax+x
		}
		rand.Shuffle(len(pay), func(i, j int) { pay[i], pay[j] = pay[j], pay[i] })
		var again money.Amount
		for _, x := range run(t, s, pay...) {
			again += x
		}
		if again != tax {
			rt.Fatalf("%s: %s in one order, %s in another of %v", s, tax, again, pay)
		}
		if due := Due(s, Month{Gross: sum, Tax: tax, Months: 1}); due != tax {
			rt.Fatalf("%s: withheld %s of %s, due %s", s, tax, sum, due)
		}
	})
}

// A company that bears the tax pays exactly what it promised, and not a fen
// more than it must.
func TestGrossUpIsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStrategy(rt)
		m := Month{Months: rapid.IntRange(1, 12).Draw(rt, "months")}
		if rapid.Bool().Draw(rt, "begun") {
			for _, a := range anyPayments(rt) {
				r, err := Withhold(s, m, a)
				if err != nil {
					rt.Fatal(err)
				}
				m.Gross, m.Tax = m.Gross+a, m.Tax+r.Tax
			}
		}
		promised := money.Amount(rapid.Int64Range(1, 50_000_000).Draw(rt, "promised"))
		r, err := GrossUp(s, m, promised)
		if err != nil {
			rt.Fatal(err)
		}
		if r.Net != promised {
			rt.Fatalf("%s: %s promised, %s arrives of %s", s, promised, r.Net, r.Gross)
		}
		if less, err := Withhold(s, m, r.Gross-1); err == nil && less.Net >= promised {
			rt.Fatalf("%s: a fen less of %s would do", s, r.Gross)
		}
	})
}

// 2,000 promised, borne by the company: (g − 800) × 20 % comes off, so
// g × 0.8 + 160 = 2,000 and g = 2,300.
func TestGrossUpByHand(t *testing.T) {
	r, err := Pay(Labor2018, BorneCompany, Month{}, yuan(2000))
	if err != nil || r.Gross != yuan(2300) || r.Tax != yuan(300) || r.Net != yuan(2000) {
		t.Fatalf("got %+v, %v", r, err)
	}
}

// What came back leaves too much or too little withheld; the next payment of
// the month evens it out.
func TestTheNextPaymentEvensOut(t *testing.T) {
	over := Month{Gross: yuan(1500), Tax: yuan(240), Months: 1} // the first of four times 500 came back
	r, err := Withhold(Labor2018, over, yuan(500))
	if err != nil || r.Tax != 0 {
		t.Fatalf("got %+v, %v", r, err)
	}
	if due := Due(Labor2018, over); due != yuan(140) {
		t.Fatalf("due %s", due)
	}
	corrected := Month{Gross: -yuan(500), Tax: -yuan(40), Months: 1} // of a month that is closed
	if r, err = Withhold(Labor2018, corrected, yuan(500)); err != nil || r.Tax != yuan(40) {
		t.Fatalf("got %+v, %v", r, err)
	}
	// Of 10,000 nothing was withheld; 10,010 less a fifth at 20 % is 1,601.60,
	// which takes all of the next 10 and no more.
	short := Month{Gross: yuan(10000), Months: 1}
	if r, err = Withhold(Labor2018, short, yuan(10)); err != nil || r.Tax != yuan(10) || r.Net != 0 {
		t.Fatalf("got %+v, %v", r, err)
	}
}

// Where a month's income leaves less than was withheld in the year before it,
// the month owes nothing: what is too much is given back with the year's
// return, never by a payer.
func TestAMonthOwesNothingBack(t *testing.T) {
	spring := Month{Gross: yuan(100), YearGross: yuan(10000), YearTax: yuan(90), Months: 2} // 10,100 less a fifth and 10,000: nothing
	if due := Due(LaborCumulative2025, spring); due != 0 {
		t.Errorf("due %s", due)
	}
	if r, err := Withhold(LaborCumulative2025, spring, yuan(100)); err != nil || r.Tax != 0 || r.Net != yuan(100) {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, gross := range []money.Amount{0, -1, maxGross + 1} {
		if _, err := Withhold(Labor2018, Month{}, gross); err == nil {
			t.Errorf("%s is paid", gross)
		}
	}
	if _, err := Withhold("guess", Month{}, 1); err == nil {
		t.Error("an unknown strategy withholds")
	}
	for _, s := range Strategies() {
		r, err := RuleOf(s)
		if err != nil || r.Version == "" || r.BasisZH == "" || r.BasisEN == "" || r.Source == "" || len(r.Incomes) == 0 {
			t.Errorf("%s: %+v %v", s, r, err)
		}
	}
	if Labor2018.Fits(IncomeIncidental) || !Incidental20.Fits(IncomeIncidental) {
		t.Error("a strategy fits what it does not tax")
	}
}
