// Package workbook writes one sheet of rows as XLSX, for files that accounting
// and tax programs read. It is pure. A text is never taken for a formula, and
// an amount of money becomes a number with two decimals.
//
// Callers: referral/voucher, referral/payee. Settlements have their own, whose
// bytes never change.
package workbook

import (
	"fmt"

	"github.com/xuri/excelize/v2"

	"siyu/internal/money"
	"siyu/internal/sheet"
)

// Write is the sheet with its heads: money.Amount in yuan, int as a number,
// everything else as text.
func Write(name string, heads []string, rows [][]any) ([]byte, error) {
	b := excelize.NewFile()
	defer b.Close()
	if err := b.SetSheetName("Sheet1", name); err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	format := "0.00"
	yuan, err := b.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	text, err := b.NewStyle(&excelize.Style{NumFmt: 49})
	if err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	// excelize has no option for it: without quotePrefix a text that begins
	// with = + - @ becomes a formula when somebody edits the cell.
	yes := true
	b.Styles.CellXfs.Xf[text].QuotePrefix = &yes
	w, err := b.NewStreamWriter(name)
	if err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	head := make([]any, len(heads))
	for i, h := range heads {
		head[i] = h
	}
	for i, cells := range append([][]any{head}, rows...) {
		out := make([]any, len(cells))
		for k, v := range cells {
			out[k] = v
			switch v := v.(type) {
			case money.Amount:
				// A spreadsheet's number is a float whatever we do; up to 2^53
				// fen its shortest decimal is the exact amount.
				out[k] = excelize.Cell{StyleID: yuan, Value: float64(v) / 100}
			case string:
				if sheet.Risky(v) {
					out[k] = excelize.Cell{StyleID: text, Value: v}
				}
			}
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), out); err != nil {
			return nil, fmt.Errorf("workbook: row %d: %w", i+1, err)
		}
	}
	if err := w.Flush(); err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	buf, err := b.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	return buf.Bytes(), nil
}
