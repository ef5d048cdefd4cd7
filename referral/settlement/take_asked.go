package settlement

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// One transaction takes so many requests, and so many rewards of them: a line
// each, and a fee with its transfer.
const (
	takeRequests = 50
	takeLines    = 450
)

// request is one with its reward lines, as a closing finds it.
type request struct {
	Withdrawal
	lines []Line
	left  money.Amount // of what it covers, after what was taken back since
}

// worth says that something would be left after the fee.
func (a request) worth() bool { return a.left > a.Fee }

// all are the lines of the request: its rewards, and the fee, which names it.
func (a request) all() []Line {
	if a.Fee == 0 {
		return a.lines
	}
	return append(a.lines, Line{Kind: KindFee, SourceID: int64(a.ID), MemberID: a.MemberID, Corrects: a.ID.String(), Gross: -a.Fee, OccurredAt: a.AskedAt})
}

// openRequests are the next of a payer's requests, with the numbers up to
// which they go, as many as one transaction takes.
func openRequests(q *database.Query, payer id.Payer, after, upto int64) ([]Withdrawal, error) {
	var rows []Withdrawal
	err := q.Raw("SELECT "+withdrawalColumns+" FROM withdrawals w WHERE w.status = ? AND w.payer_id = ? AND w.no > ? AND w.no <= ? ORDER BY w.no LIMIT ?",
		WithdrawalAsked, payer, after, upto, takeRequests).Scan(&rows).Error
	n := 0
	for i, w := range rows {
		if n += w.RewardCount; i > 0 && n > takeLines {
			rows = rows[:i]
			break
		}
	}
	return rows, err
}

// withLines reads what the requests cover.
func withLines(q *database.Query, list []Withdrawal) ([]request, error) {
	out, at, ids := make([]request, len(list)), map[id.Withdrawal]int{}, make([]id.Withdrawal, len(list))
	for i, w := range list {
		out[i], at[w.ID], ids[i] = request{Withdrawal: w}, i, w.ID
	}
	var rows []found
	err := q.Raw(`SELECT x.withdrawal_id, r.id AS source_id, r.id AS reward_id, r.program_id, r.program_version, r.campaign_id, r.order_id,
			r.beneficiary_id AS member_id, r.rule AS rule_name, r.note, e.amount, e.at,
			(SELECT COALESCE(SUM(k.amount), 0) FROM reward_events k WHERE k.reward_id = r.id AND k.kind = 'clawed_back') AS lost
		FROM withdrawal_rewards x JOIN rewards r ON r.id = x.reward_id JOIN reward_events e ON e.reward_id = r.id AND e.kind = 'cleared'
		WHERE x.withdrawal_id IN ? AND x.live = 0 ORDER BY x.withdrawal_id, e.at, r.id`, ids).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("settlement: requests: %w", err)
	}
	for _, r := range rows {
		a := &out[at[r.WithdrawalID]]
		a.lines, a.left = append(a.lines, r.line(KindReward)), a.left+r.Amount+r.Lost
	}
	return out, nil
}

// requested are the lines of requests, for a preview; cursor.id is the last
// request's number.
func requested(q *database.Query, st scope, after cursor) ([]Line, cursor, error) {
	list, err := openRequests(q, st.PayerID, after.id, st.AskedUpto)
	if err != nil || len(list) == 0 {
		return nil, after, err
	}
	with, err := withLines(q, list)
	var lines []Line
	for _, a := range with {
		if a.worth() {
			lines = append(lines, a.all()...)
		}
	}
	return lines, cursor{id: list[len(list)-1].No}, err
}

// takeRequested puts what was asked for on lines, whole requests at a time.
func (s *Service) takeRequested(ctx context.Context, st Settlement) (int, error) {
	added := 0
	for after := int64(0); ; {
		list, err := openRequests(s.DB.Read(ctx), st.PayerID, after, st.AskedUpto)
		if err != nil || len(list) == 0 {
			return added, err
		}
		n := 0
		err = s.DB.Tx(ctx, func(tx *database.Tx) error {
			n, err = takeRequestsTx(tx, st.ID, list)
			return err
		})
		if errors.Is(err, errMerged) {
			continue
		}
		if err != nil {
			return added, err
		}
		database.KillPoint("settlement:lines")
		added += n
		after = list[len(list)-1].No
	}
}

