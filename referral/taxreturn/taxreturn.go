// Package taxreturn writes what a withholding agent declares of a closed month
// of tax: 个人所得税扣缴申报.
//
// A sheet is read from the months that referral/payee keeps and counted again
// by a query of its own over the tax lines; one that differs is not written.
// It names payees by opaque ids and masks. The return itself needs names and
// numbers: it is made from the vault for one request, audited with its hash,
// and kept nowhere.
//
// No tables of its own. Columns follow the public form; they were not tried in
// the tax office's client. Callers: api.
package taxreturn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/sheet"
	"siyu/referral/payee"
	"siyu/referral/tax"
	"siyu/referral/workbook"
)

// Service is the room's use cases.
type Service struct {
	DB     *database.DB
	Payees *payee.Service
}

// Sheet is a closed month of a payer's agent, a row per person and kind of
// income.
type Sheet struct {
	Payer id.Payer
	Month int
	Rows  []Row
	Lines int
	Gross money.Amount
	Tax   money.Amount

	Shares []Share // of the agent's payers, by id
}

// Share is what of the month one payer paid, with where it is charged to.
type Share struct {
	Name, CostCentre, BudgetNo string
	Lines                      int `gorm:"column:line_count"`
	Gross, Tax                 money.Amount
}

// Row is one of them. Name and number are masks until the vault was opened;
// a person who was erased has none.
type Row struct {
	payee.Month
	Type payee.Type
	No   int // of the version that names him today
	Name string
	IDNo string
}

// Declared says whether the row is declared in a return of individuals: firms
// declare themselves, and what staff are paid is declared with their wages.
func (r Row) Declared() bool { return !r.firm() && r.IncomeType != tax.IncomeWages }

func (r Row) firm() bool { return r.Type == payee.TypeCompany || r.Type == payee.TypeSoleTrader }

// The refusals of this room.
var (
	ErrOpen     = fault.New(fault.KindConflict, "taxreturn.month_open", "{month} 还没有关账，请先关账再申报", "{month} is not closed; close it before declaring it")
	errRecount  = errors.New("taxreturn: the month is not what its lines sum up to")
	incomeNames = map[tax.Income]string{tax.IncomeLabor: "劳务报酬所得", tax.IncomeIncidental: "偶然所得", tax.IncomeCoupon: "不征税",
		tax.IncomeBusiness: "经营所得（凭发票）", tax.IncomeWages: "工资、薪金所得（由工资系统扣缴）"}
)

// Read is the closed month of the payer's agent, by opaque ids and masks.
func (s *Service) Read(ctx context.Context, pid id.Payer, month int) (Sheet, error) {
	sh := Sheet{Payer: pid, Month: month}
	p, err := s.Payees.FindPayer(ctx, pid)
	if err != nil {
		return sh, err
	}
	q := s.DB.Read(ctx)
	var open int
	if err := q.Raw("SELECT open_month FROM tax_agents WHERE id = ?", p.AgentID).Scan(&open).Error; err != nil {
		return sh, fmt.Errorf("taxreturn: %s: %w", pid, err)
	}
	for page := (database.Page{Limit: database.PageMax}); ; {
		list, err := s.Payees.ListMonths(ctx, pid, month, page)
		if err != nil {
			return sh, err
		}
		part := make([]Row, len(list.Items))
		for i, m := range list.Items {
			part[i] = Row{Month: m, Name: m.Name}
			sh.Lines += m.Lines
			sh.Gross += m.Gross
			sh.Tax += m.Tax
		}
		if err := typed(q, part); err != nil {
			return sh, err
		}
		sh.Rows = append(sh.Rows, part...)
		if list.NextCursor == "" {
			break
		}
		if page.Before, err = database.ParseCursor(list.NextCursor); err != nil {
			return sh, err
		}
	}
	if month >= open {
		return sh, ErrOpen.With("month", month)
	}
	sh.Shares, err = sh.recount(q, p.AgentID)
	return sh, err
}

// typed fills in what the payees of at most 200 rows are today.
func typed(q *database.Query, rows []Row) error {
	ids := make([]id.Payee, len(rows))
	for i, r := range rows {
		ids[i] = r.PayeeID
	}
	var known []struct {
		PayeeID   id.Payee
		No        int
		PayeeType payee.Type
	}
	err := q.Raw("SELECT v.payee_id, v.no, v.payee_type FROM payees p JOIN payee_versions v ON v.payee_id = p.id AND v.no = p.active_no WHERE p.id IN ?", ids).Scan(&known).Error
	if err != nil {
		return fmt.Errorf("taxreturn: payees: %w", err)
	}
	for _, k := range known {
		for i := range rows {
			if rows[i].PayeeID == k.PayeeID {
				rows[i].No, rows[i].Type = k.No, k.PayeeType
			}
		}
	}
	return nil
}

