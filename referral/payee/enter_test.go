package payee_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
	"siyu/referral/payee"
	"siyu/referral/tax"
)

func TestWhoMayBePaid(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		expect := func(m id.Member, amount money.Amount, want payee.Reason) payee.Ready {
			t.Helper()
			r := h.ready(m, amount)
			if r.Blocked != want {
				t.Fatalf("got %q, want %q", r.Blocked, want)
			}
			return r
		}
		nobody := h.member()
		expect(nobody, yuan, payee.ReasonNoPayee)

		m := h.paid(natural(idNo)) // the first one is in force at once
		if r := expect(m, yuan, ""); r.Payee == 0 || r.No != 1 || r.Type != payee.TypeNatural || r.Kind != payee.AccountBank || r.Member != m {
			t.Fatalf("got %+v", r)
		}
		in := natural(idNo)
		in.BankName = "工商银行"
		if _, err := h.Enter(himself(m), m, in); err != nil { // and so is a change before the first payment
			t.Fatal(err)
		}
		expect(m, yuan, "")
		h.pay(m, yuan)
		pid, err := h.Enter(himself(m), m, in) // after it a second person decides
		if err != nil {
			t.Fatal(err)
		}
		expect(m, yuan, payee.ReasonPending)
		if err := h.Approve(as(1), pid, payee.DecideIn{No: 3}); err != nil {
			t.Fatal(err)
		}
		if r := expect(m, yuan, ""); r.No != 3 {
			t.Fatalf("version %d", r.No)
		}

		staffed := h.member() // what staff enter is never in force at once
		pid, err = h.Enter(as(1), staffed, natural(otherID))
		if err != nil {
			t.Fatal(err)
		}
		expect(staffed, yuan, payee.ReasonPending)
		h.refused(h.Approve(as(1), pid, payee.DecideIn{No: 1}), payee.ErrSamePerson)
		h.refused(h.Approve(as(2), pid, payee.DecideIn{No: 2}), payee.ErrNoPending)
		if err := h.Reject(as(2), pid, payee.DecideIn{No: 1, Reason: "姓名不符"}); err != nil {
			t.Fatal(err)
		}
		expect(staffed, yuan, payee.ReasonNoPayee)
		h.refused(h.Approve(as(2), pid, payee.DecideIn{No: 1}), payee.ErrNoPending)

		worker := natural(otherID)
		worker.Type = payee.TypeStaff
		staffer := h.paid(worker)
		expect(staffer, yuan, "")
		if l := h.pay(staffer, 5000*yuan); l.Tax != 0 || l.Net != 5000*yuan || l.Rule != "payroll.1" || l.IncomeType != tax.IncomeWages {
			t.Fatalf("of staff: %+v", l)
		}

		co := h.paid(firm())
		expect(co, 500*yuan, payee.ReasonNoInvoice)
		p, err := h.PayeeOf(as(1), co)
		if err != nil {
			t.Fatal(err)
		}
		invoice := payee.InvoiceIn{PayerID: h.payer, Number: "24312000000000000001", Amount: 600 * yuan}
		if err := h.RecordInvoice(as(1), p.ID, invoice); err != nil {
			t.Fatal(err)
		}
		h.refused(h.RecordInvoice(as(1), p.ID, invoice), payee.ErrInvoice)
		expect(co, 500*yuan, "")
		if l := h.pay(co, 500*yuan); l.Tax != 0 || l.Rule != "invoiced.1" || l.IncomeType != tax.IncomeBusiness {
			t.Fatalf("a firm: %+v", l)
		}
		expect(co, 101*yuan, payee.ReasonNoInvoice) // 100 of the invoice are left
		expect(co, 100*yuan, "")

		h.exec("INSERT INTO member_blocks (member_id, reason, until_at, staff_id, created_at) VALUES (?, '刷单', 0, 1, 1)", m)
		expect(m, yuan, payee.ReasonBlocked)
	})
}

