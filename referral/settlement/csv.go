package settlement

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// csvHeader names the columns. The file is for machines: UTF-8 without a byte
// order mark, amounts in fen as bare integers; people open the workbook.
var csvHeader = []string{
	"line", "kind", "reward_id", "program_id", "program_version", "campaign_id", "order_id", "member_id", "rule", "note",
	"corrects", "tax_rule", "gross_fen", "tax_fen", "net_fen", "occurred_at",
}

// linesFile is lines.csv: a header, the lines, and a row of control totals with
// the number of lines and the rows digest.
type linesFile struct{ *csv.Writer }

func newLinesFile(to io.Writer) linesFile {
	f := linesFile{csv.NewWriter(to)}
	_ = f.Write(csvHeader) // an error of it comes again with the next
	return f
}

func (f linesFile) line(l Line) error { return f.Write(csvRow(l)) }

func (f linesFile) finish(st Settlement) error {
	total := csvRow(Line{LineNo: st.LineCount, Kind: "total", Note: "sha256:" + st.RowsDigest, Gross: st.Gross, Tax: st.Tax, Net: st.Net, OccurredAt: st.CutAt})
	if err := f.Write(total); err != nil {
		return err
	}
	f.Flush()
	return f.Error()
}

func csvRow(l Line) []string {
	version := ""
	if l.ProgramVersion != 0 {
		version = strconv.Itoa(l.ProgramVersion)
	}
	return []string{
		strconv.Itoa(l.LineNo), string(l.Kind), l.RewardID.String(), l.ProgramID.String(), version, l.CampaignID.String(),
		l.OrderID.String(), l.MemberID.String(), inert(l.RuleName), inert(l.Note), l.Corrects, l.TaxRule,
		fen(int64(l.Gross)), fen(int64(l.Tax)), fen(int64(l.Net)), l.OccurredAt.String(),
	}
}

func fen(n int64) string { return strconv.FormatInt(n, 10) }

// risky says that a spreadsheet may take the text for a formula. Amounts are
// never sent through it: -5 must stay a number.
func risky(s string) bool {
	return s != "" && strings.ContainsAny(s[:1], "=+-@\t\r\n|")
}

// inert puts an apostrophe before such a text.
func inert(s string) string {
	if risky(s) {
		return "'" + s
	}
	return s
}
