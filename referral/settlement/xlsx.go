package settlement

import (
	"context"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"siyu/internal/money"
)

// The sheets: a summary, the rewards, and everything that corrects an earlier
// document.
const (
	sheetSummary = "汇总"
	sheetRewards = "明细"
	sheetCarried = "调整"
)

// sheetRows is how many lines one sheet holds; the format ends at 1,048,576
// rows, and what is over goes to 明细2, 明细3, ….
const sheetRows = 1_000_000

var sheetHeader = []string{
	"行号 Line", "类型 Kind", "奖励 Reward", "方案 Program", "方案版本 Version", "活动 Campaign", "订单 Order", "会员 Member",
	"规则 Rule", "备注 Note", "更正 Corrects", "计税方式 Tax rule", "应付(元) Gross CNY", "税额(元) Tax CNY", "实付(元) Net CNY",
	"应付(分) gross_fen", "税额(分) tax_fen", "实付(分) net_fen", "发生时间 Time (UTC)",
}

var kindNames = []struct {
	kind Kind
	name string
}{
	{KindReward, "奖励 Rewards"}, {KindClawback, "追回 Clawbacks"}, {KindFailed, "付款退回 Failed payments"},
	{KindDebt, "结转欠款 Debts brought forward"}, {KindDeferred, "欠款转下期 Debts carried forward"},
}

// workbook is an excelize file with the three styles it uses.
type workbook struct {
	*excelize.File
	yuan, quoted, head int
}

// writeSheet writes settlement.xlsx. Its bytes depend on the settlement alone:
// fixed document properties, entries of the archive in order and without a
// time.
func (s *Service) writeSheet(ctx context.Context, st Settlement, t totals, to io.Writer) error {
	b, err := newWorkbook(st)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.summary(st, t); err != nil {
		return err
	}
	rewards := &sheet{book: b, name: sheetRewards}
	carried := &sheet{book: b, name: sheetCarried}
	// The first of each is there, even if empty, and in this order.
	for _, sh := range []*sheet{rewards, carried} {
		if err := sh.open(); err != nil {
			return err
		}
	}
	err = s.eachLine(ctx, st.ID, func(l Line) error {
		if l.Kind == KindReward {
			return rewards.line(l)
		}
		return carried.line(l)
	})
	if err != nil {
		return err
	}
	for _, sh := range []*sheet{rewards, carried} {
		if err := sh.close(); err != nil {
			return err
		}
	}
	return b.write(to)
}

func newWorkbook(st Settlement) (*workbook, error) {
	f := excelize.NewFile()
	at := st.CutAt.Time().Format("2006-01-02T15:04:05Z")
	err := f.SetDocProps(&excelize.DocProperties{
		Creator: "Siyu", LastModifiedBy: "Siyu", Created: at, Modified: at, Title: st.ID.String(), Language: "zh-CN",
	})
	if err != nil {
		return nil, fmt.Errorf("settlement: workbook: %w", err)
	}
	b := &workbook{File: f}
	format := "#,##0.00;[Red]-#,##0.00"
	if b.yuan, err = f.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
		return nil, fmt.Errorf("settlement: workbook: %w", err)
	}
	if b.head, err = f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}}); err != nil {
		return nil, fmt.Errorf("settlement: workbook: %w", err)
	}
	if b.quoted, err = f.NewStyle(&excelize.Style{NumFmt: 49}); err != nil {
		return nil, fmt.Errorf("settlement: workbook: %w", err)
	}
	// excelize has no option for it: without quotePrefix a text that begins
	// with = + - @ becomes a formula when somebody edits the cell.
	yes := true
	f.Styles.CellXfs.Xf[b.quoted].QuotePrefix = &yes
	return b, f.SetSheetName("Sheet1", sheetSummary)
}

// text is a cell of text that no program takes for a formula.
func (b *workbook) text(s string) excelize.Cell {
	if risky(s) {
		return excelize.Cell{StyleID: b.quoted, Value: s}
	}
	return excelize.Cell{Value: s}
}

// money is a cell in yuan. A spreadsheet's number is a float whatever we do;
// up to 2^53 fen its shortest decimal is the exact amount.
func (b *workbook) money(a money.Amount) excelize.Cell {
	return excelize.Cell{StyleID: b.yuan, Value: float64(a) / 100}
}

