// Package voucher books closed days of the ledger into the accounts of a
// general ledger and writes them as files for accounting programs.
//
// What moved on a closed day is read once, by kind of transfer, type of payee
// and stage, and each sort of movement is given an account by the chart, which
// is data in versions. What left a stage is debit, what came to it credit, so
// a set balances because every transfer does. Where movements of one kind land
// on the same account they cancel out in the files, which is how a budget's
// own moves leave none: the stored lines keep them.
//
// Only money is booked; points have no account. A set is made once per close
// and chart and never changes. What of a set is one payer's, and what of closed
// days is one settlement's, is read out of the same transfers and kept nowhere
// (of_payer.go, of_settlement.go).
//
// Tables: voucher_charts, voucher_rules, voucher_sets, voucher_lines; it reads
// the closes and the ledger of wallet, payees, and whose the transfers are:
// rewards, clearings, payouts, withdrawals and settlements. Invariant V21.
// Callers: api.
package voucher

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// Service is the room's use cases.
type Service struct {
	DB    *database.DB
	Books *wallet.Service
}

// Set is what one closed day books by one chart.
type Set struct {
	CloseNo int64        `json:"close_no"`
	ChartNo int          `json:"chart_no"`
	Day     int          `json:"day" gorm:"column:day_no"`
	Count   int          `json:"line_count" gorm:"column:line_count"`
	Debit   money.Amount `json:"debit_fen"`
	Credit  money.Amount `json:"credit_fen"`
	MadeBy  id.Staff     `json:"made_by"`
	MadeAt  clock.Milli  `json:"made_at"`
	Lines   []Line       `json:"lines" gorm:"-"`
	Open    int          `json:"open_count" gorm:"-"` // of a settlement: transfers whose day is not closed yet

	Part `gorm:"-"`
}

// Part says whose a part of the vouchers is, and where that is charged to; all
// empty for a whole day.
type Part struct {
	PayerID      id.Payer      `json:"payer_id"`
	SettlementID id.Settlement `json:"settlement_id"`
	PayerName    string        `json:"payer_name"`
	CostCentre   string        `json:"cost_centre"`
	BudgetNo     string        `json:"budget_no"`
}

// said is the part in a voucher's summary.
func (p Part) said() string {
	var out string
	for _, s := range []string{p.PayerName, p.CostCentre, p.BudgetNo, p.SettlementID.String()} {
		if s != "" {
			out += " " + s
		}
	}
	return out
}

// Line is one sort of movement and the account it is booked to.
type Line struct {
	Day       int          `json:"day,omitempty" gorm:"column:day_no"` // where a set is of several
	Kind      string       `json:"kind"`
	PayeeType string       `json:"payee_type"`
	Stage     string       `json:"stage"`
	OwnerKind string       `json:"owner_kind"`
	Code      string       `json:"code"`
	Title     string       `json:"title"`
	Debit     money.Amount `json:"debit_fen"`
	Credit    money.Amount `json:"credit_fen"`
}

// The refusals of this room.
var (
	ErrNotClosed = fault.New(fault.KindConflict, "voucher.not_closed", "{day} 尚未日结，不能生成凭证", "{day} is not closed; there are no vouchers of it")
	ErrUnmapped  = fault.New(fault.KindUnprocessable, "voucher.unmapped", "科目对照没有规则：业务 {kind}，收款人类型 {payee_type}，阶段 {stage}，归属 {owner_kind}", "the chart has no rule for kind {kind}, payee type {payee_type}, stage {stage}, owner {owner_kind}")
	errUneven    = errors.New("voucher: a closed day does not balance")
)

// Make books a closed day by the chart in force; made before by the same
// chart, it is that set.
func (s *Service) Make(ctx context.Context, day int) error {
	c, err := s.Books.FindClose(ctx, day)
	if errors.Is(err, fault.NotFound) {
		return ErrNotClosed.With("day", day)
	}
	if err != nil {
		return err
	}
	if c.Status != wallet.CloseSealed {
		return ErrNotClosed.With("day", day)
	}
	chart, err := s.Chart(ctx)
	if err != nil {
		return err
	}
	// A closed day never changes, so it is read outside the transaction.
	var lines []Line
	err = s.DB.Snapshot(ctx, func(q *database.Query) (err error) {
		lines, err = movements(q, "", "t.close_no = ?", c.No)
		return err
	})
	if err != nil {
		return err
	}
	set := Set{CloseNo: c.No, ChartNo: chart.No, Day: day, Count: len(lines), Lines: lines}
	if err := set.book(chart); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error { return set.keep(tx) })
}

