package settlement_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/payfile"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// TestStaffArePaidByPayroll: a settlement of staff and others is paid by two
// payouts; payroll withholds, so nothing is withheld here, and what it could
// not pay is carried.
func TestStaffArePaidByPayroll(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{CostCentre: "CC-12", BudgetNo: "B-2026-7"})
		h.Vault = h.people
		h.member(1, idNumbers[0])
		h.member(2, idNumbers[1])
		h.member(3, idNumbers[1])
		h.exec("UPDATE payee_versions SET payee_type = 'staff', taxpayer_id = payee_id WHERE payee_id IN (SELECT id FROM payees WHERE member_id > 1)")
		h.clear(reward{member: 1, amount: 3000_00}, reward{member: 2, amount: 5000_00}, reward{member: 3, amount: 8_00})
		sid := h.reviewed()

		p := h.pays(settlement.PayoutIn{SettlementID: sid, Channel: "bank_generic", CarryHeld: true})
		if got, want := h.holds(p.ID), []string{"2 5000.00 payroll", "3 8.00 payroll"}; !cmp.Equal(got, want) || p.LineCount != 1 || p.Tax != 440_00 {
			t.Fatalf("by the bank: %s of %+v", cmp.Diff(want, got), p)
		}
		h.answer(p.ID, "1,2560.00,成功,")
		by := h.pays(settlement.PayoutIn{SettlementID: sid})
		if got, want := h.holds(by.ID), []string{"2 5000.00 payroll", "3 8.00 payroll"}; !cmp.Equal(got, want) || by.LineCount != 0 {
			t.Fatalf("by mark: %s of %+v", cmp.Diff(want, got), by)
		}
		if h.find(sid).Status != settlement.StatusReviewed {
			t.Error("paid while staff wait")
		}

		p = h.pays(settlement.PayoutIn{SettlementID: sid, Channel: "payroll_generic", CarryHeld: true})
		if p.Gross != 5008_00 || p.Tax != 0 || p.Net != 5008_00 || p.Status != settlement.PayoutSent {
			t.Fatalf("by payroll: %+v", p)
		}
		for _, l := range h.payoutLines(p.ID) {
			if l.PayeeType != payee.TypeStaff || l.Tax != 0 {
				t.Errorf("of staff: %+v", l)
			}
		}
		var wages money.Amount
		h.must(db.Read(bg).Raw("SELECT SUM(gross) FROM tax_months WHERE income_type = 'wages' AND strategy = 'payroll'").Scan(&wages).Error)
		if wages != 5008_00 || h.balance(wallet.StageTax, 2) != 0 || h.balance(wallet.StagePaying, 2) != 5000_00 {
			t.Errorf("wages %s", wages)
		}
		f := h.file(p.ID)
		want := "1,王小明,\"\t" + idNumbers[1] + "\",,晨光文化,CC-12,B-2026-7,推广奖励,5000.00,2026-03," + h.payoutLines(p.ID)[0].BillNo() + "\r\n"
		if !strings.Contains(string(f.Body), want) || !strings.Contains(string(f.Body), "合计,2,,,,,,,5008.00") {
			t.Errorf("the file: %s", f.Body)
		}
		var opened int
		h.must(db.Read(bg).Raw("SELECT COUNT(*) FROM audit WHERE action = 'payee.open_vault' AND object = ?", p.ID.String()).Scan(&opened).Error)
		if opened != 1 {
			t.Errorf("the vault was opened %d times", opened)
		}
		h.proven()

		no, err := h.ImportResults(as(cashier), p.ID, []byte("序号,税前金额,发放状态,失败原因\r\n1,5000.00,已发放,\r\n2,8.00,查无此人,已离职"))
		h.must(err)
		h.work()
		list, err := h.ListImports(as(cashier), p.ID)
		h.must(err)
		if want := map[settlement.Outcome]int{"paid": 1, "failed": 1}; !cmp.Equal(list[no-1].Outcomes, want) || h.find(sid).Status != settlement.StatusPaid {
			t.Errorf("answered: %+v", list[no-1])
		}
		if paid, owed := h.balance(wallet.StagePaid, 2), h.balance(wallet.StagePayable, 3); paid != 5000_00 || owed != 8_00 {
			t.Errorf("ledger: paid %s, owed again %s", paid, owed)
		}
		h.proven()
		if got, want := h.kinds(h.sealed().ID), []string{"failed 3 8.00 corrects " + p.ID.String() + "/2"}; !cmp.Equal(got, want) {
			t.Errorf("carried: %s", cmp.Diff(want, got))
		}
	})
}

// TestPayrollPaysNobodyElse: its payout neither pays nor carries others, and
// who was erased is named by no file.
func TestPayrollPaysNobodyElse(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{})
		h.Vault = h.people
		h.member(1, idNumbers[0])
		h.member(2, idNumbers[1])
		h.exec("UPDATE payee_versions SET payee_type = 'staff' WHERE payee_id IN (SELECT id FROM payees WHERE member_id = 2)")
		h.clear(reward{member: 1, amount: 30_00}, reward{member: 2, amount: 50_00}, reward{member: 3, amount: 1_00})
		p := h.pays(settlement.PayoutIn{SettlementID: h.reviewed(), Channel: "payroll_generic", CarryHeld: true})
		if got, want := h.holds(p.ID), []string{"1 30.00 not_staff", "3 1.00 not_staff"}; !cmp.Equal(got, want) || p.LineCount != 1 || p.FailedCount != 0 {
			t.Errorf("held: %s of %+v", cmp.Diff(want, got), p)
		}
		h.exec("UPDATE payee_versions SET sealed = '', status = 'erased' WHERE payee_id IN (SELECT id FROM payees WHERE member_id = ?)", id.Member(2))
		_, err := h.MakeFile(as(cashier), p.ID, 1)
		h.refused(err, payfile.ErrAccount)
		h.proven()
	})
}
