package settlement_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/payee"
	"siyu/referral/payfile"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// sent is a payout of four members by the bank's file, on its way.
func sent(t testing.TB, db *database.DB) (*taxed, settlement.Payout) {
	h := newTaxed(t, db, payee.PayerIn{})
	h.Vault = h.people
	for m := range id.Member(4) {
		h.member(m+1, idNumbers[0])
		h.exec("UPDATE payee_versions SET taxpayer_id = ? WHERE payee_id IN (SELECT id FROM payees WHERE member_id = ?)", m+1, m+1) // four people
	}
	h.clear(reward{member: 1, amount: 3000_00}, reward{member: 2, amount: 500_00}, reward{member: 3, amount: 20_00}, reward{member: 4, amount: 7_00})
	p := h.pays(settlement.PayoutIn{SettlementID: h.reviewed(), Channel: "bank_generic"})
	if p.Status != settlement.PayoutSent || p.Net != 3087_00 {
		t.Fatalf("sent: %+v", p)
	}
	return h, p
}

func (h *taxed) file(pid id.Payout) settlement.PaymentFile {
	h.t.Helper()
	f, err := h.MakeFile(as(cashier), pid, 1)
	h.must(err)
	return f
}

// answer imports lines of a bank's answer, each "line net state reason".
func (h *taxed) answer(pid id.Payout, lines ...string) settlement.Import {
	h.t.Helper()
	body := "序号,金额,处理结果,失败原因\r\n" + strings.Join(lines, "\r\n")
	no, err := h.ImportResults(as(cashier), pid, []byte(body))
	h.must(err)
	h.work()
	list, err := h.ListImports(as(cashier), pid)
	h.must(err)
	return list[no-1]
}

// states is what the lines of a payout have become.
func (h *taxed) states(pid id.Payout) (out []string) {
	h.t.Helper()
	for _, l := range h.payoutLines(pid) {
		out = append(out, string(l.Status))
	}
	return out
}

// TestNoFileOfWhatIsAnswered: a result that comes in while a file is made, by
// whatever process, throws the file away. Handed out, it would name a payment that
// came back and is carried on, so its member would be paid twice.
func TestNoFileOfWhatIsAnswered(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h, p := sent(t, db)
		h.must(h.MakeFileWhile(as(cashier), p.ID, func() { h.answer(p.ID, "2,500.00,失败,户名不符") }))
		h.must(h.MakeFileWhile(as(cashier), p.ID, func() { h.answer(p.ID, "1,2560.00,成功,") }))
		if made, err := h.ListFiles(as(cashier), p.ID); err != nil || len(made) != 0 {
			t.Errorf("noted though thrown away: %+v, %v", made, err)
		}
		if f := h.file(p.ID); f.Rows != 2 || f.Net != 27_00 || f.Made != 1 {
			t.Errorf("made anew: %d rows of %s, made %d times", f.Rows, f.Net, f.Made)
		}
		h.proven()
	})
}

