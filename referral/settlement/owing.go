package settlement

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Owing is how a payer stands to its members: what is sealed and not given out
// yet, what is on its way, and what it gave out, less what came back. What is
// due and in no settlement yet is a preview's to say.
type Owing struct {
	Settlements int          // sealed, not paid whole
	Sealed      money.Amount // of these, what no payout gave out yet
	Flying      money.Amount // given out, nobody says yet whether it arrived
	Today       money.Amount
	Month       money.Amount // of the calendar of Asia/Shanghai, today included
}

// FindOwing adds up what a payer owes.
func (s *Service) FindOwing(ctx context.Context, pid id.Payer) (Owing, error) {
	q := s.DB.Read(ctx)
	if _, err := payerUnit(q, database.ActorOf(ctx), pid); err != nil {
		return Owing{}, err
	}
	var out Owing
	var open, given struct {
		N   int
		Sum money.Amount
	}
	waiting := []Status{StatusClosed, StatusReviewed}
	today := clock.Day(s.DB.Clock.Now(), zone)
	for _, x := range []struct {
		into any
		sql  string
		args []any
	}{
		{&open, "SELECT COUNT(*) AS n, COALESCE(SUM(gross), 0) AS sum FROM settlements WHERE payer_id = ? AND currency = 'CNY' AND status IN ?", []any{pid, waiting}},
		{&given, `SELECT COUNT(*) AS n, COALESCE(SUM(l.owed), 0) AS sum FROM settlements s JOIN payout_lines l ON l.settlement_id = s.id
			WHERE s.payer_id = ? AND s.currency = 'CNY' AND s.status IN ?`, []any{pid, waiting}},
		{&out.Flying, `SELECT COALESCE(SUM(l.owed), 0) FROM payouts p JOIN payout_lines l ON l.payout_id = p.id
			WHERE p.payer_id = ? AND p.status IN ? AND l.status IN ?`, []any{pid, []PayoutStatus{PayoutPaying, PayoutSent}, flying}},
		{&out.Today, "SELECT COALESCE(SUM(owed), 0) FROM payer_days WHERE payer_id = ? AND day_no = ?", []any{pid, today}},
		{&out.Month, "SELECT COALESCE(SUM(owed), 0) FROM payer_days WHERE payer_id = ? AND day_no BETWEEN ? AND ?", []any{pid, today / 100 * 100, today}},
	} {
		if err := q.Raw(x.sql, x.args...).Scan(x.into).Error; err != nil {
			return Owing{}, fmt.Errorf("settlement: what %s owes: %w", pid, err)
		}
	}
	out.Settlements, out.Sealed = open.N, open.Sum-given.Sum
	return out, nil
}
