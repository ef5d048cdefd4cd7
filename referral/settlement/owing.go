package settlement

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/payee"
)

// Owing is how a payer stands to its members: what is due and in no settlement
// yet, what is sealed and not given out yet, what is on its way, and what it
// gave out, less what came back.
type Owing struct {
	Due         Due
	Settlements int          // sealed, not paid whole
	Sealed      money.Amount // of these, what no payout gave out yet
	Flying      money.Amount // given out, nobody says yet whether it arrived
	Today       money.Amount
	Month       money.Amount // of the calendar of Asia/Shanghai, today included
}

// Due is what became payable and stands in no settlement, less what was taken
// back of it since; whether it was asked for does not matter. Only the oldest
// are looked at: with More it is at least that much, and a preview says all.
type Due struct {
	Rewards int
	Gross   money.Amount
	Since   clock.Milli // when the oldest cleared; 0: there is none
	More    bool
}

// One look at what is due passes over so many clearings, which are of all
// payers together, and so many rewards of the payer's.
const (
	dueClearings = 1_000
	dueRewards   = 5_000
)

// dueOf adds up what is due by a payer.
func dueOf(q *database.Query, pid id.Payer) (Due, error) {
	payers, err := payee.Covered(q, pid)
	if err != nil {
		return Due{}, err
	}
	var rows []open
	err = q.Raw(`SELECT c.id, c.reward_count, c.cleared_at, c.currency = ? AND `+referral.PayerOf("c")+` IN ? AS fits
		FROM (SELECT id, program_id, payer_id, currency, reward_count, cleared_at FROM clearings WHERE settled = 0 ORDER BY cleared_at, id LIMIT ?) c
		ORDER BY c.cleared_at, c.id`, money.CNY, payers, dueClearings+1).Scan(&rows).Error
	if err != nil {
		return Due{}, err
	}
	var out Due
	if out.More = len(rows) > dueClearings; out.More {
		rows = rows[:dueClearings]
	}
	looked := 0
	rows = slices.DeleteFunc(rows, func(c open) bool {
		if !c.Fits || looked >= dueRewards {
			out.More = out.More || c.Fits
			return true
		}
		looked += c.RewardCount
		return false
	})
	for part := range slices.Chunk(rows, 90) {
		if err := out.add(q, part); err != nil {
			return Due{}, err
		}
	}
	return out, nil
}

// add counts the rewards of clearings that stand on no live line.
func (d *Due) add(q *database.Query, list []open) error {
	ranges, bounds := make([]string, len(list)), make([]any, 0, 2*len(list))
	for i, c := range list {
		ranges[i], bounds = "e.id BETWEEN ? AND ?", append(bounds, c.ID, c.ID+int64(c.RewardCount)-1)
	}
	var n struct {
		Rewards int
		Gross   money.Amount
		Since   clock.Milli
	}
	err := q.Raw(`SELECT COUNT(*) AS rewards, COALESCE(SUM(x.amount), 0) AS gross, COALESCE(MIN(x.at), 0) AS since FROM (
		SELECT e.at, e.amount + (SELECT COALESCE(SUM(k.amount), 0) FROM reward_events k WHERE k.reward_id = e.reward_id AND k.kind = 'clawed_back') AS amount
		FROM reward_events e JOIN rewards r ON r.id = e.reward_id WHERE (`+strings.Join(ranges, " OR ")+`)`+notTaken+`) x WHERE x.amount > 0`, bounds...).Scan(&n).Error
	if err != nil {
		return err
	}
	d.Rewards, d.Gross = d.Rewards+n.Rewards, d.Gross+n.Gross
	if d.Since == 0 {
		d.Since = n.Since
	}
	return nil
}

// FindOwing adds up what a payer owes.
func (s *Service) FindOwing(ctx context.Context, pid id.Payer) (Owing, error) {
	q := s.DB.Read(ctx)
	if _, err := payerUnit(q, database.ActorOf(ctx), pid); err != nil {
		return Owing{}, err
	}
	due, err := dueOf(q, pid)
	if err != nil {
		return Owing{}, fmt.Errorf("settlement: what is due by %s: %w", pid, err)
	}
	out := Owing{Due: due}
	var sealed, given struct {
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
		{&sealed, "SELECT COUNT(*) AS n, COALESCE(SUM(gross), 0) AS sum FROM settlements WHERE payer_id = ? AND currency = 'CNY' AND status IN ?", []any{pid, waiting}},
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
	out.Settlements, out.Sealed = sealed.N, sealed.Sum-given.Sum
	return out, nil
}
