package payee_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/tax"
)

const yuan money.Amount = 100

func TestFourTimes500InOneMonthWithhold240(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		var sum money.Amount
		for i, want := range []money.Amount{0, 40, 100, 100} {
			l := h.pay(m, 500*yuan)
			if l.Tax != want*yuan || l.Net != l.Gross-l.Tax || l.Month != 202603 || l.Rule != "labor_2018.1" || l.IncomeType != tax.IncomeLabor {
				t.Fatalf("payment %d: %+v", i+1, l)
			}
			sum += l.Tax
		}
		if sum != 240*yuan {
			t.Fatalf("withheld %s", sum)
		}
		h.toMonth(time.April) // another month begins anew
		if l := h.pay(m, 500*yuan); l.Tax != 0 || l.Month != 202604 {
			t.Fatalf("got %+v", l)
		}
		months, err := h.ListMonths(as(1), h.payer, 202603, database.Page{})
		if err != nil || len(months.Items) != 1 || months.Items[0].Tax != 240*yuan || months.Items[0].Due != 240*yuan || months.Items[0].MemberID != m || months.Items[0].Name != "王**" {
			t.Fatalf("got %+v, %v", months, err)
		}
	})
}

func TestTwoMembersWithOneNumberAreOneTaxpayer(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		a, b, c := h.paid(natural(idNo)), h.paid(natural(idNo)), h.paid(natural(otherID))
		got := h.withhold(
			payee.Withholding{Key: "a", Payer: h.payer, Member: a, Amount: 500 * yuan},
			payee.Withholding{Key: "b", Payer: h.payer, Member: b, Amount: 500 * yuan},
			payee.Withholding{Key: "c", Payer: h.payer, Member: c, Amount: 500 * yuan})
		if got[0].Tax != 0 || got[1].Tax != 40*yuan || got[2].Tax != 0 {
			t.Fatalf("got %s, %s, %s", got[0].Tax, got[1].Tax, got[2].Tax)
		}
	})
}

func TestPayersOfOneTaxNumberWithholdTogether(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		twin := h.newPayer(payee.PayerIn{UnitID: brand, Name: "晨光 另一成本中心", TaxNo: firmNo, Strategy: tax.Labor2018, CostCentre: "C2"})
		alone := h.newPayer(payee.PayerIn{UnitID: brand, Name: "无税号", Strategy: tax.Labor2018})
		m := h.paid(natural(idNo))
		for i, c := range []struct {
			payer id.Payer
			want  money.Amount
		}{{h.payer, 40}, {twin, 200}, {alone, 40}} {
			l := h.withhold(payee.Withholding{Key: fmt.Sprint("k", i), Payer: c.payer, Member: m, Amount: 1000 * yuan})[0]
			if l.Tax != c.want*yuan {
				t.Errorf("payer %d: withheld %s, want %s", i, l.Tax, c.want*yuan)
			}
		}
		_, err := h.CreatePayer(as(1), payee.PayerIn{UnitID: brand, Name: "x", TaxNo: firmNo, Strategy: tax.LaborCumulative2025})
		if err == nil || !strings.Contains(err.Error(), "strategy") {
			t.Errorf("two ways to tax one income under one tax number: %v", err)
		}
		p, err := h.FindPayer(as(1), h.payer)
		if err != nil {
			t.Fatal(err)
		}
		h.refused(h.ChangePayer(as(1), h.payer, p.Version, payee.PayerIn{Name: "新名", Strategy: tax.Labor2018}), payee.ErrTaxNo)
	})
}

func TestCompanyBearsTheTax(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		up := h.newPayer(payee.PayerIn{UnitID: brand, Name: "税由公司承担", Strategy: tax.Labor2018, BorneBy: tax.BorneCompany})
		m := h.paid(natural(idNo))
		l := h.withhold(payee.Withholding{Key: "k", Payer: up, Member: m, Amount: 2000 * yuan})[0]
		if l.Gross != 2300*yuan || l.Tax != 300*yuan || l.Net != 2000*yuan || l.Promised != 2000*yuan || l.BorneBy != tax.BorneCompany {
			t.Fatalf("got %+v", l)
		}
	})
}

