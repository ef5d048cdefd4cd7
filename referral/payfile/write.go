package payfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"strconv"

	"golang.org/x/text/encoding/simplifiedchinese"

	"siyu/internal/fault"
	"siyu/internal/money"
	"siyu/internal/sheet"
)

// Row is one payment with all that a form may ask for.
type Row struct {
	Line                                                        int
	BillNo, PayoutID, SettlementID, MemberID                    string
	Name, IDNo, Phone, CardNo, BankName, Branch, CNAPS          string
	Alipay, AppID, OpenID, NameHash, IDMask                     string
	Owed, Gross, Taxable, Quick, Tax, Net                       money.Amount
	Rate                                                        money.Bps
	IncomeType, RuleVersion, Remark, Period, State, TransferRef string
	PayerName, CostCentre, BudgetNo                             string
}

// Field names what a cell holds.
type Field string

// texts are fields of plain text.
var texts = map[Field]func(Row) string{
	"line": func(r Row) string { return strconv.Itoa(r.Line) }, "bill_no": func(r Row) string { return r.BillNo },
	"payout_id": func(r Row) string { return r.PayoutID }, "settlement_id": func(r Row) string { return r.SettlementID },
	"member_id": func(r Row) string { return r.MemberID }, "name": func(r Row) string { return sheet.Inert(r.Name) },
	"id_no": func(r Row) string { return r.IDNo }, "phone": func(r Row) string { return r.Phone }, "card_no": func(r Row) string { return r.CardNo },
	"bank_name": func(r Row) string { return sheet.Inert(r.BankName) }, "branch": func(r Row) string { return sheet.Inert(r.Branch) },
	"cnaps": func(r Row) string { return r.CNAPS }, "alipay": func(r Row) string { return sheet.Inert(r.Alipay) },
	"app_id": func(r Row) string { return sheet.Inert(r.AppID) }, "open_id": func(r Row) string { return sheet.Inert(r.OpenID) },
	"name_hash": func(r Row) string { return r.NameHash }, "id_mask": func(r Row) string { return r.IDMask },
	"rate": func(r Row) string { return strconv.FormatInt(int64(r.Rate), 10) }, "income_type": func(r Row) string { return r.IncomeType },
	"rule_version": func(r Row) string { return r.RuleVersion }, "remark": func(r Row) string { return sheet.Inert(r.Remark) },
	"payer_name": func(r Row) string { return sheet.Inert(r.PayerName) }, "cost_centre": func(r Row) string { return sheet.Inert(r.CostCentre) },
	"budget_no": func(r Row) string { return sheet.Inert(r.BudgetNo) },
	"period":    func(r Row) string { return sheet.Inert(r.Period) }, "state": func(r Row) string { return r.State },
}

// amounts are fields of money.
var amounts = map[Field]func(Row) money.Amount{
	"owed": func(r Row) money.Amount { return r.Owed }, "gross": func(r Row) money.Amount { return r.Gross },
	"taxable": func(r Row) money.Amount { return r.Taxable }, "quick": func(r Row) money.Amount { return r.Quick },
	"tax": func(r Row) money.Amount { return r.Tax }, "net": func(r Row) money.Amount { return r.Net },
}

// sums are fields of a line of totals.
var sums = map[Field]Field{"sum_owed": "owed", "sum_gross": "gross", "sum_tax": "tax", "sum_net": "net"}

// ErrLetter refuses a character that the form's encoding cannot hold.
var ErrLetter = fault.New(fault.KindUnprocessable, "payfile.letter", "第 {line} 行含有 GBK 无法表示的字，请改用其他格式", "line {line} holds a character that GBK cannot write; use another form")

// ErrAccount refuses a payment without the account that the form pays into.
var ErrAccount = fault.New(fault.KindUnprocessable, "payfile.account", "第 {line} 行没有收款账户（可能已应本人要求删除）", "line {line} has no account any more; it may have been erased")

// Write writes the rows in the form. Whoever reads the last line's hash takes
// it over all bytes before that line.
func Write(p Profile, rows []Row) ([]byte, error) {
	var b bytes.Buffer
	if p.Encoding == UTF8BOM {
		b.WriteString("\uFEFF")
	}
	if len(p.Before) > 0 {
		if err := p.put(&b, 0, p.totals(p.Before, rows, nil)); err != nil {
			return nil, err
		}
	}
	if !p.Bare {
		if err := p.put(&b, 0, p.heads()); err != nil {
			return nil, err
		}
	}
	for _, r := range rows {
		cells := make([]string, len(p.Columns))
		for i, c := range p.Columns {
			cells[i] = c.text(r)
		}
		if r.account(p) == "" {
			return nil, ErrAccount.With("line", r.Line)
		}
		if err := p.put(&b, r.Line, cells); err != nil {
			return nil, err
		}
	}
	if len(p.After) > 0 {
		if err := p.put(&b, 0, p.totals(p.After, rows, b.Bytes())); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// account is what a form cannot do without; payroll knows the account of whom
// it knows by his number.
func (r Row) account(p Profile) string {
	if p.PayeeType != "" {
		return r.IDNo
	}
	switch p.AccountKind {
	case "bank":
		return r.CardNo
	case "alipay":
		return r.Alipay
	case "wechat":
		return r.OpenID
	}
	return r.BillNo
}

func (p Profile) heads() []string {
	out := make([]string, len(p.Columns))
	for i, c := range p.Columns {
		out[i] = c.Head
	}
	return out
}

func (c Cell) text(r Row) string {
	if of, ok := amounts[c.Field]; ok {
		return c.amount(of(r))
	}
	if of, ok := texts[c.Field]; ok {
		if text := of(r); text != "" {
			return c.Lead + text
		}
		return ""
	}
	return c.Const
}

func (c Cell) amount(a money.Amount) string {
	if c.Form == FormYuan {
		return a.String()
	}
	return strconv.FormatInt(int64(a), 10)
}

func (p Profile) totals(cells []Cell, rows []Row, before []byte) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		of, summed := sums[c.Field]
		switch {
		case summed:
			var sum money.Amount
			for _, r := range rows {
				sum += amounts[of](r)
			}
			out[i] = c.amount(sum)
		case c.Field == "count":
			out[i] = strconv.Itoa(len(rows))
		case c.Field == "sha256":
			h := sha256.Sum256(before)
			out[i] = hex.EncodeToString(h[:])
		case c.Field != "" && len(rows) > 0:
			out[i] = c.text(rows[0]) // what all rows share, like the payout
		default:
			out[i] = c.Const
		}
	}
	return out
}

// put writes one line in the form's encoding.
func (p Profile) put(b *bytes.Buffer, line int, cells []string) error {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.Comma, w.UseCRLF = rune(p.Comma[0]), true
	if err := w.Write(cells); err != nil {
		return err
	}
	w.Flush()
	if p.Encoding != GBK {
		b.Write(text.Bytes())
		return nil
	}
	out, err := simplifiedchinese.GBK.NewEncoder().Bytes(text.Bytes())
	if err != nil {
		return ErrLetter.With("line", line)
	}
	b.Write(out)
	return nil
}
