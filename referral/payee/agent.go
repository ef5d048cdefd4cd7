package payee

import (
	"context"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// zone is where months of tax begin and end.
var zone = time.FixedZone("Asia/Shanghai", 8*60*60) // no summer time since 1991

// agent is who the tax office knows as withholding: the payers of one tax
// number.
type agent struct {
	ID        int64
	TaxNo     string
	OpenMonth int
}

// TableName is the table of agents.
func (agent) TableName() string { return "tax_agents" }

// agentTx locks the agent of a tax number, or of the payer alone, and makes it
// on first use.
func agentTx(tx *database.Tx, taxNo string, payer id.Payer) (agent, error) {
	if taxNo == "" {
		taxNo = payer.String()
	}
	for {
		var a agent
		err := tx.Raw("SELECT id, tax_no, open_month FROM tax_agents WHERE tax_no = ?"+tx.Dialect.ForUpdate, taxNo).Scan(&a).Error
		if err != nil || a.ID != 0 {
			return a, err
		}
		err = tx.Create(&agent{ID: tx.Next(), TaxNo: taxNo}).Error
		if err != nil && !database.IsDuplicate(err) {
			return a, err
		}
	}
}

// MonthOf is the month of tax that a moment lies in, as yyyymm.
func MonthOf(at clock.Milli) int {
	t := at.Time().In(zone)
	return t.Year()*100 + int(t.Month())
}

func nextMonth(m int) int {
	if m%100 == 12 {
		return m + 89
	}
	return m + 1
}

// Close is the end of a month: what the agent declares of it. Payments that
// come back later are corrected in the open month.
type Close struct {
	Month    int          `json:"month" gorm:"column:month_no"`
	Lines    int          `json:"line_count" gorm:"column:line_count"`
	Gross    money.Amount `json:"gross_fen"`
	Tax      money.Amount `json:"tax_fen"`
	ClosedBy id.Staff     `json:"closed_by"`
	ClosedAt clock.Milli  `json:"closed_at"`
}

// CloseMonth closes a month that is over, with all before it, for every payer
// of the payer's tax number.
func (s *Service) CloseMonth(ctx context.Context, pid id.Payer, month int) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		p, err := LockPayerTx(tx, pid)
		if err != nil {
			return err
		}
		a, err := agentTx(tx, p.TaxNo, p.ID)
		switch {
		case err != nil:
			return err
		case month%100 < 1 || month%100 > 12:
			return ErrMonth.With("month", month)
		case month < a.OpenMonth:
			return ErrMonthShut.With("month", month)
		case month >= MonthOf(tx.Now):
			return ErrMonthRuns.With("month", month)
		}
		var c Close
		var closed clock.Milli
		// Lines of transactions that began later may stand already.
		err = tx.Raw(`SELECT COALESCE(MAX(l.at), 0) FROM tax_months m JOIN tax_lines l ON l.month_id = m.id
			WHERE m.agent_id = ? AND m.month_no >= ? AND m.month_no <= ?`, a.ID, a.OpenMonth, month).Scan(&closed).Error
		if err != nil {
			return err
		}
		closed = max(closed, tx.Now)
		err = tx.Raw(`SELECT COALESCE(SUM(line_count), 0) AS line_count, COALESCE(SUM(gross), 0) AS gross, COALESCE(SUM(tax), 0) AS tax
			FROM tax_months WHERE agent_id = ? AND month_no >= ? AND month_no <= ?`, a.ID, a.OpenMonth, month).Scan(&c).Error
		if err != nil {
			return err
		}
		err = tx.Exec("INSERT INTO tax_closes (agent_id, month_no, closed_by, closed_at, line_count, gross, tax) VALUES (?, ?, ?, ?, ?, ?, ?)",
			a.ID, month, who, closed, c.Lines, c.Gross, c.Tax).Error
		if err != nil {
			return err
		}
		if err := tx.Exec("UPDATE tax_agents SET open_month = ? WHERE id = ?", nextMonth(month), a.ID).Error; err != nil {
			return err
		}
		tx.SetResult("payer", int64(pid), 201)
		return database.AuditTx(tx, "payer.close_month", pid, a.OpenMonth, month)
	})
}

// ListCloses lists how months were closed, the latest first.
func (s *Service) ListCloses(ctx context.Context, pid id.Payer, page database.Page) (database.Paged[Close], error) {
	p, err := s.FindPayer(ctx, pid)
	if err != nil {
		return database.Paged[Close]{}, err
	}
	var rows []Close
	err = s.DB.Read(ctx).Raw("SELECT * FROM tax_closes WHERE agent_id = ? AND month_no < ? ORDER BY month_no DESC LIMIT ?",
		p.AgentID, page.Bound(), page.Fetch()).Scan(&rows).Error
	return database.Cut(page, rows, func(c Close) int64 { return int64(c.Month) }), err
}

// staff is the acting staff member.
func staff(tx *database.Tx) (id.Staff, error) {
	if tx.Actor.Kind != database.ActorStaff || tx.Actor.Staff == 0 {
		return 0, ErrNotStaff
	}
	return tx.Actor.Staff, nil
}