// takeRequestsTx takes those of the requests that still stand. One of which
// refunds left no more than the fee is refused instead; its rewards are let go.
func takeRequestsTx(tx *database.Tx, sid id.Settlement, list []Withdrawal) (int, error) {
	own, err := lockClosing(tx, sid)
	if err != nil {
		return 0, err
	}
	ids := make([]id.Withdrawal, len(list))
	for i, w := range list {
		ids[i] = w.ID
	}
	var standing []Withdrawal
	err = tx.Raw("SELECT "+withdrawalColumns+" FROM withdrawals w WHERE w.id IN ?"+tx.Only("w.status = ?")+" ORDER BY w.id"+tx.Dialect.ForUpdate, ids, WithdrawalAsked).Scan(&standing).Error
	if err != nil || len(standing) == 0 {
		return 0, err
	}
	with, err := withLines(tx.DB, standing)
	if err != nil {
		return 0, err
	}
	var lines []Line
	var taken []request
	for _, a := range with {
		if !a.worth() {
			if err := a.endTx(tx, WithdrawalRefused, takenBack, eventWithdrawalRefused); err != nil {
				return 0, err
			}
			continue
		}
		lines, taken = append(lines, a.all()...), append(taken, a)
	}
	if len(taken) == 0 {
		return 0, nil
	}
	if lines, err = followed(tx, lines); err != nil {
		return 0, err
	}
	if err := insertLines(tx, own, lines); err != nil {
		return 0, err
	}
	if err := chargeTx(tx, sid, taken); err != nil {
		return 0, err
	}
	ids = ids[:0]
	for _, a := range taken {
		ids = append(ids, a.ID)
	}
	return len(lines), tx.Exec("UPDATE withdrawals SET status = ?, settlement_id = ?, ended_at = ? WHERE id IN ?", WithdrawalSettled, sid, tx.Now, ids).Error
}

// feeKey is the permanent business key of a fee in a settlement.
func feeKey(w id.Withdrawal, sid id.Settlement) string {
	return fmt.Sprintf("withdrawal:%d:fee:%d", w, sid)
}

// chargeTx moves the fees of requests out of payable.
func chargeTx(tx *database.Tx, sid id.Settlement, list []request) error {
	return feesTx(tx, list, func(a request, due, fees wallet.Leg) wallet.Transfer {
		return wallet.Move(feeKey(a.ID, sid), "withdrawal_fee", money.CNY, a.Fee, due, fees)
	})
}

// giveBackTx moves them back, each by a transfer that corrects the first.
func giveBackTx(tx *database.Tx, sid id.Settlement, list []request) error {
	keys := make([]string, len(list))
	for i, a := range list {
		keys[i] = feeKey(a.ID, sid)
	}
	var rows []struct {
		ID          id.Transfer
		TransferKey string
	}
	if err := tx.Raw("SELECT id, transfer_key FROM transfers WHERE transfer_key IN ?", keys).Scan(&rows).Error; err != nil {
		return err
	}
	first := make(map[string]id.Transfer, len(rows))
	for _, r := range rows {
		first[r.TransferKey] = r.ID
	}
	return feesTx(tx, list, func(a request, due, fees wallet.Leg) wallet.Transfer {
		key := feeKey(a.ID, sid)
		t := wallet.Move(key+":freed", "withdrawal_fee", money.CNY, a.Fee, fees, due)
		t.Corrects = first[key]
		return t
	})
}

// feesTx books a transfer for each request that has a fee, on the accounts of
// who their members are today; that is looked at again once the accounts are
// locked, because a merge locks them too.
func feesTx(tx *database.Tx, list []request, move func(a request, due, fees wallet.Leg) wallet.Transfer) error {
	var members []id.Member
	for _, a := range list {
		members = append(members, a.MemberID)
	}
	live, err := today(tx.DB, members)
	if err != nil {
		return err
	}
	var transfers []wallet.Transfer
	for _, a := range list {
		if a.Fee > 0 {
			transfers = append(transfers, move(a, wallet.At(wallet.StagePayable, wallet.Member(live[a.MemberID])), wallet.At(wallet.StageFee, wallet.Brand())))
		}
	}
	if _, err := wallet.PostManyTx(tx, transfers); err != nil {
		return err
	}
	again, err := today(tx.DB, members)
	if err == nil && !maps.Equal(live, again) {
		err = errMerged
	}
	return err
}

// reopen gives the fees of a rejected settlement back and lets its requests
// stand as asked again; their lines are free by then. It may be run any number
// of times.
func (s *Service) reopen(ctx context.Context, sid id.Settlement) error {
	for {
		done := false
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var list []Withdrawal
			err := tx.Raw("SELECT "+withdrawalColumns+" FROM withdrawals w WHERE w.settlement_id = ? AND w.status = ? ORDER BY w.id LIMIT ?"+tx.Dialect.ForUpdate,
				sid, WithdrawalSettled, takeRequests).Scan(&list).Error
			if done = len(list) == 0; err != nil || done {
				return err
			}
			back, ids := make([]request, len(list)), make([]id.Withdrawal, len(list))
			for i, w := range list {
				back[i], ids[i] = request{Withdrawal: w}, w.ID
			}
			if err := giveBackTx(tx, sid, back); err != nil {
				return err
			}
			return tx.Exec("UPDATE withdrawals SET status = ?, settlement_id = 0, ended_at = 0, reopened_at = ? WHERE id IN ?", WithdrawalAsked, tx.Now, ids).Error
		})
		if errors.Is(err, errMerged) {
			continue
		}
		if err != nil || done {
			return err
		}
		database.KillPoint("settlement:reopen")
	}
}
