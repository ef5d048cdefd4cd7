package voucher_test

import (
	"bytes"
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
	"golang.org/x/text/encoding/simplifiedchinese"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
	"siyu/referral/voucher"
	"siyu/wallet"
)

var bg = context.Background()

// house is a closed day on which a reward of 30 yuan cleared, 20 were paid
// with 4 of tax, and points moved.
type house struct {
	*voucher.Service
	t   *testing.T
	day int
}

func newHouse(t *testing.T, db *database.DB) *house {
	t.Helper()
	h := &house{&voucher.Service{DB: db, Books: &wallet.Service{DB: db}}, t, 0}
	budget, who := wallet.Program(7), wallet.Member(9)
	at := wallet.At
	h.post(wallet.Move("f", "fund", money.CNY, 10000, at(wallet.StageSource, wallet.Brand()), at(wallet.StageBudget, budget)),
		wallet.Move("e", "reward_earn", money.CNY, 3000, at(wallet.StageBudget, budget), at(wallet.StageReserved, who)),
		wallet.Move("c", "reward_clear", money.CNY, 3000, at(wallet.StageReserved, who), at(wallet.StagePayable, who)),
		wallet.Transfer{Key: "p", Kind: "payout", Currency: money.CNY, Legs: []wallet.Leg{
			{Stage: wallet.StagePayable, Owner: who, Amount: -2000}, {Stage: wallet.StagePaid, Owner: who, Amount: 1600}, {Stage: wallet.StageTax, Owner: who, Amount: 400}}},
		wallet.Move("x", "points_earn", money.PTS, 50, at(wallet.StageSource, who), at(wallet.StagePoints, who)))
	loc, err := time.LoadLocation(clock.Shanghai)
	h.must(err)
	h.day = clock.Day(db.Clock.Now(), loc)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) post(list ...wallet.Transfer) {
	h.t.Helper()
	h.must(h.DB.Tx(bg, func(tx *database.Tx) error { _, err := wallet.PostManyTx(tx, list); return err }))
}

func (h *house) close() {
	h.t.Helper()
	h.DB.Clock.Jump(25 * time.Hour)
	h.must(h.Books.CloseDue(bg))
}

func (h *house) broken() []string {
	h.t.Helper()
	proofs, err := voucher.Verify(bg, h.DB)
	h.must(err)
	return proofs[0].Broken
}

func (h *house) file(form string) []byte {
	h.t.Helper()
	f, err := voucher.FindForm(form)
	h.must(err)
	set, err := h.Find(bg, h.day)
	h.must(err)
	body, err := f.Write(set)
	h.must(err)
	return body
}

// TestVouchers books a day: balanced, money alone, what is the ledger's own
// movement of budgets cancelled out, one voucher per kind.
func TestVouchers(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		if err := h.Make(bg, h.day); err == nil {
			t.Error("a day that is not closed was booked")
		}
		h.close()
		for range 2 { // the second finds the set
			h.must(h.Make(bg, h.day))
		}
		set, err := h.Find(bg, h.day)
		h.must(err)
		if set.Debit != 18000 || set.Credit != 18000 || len(set.Lines) != 9 {
			t.Errorf("got %+v", set)
		}
		rows, err := csv.NewReader(bytes.NewReader(h.file("csv"))).ReadAll()
		h.must(err)
		var got []string
		for _, r := range rows[1:] {
			got = append(got, strings.Join([]string{r[2], r[3], r[5], r[7], r[8]}, " "))
		}
		want := []string{"1 1 2241.01 20.00 0.00", "1 2 1002.01 0.00 16.00", "1 3 2221.01 0.00 4.00", "2 1 6601.01 30.00 0.00", "2 2 2241.01 0.00 30.00"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		text, err := simplifiedchinese.GBK.NewDecoder().Bytes(h.file("yonyou_u8"))
		h.must(err)
		first, _, _ := strings.Cut(string(text), "\r\n")
		day := fmt.Sprintf("%04d-%02d-%02d", h.day/10000, h.day/100%100, h.day%100)
		if want := fmt.Sprintf("%s,记,1,0,发放推广奖励 %d,2241.01,20.00,0.00", day, h.day); first != want {
			t.Errorf("got %q, want %q", first, want)
		}
		if b := h.broken(); len(b) != 0 {
			t.Error(b)
		}
	})
}

