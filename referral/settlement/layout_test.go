package settlement_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

// TestFilesSayWhoPays: the payer's cost centre and budget number of when it
// began to close are in both files for good; a settlement that began before
// there were any has the files and the digest it had then.
func TestFilesSayWhoPays(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{CostCentre: "=CC,12", BudgetNo: "B-2026-7"})
		at := func(layout settlement.Layout) (lines [][]string, summary [][]string, raw []byte) {
			h.clear(reward{member: 1, amount: 12_34})
			h.jump(time.Hour)
			sid, err := h.Create(as(maker), settlement.CreateIn{UnitID: unit, PayerID: h.payer, Label: "2026-03"})
			h.must(err)
			h.must(h.Close(as(maker), sid))
			if layout == settlement.LayoutFirst { // as an earlier release wrote it
				h.exec("UPDATE settlements SET layout = 0, payer_name = '', cost_centre = '', budget_no = '' WHERE id = ?", sid)
			}
			h.exec("UPDATE payers SET cost_centre = 'moved', budget_no = 'moved' WHERE id = ?", h.payer)
			h.work()
			h.exec("UPDATE payers SET cost_centre = '=CC,12', budget_no = 'B-2026-7' WHERE id = ?", h.payer)
			st := h.find(sid)
			if sheet := (st.CostCentre == "=CC,12"); sheet != (layout == settlement.LayoutPayer) {
				t.Errorf("layout %d: cost centre %q", layout, st.CostCentre)
			}
			raw = h.house.file(sid, settlement.FileLines)
			if lines, err = csv.NewReader(bytes.NewReader(raw)).ReadAll(); err != nil {
				t.Fatal(err)
			}
			var again bytes.Buffer
			h.must(h.WriteLines(bg, sid, &again))
			if !bytes.Equal(again.Bytes(), raw) {
				t.Errorf("layout %d: made again the lines are others", layout)
			}
			stored := h.house.file(sid, settlement.FileSheet)
			again.Reset()
			h.must(h.WriteSheet(bg, sid, &again))
			if !bytes.Equal(again.Bytes(), stored) {
				t.Errorf("layout %d: made again the workbook is another", layout)
			}
			book, err := excelize.OpenReader(bytes.NewReader(stored))
			h.must(err)
			defer book.Close()
			summary, err = book.GetRows("汇总", excelize.Options{RawCellValue: true})
			h.must(err)
			return lines, summary, raw
		}
		lines, summary, _ := at(settlement.LayoutPayer)
		want := []string{h.payer.String(), "'=CC,12", "B-2026-7"} // nothing begins a formula
		for i, l := range lines {
			if got := l[16:]; i > 0 && strings.Join(got, "|") != strings.Join(want, "|") || len(l) != 19 {
				t.Errorf("line %d: %v", i, l)
			}
		}
		if got := summary[3:6]; strings.Join(got[0], "|") != "付款主体 Payer|晨光文化|"+h.payer.String() || got[1][1] != "=CC,12" || got[2][1] != "B-2026-7" {
			t.Errorf("汇总: %v", got)
		}
		lines, summary, raw := at(settlement.LayoutFirst)
		if len(lines[0]) != 16 || !strings.HasPrefix(string(raw), "line,kind,reward_id,program_id,program_version,campaign_id,order_id,member_id,rule,note,corrects,tax_rule,gross_fen,tax_fen,net_fen,occurred_at\n") {
			t.Errorf("before: %v", lines[0])
		}
		if summary[3][0] != "币种 Currency" || summary[3][1] != money.CNY {
			t.Errorf("汇总 before: %v", summary[:5])
		}
		h.proven() // the digests of both
		h.exec("UPDATE settlements SET budget_no = 'other' WHERE layout = 1")
		if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, "digest") {
			t.Errorf("another budget number: %s", broken)
		}
	})
}
