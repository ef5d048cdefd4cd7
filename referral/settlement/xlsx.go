package settlement

import (
	"errors"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/sheet"
)

// The sheets: a summary, what each member gets, the lines of rewards, the lines
// that correct an earlier document, and what is known of tax.
const (
	sheetSummary = "汇总"
	sheetPeople  = "奖励"
	sheetRewards = "明细"
	sheetCarried = "调整"
	sheetTax     = "税"
)

// sheetMost is how many lines one sheet holds: the format ends at 1,048,576
// rows, of which a heading and the control total are two. What is over goes to
// 明细2, 明细3, ….
const sheetMost = 1_048_574

var (
	lineHeader = []string{
		"行号 Line", "类型 Kind", "奖励 Reward", "方案 Program", "方案版本 Version", "活动 Campaign", "订单 Order", "会员 Member",
		"规则 Rule", "备注 Note", "更正 Corrects", "计税方式 Tax rule", "应付(元) Gross CNY", "税额(元) Tax CNY", "实付(元) Net CNY",
		"应付(分) gross_fen", "税额(分) tax_fen", "实付(分) net_fen", "发生时间 Time (UTC)",
	}
	personHeader = []string{
		"会员 Member", "奖励行数 Reward lines", "调整行数 Carried lines", "奖励(元) Rewards CNY", "调整(元) Carried CNY", "应付(元) Gross CNY",
		"应付大写 In capitals", "奖励(分) rewards_fen", "调整(分) carried_fen", "应付(分) gross_fen",
	}
)

// workbook is an excelize file with the three styles it uses and the lists
// that lines go to.
type workbook struct {
	*excelize.File
	yuan, quoted, head        int
	people, rewards, carried  *list
	rewardLines, carriedLines sum
	archive                   *sortedZip
}

// newWorkbook is the workbook of a settlement with its lists begun, of at most
// so many lines per sheet. Its bytes will depend on the settlement alone: fixed
// document properties, entries of the archive in order and without a time.
func newWorkbook(st Settlement, most int) (*workbook, error) {
	f := excelize.NewFile()
	at := st.CutAt.Time().Format("2006-01-02T15:04:05Z")
	err := f.SetDocProps(&excelize.DocProperties{
		Creator: "Siyu", LastModifiedBy: "Siyu", Created: at, Modified: at, Title: st.ID.String(), Language: "zh-CN",
	})
	if err != nil {
		return nil, fmt.Errorf("settlement: workbook: %w", err)
	}
	b := &workbook{File: f, archive: &sortedZip{}}
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
	if err := f.SetSheetName("Sheet1", sheetSummary); err != nil {
		return nil, err
	}
	b.people = &list{book: b, name: sheetPeople, header: personHeader, most: most}
	b.rewards = &list{book: b, name: sheetRewards, header: lineHeader, most: most}
	b.carried = &list{book: b, name: sheetCarried, header: lineHeader, most: most}
	// The first of each is there, even if empty, and in this order.
	for _, sh := range []*list{b.people, b.rewards, b.carried} {
		if err := sh.open(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// line puts a line on its list.
func (b *workbook) line(l Line) error {
	to, all := b.carried, &b.carriedLines
	if l.Kind == KindReward {
		to, all = b.rewards, &b.rewardLines
	}
	all.add(l)
	if err := to.next(); err != nil {
		return err
	}
	to.integer(int64(l.LineNo))
	return to.line(l)
}

// line writes a line's cells behind its first.
func (s *list) line(l Line) error {
	s.text(string(l.Kind))
	s.text(l.RewardID.String())
	s.text(l.ProgramID.String())
	if l.ProgramVersion != 0 {
		s.integer(int64(l.ProgramVersion))
	} else {
		s.skip()
	}
	for _, t := range []string{l.CampaignID.String(), l.OrderID.String(), l.MemberID.String(), l.RuleName, l.Note, l.Corrects, l.TaxRule} {
		s.text(t)
	}
	for _, a := range []money.Amount{l.Gross, l.Tax, l.Net} {
		s.yuan(a)
	}
	for _, a := range []money.Amount{l.Gross, l.Tax, l.Net} {
		s.integer(int64(a))
	}
	s.text(l.OccurredAt.String())
	return s.end()
}

// person is what the lines of one member come to.
type person struct {
	MemberID                  id.Member
	RewardLines, CarriedLines int
	RewardsFen, CarriedFen    money.Amount
}

func (b *workbook) person(p person) error {
	if err := b.people.next(); err != nil {
		return err
	}
	b.people.text(p.MemberID.String())
	return b.people.person(p)
}

// person writes a member's cells behind the first.
func (s *list) person(p person) error {
	gross := p.RewardsFen + p.CarriedFen
	s.integer(int64(p.RewardLines))
	s.integer(int64(p.CarriedLines))
	for _, a := range []money.Amount{p.RewardsFen, p.CarriedFen, gross} {
		s.yuan(a)
	}
	s.text(gross.Capital())
	for _, a := range []money.Amount{p.RewardsFen, p.CarriedFen, gross} {
		s.integer(int64(a))
	}
	return s.end()
}

// finish ends the lists with their control totals, adds the sheets of sums and
// writes the whole.
func (b *workbook) finish(st Settlement, t totals, people int, to io.Writer) error {
	for _, of := range []struct {
		*list
		sum
	}{{b.rewards, b.rewardLines}, {b.carried, b.carriedLines}} {
		of.begin()
		of.text("合计 Total")
		total := Line{Note: fmt.Sprintf("%d 行 lines", of.Lines), Gross: of.Gross, Tax: of.Tax, Net: of.Net}
		if err := errors.Join(of.line(total), of.shut()); err != nil {
			return err
		}
	}
	b.people.begin()
	b.people.text("合计 Total")
	all := person{RewardLines: b.rewardLines.Lines, CarriedLines: b.carriedLines.Lines, RewardsFen: b.rewardLines.Gross, CarriedFen: b.carriedLines.Gross}
	if err := errors.Join(b.people.person(all), b.people.shut()); err != nil {
		return err
	}
	if err := b.tax(st, people); err != nil {
		return err
	}
	if err := b.summary(st, t); err != nil {
		return err
	}
	// excelize would hold the archive in memory until it is whole; this one goes
	// straight to its reader.
	b.archive.out = to
	b.SetZipWriter(func(io.Writer) excelize.ZipWriter { return b.archive })
	if err := b.Write(io.Discard); err != nil {
		return fmt.Errorf("settlement: workbook: %w", err)
	}
	return nil
}

// end frees what the workbook holds, finished or not.
func (b *workbook) end() {
	b.archive.discard()
	_ = b.Close()
}

// text is a cell of text that no program takes for a formula.
func (b *workbook) text(s string) excelize.Cell {
	if sheet.Risky(s) {
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
