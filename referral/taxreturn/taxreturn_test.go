package taxreturn_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
	"siyu/referral/payee"
	"siyu/referral/tax"
	"siyu/referral/taxreturn"
)

// Numbers with right check digits that belong to nobody.
const (
	idNo   = "11010519491231002X"
	firmNo = "91350100M000100Y43"
)

const brand id.Unit = 7

var bg = context.Background()

// house is a payer that withholds, and two people it paid in March: 3,000
// yuan to the first, 500 to the second, who got it back and again.
type house struct {
	*taxreturn.Service
	t     *testing.T
	payer id.Payer
	first id.Member
}

func newHouse(t *testing.T, db *database.DB) *house {
	t.Helper()
	keys, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Service: &taxreturn.Service{DB: db, Payees: &payee.Service{DB: db, Secrets: keys}}, t: t}
	h.tx(func(tx *database.Tx) error {
		return tx.Exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (?, 0, 'brand', '晨光', ?, 1, 1)", brand, brand.String()+"/").Error
	})
	h.payer, err = h.Payees.CreatePayer(as(1), payee.PayerIn{UnitID: brand, Name: "晨光文化", TaxNo: firmNo, Strategy: tax.Labor2018, CostCentre: "CC-12", BudgetNo: "B-7"})
	h.must(err)
	db.Clock.Jump(time.Date(2026, time.March, 10, 3, 0, 0, 0, time.UTC).Sub(db.Clock.Now()))
	h.first = h.person("=王小明", idNo)
	second := h.person("李雷", "440524188001010014")
	h.withhold("a", h.first, 300_000)
	h.withhold("b", second, 50_000)
	h.tx(func(tx *database.Tx) error { _, err := payee.ReverseTx(tx, []string{"b"}); return err })
	h.withhold("c", second, 50_000)
	return h
}

func as(who id.Staff) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: who, Role: "finance", Unit: brand})
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) tx(fn func(tx *database.Tx) error) {
	h.t.Helper()
	h.must(h.DB.Tx(bg, fn))
}

func (h *house) person(name, number string) id.Member {
	h.t.Helper()
	m := id.Member(h.DB.IDs.Next())
	h.tx(func(tx *database.Tx) error {
		return tx.Exec("INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at) VALUES (?, ?, '小王', 0, 'active', 0, 1, 1)", m, brand).Error
	})
	himself := database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: m})
	_, err := h.Payees.Enter(himself, m, payee.Entry{ConsentVersion: "payout-1", Details: payee.Details{Type: payee.TypeNatural, Name: name, IDNo: number,
		Phone: "13800000000", Kind: payee.AccountBank, CardNo: "6222020000000000000", BankName: "招商银行"}})
	h.must(err)
	return m
}

func (h *house) withhold(key string, m id.Member, n money.Amount) {
	h.t.Helper()
	h.tx(func(tx *database.Tx) error {
		_, err := payee.WithholdTx(tx, []payee.Withholding{{Key: key, Payer: h.payer, Member: m, Amount: n}})
		return err
	})
}

func (h *house) closeMonth() {
	h.t.Helper()
	h.DB.Clock.Jump(30 * 24 * time.Hour)
	h.must(h.Payees.CloseMonth(as(1), h.payer, 202603))
}

// rows are the cells of a CSV that the tests look at: name, number, income,
// gross, due, withheld, payments.
func rows(t *testing.T, f taxreturn.File) [][]string {
	t.Helper()
	list, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(f.Body), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for _, r := range list[1:] {
		out = append(out, []string{r[1], r[3], r[4], r[5], r[6], r[7], r[9]})
	}
	return out
}

// TestReturn declares a closed month: by masks for everybody in finance, by
// name and number out of the vault for one request, which is audited and kept
// nowhere.
func TestReturn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		if _, err := h.Write(as(1), h.payer, 202603, taxreturn.CSV); !errors.Is(err, taxreturn.ErrOpen) {
			t.Errorf("an open month: got %v", err)
		}
		h.closeMonth()
		sheet, err := h.Write(as(1), h.payer, 202603, taxreturn.CSV)
		h.must(err)
		want := [][]string{
			{"李*", "", "劳务报酬所得", "500.00", "0.00", "0.00", "3"},
			{"=**", "", "劳务报酬所得", "3000.00", "440.00", "440.00", "1"},
			{"", "", "", "3500.00", "440.00", "440.00", "4"},
			{"晨光文化", "CC-12", "预算号 B-7", "3500.00", "", "440.00", "4"},
		}
		want[1][0] = "'=***"
		got := rows(t, sheet)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		whole, err := h.Return(as(1), h.payer, 202603, taxreturn.CSVBOM)
		h.must(err)
		want[0][0], want[0][1], want[1][0], want[1][1] = "李雷", "440524188001010014", "'=王小明", idNo
		if diff := cmp.Diff(want, rows(t, whole)); diff != "" || !strings.HasPrefix(string(whole.Body), "\ufeff") {
			t.Error(diff)
		}
		var audited []string
		h.must(db.Read(bg).Raw("SELECT action FROM audit WHERE object = ? ORDER BY id", fmt.Sprintf("%s:202603", h.payer)).Scan(&audited).Error)
		if diff := cmp.Diff([]string{"payee.open_vault", "tax.return"}, audited); diff != "" {
			t.Error(diff)
		}
		h.must(h.Payees.EraseMember(bg, h.first))
		whole, err = h.Return(as(1), h.payer, 202603, taxreturn.CSV)
		h.must(err)
		if strings.Contains(string(whole.Body), "王小明") || strings.Contains(string(whole.Body), idNo) {
			t.Error("who was erased is still named")
		}
		elsewhere := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 2, Role: "finance", Unit: 8, Units: []id.Unit{8}})
		if _, err := h.Return(elsewhere, h.payer, 202603, taxreturn.CSV); err == nil {
			t.Error("another unit's month was given out")
		}
		h.tx(func(tx *database.Tx) error {
			return tx.Exec("UPDATE tax_lines SET tax = tax + 1 WHERE line_key = 'a'").Error
		})
		if _, err := h.Write(as(1), h.payer, 202603, taxreturn.CSV); err == nil || errors.Is(err, taxreturn.ErrOpen) {
			t.Errorf("a month that its lines do not sum up to: got %v", err)
		}
	})
}

// TestReturnOpens: LibreOffice reads the workbook, with the sums of the month.
func TestReturnOpens(t *testing.T) {
	office := dbtest.Need(t, "libreoffice")
	h := newHouse(t, dbtest.Open(t, "sqlite"))
	h.closeMonth()
	f, err := h.Return(as(1), h.payer, 202603, taxreturn.XLSX)
	h.must(err)
	dir := t.TempDir()
	from := filepath.Join(dir, "return.xlsx")
	h.must(os.WriteFile(from, f.Body, 0o600))
	out, err := exec.Command(office, "-env:UserInstallation=file://"+dir+"/profile", "--headless", "--convert-to",
		"csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false", "--outdir", dir, from).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "return.csv"))
	h.must(err)
	for _, want := range []string{"=王小明,居民身份证," + idNo + ",劳务报酬所得,3000,440,440,labor_2018.1,1,是", "合计,,,,,3500,440,440,,4,", "其中,晨光文化,成本中心,CC-12,预算号 B-7,3500,,440,,4,"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}