func TestAnAgentAsksForNamesItself(t *testing.T) {
	run(t, tax.ExternalAgent, func(t *testing.T, h *house) {
		var p payee.Payer
		h.tx(func(tx *database.Tx) (err error) { p, err = payee.PayerTx(tx, brand, 0); return err })
		if p.ID != id.Payer(brand) || p.Strategy != tax.ExternalAgent || len(p.Covers()) != 2 {
			t.Fatalf("the default payer is %+v", p)
		}
		h.payer = p.ID
		m := h.member()
		if r := h.ready(m, yuan); r.Blocked != "" || r.Payee != 0 {
			t.Fatalf("got %+v", r)
		}
		if l := h.pay(m, 5000*yuan); l.Tax != 0 || l.Rule != "external_agent.1" {
			t.Fatalf("got %+v", l)
		}
	})
}

func TestWechatNeedsTheMembersOwnOpenID(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		m := h.member()
		in := natural(idNo)
		in.Kind, in.CardNo, in.BankName = payee.AccountWechat, "", ""
		_, err := h.Enter(himself(m), m, in)
		h.refused(err, fault.Invalid)
		h.exec("INSERT INTO identities (id, kind, app, value, member_id, created_at) VALUES (1, 'openid', 'wx1', 'oSecret123456', ?, 1)", m)
		in.OpenID = "oSomebodyElse"
		_, err = h.Enter(himself(m), m, in)
		h.refused(err, fault.Invalid)
		in.OpenID = ""
		if _, err = h.Enter(himself(m), m, in); err != nil {
			t.Fatal(err)
		}
		if r := h.ready(m, yuan); r.Blocked != "" {
			t.Fatalf("got %+v", r)
		}
		h.payer = h.newPayer(payee.PayerIn{UnitID: brand, Name: "另一小程序", Strategy: tax.Labor2018, AppID: "wx2"})
		if r := h.ready(m, yuan); r.Blocked != payee.ReasonNoOpenID {
			t.Fatalf("got %+v", r)
		}
	})
}

func TestWhatIdentifiesIsSealedMaskedAndErased(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		m := h.paid(natural(idNo))
		h.pay(m, 3000*yuan)
		p, err := h.PayeeOf(as(1), m)
		if err != nil || p.Active == nil || p.Active.NameMask != "王**" || p.Active.IDMask != "****002X" || p.Active.PhoneMask != "138****0000" || p.PaidAt == 0 {
			t.Fatalf("got %+v, %v", p, err)
		}
		holds := func(secrets ...string) bool {
			t.Helper()
			var rows []map[string]any
			for _, from := range []string{"* FROM payees", "name_mask, id_mask, account_mask, phone_mask, name_hash, account_hash, HEX(sealed) AS sealed FROM payee_versions",
				"* FROM taxpayers", "* FROM tax_lines", "* FROM audit", "* FROM consents"} {
				var more []map[string]any
				if err := h.DB.Read(bg).Raw("SELECT " + from).Scan(&more).Error; err != nil {
					t.Fatal(err)
				}
				rows = append(rows, more...)
			}
			text := fmt.Sprint(rows)
			for _, s := range secrets {
				if strings.Contains(text, s) || strings.Contains(text, fmt.Sprintf("%X", s)) {
					return true
				}
			}
			return false
		}
		if holds(idNo, card, "王小明", "13800000000") {
			t.Error("a table holds what should be sealed")
		}
		ref := payee.Ref{Payee: p.ID, No: 1}
		open, err := h.OpenVault(as(9), id.Payout(77), []payee.Ref{ref})
		if err != nil || open[ref].IDNo != idNo || open[ref].CardNo != card || open[ref].Name != "王小明" {
			t.Fatalf("the vault gave %+v, %v", open, err)
		}
		var opened int
		h.DB.Read(bg).Raw("SELECT COUNT(*) FROM audit WHERE action = 'payee.open_vault' AND staff_id = 9 AND object = ?", id.Payout(77).String()).Scan(&opened)
		if opened != 1 {
			t.Errorf("%d audit rows", opened)
		}
		var at struct{ Sealed []byte }
		h.DB.Read(bg).Raw("SELECT sealed FROM payee_versions").Scan(&at)
		if _, err := h.Secrets.Open(secret.PII, at.Sealed, []byte("payee:1:1")); err == nil || len(at.Sealed) == 0 || bytes.Contains(at.Sealed, []byte(card)) {
			t.Error("what is sealed opens elsewhere too")
		}

		for range 2 {
			if err := h.EraseMember(as(1), m); err != nil {
				t.Fatal(err)
			}
		}
		if open, err = h.OpenVault(as(9), id.Payout(77), []payee.Ref{ref}); err != nil || len(open) != 0 {
			t.Errorf("erased, the vault gave %+v, %v", open, err)
		}
		if holds("****002X", "王**", p.Active.NameHash) {
			t.Error("erased, a mask is left")
		}
		if r := h.ready(m, yuan); r.Blocked != payee.ReasonBlocked {
			t.Errorf("erased, he is %+v", r)
		}
		var lines int
		h.DB.Read(bg).Raw("SELECT COUNT(*) FROM tax_lines").Scan(&lines)
		if lines != 1 {
			t.Error("erasing took a tax line")
		}
	})
}

