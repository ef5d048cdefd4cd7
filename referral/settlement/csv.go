package settlement

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"siyu/internal/clock"
	"siyu/internal/sheet"
)

// csvHeader names the columns. The file is for machines: UTF-8 without a byte
// order mark, amounts in fen as bare integers; people open the workbook.
var csvHeader = []string{
	"line", "kind", "reward_id", "program_id", "program_version", "campaign_id", "order_id", "member_id", "rule", "note",
	"corrects", "tax_rule", "gross_fen", "tax_fen", "net_fen", "occurred_at",
}

// payerHeader names the columns that say whose the lines are.
var payerHeader = []string{"payer_id", "cost_centre", "budget_no"}

// linesFile is lines.csv: a header, the lines, and a row of control totals with
// the number of lines and the rows digest. It writes as encoding/csv does.
type linesFile struct {
	to   io.Writer
	buf  []byte
	at   clock.Milli // of the last line, and its text: what cleared together has one
	text []byte

	tail []byte // of every line: whose it is

	said  [5]string // the texts of the last line, and their cells: most lines say the same
	cells [5][]byte
}

func newLinesFile(st Settlement, to io.Writer) *linesFile {
	f := &linesFile{to: to, tail: []byte("\n")}
	head := csvHeader
	if st.Layout >= LayoutPayer {
		head = slices.Concat(head, payerHeader)
		f.tail = nil
		for _, s := range []string{st.PayerID.String(), st.CostCentre, st.BudgetNo} {
			f.tail = appendCell(append(f.tail, ','), sheet.Inert(s))
		}
		f.tail = append(f.tail, '\n')
	}
	f.buf = append([]byte(strings.Join(head, ",")), '\n')
	return f
}

func (f *linesFile) line(l Line) error {
	b := f.buf
	number := func(n int64) { b = append(strconv.AppendInt(b, n, 10), ',') }
	number(int64(l.LineNo))
	b = f.cell(b, 0, string(l.Kind))
	b = append(l.RewardID.Append(b), ',')
	b = append(l.ProgramID.Append(b), ',')
	if l.ProgramVersion != 0 {
		b = strconv.AppendInt(b, int64(l.ProgramVersion), 10)
	}
	b = append(b, ',')
	b = append(l.CampaignID.Append(b), ',')
	b = append(l.OrderID.Append(b), ',')
	b = append(l.MemberID.Append(b), ',')
	b = f.cell(b, 1, l.RuleName)
	b = f.cell(b, 2, l.Note)
	b = f.cell(b, 3, l.Corrects)
	b = f.cell(b, 4, l.TaxRule)
	number(int64(l.Gross))
	number(int64(l.Tax))
	number(int64(l.Net))
	if l.OccurredAt != f.at {
		f.at, f.text = l.OccurredAt, l.OccurredAt.Append(f.text[:0])
	}
	f.buf = append(append(b, f.text...), f.tail...)
	if len(f.buf) < 32<<10 {
		return nil
	}
	return f.flush()
}

// cell appends the text of a column, and a comma. What people wrote is made
// inert; what the house writes never begins like a formula.
func (f *linesFile) cell(b []byte, i int, s string) []byte {
	if f.cells[i] == nil || s != f.said[i] {
		f.said[i], f.cells[i] = s, append(appendCell(f.cells[i][:0], sheet.Inert(s)), ',')
	}
	return append(b, f.cells[i]...)
}

func (f *linesFile) flush() error {
	_, err := f.to.Write(f.buf)
	f.buf = f.buf[:0]
	return err
}

func (f *linesFile) finish(st Settlement) error {
	total := Line{LineNo: st.LineCount, Kind: "total", Note: "sha256:" + st.RowsDigest, Gross: st.Gross, Tax: st.Tax, Net: st.Net, OccurredAt: st.CutAt}
	if err := f.line(total); err != nil {
		return err
	}
	return f.flush()
}

// appendCell appends a text, in quotes where the form wants them.
func appendCell(b []byte, s string) []byte {
	first, _ := utf8.DecodeRuneInString(s)
	if s == "" || s != `\.` && !unicode.IsSpace(first) && !strings.ContainsAny(s, "\",\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
