package wallet

import (
	"encoding/csv"
	"io"
	"strconv"

	"siyu/internal/money"
)

// ByteOrder says whether a CSV begins with the mark by which spreadsheets in
// Chinese know UTF-8; programs want none.
type ByteOrder string

// The two ways to begin a CSV.
const (
	Unmarked ByteOrder = ""
	Marked   ByteOrder = "\ufeff"
)

// writeCSV writes a header and rows. Amounts stand in fen, or points, as bare
// integers.
func writeCSV(to io.Writer, mark ByteOrder, header []string, rows [][]string) error {
	if _, err := io.WriteString(to, string(mark)); err != nil {
		return err
	}
	return writeRows(to, append([][]string{header}, rows...))
}

func writeRows(to io.Writer, rows [][]string) error { return csv.NewWriter(to).WriteAll(rows) }

func fen(n money.Amount) string { return number(int64(n)) }

func number(n int64) string { return strconv.FormatInt(n, 10) }

// WriteCSV writes the trial balance, and its sum per currency at the end.
func (t Trial) WriteCSV(to io.Writer, mark ByteOrder) error {
	var list [][]string
	for _, r := range t.Rows {
		list = append(list, []string{string(r.Stage), string(r.OwnerKind), r.Currency, fen(r.Balance)})
	}
	for _, x := range t.Sums {
		list = append(list, []string{"sum", "", x.Currency, fen(x.Sum)})
	}
	return writeCSV(to, mark, []string{"stage", "owner_kind", "currency", "balance_fen"}, list)
}

// WriteCSV writes what moved in the close.
func (c Close) WriteCSV(to io.Writer, mark ByteOrder) error {
	var list [][]string
	for _, l := range c.Lines {
		list = append(list, []string{strconv.Itoa(c.Day), l.Kind, string(l.Stage), string(l.OwnerKind), l.Currency, number(l.Entries), fen(l.Came), fen(l.Went)})
	}
	return writeCSV(to, mark, []string{"day", "kind", "stage", "owner_kind", "currency", "entry_count", "in_fen", "out_fen"}, list)
}