// TestAlipayLogins: money sent to what is no login of Alipay comes back days
// later, so a name, a nickname or a number with a digit missing is refused when
// it is typed.
func TestAlipayLogins(t *testing.T) {
	for login, fine := range map[string]bool{
		"13800138000": true, " 138 0013 8000 ": true, "852-51234567": true, "+86-13800138000": true,
		"wang@example.com": true, "wang.x-1@mail.example.com.cn": true,
		"青禾优选收款账户": false, "王小明": false, "wang": false, "1380013800": false, "138001380000": false,
		"王@example.com": false, "wang@example": false, "wang@@example.com": false, "wang@example.": false, "@example.com": false, "": false,
	} {
		in := natural(idNo)
		in.Kind, in.CardNo, in.BankName, in.Alipay = payee.AccountAlipay, "", "", login
		if err := in.Validate(); (err == nil) != fine {
			t.Errorf("%q: got %v", login, err)
		}
	}
}

func TestEntryNamesEverythingWrong(t *testing.T) {
	in := payee.Entry{Details: payee.Details{Type: "x", Name: "", IDNo: "110105194912310021", Phone: "1", Kind: payee.AccountBank, CardNo: card[:18] + "1", CNAPS: "1", Alipay: "a"}}
	var f *fault.Fault
	if !errors.As(in.Validate(), &f) {
		t.Fatal("it is fine")
	}
	got := map[string]bool{}
	for _, x := range f.Fields {
		got[x.Name] = true
	}
	for _, name := range []string{"payee_type", "name", "id_no", "phone", "card_no", "bank_name", "cnaps", "alipay", "consent_version"} {
		if !got[name] {
			t.Errorf("%s is not named", name)
		}
	}
	spaced := natural("11010519491231002x")
	spaced.CardNo = "6222 0200 0000 0000 000"
	if err := spaced.Validate(); err != nil || spaced.CardNo != card || spaced.IDNo != idNo {
		t.Errorf("as people copy it: %v", err)
	}
}

// Two staff who approve, and a member who changes, all at once: one version is
// in force and at most one waits.
func TestDecisionsAtOnce(t *testing.T) {
	run(t, tax.Labor2018, func(t *testing.T, h *house) {
		m := h.member()
		pid, err := h.Enter(as(1), m, natural(idNo))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		approved := 0
		for who := range id.Staff(8) {
			all.Go(func() {
				if h.Approve(as(who+2), pid, payee.DecideIn{No: 1}) == nil {
					mu.Lock()
					approved++
					mu.Unlock()
				}
				h.Enter(as(who+2), m, natural(otherID))
			})
		}
		all.Wait()
		var active, pending int
		h.DB.Read(bg).Raw("SELECT COUNT(*) FROM payee_versions WHERE status = 'active'").Scan(&active)
		h.DB.Read(bg).Raw("SELECT COUNT(*) FROM payee_versions WHERE status = 'pending'").Scan(&pending)
		if approved > 1 || active > 1 || pending != 1 || active != approved {
			t.Errorf("%d approved, %d active, %d pending", approved, active, pending)
		}
	})
}
