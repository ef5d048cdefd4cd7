package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/payfile"
)

// PaymentFile is one making of a file that a payout is paid by. Its bytes name
// people, so they are handed out and not kept; what is kept says who made
// which bytes when.
type PaymentFile struct {
	Part   int          `json:"part"`
	Made   int          `json:"made" gorm:"column:made_no"` // how often it was made
	Rows   int          `json:"row_count" gorm:"column:row_count"`
	Net    money.Amount `json:"net_fen"`
	SHA256 string       `json:"sha256"`
	MadeBy id.Staff     `json:"made_by"`
	MadeAt clock.Milli  `json:"made_at"`

	Name string `json:"-" gorm:"-"`
	Body []byte `json:"-" gorm:"-"`

	after, upto int // the lines it is of
}

// MakeFile makes one part of the payout's file, of the payments that are still
// on their way: made again after results came in it pays nobody twice. Each
// making opens the vault, which is audited, and is noted with its hash. One
// during which a result came in is thrown away and made anew.
func (s *Service) MakeFile(ctx context.Context, pid id.Payout, part int) (PaymentFile, error) {
	for {
		f, err := s.makeFile(ctx, pid, part)
		if err != nil {
			return PaymentFile{}, err
		}
		if err = s.noteFile(ctx, pid, &f); !errors.Is(err, errAnswered) {
			return f, err
		}
	}
}

func (s *Service) makeFile(ctx context.Context, pid id.Payout, part int) (PaymentFile, error) {
	p, err := s.FindPayout(ctx, pid)
	if err != nil {
		return PaymentFile{}, err
	}
	form, err := p.Channel.form()
	switch {
	case err != nil || p.Channel == ChannelManual:
		return PaymentFile{}, ErrNoFile
	case p.Status != PayoutSent:
		return PaymentFile{}, ErrPaying.With("state", p.Status)
	case part < 1 || (part-1)*form.MaxRows >= p.LineCount:
		return PaymentFile{}, fault.NotFound
	}
	st, err := find(s.DB.Read(ctx), p.SettlementID)
	if err != nil {
		return PaymentFile{}, err
	}
	f := PaymentFile{Part: part, Name: fmt.Sprintf("%s-%d.csv", pid, part), after: (part - 1) * form.MaxRows, upto: part * form.MaxRows}
	bills, err := billsOf(s.DB.Read(ctx), pid, f.after, f.upto)
	if err != nil {
		return PaymentFile{}, err
	}
	f.Rows = len(bills)
	rows := make([]payfile.Row, 0, len(bills))
	for chunk := range slices.Chunk(bills, 200) {
		open, err := s.Vault.OpenVault(ctx, pid, refsOf(chunk))
		if err != nil {
			return PaymentFile{}, err
		}
		for _, b := range chunk {
			f.Net += b.Net
			rows = append(rows, b.row(st, open[payee.Ref{Payee: b.PayeeID, No: b.PayeeNo}]))
		}
	}
	if f.Body, err = payfile.Write(form, rows); err != nil {
		return PaymentFile{}, err
	}
	sum := sha256.Sum256(f.Body)
	f.SHA256 = hex.EncodeToString(sum[:])
	return f, nil
}

// errAnswered says that a result of one of the file's payments came in since
// they were read.
var errAnswered = errors.New("settlement: a result came in while the file was made")

// noteFile notes a file that says what stands, under the lock that results
// take too.
func (s *Service) noteFile(ctx context.Context, pid id.Payout, f *PaymentFile) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		if _, _, err := lockPayout(tx, pid); err != nil {
			return err
		}
		var flight struct {
			Lines int `gorm:"column:line_count"`
			Net   money.Amount
		}
		err = tx.Raw("SELECT COUNT(*) AS line_count, COALESCE(SUM(net), 0) AS net FROM payout_lines WHERE payout_id = ? AND line_no > ? AND line_no <= ? AND status IN ?",
			pid, f.after, f.upto, flying).Scan(&flight).Error
		switch {
		case err != nil:
			return err
		case flight.Lines != f.Rows || flight.Net != f.Net: // what flew has landed or come back; nothing takes off again
			return errAnswered
		}
		if err := tx.Raw("SELECT COALESCE(MAX(made_no), 0) + 1 FROM payout_files WHERE payout_id = ? AND part = ?", pid, f.Part).Scan(&f.Made).Error; err != nil {
			return err
		}
		f.MadeBy, f.MadeAt = who, tx.Now
		err = tx.Exec("INSERT INTO payout_files (payout_id, part, made_no, row_count, net, sha256, made_by, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			pid, f.Part, f.Made, f.Rows, f.Net, f.SHA256, who, tx.Now).Error
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "payout.file", pid, nil, map[string]any{"part": f.Part, "rows": f.Rows, "sha256": f.SHA256})
	})
}

// ListFiles lists the makings of a payout's files.
func (s *Service) ListFiles(ctx context.Context, pid id.Payout) ([]PaymentFile, error) {
	list := []PaymentFile{}
	if _, err := s.FindPayout(ctx, pid); err != nil {
		return list, err
	}
	err := s.DB.Read(ctx).Raw("SELECT * FROM payout_files WHERE payout_id = ? ORDER BY part, made_no LIMIT 200", pid).Scan(&list).Error
	return list, err
}

// bill is a payment on its way with its line of tax.
type bill struct {
	PayoutLine
	Taxable, Quick money.Amount
	Rate           money.Bps
	RuleVersion    string
	IncomeType     string
}

// billsOf reads the payments on their way of a range of lines.
func billsOf(q *database.Query, pid id.Payout, after, upto int) ([]bill, error) {
	var rows []bill
	err := q.Raw(`SELECT f.*, t.taxable, t.quick, t.rate, t.rule_version, m.income_type
		FROM payout_lines f JOIN tax_lines t ON t.id = f.tax_line_id JOIN tax_months m ON m.id = t.month_id
		WHERE f.payout_id = ? AND f.line_no > ? AND f.line_no <= ? AND f.status IN ? ORDER BY f.line_no`, pid, after, upto, flying).Scan(&rows).Error
	return rows, err
}

func refsOf(bills []bill) []payee.Ref {
	out := make([]payee.Ref, 0, len(bills))
	for _, b := range bills {
		out = append(out, payee.Ref{Payee: b.PayeeID, No: b.PayeeNo})
	}
	return out
}

func (b bill) row(st Settlement, to payee.Opened) payfile.Row {
	return payfile.Row{Line: b.LineNo, BillNo: b.BillNo(), PayoutID: b.PayoutID.String(), SettlementID: st.ID.String(), MemberID: b.MemberID.String(),
		Name: to.Name, IDNo: to.IDNo, Phone: to.Phone, CardNo: to.CardNo, BankName: to.BankName, Branch: to.Branch, CNAPS: to.CNAPS,
		Alipay: to.Alipay, AppID: to.AppID, OpenID: to.OpenID, NameHash: to.NameHash, IDMask: to.IDMask,
		Owed: b.Owed, Gross: b.Gross, Taxable: b.Taxable, Quick: b.Quick, Tax: b.Tax, Net: b.Net, Rate: b.Rate,
		PayerName: st.PayerName, CostCentre: st.CostCentre, BudgetNo: st.BudgetNo,
		IncomeType: b.IncomeType, RuleVersion: b.RuleVersion, Remark: st.Label, Period: st.Label, State: string(b.Status)}
}