func TestYearToDateInTheStore(t *testing.T) {
	run(t, tax.LaborCumulative2025, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		// From March on; the same sums as in the tax room's example by hand.
		for _, c := range []struct {
			month     time.Month
			pay, want money.Amount
		}{{3, 10_000, 90}, {4, 10_000, 90}, {5, 60_000, 2_200}, {7, 1_000, 0}, {8, 200_000, 19_660}} {
			h.toMonth(c.month)
			if l := h.pay(m, c.pay*yuan); l.Tax != c.want*yuan {
				t.Fatalf("month %d: withheld %s, want %s", c.month, l.Tax, c.want*yuan)
			}
		}
		// One dated back rests on what came after, so it counts there.
		l := h.withhold(payee.Withholding{Key: "late", Payer: h.payer, Member: m, Amount: yuan, PaidAt: clock.MilliOf(time.Date(2026, 4, 20, 0, 0, 0, 0, time.UTC))})[0]
		if l.Month != 202608 {
			t.Errorf("counts in %d", l.Month)
		}
	})
}

func TestAYearBeginsAnew(t *testing.T) {
	run(t, tax.LaborCumulative2025, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		h.toMonth(time.December)
		h.pay(m, 60_000*yuan)
		h.toMonth(13)
		// One dated back rests on nothing of the next year, so it counts where it
		// belongs, and nothing of the next year rests on it.
		late := payee.Withholding{Key: "late", Payer: h.payer, Member: m, Amount: yuan, PaidAt: clock.MilliOf(time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC))}
		l := h.withhold(late, payee.Withholding{Key: "january", Payer: h.payer, Member: m, Amount: 10_000 * yuan})
		if l[0].Month != 202612 || l[1].Month != 202701 || l[1].Tax != 90*yuan {
			t.Errorf("in January: got %+v", l)
		}
		h.toMonth(14)
		late.Key = "later"
		if l := h.withhold(late)[0]; l.Month != 202612 {
			t.Errorf("counts in %d", l.Month)
		}
		if l := h.pay(m, 10_000*yuan); l.Tax != 90*yuan {
			t.Errorf("in February: withheld %s", l.Tax)
		}
	})
}

func TestTheFirstPaymentIsNotedOnce(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		paidAt := func() (at int64) {
			t.Helper()
			if err := h.DB.Read(bg).Raw("SELECT paid_at FROM payees").Row().Scan(&at); err != nil {
				t.Fatal(err)
			}
			return at
		}
		h.pay(m, 100*yuan)
		first := paidAt()
		h.toMonth(time.April)
		if h.pay(m, 100*yuan); first == 0 || paidAt() != first {
			t.Errorf("noted at %d, then %d", first, paidAt())
		}
	})
}

func TestAKeyIsWithheldOnce(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		w := payee.Withholding{Key: "payout:1:1", Payer: h.payer, Member: m, Amount: 3000 * yuan}
		first := h.withhold(w)[0]
		if again := h.withhold(w, w); again[0] != first || again[1] != first {
			t.Errorf("got %+v, want %+v", again, first)
		}
		back := h.reverse(w.Key)[0]
		if back.Gross != -3000*yuan || back.Tax != -440*yuan || back.Month != 202603 || back.Corrects != first.ID {
			t.Errorf("taken back: %+v", back)
		}
		if again := h.reverse(w.Key)[0]; again != back {
			t.Errorf("twice: %+v", again)
		}
		h.refused(h.DB.Tx(bg, func(tx *database.Tx) error {
			_, err := payee.ReverseTx(tx, []string{"payout:9:9"})
			return err
		}), payee.ErrReversed)
		if l := h.pay(m, 3000*yuan); l.Tax != 440*yuan {
			t.Errorf("paid again: withheld %s", l.Tax)
		}
	})
}

func TestAClosedMonthIsCorrectedForward(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		l := h.pay(m, 3000*yuan)
		says := func(month int, want string) {
			t.Helper()
			f, ok := fault.As(h.CloseMonth(as(1), h.payer, month))
			if !ok || !f.Is(payee.ErrMonth) || !strings.Contains(f.Text("zh"), want) {
				t.Errorf("closing %d: %v, want %s", month, f, want)
			}
		}
		says(202603, "还没有过完")
		says(202613, "不是月份")
		h.toMonth(time.April)
		if err := h.CloseMonth(as(1), h.payer, 202603); err != nil {
			t.Fatal(err)
		}
		closes, err := h.ListCloses(as(1), h.payer, database.Page{})
		if err != nil || len(closes.Items) != 1 {
			t.Fatalf("closes %+v, %v", closes, err)
		}
		if c := closes.Items[0]; c.Month != 202603 || c.Gross != 3000*yuan || c.Tax != 440*yuan || c.Lines != 1 || c.ClosedBy != 1 {
			t.Fatalf("closed as %+v", c)
		}
		says(202603, "已经关账")
		late := h.withhold(payee.Withholding{Key: "late", Payer: h.payer, Member: m, Amount: 800 * yuan, PaidAt: clock.MilliOf(dbtest.Start)})[0]
		if late.Month != 202604 {
			t.Errorf("a payment dated in a closed month counts in %d", late.Month)
		}
		if back := h.reverse(l.Key)[0]; back.Month != 202604 || back.Tax != -440*yuan {
			t.Errorf("taken back: %+v", back)
		}
		// April holds 800 − 3,000 and −440; paid again it comes to 800 and nothing.
		if l := h.pay(m, 3000*yuan); l.Tax != 440*yuan {
			t.Errorf("paid again: withheld %s", l.Tax)
		}
	})
}

