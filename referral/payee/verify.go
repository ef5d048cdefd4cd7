package payee

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/money"
	"siyu/referral/tax"
)

// proveAt is how many months one snapshot checks.
const proveAt = 2000

// proven is a month beside what its lines say.
type proven struct {
	Month
	Counted  int
	SumGross money.Amount
	SumTax   money.Amount
	Foreign  int `gorm:"column:foreign_lines"` // lines whose net is not gross less tax, or of another version of the rule
	Backs    int // payments that came back
	LastAt   clock.Milli
	ClosedAt clock.Milli // 0: open
}

// Verify proves V15: a month is the fold of its lines; none was added after
// its close; a month in which nothing came back withheld what its rule asks;
// and a line that takes one back is its mirror.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V15", Says: "a month of tax is the sum of its lines, and closed for good; what came back is taken back once"}
	for after := int64(0); ; {
		var rows []proven
		err := db.Snapshot(ctx, func(q *database.Query) error {
			rows = nil
			return q.Raw(`SELECT m.*, COUNT(l.id) AS counted, COALESCE(SUM(l.gross), 0) AS sum_gross, COALESCE(SUM(l.tax), 0) AS sum_tax,
					COALESCE(SUM(CASE WHEN l.net <> l.gross - l.tax OR (l.kind = ? AND l.rule_version <> m.rule_version) THEN 1 ELSE 0 END), 0) AS foreign_lines,
					COALESCE(SUM(CASE WHEN l.kind = ? THEN 1 ELSE 0 END), 0) AS backs, COALESCE(MAX(l.at), 0) AS last_at,
					COALESCE((SELECT MIN(c.closed_at) FROM tax_closes c WHERE c.agent_id = m.agent_id AND c.month_no >= m.month_no), 0) AS closed_at
				FROM (SELECT * FROM tax_months WHERE id > ? ORDER BY id LIMIT ?) m LEFT JOIN tax_lines l ON l.month_id = m.id
				GROUP BY m.id, m.agent_id, m.taxpayer_id, m.income_type, m.month_no, m.strategy, m.rule_version, m.line_count, m.gross, m.tax
				ORDER BY m.id`, LineWithheld, LineReversed, after, proveAt).Scan(&rows).Error
		})
		if err != nil {
			return nil, fmt.Errorf("payee: verify months: %w", err)
		}
		for _, m := range rows {
			p.Checked += int64(m.Counted)
			m.prove(&p)
			after = m.ID
		}
		if len(rows) < proveAt {
			break
		}
	}
	err := proveReversed(ctx, db, &p)
	return []database.Proof{p}, err
}

func (m proven) prove(p *database.Proof) {
	name := fmt.Sprintf("month %d of taxpayer %d under agent %d", m.Month.Month, m.TaxpayerID, m.AgentID)
	switch {
	case m.Counted != m.Lines || m.SumGross != m.Gross || m.SumTax != m.Tax:
		p.Break("%s: says %d lines, %s gross, %s tax; its lines say %d, %s, %s", name, m.Lines, m.Gross, m.Tax, m.Counted, m.SumGross, m.SumTax)
	case m.Foreign != 0:
		p.Break("%s: %d lines do not add up or are of another rule", name, m.Foreign)
	case m.ClosedAt != 0 && m.LastAt > m.ClosedAt:
		p.Break("%s: a line was added after it was closed", name)
	case m.Backs == 0 && m.Strategy == tax.Labor2018 && m.Tax != tax.Due(m.Strategy, tax.Month{Gross: m.Gross}):
		p.Break("%s: withheld %s of %s, the rule asks %s", name, m.Tax, m.Gross, tax.Due(m.Strategy, tax.Month{Gross: m.Gross}))
	}
}

// proveReversed looks for lines that take back something else than what they
// name.
func proveReversed(ctx context.Context, db *database.DB, p *database.Proof) error {
	return db.Snapshot(ctx, func(q *database.Query) error {
		var keys []string
		err := q.Raw(`SELECT b.line_key FROM tax_lines b LEFT JOIN tax_lines l ON l.id = b.corrects AND l.kind = ?
			WHERE b.kind = ? AND (l.id IS NULL OR l.gross <> -b.gross OR l.tax <> -b.tax OR l.net <> -b.net) LIMIT 50`, LineWithheld, LineReversed).Scan(&keys).Error
		for _, k := range keys {
			p.Break("tax line %s is not the mirror of what it takes back", k)
		}
		return err
	})
}
