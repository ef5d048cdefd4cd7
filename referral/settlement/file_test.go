package settlement_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/settlement"
	"siyu/wallet"
)

func (h *house) file(sid id.Settlement, name string) []byte {
	h.t.Helper()
	f, err := h.FindFile(bg, sid, name)
	h.must(err)
	var b bytes.Buffer
	h.must(h.ReadFile(bg, f, &b))
	if int64(b.Len()) != f.Size {
		h.t.Errorf("%s: %d bytes read, want %d", name, b.Len(), f.Size)
	}
	return b.Bytes()
}

// hostile are texts that a spreadsheet must not run, and ones it may garble.
var hostile = []string{"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", `a"b,c`, "<script>", "邀请😀", "\u202Eabc", "plain"}

func TestHostileTextIsInert(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		var list []reward
		for _, text := range hostile {
			list = append(list, reward{member: 1, amount: 1, rule: text})
		}
		h.clear(list...)
		h.jump(time.Hour)
		st := h.closed()

		rows, err := csv.NewReader(bytes.NewReader(h.file(st.ID, settlement.FileLines))).ReadAll()
		h.must(err)
		for i, text := range hostile {
			want := text
			if i < 6 {
				want = "'" + text
			}
			// encoding/csv reads a carriage return in a quoted cell as it is.
			if got := rows[i+1][8]; got != want {
				t.Errorf("csv: %q stands as %q, want %q", text, got, want)
			}
		}
		book, err := excelize.OpenReader(bytes.NewReader(h.file(st.ID, settlement.FileSheet)))
		h.must(err)
		defer book.Close()
		for i, text := range hostile {
			cell := "I" + strconv.Itoa(i+2)
			kind, err := book.GetCellType("明细", cell)
			h.must(err)
			if kind != excelize.CellTypeInlineString && kind != excelize.CellTypeSharedString {
				t.Errorf("xlsx: %q is of type %v", text, kind)
			}
			formula, err := book.GetCellFormula("明细", cell)
			if h.must(err); formula != "" {
				t.Errorf("xlsx: %q became formula %q", text, formula)
			}
			style, err := book.GetCellStyle("明细", cell)
			h.must(err)
			quote := book.Styles.CellXfs.Xf[style].QuotePrefix
			if got, want := quote != nil && *quote, i < 6; got != want {
				t.Errorf("xlsx: %q has quotePrefix %v, want %v", text, got, want)
			}
		}
	})
}

// books makes a settlement with every kind of line and returns it.
func books(h *house) settlement.Settlement {
	h.t.Helper()
	r := h.clear(reward{member: 1, amount: 123_456}, reward{member: 2, amount: 1}, reward{member: 3, amount: 5})
	h.jump(time.Hour)
	p := h.paid(h.closed())
	h.clawBack(r[0], 1, 23_456, "refund")
	h.must(h.PayoutResults(as(cashier), p.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 3, Reason: "-closed"}}}))
	h.clear(reward{member: 4, amount: 7_005}, reward{member: 1, amount: 456})
	h.jump(time.Hour)
	return h.closed()
}

func TestSheetIsReadBack(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		st := books(h)
		if st.Net != 7_010 || st.LineCount != 5 {
			t.Fatalf("net %s, %v", st.Net, h.kinds(st.ID))
		}
		h.paid(st)
		var ledger money.Amount
		h.must(h.DB.Read(bg).Raw(`SELECT SUM(e.amount) FROM entries e JOIN accounts a ON a.id = e.account_id JOIN payout_lines l ON l.transfer_id = e.transfer_id
			JOIN payouts p ON p.id = l.payout_id WHERE a.stage = ? AND p.settlement_id = ?`, wallet.StagePaid, st.ID).Scan(&ledger).Error)
		if ledger != st.Net {
			t.Errorf("ledger paid %s, want %s", ledger, st.Net)
		}

		raw := h.file(st.ID, settlement.FileSheet)
		book, err := excelize.OpenReader(bytes.NewReader(raw))
		h.must(err)
		defer book.Close()
		if got := strings.Join(book.GetSheetList(), " "); got != "汇总 奖励 明细 调整 税" {
			t.Errorf("sheets: %s", got)
		}
		var fen int64
		for _, name := range []string{"明细", "调整"} {
			rows, err := book.GetRows(name, excelize.Options{RawCellValue: true})
			h.must(err)
			var list int64
			for _, row := range rows[1 : len(rows)-1] {
				list += atoi(t, row[15])
				if money.Amount(atoi(t, row[15])).String() != yuan(t, row[12]) {
					t.Errorf("%s: %s fen beside %s yuan", name, row[15], row[12])
				}
			}
			if total := rows[len(rows)-1]; atoi(t, total[15]) != list {
				t.Errorf("%s: control total %s, lines %d", name, total[15], list)
			}
			fen += list
		}
		if money.Amount(fen) != ledger {
			t.Errorf("excelize: lines sum to %d fen, the ledger to %d", fen, ledger)
		}
		people, err := book.GetRows("奖励", excelize.Options{RawCellValue: true})
		h.must(err)
		var owed []string
		for _, row := range people[1:] {
			owed = append(owed, strings.Join(append([]string{strings.Fields(row[0])[0]}, row[1], row[2], row[9], row[6]), " "))
		}
		want := []string{
			id.Member(1).String() + " 1 2 0 零元整", id.Member(3).String() + " 0 1 5 伍分", id.Member(4).String() + " 1 0 7005 柒拾元零伍分", "合计 2 3 7010 柒拾元壹角整",
		}
		if !cmp.Equal(want, owed) {
			t.Errorf("奖励: %s", cmp.Diff(want, owed))
		}
		taxed, err := book.GetCellValue("税", "D8", excelize.Options{RawCellValue: true})
		if h.must(err); taxed != "0" {
			t.Errorf("税: %q fen withheld when sealed, want 0", taxed)
		}
		readByLibreOffice(t, raw, ledger)
		h.proven()
	})
}