// Random payments, returns and closes; after each run the months are their
// lines and nothing moved in a closed one.
func TestPaymentsAtRandom(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, dbtest.Open(t, engine), tax.Labor2018)
			people := []id.Member{h.paid(natural(idNo)), h.paid(natural(idNo)), h.paid(natural(otherID)), h.paid(firm())}
			month := time.March
			checks := 0
			rapid.Check(t, func(rt *rapid.T) {
				if checks++; checks > 12 && !testing.Verbose() {
					return
				}
				keys := []string{}
				for range rapid.IntRange(1, 15).Draw(rt, "steps") {
					switch rapid.SampledFrom([]string{"pay", "pay", "pay", "back", "close"}).Draw(rt, "step") {
					case "pay":
						m := rapid.SampledFrom(people).Draw(rt, "member")
						keys = append(keys, h.pay(m, money.Amount(rapid.Int64Range(1, 3_000_000).Draw(rt, "amount"))).Key)
					case "back":
						if len(keys) > 0 {
							h.reverse(rapid.SampledFrom(keys).Draw(rt, "key"))
						}
					case "close":
						month++
						h.toMonth(month)
						h.CloseMonth(as(1), h.payer, monthBefore(h)) // refused if closed
					}
				}
				if broken := h.broken(); len(broken) > 0 {
					rt.Fatalf("%v", broken)
				}
			})
		})
	}
}

func monthBefore(h *house) int {
	at := h.DB.Clock.Now().AddDate(0, -1, 0)
	return at.Year()*100 + int(at.Month())
}

// rush pays one taxpayer from 64 goroutines at once and gives what was
// withheld.
func rush(t testing.TB, h *house) (sum money.Amount, failed int) {
	m := h.paid(natural(idNo))
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			var l []payee.Line
			err := h.DB.Tx(bg, func(tx *database.Tx) (err error) {
				l, err = payee.WithholdTx(tx, []payee.Withholding{{Key: fmt.Sprint("rush:", i), Payer: h.payer, Member: m, Amount: 100 * yuan}})
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
				return
			}
			sum += l[0].Tax
		})
	}
	all.Wait()
	return sum, failed
}

func Test64PaymentsAtOnceAreTaxedAsOne(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		sum, failed := rush(t, h)
		if failed != 0 || sum != 1024*yuan { // 6,400 less a fifth, at 20 %
			t.Fatalf("withheld %s, %d failed", sum, failed)
		}
	})
	t.Run("breaks without locks", func(t *testing.T) {
		for range 20 {
			h := newHouse(t, dbtest.Unlocked(t, "mariadb", "tax_months.tax_months_one"), tax.Labor2018)
			if sum, _ := rush(t, h); sum != 1024*yuan || len(h.broken()) > 0 {
				return
			}
		}
		t.Fatal("64 payments at once held without any lock")
	})
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]string{
		"a month that is not its lines":  "UPDATE tax_months SET tax = tax - 1",
		"a line that does not add up":    "UPDATE tax_lines SET net = net + 1",
		"a line after the close":         "INSERT INTO tax_closes (agent_id, month_no, closed_by, closed_at, line_count, gross, tax) SELECT agent_id, month_no, 1, 1, 0, 0, 0 FROM tax_months",
		"tax that the rule does not ask": "UPDATE tax_months SET tax = tax + 100",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, dbtest.Open(t, "sqlite"), tax.Labor2018)
			h.pay(h.paid(natural(idNo)), 3000*yuan)
			h.holds(t)
			if strings.HasPrefix(name, "tax that") {
				h.exec("UPDATE tax_lines SET tax = tax + 100, net = net - 100")
			}
			h.exec(spoil)
			if len(h.broken()) == 0 {
				t.Error("verify is content")
			}
		})
	}
}
