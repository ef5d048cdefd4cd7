package settlement

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// objectFor is how long after its sealing a line may be objected to.
const objectFor = 3 * 24 * time.Hour

// MonthStatement 月度对账单 is what settlements sealed in a month hold of one
// member, also of those merged into him.
type MonthStatement struct {
	MemberID id.Member                     `json:"member_id"`
	Month    int                           `json:"month"`
	Count    int                           `json:"line_count"`
	Gross    money.Amount                  `json:"gross_fen"`
	Lines    database.Paged[StatementLine] `json:"lines"`
}

// StatementLine is one line with what became of it. Payment is that of the
// member's payment of the settlement, empty while there is none.
type StatementLine struct {
	ID           int64            `json:"-"`
	SettlementID id.Settlement    `json:"settlement_id"`
	Label        string           `json:"label"`
	LineNo       int              `json:"line"`
	Kind         Kind             `json:"kind"`
	RewardID     id.Reward        `json:"reward_id"`
	OrderID      id.Order         `json:"order_id"`
	RuleName     string           `json:"rule"`
	Note         string           `json:"note"`
	Gross        money.Amount     `json:"gross_fen"`
	OccurredAt   clock.Milli      `json:"occurred_at"`
	SealedAt     clock.Milli      `json:"sealed_at"`
	ObjectUntil  clock.Milli      `json:"object_until" gorm:"-"`
	Payment      PayoutLineStatus `json:"payment"`

	Objection ObjectionStatus `json:"objection"` // empty: none
	Reason    string          `json:"objection_reason"`
	Answer    string          `json:"answer"`
}

// monthOf are the first moments of a month and of the next.
func monthOf(month int) (from, until clock.Milli, err error) {
	if month < 200001 || month > 299912 || month%100 < 1 || month%100 > 12 {
		return 0, 0, fault.Invalid.Field("month", "format", "应为 yyyymm 形式的月份", "must be a month like 202611")
	}
	first := time.Date(month/100, time.Month(month%100), 1, 0, 0, 0, 0, zone)
	return clock.MilliOf(first), clock.MilliOf(first.AddDate(0, 1, 0)), nil
}

// MonthStatement reads a page of a member's month, in the order in which its
// lines were written. Who may ask is decided by the caller.
func (s *Service) MonthStatement(ctx context.Context, m id.Member, month int, page database.Page) (MonthStatement, error) {
	out := MonthStatement{MemberID: m, Month: month}
	from, until, err := monthOf(month)
	if err != nil {
		return out, err
	}
	err = s.DB.Snapshot(ctx, func(q *database.Query) error {
		who, err := selves(q, m)
		if err != nil {
			return err
		}
		const of = ` FROM settlement_chain c JOIN settlements s ON s.id = c.settlement_id AND s.status <> ?
			JOIN settlement_lines l ON l.settlement_id = s.id AND l.member_id IN ?`
		const in = ` WHERE c.sealed_at >= ? AND c.sealed_at < ?`
		args := []any{StatusRejected, who, from, until}
		var sum struct {
			Count int `gorm:"column:line_count"`
			Gross money.Amount
		}
		if err := q.Raw("SELECT COUNT(*) AS line_count, COALESCE(SUM(l.gross), 0) AS gross"+of+in, args...).Scan(&sum).Error; err != nil {
			return err
		}
		out.Count, out.Gross = sum.Count, sum.Gross
		var list []StatementLine
		err = q.Raw(`SELECT l.id, l.settlement_id, s.label, l.line_no, l.kind, l.reward_id, l.order_id, l.rule_name, l.note, l.gross, l.occurred_at, c.sealed_at,
				COALESCE(f.status, '') AS payment, COALESCE(o.status, '') AS objection, COALESCE(o.reason, '') AS reason, COALESCE(o.answer, '') AS answer`+of+`
			LEFT JOIN payout_lines f ON f.settlement_id = s.id AND f.member_id = l.member_id
			LEFT JOIN objections o ON o.settlement_id = s.id AND o.line_no = l.line_no`+in+` AND l.id > ? ORDER BY l.id LIMIT ?`,
			append(args, page.Before, page.Fetch())...).Scan(&list).Error
		for i := range list {
			list[i].ObjectUntil = list[i].SealedAt.Add(objectFor)
		}
		out.Lines = database.Cut(page, list, func(l StatementLine) int64 { return l.ID })
		return err
	})
	if err != nil {
		return out, fmt.Errorf("settlement: statement of %s for %d: %w", m, month, err)
	}
	return out, nil
}

// selves are a member and those merged into him.
func selves(q *database.Query, m id.Member) ([]id.Member, error) {
	from, err := community.MergedInto(q, []id.Member{m})
	return append(from[m], m), err
}
