package payee_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
	"siyu/referral/payee"
	"siyu/referral/tax"
)

// Numbers with right check digits that belong to nobody.
const (
	idNo    = "11010519491231002X"
	otherID = "440524188001010014"
	firmNo  = "91350100M000100Y43"
	card    = "6222020000000000000"
)

const brand id.Unit = 7

var bg = context.Background()

// house is a store with one unit and a payer of it.
type house struct {
	*payee.Service
	t     testing.TB
	payer id.Payer
}

func newHouse(t testing.TB, db *database.DB, s tax.Strategy) *house {
	keys, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Service: &payee.Service{DB: db, Secrets: keys}, t: t}
	h.exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (?, 0, 'brand', '晨光', ?, 1, 1)", brand, brand.String()+"/")
	h.payer = h.newPayer(payee.PayerIn{UnitID: brand, Name: "晨光文化", TaxNo: firmNo, Strategy: s, IncomeType: incomeOf(s)})
	return h
}

func incomeOf(s tax.Strategy) tax.Income {
	switch s {
	case tax.Incidental20:
		return tax.IncomeIncidental
	case tax.NoneCoupon:
		return tax.IncomeCoupon
	}
	return tax.IncomeLabor
}

// run runs a test on every engine and ends in the proofs.
func run(t *testing.T, s tax.Strategy, test func(t *testing.T, h *house)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, s)
		test(t, h)
		h.holds(t)
	})
}

func (h *house) holds(t testing.TB) {
	t.Helper()
	if broken := h.broken(); len(broken) > 0 {
		t.Errorf("V15: %s", strings.Join(broken, "; "))
	}
}

func (h *house) broken() []string {
	h.t.Helper()
	proofs, err := payee.Verify(bg, h.DB)
	if err != nil {
		h.t.Fatal(err)
	}
	return proofs[0].Broken
}

func as(who id.Staff) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: who, Role: "finance", Unit: brand})
}

func himself(m id.Member) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: m})
}

func (h *house) tx(fn func(tx *database.Tx) error) {
	h.t.Helper()
	if err := h.DB.Tx(bg, fn); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	h.tx(func(tx *database.Tx) error { return tx.Exec(sql, args...).Error })
}

func (h *house) newPayer(in payee.PayerIn) id.Payer {
	h.t.Helper()
	pid, err := h.CreatePayer(as(1), in)
	if err != nil {
		h.t.Fatal(err)
	}
	return pid
}

func (h *house) member() id.Member {
	m := id.Member(h.DB.IDs.Next())
	h.exec("INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at) VALUES (?, ?, '小王', 0, 'active', 0, 1, 1)", m, brand)
	return m
}

func natural(number string) payee.Entry {
	return payee.Entry{ConsentVersion: "payout-1", Details: payee.Details{Type: payee.TypeNatural, Name: "王小明", IDNo: number,
		Phone: "13800000000", Kind: payee.AccountBank, CardNo: card, BankName: "招商银行"}}
}

func firm() payee.Entry {
	in := natural(firmNo)
	in.Type, in.Name = payee.TypeCompany, "晨光(福建)传媒有限公司"
	return in
}

// paid is a member who has given himself as payee.
func (h *house) paid(in payee.Entry) id.Member {
	h.t.Helper()
	m := h.member()
	if _, err := h.Enter(himself(m), m, in); err != nil {
		h.t.Fatal(err)
	}
	return m
}

func (h *house) ready(m id.Member, amount money.Amount) payee.Ready {
	h.t.Helper()
	var out payee.Ready
	h.tx(func(tx *database.Tx) error {
		got, err := payee.ForPaymentTx(tx, h.payer, []payee.Owed{{Member: m, Amount: amount}})
		out = got[m]
		return err
	})
	return out
}

func (h *house) withhold(list ...payee.Withholding) []payee.Line {
	h.t.Helper()
	var out []payee.Line
	h.tx(func(tx *database.Tx) (err error) { out, err = payee.WithholdTx(tx, list); return err })
	return out
}

// pay withholds from one payment now, under a key of its own.
func (h *house) pay(m id.Member, amount money.Amount) payee.Line {
	h.t.Helper()
	return h.withhold(payee.Withholding{Key: fmt.Sprint("pay:", h.DB.IDs.Next()), Payer: h.payer, Member: m, Amount: amount})[0]
}

func (h *house) reverse(keys ...string) []payee.Line {
	h.t.Helper()
	var out []payee.Line
	h.tx(func(tx *database.Tx) (err error) { out, err = payee.ReverseTx(tx, keys); return err })
	return out
}

func (h *house) refused(err, want error) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Fatalf("got %v, want %v", err, want)
	}
}

// toMonth jumps the clock to the 10th of a month of 2026.
func (h *house) toMonth(m time.Month) {
	to := time.Date(2026, m, 10, 3, 0, 0, 0, time.UTC)
	h.DB.Clock.Jump(to.Sub(h.DB.Clock.Now()))
}
