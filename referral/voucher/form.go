package voucher

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"siyu/internal/fault"
	"siyu/internal/money"
	"siyu/internal/sheet"
	"siyu/referral/workbook"
)

// Form is one kind of file. The forms of 金蝶 and 用友 are written after their
// public import templates and were not tried in their products.
type Form struct {
	Name    string   `json:"name"`
	TitleZH string   `json:"title_zh"`
	TitleEN string   `json:"title_en"`
	Format  Format   `json:"format"`
	Word    string   `json:"word"` // 凭证字
	Columns []Column `json:"columns"`
}

// Format is how the rows are written.
type Format string

// A workbook; CSV in UTF-8 with heads; lines in GBK without.
const (
	XLSX Format = "xlsx"
	CSV  Format = "csv"
	TXT  Format = "txt"
)

// Column is a field of a row, or a constant.
type Column struct {
	Head  string `json:"head"`
	Field string `json:"field"`
	Const string `json:"const"`
}

//go:embed forms.json
var ownForms []byte

var forms = func() (list []Form) {
	if err := json.Unmarshal(ownForms, &list); err != nil {
		panic("voucher: forms.json: " + err.Error())
	}
	return list
}()

// Forms lists the kinds of files.
func Forms() []Form { return slices.Clone(forms) }

// ErrForm refuses a form that is not there, ErrLetter what GBK cannot hold.
var (
	ErrForm   = fault.New(fault.KindUnprocessable, "voucher.form", "没有凭证文件格式 {form}；有：{known}", "there is no voucher form {form}; there are {known}")
	ErrLetter = fault.New(fault.KindUnprocessable, "voucher.letter", "科目名称或摘要含有 GBK 无法表示的字", "a title or summary holds a character that GBK cannot write")
)

// FindForm is the form of that name.
func FindForm(name string) (Form, error) {
	for _, f := range forms {
		if f.Name == name {
			return f, nil
		}
	}
	var known []string
	for _, f := range forms {
		known = append(known, f.Name)
	}
	return Form{}, ErrForm.With("form", name).With("known", strings.Join(known, ", "))
}

// row is one line of a voucher as a form writes it.
type row struct {
	no, line             int
	summary, code, title string
	day                  int
	part                 Part
	debit, credit        money.Amount
}

var summaries = map[string]string{
	"fund": "预算拨入", "reward_earn": "奖励预提", "reward_clear": "计提推广奖励", "reward_reduced": "奖励按退款扣减", "reward_voided": "奖励取消",
	"reward_clawed_back": "追回推广奖励", "payout": "发放推广奖励", "payout_arrived": "付款到账", "payout_failed": "付款退回", "discount": "活动优惠", "merge": "会员合并",
	"withdrawal_fee": "提现手续费",
}

// fact is what one voucher is of.
type fact struct {
	day  int
	kind string
}

// vouchers are the set as vouchers, one per day and kind of transfer: what is
// booked to one account is netted, and nothing is written of what nets to
// nothing.
func (set Set) vouchers() []row {
	byFact := map[fact]map[string]row{}
	for _, l := range set.Lines {
		f := fact{cmp.Or(set.Day, l.Day), l.Kind}
		if byFact[f] == nil {
			byFact[f] = map[string]row{}
		}
		r := byFact[f][l.Code]
		r.code, r.title, r.credit = l.Code, l.Title, r.credit+l.Credit-l.Debit
		byFact[f][l.Code] = r
	}
	var out []row
	no := 0
	facts := slices.SortedFunc(maps.Keys(byFact), func(a, b fact) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.kind, b.kind)) })
	for _, f := range facts {
		var part []row
		for _, code := range slices.Sorted(maps.Keys(byFact[f])) {
			r := byFact[f][code]
			if r.credit < 0 {
				r.debit, r.credit = -r.credit, 0
			}
			if r.debit == r.credit {
				continue
			}
			r.day, r.part = f.day, set.Part
			r.summary = fmt.Sprintf("%s %d%s", cmp.Or(summaries[f.kind], f.kind), f.day, set.said())
			part = append(part, r)
		}
		if len(part) == 0 {
			continue
		}
		no++
		slices.SortStableFunc(part, func(a, b row) int { return cmp.Compare(b.debit, a.debit) }) // debits first
		for i, r := range part {
			r.no, r.line = no, i+1
			out = append(out, r)
		}
	}
	return out
}

// Row is one line of a voucher as the files have it.
type Row struct {
	No            int // of the voucher in its set
	Summary       string
	Code, Title   string
	Debit, Credit money.Amount
}

// Rows are the set as the files have it.
func (set Set) Rows() []Row {
	var out []Row
	for _, r := range set.vouchers() {
		out = append(out, Row{r.no, r.summary, r.code, r.title, r.debit, r.credit})
	}
	return out
}

// Write writes the set's vouchers in the form.
func (f Form) Write(set Set) ([]byte, error) {
	if f.Format == XLSX {
		var rows [][]any
		for _, r := range set.vouchers() {
			cells := make([]any, len(f.Columns))
			for i, c := range f.Columns {
				cells[i] = r.value(c, f.Word)
			}
			rows = append(rows, cells)
		}
		return workbook.Write("Sheet1", f.heads(), rows)
	}
	var rows [][]string
	for _, r := range set.vouchers() {
		cells := make([]string, len(f.Columns))
		for i, c := range f.Columns {
			cells[i] = r.cell(c, f.Word)
		}
		rows = append(rows, cells)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if f.Format == CSV {
		rows = append([][]string{f.heads()}, rows...)
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	if f.Format == CSV {
		return b.Bytes(), nil
	}
	out, err := simplifiedchinese.GBK.NewEncoder().Bytes(b.Bytes())
	if err != nil {
		return nil, ErrLetter
	}
	return out, nil
}

// Media is the file's media type.
func (f Form) Media() string {
	switch f.Format {
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case CSV:
		return "text/csv; charset=utf-8"
	}
	return "text/plain; charset=gbk"
}

func (f Form) heads() []string {
	out := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		out[i] = c.Head
	}
	return out
}

func (r row) cell(c Column, word string) string {
	switch c.Field {
	case "day":
		return fmt.Sprintf("%04d-%02d-%02d", r.day/10000, r.day/100%100, r.day%100)
	case "payer":
		return sheet.Inert(r.part.PayerName)
	case "cost_centre":
		return sheet.Inert(r.part.CostCentre)
	case "budget_no":
		return sheet.Inert(r.part.BudgetNo)
	case "settlement":
		return r.part.SettlementID.String()
	case "word":
		return word
	case "no":
		return strconv.Itoa(r.no)
	case "line":
		return strconv.Itoa(r.line)
	case "summary":
		return r.summary
	case "code":
		return r.code
	case "title":
		return sheet.Inert(r.title)
	case "debit":
		return r.debit.String()
	case "credit":
		return r.credit.String()
	}
	return c.Const
}

// value is the cell of a workbook: amounts are numbers, codes stay text,
// because 1002.10 is not 1002.1.
func (r row) value(c Column, word string) any {
	switch c.Field {
	case "debit":
		return r.debit
	case "credit":
		return r.credit
	case "title":
		return r.title
	}
	return r.cell(c, word)
}
