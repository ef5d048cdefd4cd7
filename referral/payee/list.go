package payee

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/tax"
)

// ListMonths lists what the agent of the payer withheld in a month.
func (s *Service) ListMonths(ctx context.Context, pid id.Payer, no int, page database.Page) (database.Paged[Month], error) {
	p, err := s.FindPayer(ctx, pid)
	if err != nil {
		return database.Paged[Month]{}, err
	}
	if no < 200001 || no > 299912 {
		return database.Paged[Month]{}, fault.Invalid.Field("month", "format", "应为 yyyymm 形式的月份", "must be a month like 202611")
	}
	q := s.DB.Read(ctx)
	var rows []Month
	err = q.Raw("SELECT * FROM tax_months WHERE agent_id = ? AND month_no = ? AND id < ? ORDER BY id DESC LIMIT ?",
		p.AgentID, no, page.Bound(), page.Fetch()).Scan(&rows).Error
	out := database.Cut(page, rows, func(m Month) int64 { return m.ID })
	for i := range out.Items {
		if err == nil {
			err = out.Items[i].fill(q)
		}
	}
	return out, err
}

func (m *Month) fill(q *database.Query) error {
	var who struct {
		PayeeID  id.Payee
		MemberID id.Member
		NameMask string
	}
	err := q.Raw(`SELECT l.payee_id, l.member_id, COALESCE(v.name_mask, '') AS name_mask FROM tax_lines l
		LEFT JOIN payees p ON p.id = l.payee_id LEFT JOIN payee_versions v ON v.payee_id = p.id AND v.no = p.active_no
		WHERE l.month_id = ? ORDER BY l.id DESC LIMIT 1`, m.ID).Scan(&who).Error
	if err != nil {
		return err
	}
	m.PayeeID, m.MemberID, m.Name = who.PayeeID, who.MemberID, who.NameMask
	var before []*Month
	err = q.Raw("SELECT * FROM tax_months WHERE agent_id = ? AND taxpayer_id = ? AND income_type = ? AND month_no >= ? AND month_no <= ?",
		m.AgentID, m.TaxpayerID, m.IncomeType, m.Month/100*100, m.Month).Scan(&before).Error
	b := &book{months: before}
	m.Due = tax.Due(m.Strategy, b.before(m))
	return err
}

// ListLines lists the tax lines of a payer, newest first; a line names the
// payment by its key.
func (s *Service) ListLines(ctx context.Context, pid id.Payer, page database.Page) (database.Paged[Line], error) {
	if _, err := s.FindPayer(ctx, pid); err != nil {
		return database.Paged[Line]{}, err
	}
	return s.lines(ctx, "l.payer_id", int64(pid), page)
}

// LinesOf lists the tax lines of a payee, newest first.
func (s *Service) LinesOf(ctx context.Context, pid id.Payee, page database.Page) (database.Paged[Line], error) {
	if _, err := s.FindPayee(ctx, pid); err != nil {
		return database.Paged[Line]{}, err
	}
	return s.lines(ctx, "l.payee_id", int64(pid), page)
}

func (s *Service) lines(ctx context.Context, column string, of int64, page database.Page) (database.Paged[Line], error) {
	var rows []struct {
		Line
		MonthNo int
		Income  tax.Income
	}
	err := s.DB.Read(ctx).Raw(`SELECT l.*, m.month_no, m.income_type AS income FROM tax_lines l JOIN tax_months m ON m.id = l.month_id
		WHERE `+column+` = ? AND l.id < ? ORDER BY l.id DESC LIMIT ?`, of, page.Bound(), page.Fetch()).Scan(&rows).Error
	lines := make([]Line, 0, len(rows))
	for _, r := range rows {
		r.Line.Month, r.Line.IncomeType = r.MonthNo, r.Income
		lines = append(lines, r.Line)
	}
	return database.Cut(page, lines, func(l Line) int64 { return l.ID }), err
}
