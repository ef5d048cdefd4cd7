package settlement

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// proveFees reads the requests and the transfers of a settlement's fee lines
// again.
func proveFees(q *database.Query, st Settlement, lines []Line, p *database.Proof) error {
	for part := range slices.Chunk(lines, 200) {
		requests, keys := make([]int64, len(part)), make([]string, len(part))
		for i, l := range part {
			requests[i], keys[i] = l.SourceID, feeKey(id.Withdrawal(l.SourceID), st.ID)
		}
		var list []Withdrawal
		if err := q.Raw("SELECT "+withdrawalColumns+" FROM withdrawals w WHERE w.id IN ?", requests).Scan(&list).Error; err != nil {
			return err
		}
		var moves []struct {
			TransferKey string
			Moved       money.Amount
		}
		err := q.Raw(`SELECT t.transfer_key, SUM(x.amount) AS moved FROM transfers t JOIN entries x ON x.transfer_id = t.id
			JOIN accounts a ON a.id = x.account_id AND a.stage = 'payable' WHERE t.transfer_key IN ? GROUP BY t.transfer_key`, keys).Scan(&moves).Error
		if err != nil {
			return err
		}
		fees, moved := map[int64]money.Amount{}, map[string]money.Amount{}
		for _, w := range list {
			fees[int64(w.ID)] = w.Fee
		}
		for _, m := range moves {
			moved[m.TransferKey] = m.Moved
		}
		for i, l := range part {
			name := lineName(st.ID, l.LineNo)
			switch {
			case fees[l.SourceID] == 0 || l.Gross != -fees[l.SourceID]:
				p.Break("%s: charges %s, its request says %s", name, -l.Gross, fees[l.SourceID])
			case l.Corrects != id.Withdrawal(l.SourceID).String():
				p.Break("%s: names %q, which is not its request", name, l.Corrects)
			case moved[keys[i]] != l.Gross:
				p.Break("%s: says %s, the ledger moved %s", name, l.Gross, moved[keys[i]])
			}
		}
	}
	return nil
}

// sums of a request, counted again from what it covers and from the lines of
// its settlement.
type requestSums struct {
	Withdrawal
	Least, Most money.Amount
	FeeFixed    money.Amount
	FeeRate     money.Bps
	PerDay      int
	Covered     int // rewards it ever covered, and those it still does
	Live        int
	Amount      money.Amount
	Lined       int // of them on live lines, and on such of its settlement
	LinedHere   int
	Fees        int // live fee lines of its settlement
	Rejected    int // whether that was rejected
	Qty         int // of its member's day
	InDay       int
}

// proveRequests proves V23.
func (s *Service) proveRequests(ctx context.Context, p *database.Proof) error {
	n, err := s.DB.InRanges(ctx, "withdrawals", "id", rangeAt, func(q *database.Query, after, upto int64) error {
		var rows []requestSums
		const of = "FROM withdrawal_rewards x WHERE x.withdrawal_id = w.id"
		const lined = `(SELECT COUNT(*) FROM withdrawal_rewards x JOIN settlement_lines l ON l.source_id = x.reward_id AND l.kind = 'reward' AND l.freed = 0`
		err := q.Raw(`SELECT `+withdrawalColumns+`, t.least, t.most, t.fee_fixed, t.fee_rate, t.per_day,
				(SELECT COUNT(*) `+of+`) AS covered, (SELECT COUNT(*) `+of+` AND x.live = 0) AS live, (SELECT COALESCE(SUM(x.amount), 0) `+of+`) AS amount,
				`+lined+` WHERE x.withdrawal_id = w.id AND x.live = 0) AS lined,
				`+lined+` AND l.settlement_id = w.settlement_id WHERE x.withdrawal_id = w.id AND x.live = 0) AS lined_here,
				(SELECT COUNT(*) FROM settlement_lines l WHERE l.source_id = w.id AND l.kind = 'fee' AND l.freed = 0) AS fees,
				(SELECT COUNT(*) FROM settlements s WHERE s.id = w.settlement_id AND s.status = 'rejected') AS rejected,
				(SELECT COALESCE(SUM(d.qty), 0) FROM withdrawal_days d WHERE d.member_id = w.member_id AND d.payer_id = w.payer_id AND d.day_no = w.day_no) AS qty,
				(SELECT COUNT(*) FROM withdrawals o WHERE o.member_id = w.member_id AND o.payer_id = w.payer_id AND o.day_no = w.day_no) AS in_day
			FROM withdrawals w JOIN withdrawal_terms t ON t.payer_id = w.payer_id AND t.no = w.terms_no WHERE w.id > ? AND w.id <= ? ORDER BY w.id`, after, upto).Scan(&rows).Error
		for _, r := range rows {
			r.prove(p)
		}
		return err
	})
	p.Checked += n
	if err != nil {
		return err
	}
	return s.proveAskedInTime(ctx, p)
}