// readByLibreOffice converts the workbook's first sheet, the summary, with a
// reader that shares no code with the writer.
func readByLibreOffice(t *testing.T, raw []byte, want money.Amount) {
	t.Helper()
	office := dbtest.Need(t, "libreoffice")
	dir := t.TempDir()
	path := filepath.Join(dir, "settlement.xlsx")
	if err := os.WriteFile(path, withSums(t, raw), 0o600); err != nil {
		t.Fatal(err)
	}
	// -1: every sheet into a file of its own.
	out, err := exec.Command(office, "--headless", "-env:UserInstallation=file://"+dir+"/profile", "--convert-to",
		"csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1", "--outdir", dir, path).CombinedOutput()
	if err != nil {
		t.Fatalf("libreoffice: %v: %s", err, out)
	}
	read := func(sheet string) [][]string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, "settlement-"+sheet+".csv"))
		if err != nil {
			t.Fatalf("libreoffice: %v: %s", err, out)
		}
		r := csv.NewReader(bytes.NewReader(b))
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	var lines money.Amount
	for _, sheet := range []string{"明细", "调整"} {
		rows := read(sheet)
		for _, row := range rows[1 : len(rows)-1] {
			n, err := money.Parse(yuan(t, row[12]))
			if err != nil {
				t.Fatal(err)
			}
			lines += n
		}
	}
	summary := read("汇总")
	total := summary[len(summary)-1]
	if got := money.Amount(atoi(t, total[5])); got != want || lines != want {
		t.Errorf("libreoffice: control total %s, lines %s, the ledger %s", got, lines, want)
	}
	for i, row := range read("sums")[:3] {
		if sums, control := atoi(t, row[0]), atoi(t, row[1]); sums != control {
			t.Errorf("libreoffice: list %d sums to %d fen, its control total is %d", i+1, sums, control)
		}
	}
}

// withSums adds a sheet that lets a spreadsheet sum each list by itself, beside
// the control total the list ends in.
func withSums(t *testing.T, raw []byte) []byte {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if _, err := book.NewSheet("sums"); err != nil {
		t.Fatal(err)
	}
	for i, list := range []struct{ sheet, column string }{{"奖励", "J"}, {"明细", "P"}, {"调整", "P"}} {
		rows, err := book.GetRows(list.sheet)
		if err != nil {
			t.Fatal(err)
		}
		for cell, formula := range map[string]string{
			"A": fmt.Sprintf("SUM(%s!%s2:%s%d)", list.sheet, list.column, list.column, len(rows)-1),
			"B": fmt.Sprintf("%s!%s%d", list.sheet, list.column, len(rows)),
		} {
			if err := book.SetCellFormula("sums", fmt.Sprintf("%s%d", cell, i+1), formula); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSecondSheet spreads a list over as many sheets as it needs.
func TestSecondSheet(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		var list []reward
		for i := range 7 {
			list = append(list, reward{member: id.Member(i + 1), amount: 10})
		}
		h.clear(list...)
		h.jump(time.Hour)
		st := h.closed()
		var b bytes.Buffer
		h.must(h.MakeSheetOf(bg, st.ID, 3, &b))
		book, err := excelize.OpenReader(&b)
		h.must(err)
		defer book.Close()
		for sheet, want := range map[string]int{"明细": 4, "明细2": 4, "明细3": 3, "调整": 2, "奖励": 4, "奖励2": 4, "奖励3": 3} {
			rows, err := book.GetRows(sheet)
			if h.must(err); len(rows) != want {
				t.Errorf("%s: %d rows, want %d with its heading and, in the last, the total", sheet, len(rows), want)
			}
		}
	})
}

// yuan is a number as a sheet shows it with the two decimals of an amount.
func yuan(t *testing.T, s string) string {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatFloat(f, 'f', 2, 64)
}

func atoi(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSameBytesFromTwoProcesses makes the workbook again in two other
// processes and compares with what was stored.
func TestSameBytesFromTwoProcesses(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			h := newHouse(t, dbtest.At(t, url))
			st := books(h)
			stored := h.file(st.ID, settlement.FileSheet)
			for range 2 {
				made, err := child(t, url, settlement.FileSheet, int64(st.ID), "").Output()
				h.must(err)
				if !bytes.Equal(made, stored) {
					t.Errorf("another process made %d other bytes than the %d stored", len(made), len(stored))
				}
			}
		})
	}
}