// TestChart: accounts by type of payee; a movement without a rule is refused,
// and a set keeps the chart by which it was made.
func TestChart(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.must(db.Tx(bg, func(tx *database.Tx) error {
			if err := tx.Exec("INSERT INTO payees (id, member_id, active_no, pending_no, last_no, paid_at, created_at) VALUES (1, 9, 1, 0, 1, 0, 0)").Error; err != nil {
				return err
			}
			return tx.Exec(`INSERT INTO payee_versions (payee_id, no, status, payee_type, account_kind, app_id, taxpayer_id, name_mask, id_mask, account_mask, phone_mask, name_hash, account_hash, sealed, consent_version, entered_by, entered_at, decided_by, decided_at, reason)
				VALUES (1, 1, 'active', 'company', 'bank', '', 1, '', '', '', '', '', '', '', '', 0, 0, 0, 0, '')`).Error
		}))
		h.close()
		h.must(h.Make(bg, h.day))
		rules := voucher.ChartIn{Rules: []voucher.Rule{{PayeeType: "company", Stage: "payable", Code: "2202.01", Title: "应付账款"}, {Stage: "payable", Code: "2241.01", Title: "其他应付款"}}}
		h.must(h.SetChart(bg, rules))
		if err := h.Make(bg, h.day); !errors.Is(err, voucher.ErrUnmapped) {
			t.Errorf("got %v, want unmapped", err)
		}
		rules.Rules = append(rules.Rules, voucher.Rule{Code: "9999", Title: "=其他"})
		h.must(h.SetChart(bg, rules))
		h.must(h.Make(bg, h.day))
		set, err := h.Find(bg, h.day)
		h.must(err)
		codes := map[string]string{}
		for _, l := range set.Lines {
			codes[l.Kind+" "+l.Stage] = l.Code + " " + l.PayeeType
		}
		if set.ChartNo != 2 || codes["payout payable"] != "2202.01 company" || codes["fund source"] != "9999 " {
			t.Errorf("chart %d: %v", set.ChartNo, codes)
		}
		if !strings.Contains(string(h.file("csv")), "'=其他") {
			t.Error("a title that begins like a formula is not held")
		}
		if b := h.broken(); len(b) != 0 {
			t.Error(b)
		}
		for name, sql := range map[string]string{
			"a line":  "UPDATE voucher_lines SET debit = debit + 1 WHERE line_no = 1 AND chart_no = 0",
			"a close": "UPDATE ledger_close_lines SET came = came + 5 WHERE kind = 'payout'",
		} {
			h.must(db.Tx(bg, func(tx *database.Tx) error { return tx.Exec(sql).Error }))
			if b := h.broken(); len(b) == 0 {
				t.Errorf("%s that was changed is not named", name)
			}
		}
		for _, bad := range []voucher.ChartIn{{}, {Rules: []voucher.Rule{{Code: "科目", Title: "x"}}}, {Rules: []voucher.Rule{{Code: "1"}}}} {
			if err := h.SetChart(bg, bad); err == nil {
				t.Errorf("%+v was taken", bad)
			}
		}
	})
}

// TestWorkbookOpens: LibreOffice opens the workbook, finds numbers where the
// amounts are and texts where the codes are.
func TestWorkbookOpens(t *testing.T) {
	office := dbtest.Need(t, "libreoffice")
	h := newHouse(t, dbtest.Open(t, "sqlite"))
	h.close()
	h.must(h.Make(bg, h.day))
	dir := t.TempDir()
	from := filepath.Join(dir, "vouchers.xlsx")
	h.must(os.WriteFile(from, h.file("kingdee_kis"), 0o600))
	out, err := exec.Command(office, "-env:UserInstallation=file://"+dir+"/profile", "--headless", "--convert-to",
		"csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false", "--outdir", dir, from).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "vouchers.csv"))
	h.must(err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 6 || !strings.Contains(lines[1], ",2241.01,其他应付款-推广奖励,20,0,RMB,1") {
		t.Errorf("got %s", text)
	}
}

// TestVouchersAtOnce: who makes a day's vouchers while another does finds them.
func TestVouchersAtOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.close()
		errs := make(chan error, 8)
		for range cap(errs) {
			go func() { errs <- h.Make(bg, h.day) }()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if broken := h.broken(); len(broken) > 0 {
			t.Error(broken)
		}
	})
}