func TestAPayoutByFile(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h, p := sent(t, db)
		if paying, paid, held := h.balance(wallet.StagePaying, 1), h.balance(wallet.StagePaid, 1), h.balance(wallet.StageTax, 1); paying != 2560_00 || paid != 0 || held != 440_00 {
			t.Errorf("on its way: paying %s, paid %s, tax %s", paying, paid, held)
		}
		h.proven()
		f := h.file(p.ID)
		text, err := simplifiedchinese.GBK.NewDecoder().Bytes(f.Body)
		bill := h.payoutLines(p.ID)[0].BillNo()
		if h.must(err); !strings.Contains(string(text), "1,6222020000000000000,王小明,2560.00,招商银行,,,2026-03,"+bill+"\r\n") || f.Rows != 4 || f.Net != 3087_00 {
			t.Errorf("the file: %s", text)
		}
		for range 2 {
			if next := h.file(p.ID); next.SHA256 != f.SHA256 {
				t.Error("made again it is another file")
			}
		}
		made, err := h.ListFiles(as(cashier), p.ID)
		if h.must(err); len(made) != 3 || made[2].Made != 3 || made[2].MadeBy != cashier {
			t.Errorf("made: %+v", made)
		}
		var opened int
		h.must(db.Read(bg).Raw("SELECT COUNT(*) FROM audit WHERE action = 'payee.open_vault' AND object = ?", p.ID.String()).Scan(&opened).Error)
		if opened != 3 {
			t.Errorf("the vault was opened %d times", opened)
		}
		_, err = h.MakeFile(as(cashier), p.ID, 2)
		if err == nil {
			t.Error("a second part of four lines")
		}

		m := h.answer(p.ID, "1,2560.00,成功,", "2,499.00,成功,", "3,20.00,失败,户名不符", "3,20.00,成功,", "9,1.00,成功,")
		want := map[settlement.Outcome]int{"paid": 1, "amount_differs": 1, "failed": 1, "twice": 1, "no_such_line": 1}
		if !cmp.Equal(m.Outcomes, want) || m.Missing != 1 || m.Status != settlement.ImportDone {
			t.Errorf("reconciled: %s, missing %d", cmp.Diff(want, m.Outcomes), m.Missing)
		}
		if got, want := h.states(p.ID), []string{"paid", "sent", "failed", "sent"}; !cmp.Equal(got, want) {
			t.Errorf("became: %s", cmp.Diff(want, got))
		}
		h.proven()
		if rest := h.file(p.ID); rest.Rows != 2 { // nobody is paid twice by it
			t.Errorf("made after the answer: %d rows", rest.Rows)
		}
		if again := h.answer(p.ID, "1,2560.00,成功,", "2,499.00,成功,", "3,20.00,失败,户名不符", "3,20.00,成功,", "9,1.00,成功,"); again.No != 1 {
			t.Errorf("the same bytes are import %d", again.No)
		}
		if h.find(p.SettlementID).Status != settlement.StatusReviewed {
			t.Error("the settlement is paid while payments are on their way")
		}
		m = h.answer(p.ID, "1,2560.00,成功,", "2,500.00,处理中,", "3,20.00,成功,", "4,7.00,成功,")
		want = map[settlement.Outcome]int{"already": 1, "unknown": 1, "conflict": 1, "paid": 1}
		if !cmp.Equal(m.Outcomes, want) || m.Missing != 0 {
			t.Errorf("reconciled: %s, missing %d", cmp.Diff(want, m.Outcomes), m.Missing)
		}
		h.proven()
		m = h.answer(p.ID, "2,500.00,成功,", "1,2560.00,退票,销户", "4,7.00,处理中,")
		want = map[settlement.Outcome]int{"paid": 1, "failed": 1, "behind": 1}
		if !cmp.Equal(m.Outcomes, want) {
			t.Errorf("reconciled: %s", cmp.Diff(want, m.Outcomes))
		}
		done, err := h.FindPayout(bg, p.ID)
		if h.must(err); done.Status != settlement.PayoutPaid || done.FailedCount != 2 || h.find(p.SettlementID).Status != settlement.StatusPaid {
			t.Errorf("in the end: %+v", done)
		}
		h.proven()
		if got, want := h.kinds(h.sealed().ID), []string{"failed 1 3000.00 corrects " + p.ID.String() + "/1", "failed 3 20.00 corrects " + p.ID.String() + "/3"}; !cmp.Equal(got, want) {
			t.Errorf("carried: %s", cmp.Diff(want, got))
		}
		rows, err := h.ListImportRows(as(cashier), p.ID, 1, database.Page{Limit: 2})
		if h.must(err); len(rows.Items) != 2 || rows.Items[1].Outcome != settlement.OutcomeAmount || rows.NextCursor == "" {
			t.Errorf("rows: %+v", rows)
		}
		h.proven()
	})
}

func TestWhoseAccountIsAnotherKindOrGone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h, p := sent(t, db)
		h.must(h.people.EraseMember(as(maker), 2))
		_, err := h.MakeFile(as(cashier), p.ID, 1)
		h.refused(err, payfile.ErrAccount)
		h.clear(reward{member: 1, amount: 5_00}, reward{member: 99, amount: 1_00})
		other := h.pays(settlement.PayoutIn{SettlementID: h.reviewed(), Channel: "alipay_batch"})
		if got, want := h.holds(other.ID), []string{"1 5.00 other_account", "99 1.00 no_payee"}; !cmp.Equal(got, want) {
			t.Errorf("held: %s", cmp.Diff(want, got))
		}
		_, err = h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: other.SettlementID, Channel: "bank_of_nowhere"})
		if err == nil {
			t.Error("an unknown form")
		}
		h.proven()
		h.exec("UPDATE payout_lines SET status = 'paid' WHERE payout_id = ? AND line_no = 1", p.ID)
		if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, p.ID.String()+"/1: is paid, the ledger has 2560.00 on its way") {
			t.Errorf("not named: %s", broken)
		}
	})
}

// TestResultsKilledAnywhere kills the reconciling of a result file and goes on.
func TestResultsKilledAnywhere(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			h := newTaxed(t, dbtest.At(t, url), payee.PayerIn{})
			h.Vault = h.people
			h.payees(250)
			var list []reward
			for m := range id.Member(250) {
				list = append(list, reward{member: m + 1, amount: 10_00})
			}
			h.clear(list...)
			p := h.pays(settlement.PayoutIn{SettlementID: h.reviewed(), Channel: "bank_generic"})
			var body strings.Builder
			body.WriteString("序号,金额,处理结果\n")
			for i := range p.LineCount {
				fmt.Fprintf(&body, "%d,10.00,%s\n", i+1, []string{"成功", "失败"}[i%2])
			}
			no, err := h.ImportResults(as(cashier), p.ID, []byte(body.String()))
			h.must(err)
			for n := range 2 {
				killed(t, url, fmt.Sprint("import", no), int64(p.ID), fmt.Sprintf("settlement:import:%d", n+1))
				h.proven()
			}
			h.work()
			if got := h.find(p.SettlementID); got.Status != settlement.StatusPaid {
				t.Errorf("it is %s", got.Status)
			}
			done, err := h.FindPayout(bg, p.ID)
			if h.must(err); done.FailedCount != 125 || done.LineCount != 250 {
				t.Errorf("%+v", done)
			}
			h.proven()
		})
	}
}

// numbers is a table of the numbers from one to another, for any engine.
func numbers(from, to int) string {
	var parts []string
	for n := from; n <= to; n++ {
		parts = append(parts, fmt.Sprintf("SELECT %d AS no", n))
	}
	return strings.Join(parts, " UNION ALL ")
}