// movements are what moved by the transfers t of a condition, or by those that
// a join leaves, in a fixed order; the argument is of whichever has a place for
// it. The type is that of the payee today; one who has
// entered nothing has none.
func movements(q *database.Query, joined, cond string, of any) ([]Line, error) {
	args := []any{wallet.OwnerMember, of, money.CNY}
	if joined == "" {
		args = []any{wallet.OwnerMember, money.CNY, of}
	}
	lines := []Line{}
	err := q.Raw(`SELECT COALESCE(MAX(d.day_no), 0) AS day_no, t.kind, COALESCE(v.payee_type, '') AS payee_type, a.stage, a.owner_kind,
			SUM(CASE WHEN e.amount < 0 THEN -e.amount ELSE 0 END) AS debit, SUM(CASE WHEN e.amount > 0 THEN e.amount ELSE 0 END) AS credit
		FROM transfers t JOIN entries e ON e.transfer_id = t.id JOIN accounts a ON a.id = e.account_id
		LEFT JOIN payees p ON a.owner_kind = ? AND p.member_id = a.owner_id
		LEFT JOIN payee_versions v ON v.payee_id = p.id AND v.no = p.active_no
		LEFT JOIN ledger_closes d ON d.no = t.close_no `+joined+`
		WHERE e.currency = ? AND `+cond+`
		GROUP BY t.close_no, t.kind, v.payee_type, a.stage, a.owner_kind
		ORDER BY t.close_no, t.kind, v.payee_type, a.stage, a.owner_kind`, args...).Scan(&lines).Error
	if err != nil {
		return nil, fmt.Errorf("voucher: movements: %w", err)
	}
	return lines, nil
}

// book gives every line its account and sums the set up.
func (set *Set) book(c Chart) error {
	for i, l := range set.Lines {
		r, ok := c.rule(l)
		if !ok {
			return ErrUnmapped.With("kind", l.Kind).With("payee_type", l.PayeeType).With("stage", l.Stage).With("owner_kind", l.OwnerKind)
		}
		set.Lines[i].Code, set.Lines[i].Title = r.Code, r.Title
		set.Debit += l.Debit
		set.Credit += l.Credit
	}
	if set.Debit != set.Credit {
		return fmt.Errorf("%w: close %d, debit %s, credit %s", errUneven, set.CloseNo, set.Debit, set.Credit)
	}
	return nil
}

// keep writes the set, unless it stands. A close has some tens of lines.
func (set Set) keep(tx *database.Tx) error {
	tx.SetResult("voucher_set", set.CloseNo, http.StatusCreated)
	// Whoever makes the day's set at the same moment waits here, and finds it.
	var day, there int
	if err := tx.Raw("SELECT day_no FROM ledger_closes WHERE no = ?"+tx.Dialect.ForUpdate, set.CloseNo).Scan(&day).Error; err != nil {
		return fmt.Errorf("voucher: lock close %d: %w", set.CloseNo, err)
	}
	if err := tx.Raw("SELECT COUNT(*) FROM voucher_sets WHERE close_no = ? AND chart_no = ?", set.CloseNo, set.ChartNo).Scan(&there).Error; err != nil {
		return err
	}
	if there > 0 {
		return nil
	}
	err := tx.Exec("INSERT INTO voucher_sets (close_no, chart_no, day_no, line_count, debit, credit, made_by, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		set.CloseNo, set.ChartNo, set.Day, set.Count, set.Debit, set.Credit, tx.Actor.Staff, tx.Now).Error
	if err != nil {
		return fmt.Errorf("voucher: close %d: %w", set.CloseNo, err)
	}
	for i, l := range set.Lines {
		err := tx.Exec(`INSERT INTO voucher_lines (close_no, chart_no, line_no, kind, payee_type, stage, owner_kind, code, title, debit, credit)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			set.CloseNo, set.ChartNo, i+1, l.Kind, l.PayeeType, l.Stage, l.OwnerKind, l.Code, l.Title, l.Debit, l.Credit).Error
		if err != nil {
			return fmt.Errorf("voucher: close %d, line %d: %w", set.CloseNo, i+1, err)
		}
	}
	return database.AuditTx(tx, "voucher.make", dayName(set.Day), nil, map[string]any{"chart_no": set.ChartNo, "debit_fen": set.Debit})
}

// dayName is a day in the audit.
type dayName int

// String is like day_20260301.
func (d dayName) String() string { return fmt.Sprintf("day_%d", int(d)) }

const setColumns = "close_no, chart_no, day_no, line_count, debit, credit, made_by, made_at"

// Find is the newest set of the day.
func (s *Service) Find(ctx context.Context, day int) (Set, error) {
	if err := wallet.SeesBooks(ctx); err != nil {
		return Set{}, err
	}
	q := s.DB.Read(ctx)
	var set Set
	err := q.Raw("SELECT "+setColumns+" FROM voucher_sets WHERE day_no = ? ORDER BY chart_no DESC LIMIT 1", day).Scan(&set).Error
	if err != nil {
		return set, fmt.Errorf("voucher: of %d: %w", day, err)
	}
	if set.CloseNo == 0 {
		return set, fault.NotFound
	}
	set.Lines, err = linesOf(q, set)
	return set, err
}

// SetsOf are the newest sets of some days, without their lines.
func (s *Service) SetsOf(ctx context.Context, days []int) (map[int]Set, error) {
	if err := wallet.SeesBooks(ctx); err != nil || len(days) == 0 {
		return nil, err
	}
	var list []Set
	err := s.DB.Read(ctx).Raw("SELECT "+setColumns+" FROM voucher_sets WHERE day_no IN ? ORDER BY chart_no", days).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("voucher: sets: %w", err)
	}
	out := make(map[int]Set, len(list))
	for _, set := range list {
		out[set.Day] = set
	}
	return out, nil
}

func linesOf(q *database.Query, set Set) ([]Line, error) {
	lines := []Line{}
	err := q.Raw(`SELECT kind, payee_type, stage, owner_kind, code, title, debit, credit FROM voucher_lines
		WHERE close_no = ? AND chart_no = ? ORDER BY line_no`, set.CloseNo, set.ChartNo).Scan(&lines).Error
	return lines, err
}
