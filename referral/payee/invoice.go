package payee

import (
	"context"
	"regexp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Invoice is one that a firm sent before it is paid.
type Invoice struct {
	ID         int64        `json:"-"`
	PayeeID    id.Payee     `json:"payee_id"`
	PayerID    id.Payer     `json:"payer_id"`
	Number     string       `json:"invoice_no" gorm:"column:invoice_no"`
	Amount     money.Amount `json:"amount_fen"`
	RecordedBy id.Staff     `json:"recorded_by"`
	RecordedAt clock.Milli  `json:"recorded_at"`
}

// TableName is the table of invoices.
func (Invoice) TableName() string { return "payee_invoices" }

// InvoiceIn is an invoice as it comes in: made out to the payer.
type InvoiceIn struct {
	PayerID id.Payer     `json:"payer_id"`
	Number  string       `json:"invoice_no"`
	Amount  money.Amount `json:"amount_fen"`
}

var invoiceForm = regexp.MustCompile(`^[0-9A-Z]{8,32}$`)

// ErrInvoice refuses a number that was recorded before.
var ErrInvoice = fault.New(fault.KindConflict, "payee.invoice", "发票 {number} 已登记过", "invoice {number} was recorded before")

// Validate checks the form of the input.
func (in InvoiceIn) Validate() error {
	var c fault.Check
	c.That(in.PayerID != 0, "payer_id", "required", "请指定付款主体", "name the payer")
	c.That(invoiceForm.MatchString(in.Number), "invoice_no", "format", "应为 8 到 32 位数字或大写字母", "must be 8 to 32 digits or capital letters")
	c.Range(int64(in.Amount), "amount_fen", 1, 10_000_000_000)
	return c.Err()
}

// RecordInvoice notes an invoice of a firm; it may be paid up to what its
// invoices come to.
func (s *Service) RecordInvoice(ctx context.Context, pid id.Payee, in InvoiceIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		if _, err := lockPayee(tx, pid); err != nil {
			return err
		}
		var there int
		if err := tx.Raw("SELECT COUNT(*) FROM payers WHERE id = ?", in.PayerID).Scan(&there).Error; err != nil {
			return err
		}
		if there == 0 {
			return fault.Invalid.Field("payer_id", "unknown_value", "没有这个付款主体", "there is no such payer")
		}
		err = tx.Create(&Invoice{tx.Next(), pid, in.PayerID, in.Number, in.Amount, who, tx.Now}).Error
		if database.IsDuplicate(err) {
			return ErrInvoice.With("number", in.Number)
		}
		if err != nil {
			return err
		}
		tx.SetResult("payee", int64(pid), 201)
		return database.AuditTx(tx, "payee.invoice", pid, nil, in)
	})
}

// ListInvoices lists a payee's invoices, newest first.
func (s *Service) ListInvoices(ctx context.Context, pid id.Payee, page database.Page) (database.Paged[Invoice], error) {
	if _, err := s.FindPayee(ctx, pid); err != nil {
		return database.Paged[Invoice]{}, err
	}
	var rows []Invoice
	err := s.DB.Read(ctx).Raw("SELECT * FROM payee_invoices WHERE payee_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
		pid, page.Bound(), page.Fetch()).Scan(&rows).Error
	return database.Cut(page, rows, func(i Invoice) int64 { return i.ID }), err
}

// invoiced is what a firm has invoiced the payer and was not yet paid.
func invoiced(q *database.Query, payee id.Payee, payer id.Payer) (money.Amount, error) {
	var left money.Amount
	err := q.Raw(`SELECT COALESCE((SELECT SUM(amount) FROM payee_invoices WHERE payee_id = ? AND payer_id = ?), 0)
		- COALESCE((SELECT SUM(gross) FROM tax_lines WHERE payee_id = ? AND payer_id = ?), 0)`, payee, payer, payee, payer).Scan(&left).Error
	return left, err
}