func (r requestSums) prove(p *database.Proof) {
	terms := Terms{FeeFixed: r.FeeFixed, FeeRate: r.FeeRate}
	fees := 0
	if r.Fee > 0 {
		fees = 1
	}
	switch {
	case r.Covered != r.RewardCount || r.Amount != r.Gross:
		p.Break("%s: covers %d rewards of %s, says %d of %s", r.ID, r.Covered, r.Amount, r.RewardCount, r.Gross)
	case r.Gross < r.Least || r.Gross > r.Most || r.Fee != terms.fee(r.Gross):
		p.Break("%s: asks %s at a fee of %s, which its terms do not allow", r.ID, r.Gross, r.Fee)
	case r.DaySeq < 1 || r.DaySeq > r.PerDay || r.Qty != r.InDay:
		p.Break("%s: is number %d of %d that count in its day, whose counter says %d", r.ID, r.DaySeq, r.InDay, r.Qty)
	}
	switch r.Status {
	case WithdrawalSettled:
		// A rejected settlement frees its lines first and opens its requests then.
		if r.Live != r.Covered || r.Rejected == 0 && (r.LinedHere != r.Covered || r.Fees != fees) {
			p.Break("%s: %d of its %d rewards and %d of its %d fee lines stand in %s", r.ID, r.LinedHere, r.Covered, r.Fees, fees, r.SettlementID)
		}
	case WithdrawalAsked:
		if r.Live != r.Covered || r.Lined != 0 || r.Fees != 0 {
			p.Break("%s: is open, yet holds %d of %d rewards, %d of them settled", r.ID, r.Live, r.Covered, r.Lined)
		}
	default:
		if r.Live != 0 || r.Fees != 0 {
			p.Break("%s: is %s, yet holds %d rewards", r.ID, r.Status, r.Live)
		}
	}
}

// proveAskedInTime looks for requests that a sealed settlement should have
// taken: made before it began to close, and still open without a rejection
// since.
func (s *Service) proveAskedInTime(ctx context.Context, p *database.Proof) error {
	return s.DB.Snapshot(ctx, func(q *database.Query) error {
		var missed []struct {
			ID           id.Withdrawal
			SettlementID id.Settlement
		}
		err := q.Raw(`SELECT w.id, MIN(s.id) AS settlement_id FROM withdrawals w JOIN settlements s ON s.payer_id = w.payer_id AND s.asked_upto >= w.no AND s.status IN ?
			WHERE w.status = ? AND w.reopened_at < s.closing_at GROUP BY w.id ORDER BY w.id LIMIT 50`, standing, WithdrawalAsked).Scan(&missed).Error
		for _, m := range missed {
			p.Break("%s was asked in time for %s but is still open", m.ID, m.SettlementID)
		}
		var uncounted []id.Payer
		if err == nil {
			err = q.Raw(`SELECT h.payer_id FROM withdrawal_heads h WHERE h.last_no <> (SELECT COUNT(*) FROM withdrawals w WHERE w.payer_id = h.payer_id) ORDER BY h.payer_id LIMIT 50`).Scan(&uncounted).Error
		}
		for _, pid := range uncounted {
			p.Break("%s: its requests are not those it counted", pid)
		}
		if err != nil {
			return fmt.Errorf("requests in time: %w", err)
		}
		return nil
	})
}