// recount sums the month up from its lines, past the months' own sums, payer
// by payer.
func (sh Sheet) recount(q *database.Query, agent int64) ([]Share, error) {
	var list []Share
	err := q.Raw(`SELECT p.name, p.cost_centre, p.budget_no, s.line_count, s.gross, s.tax
		FROM (SELECT l.payer_id, COUNT(*) AS line_count, SUM(l.gross) AS gross, SUM(l.tax) AS tax FROM tax_lines l
			JOIN payers a ON a.id = l.payer_id AND a.agent_id = ? JOIN tax_months m ON m.id = l.month_id AND m.month_no = ? GROUP BY l.payer_id) s
		JOIN payers p ON p.id = s.payer_id ORDER BY p.id`, agent, sh.Month).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("taxreturn: recount: %w", err)
	}
	var n Share
	for _, x := range list {
		n.Lines, n.Gross, n.Tax = n.Lines+x.Lines, n.Gross+x.Gross, n.Tax+x.Tax
	}
	if n.Lines != sh.Lines || n.Gross != sh.Gross || n.Tax != sh.Tax {
		return nil, fmt.Errorf("%w: %s of %d: sheet %d lines %s %s, lines %d %s %s", errRecount, sh.Payer, sh.Month, sh.Lines, sh.Gross, sh.Tax, n.Lines, n.Gross, n.Tax)
	}
	return list, nil
}

// File is a sheet or return as bytes.
type File struct {
	Name, Media, SHA256 string
	Body                []byte
}

// Format is how a file is written.
type Format string

// A workbook, or CSV that begins with the mark by which spreadsheets know
// UTF-8, or without.
const (
	XLSX   Format = "xlsx"
	CSV    Format = "csv"
	CSVBOM Format = "csv-bom"
)

// Write is the sheet by masks.
func (s *Service) Write(ctx context.Context, pid id.Payer, month int, f Format) (File, error) {
	sh, err := s.Read(ctx, pid, month)
	if err != nil {
		return File{}, err
	}
	return sh.file("tax-sheet", f)
}

// why is a return in the audit of the vault.
type why struct {
	payer id.Payer
	month int
}

// String is like ent_…:202603.
func (w why) String() string { return fmt.Sprintf("%s:%d", w.payer, w.month) }

// Return is the month with names and numbers out of the vault, for this
// request alone.
func (s *Service) Return(ctx context.Context, pid id.Payer, month int, f Format) (File, error) {
	sh, err := s.Read(ctx, pid, month)
	if err != nil {
		return File{}, err
	}
	for from := 0; from < len(sh.Rows); from += 200 {
		part := sh.Rows[from:min(from+200, len(sh.Rows))]
		refs := make([]payee.Ref, len(part))
		for i, r := range part {
			refs[i] = payee.Ref{Payee: r.PayeeID, No: r.No}
		}
		open, err := s.Payees.OpenVault(ctx, why{pid, month}, refs)
		if err != nil {
			return File{}, err
		}
		for i := range part {
			d := open[refs[i]]
			part[i].Name, part[i].IDNo = d.Name, d.IDNo
		}
	}
	out, err := sh.file("tax-return", f)
	if err != nil {
		return File{}, err
	}
	return out, s.DB.Tx(ctx, func(tx *database.Tx) error {
		return database.AuditTx(tx, "tax.return", why{pid, month}, nil, map[string]any{"format": f, "rows": len(sh.Rows), "sha256": out.SHA256})
	})
}

var heads = []string{"工号", "姓名", "证件类型", "证件号码", "所得项目", "收入", "应扣缴税额", "已扣缴税额", "计税规则", "笔数", "是否申报"}

func (r Row) cells() []any {
	kind, declared := "居民身份证", "是"
	if r.firm() {
		kind = "统一社会信用代码"
	}
	if !r.Declared() {
		declared = "否"
	}
	income := incomeNames[r.IncomeType]
	if income == "" {
		income = string(r.IncomeType)
	}
	return []any{r.PayeeID.String(), r.Name, kind, r.IDNo, income, r.Gross, r.Due, r.Tax, r.Rule, r.Lines, declared}
}

func (sh Sheet) file(name string, f Format) (File, error) {
	rows := make([][]any, 0, len(sh.Rows)+1)
	var due money.Amount
	for _, r := range sh.Rows {
		rows = append(rows, r.cells())
		due += r.Due
	}
	rows = append(rows, []any{"合计", "", "", "", "", sh.Gross, due, sh.Tax, "", sh.Lines, ""})
	for _, x := range sh.Shares {
		rows = append(rows, []any{"其中", x.Name, "成本中心", x.CostCentre, "预算号 " + x.BudgetNo, x.Gross, "", x.Tax, "", x.Lines, ""})
	}
	out := File{Name: fmt.Sprintf("%s-%s-%d", name, sh.Payer, sh.Month)}
	var err error
	switch f {
	case XLSX:
		out.Name, out.Media = out.Name+".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		out.Body, err = workbook.Write("扣缴申报", heads, rows)
	case CSV, CSVBOM:
		out.Name, out.Media = out.Name+".csv", "text/csv; charset=utf-8"
		out.Body, err = plain(rows, f == CSVBOM)
	default:
		return out, fault.Invalid.Field("format", "unknown_value", "应为 xlsx、csv 或 csv-bom", "must be xlsx, csv or csv-bom")
	}
	sum := sha256.Sum256(out.Body)
	out.SHA256 = hex.EncodeToString(sum[:])
	return out, err
}

func plain(rows [][]any, marked bool) ([]byte, error) {
	var b bytes.Buffer
	if marked {
		b.WriteString("\ufeff")
	}
	w := csv.NewWriter(&b)
	list := [][]string{heads}
	for _, cells := range rows {
		out := make([]string, len(cells))
		for i, v := range cells {
			switch v := v.(type) {
			case money.Amount:
				out[i] = v.String()
			case int:
				out[i] = strconv.Itoa(v)
			case string:
				out[i] = sheet.Inert(v)
			}
		}
		list = append(list, out)
	}
	err := w.WriteAll(list)
	return b.Bytes(), err
}
