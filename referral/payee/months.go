package payee

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// MonthState says whether a month of tax still takes payments.
type MonthState string

// A month is current until it is over, and open until it is closed; what comes
// back of a closed one is corrected in the open one.
const (
	MonthCurrent MonthState = "current"
	MonthOver    MonthState = "over" // it can be closed now
	MonthClosed  MonthState = "closed"
)

// MonthSum is what an agent paid in one month, all persons together.
type MonthSum struct {
	Month  int `gorm:"column:month_no"`
	State  MonthState
	People int
	Lines  int `gorm:"column:line_count"`
	Gross  money.Amount
	Tax    money.Amount
}

// ListMonthSums lists the months in which the agent of the payer paid anybody,
// and the current one, the latest first; a page goes on before a month.
func (s *Service) ListMonthSums(ctx context.Context, pid id.Payer, page database.Page) (database.Paged[MonthSum], error) {
	p, err := s.FindPayer(ctx, pid)
	if err != nil {
		return database.Paged[MonthSum]{}, err
	}
	q, current := s.DB.Read(ctx), MonthOf(clock.MilliOf(s.DB.Clock.Now()))
	var open int
	if err := q.Raw("SELECT open_month FROM tax_agents WHERE id = ?", p.AgentID).Scan(&open).Error; err != nil {
		return database.Paged[MonthSum]{}, fmt.Errorf("payee: %s: %w", pid, err)
	}
	var rows []MonthSum
	err = q.Raw(`SELECT month_no, COUNT(DISTINCT taxpayer_id) AS people, SUM(line_count) AS line_count, SUM(gross) AS gross, SUM(tax) AS tax FROM tax_months
		WHERE agent_id = ? AND month_no < ? GROUP BY month_no ORDER BY month_no DESC LIMIT ?`, p.AgentID, page.Bound(), page.Fetch()).Scan(&rows).Error
	if err != nil {
		return database.Paged[MonthSum]{}, fmt.Errorf("payee: months of %s: %w", pid, err)
	}
	if page.Before == 0 && (len(rows) == 0 || rows[0].Month < current) {
		rows = append([]MonthSum{{Month: current}}, rows...)
	}
	for i := range rows {
		switch m := &rows[i]; {
		case m.Month < open:
			m.State = MonthClosed
		case m.Month < current:
			m.State = MonthOver
		default:
			m.State = MonthCurrent
		}
	}
	return database.Cut(page, rows, func(m MonthSum) int64 { return int64(m.Month) }), nil
}