func (b *workbook) heading(names ...string) []any {
	row := make([]any, 0, len(names))
	for _, n := range names {
		row = append(row, excelize.Cell{StyleID: b.head, Value: n})
	}
	return row
}

// summary writes what the document is and its sums by kind, ending in the
// control totals.
func (b *workbook) summary(st Settlement, t totals) error {
	w, err := b.NewStreamWriter(sheetSummary)
	if err != nil {
		return fmt.Errorf("settlement: summary: %w", err)
	}
	if err := w.SetColWidth(1, 1, 34); err != nil {
		return err
	}
	if err := w.SetColWidth(2, 8, 20); err != nil {
		return err
	}
	rows := [][]any{
		{b.text("结算单 Settlement"), b.text(st.ID.String())},
		{b.text("期间 Label"), b.text(st.Label)},
		{b.text("组织 Unit"), b.text(st.UnitID.String())},
		{b.text("币种 Currency"), b.text(st.Currency)},
		{b.text("截止时间 Cut-off (UTC)"), b.text(st.CutAt.String())},
		{b.text("计税方式 Tax rule"), b.text(st.TaxRule)},
		{b.text("行摘要 Rows SHA-256"), b.text(st.RowsDigest)},
		{},
		b.heading("类型 Kind", "行数 Lines", "应付(元) Gross CNY", "税额(元) Tax CNY", "实付(元) Net CNY", "应付(分) gross_fen", "税额(分) tax_fen", "实付(分) net_fen"),
	}
	for _, k := range kindNames {
		rows = append(rows, b.sums(k.name, t.Kinds[k.kind]))
	}
	rows = append(rows, b.sums("合计 Total", sum{t.Lines, t.Gross, t.Tax, t.Net}))
	for i, r := range rows {
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), r); err != nil {
			return fmt.Errorf("settlement: summary: %w", err)
		}
	}
	return w.Flush()
}

func (b *workbook) sums(name string, s sum) []any {
	return []any{b.text(name), s.Lines, b.money(s.Gross), b.money(s.Tax), b.money(s.Net), int64(s.Gross), int64(s.Tax), int64(s.Net)}
}

// sheet is a list of lines, spread over as many sheets as the format needs.
type sheet struct {
	book *workbook
	name string
	w    *excelize.StreamWriter
	part int
	row  int
	sum  sum
}

func (s *sheet) open() error {
	s.part++
	name := s.name
	if s.part > 1 {
		name = fmt.Sprintf("%s%d", s.name, s.part)
	}
	if _, err := s.book.NewSheet(name); err != nil {
		return fmt.Errorf("settlement: sheet %s: %w", name, err)
	}
	w, err := s.book.NewStreamWriter(name)
	if err != nil {
		return fmt.Errorf("settlement: sheet %s: %w", name, err)
	}
	if err := w.SetColWidth(2, len(sheetHeader), 18); err != nil {
		return err
	}
	s.w, s.row = w, 1
	return w.SetRow("A1", s.book.heading(sheetHeader...))
}

func (s *sheet) line(l Line) error {
	if s.row > sheetRows {
		if err := s.w.Flush(); err != nil {
			return err
		}
		if err := s.open(); err != nil {
			return err
		}
	}
	s.sum.add(l)
	return s.write(l.LineNo, l)
}

func (s *sheet) write(first any, l Line) error {
	b := s.book
	s.row++
	return s.w.SetRow(fmt.Sprintf("A%d", s.row), []any{
		first, b.text(string(l.Kind)), b.text(l.RewardID.String()), b.text(l.ProgramID.String()), version(l), b.text(l.CampaignID.String()),
		b.text(l.OrderID.String()), b.text(l.MemberID.String()), b.text(l.RuleName), b.text(l.Note), b.text(l.Corrects), b.text(l.TaxRule),
		b.money(l.Gross), b.money(l.Tax), b.money(l.Net), int64(l.Gross), int64(l.Tax), int64(l.Net), b.text(l.OccurredAt.String()),
	})
}

func version(l Line) any {
	if l.ProgramVersion == 0 {
		return nil
	}
	return l.ProgramVersion
}

// close ends the list with its control totals.
func (s *sheet) close() error {
	total := Line{Note: fmt.Sprintf("%d 行 lines", s.sum.Lines), Gross: s.sum.Gross, Tax: s.sum.Tax, Net: s.sum.Net}
	if err := s.write("合计 Total", total); err != nil {
		return err
	}
	return s.w.Flush()
}
