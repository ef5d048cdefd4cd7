package wallet

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/money"
)

// Trial is the trial balance 试算平衡: what accounts of each stage and kind of
// owner hold together. Per currency it sums to zero.
type Trial struct {
	At   clock.Milli  `json:"at"`
	Rows []TrialRow   `json:"rows"`
	Sums []TrialTotal `json:"sums"`
}

// TrialRow is the accounts of one stage and kind of owner.
type TrialRow struct {
	Stage     Stage        `json:"stage"`
	OwnerKind OwnerKind    `json:"owner_kind"`
	Currency  string       `json:"currency"`
	Balance   money.Amount `json:"balance_fen"`
}

func (r TrialRow) key() bookKey { return bookKey{"", r.Stage, r.OwnerKind, r.Currency} }

// TrialTotal is one currency: what stands above zero, what below, and both.
type TrialTotal struct {
	Currency string       `json:"currency"`
	Above    money.Amount `json:"above_fen"`
	Below    money.Amount `json:"below_fen"`
	Sum      money.Amount `json:"sum_fen"`
}

// TrialBalance is the trial balance as of a moment: of everything committed by
// now whose time is not later. A moment in a day that is not closed may still
// get a late transfer; a closed day's balances are its own for ever and stand
// in its close. Zero is now, for which the accounts are asked: they hold what
// their entries sum to (V6), and are fewer.
func (s *Service) TrialBalance(ctx context.Context, at clock.Milli) (Trial, error) {
	if err := SeesBooks(ctx); err != nil {
		return Trial{}, err
	}
	now := clock.MilliOf(s.DB.Clock.Now())
	read := func(q *database.Query) ([]TrialRow, error) { return trialAt(q, at) }
	if at == 0 || at >= now {
		at, read = now, trialNow
	}
	t := Trial{At: at}
	err := s.DB.Snapshot(ctx, func(q *database.Query) (err error) {
		t.Rows, err = read(q)
		return err
	})
	if err != nil {
		return t, fmt.Errorf("wallet: trial balance: %w", err)
	}
	t.Sums = trialSums(t.Rows)
	return t, nil
}

// trialNow is what the accounts hold.
func trialNow(q *database.Query) ([]TrialRow, error) {
	list := []TrialRow{}
	err := q.Raw("SELECT stage, owner_kind, currency, SUM(balance) AS balance FROM accounts GROUP BY stage, owner_kind, currency").Scan(&list).Error
	sortTrial(list)
	return list, err
}

func sortTrial(list []TrialRow) {
	slices.SortFunc(list, func(a, b TrialRow) int { return a.key().compare(b.key()) })
}

// trialAt adds to the balances of the last day closed by then what is in no
// close or in a later one, and not later than the moment.
func trialAt(q *database.Query, at clock.Milli) ([]TrialRow, error) {
	base, err := sealedBefore(q, at)
	if err != nil {
		return nil, err
	}
	all := map[bookKey]money.Amount{}
	for _, b := range base.Balances {
		all[b.key()] = b.Closing
	}
	for _, part := range []string{"t.close_no = 0", fmt.Sprintf("t.close_no > %d", base.No)} {
		var moved []TrialRow
		err := q.Raw(`SELECT a.stage, a.owner_kind, e.currency, SUM(e.amount) AS balance
			FROM transfers t JOIN entries e ON e.transfer_id = t.id JOIN accounts a ON a.id = e.account_id
			WHERE `+part+` AND t.at <= ? GROUP BY a.stage, a.owner_kind, e.currency`, at).Scan(&moved).Error
		if err != nil {
			return nil, err
		}
		for _, r := range moved {
			all[r.key()] += r.Balance
		}
	}
	list := []TrialRow{}
	for k, n := range all {
		list = append(list, TrialRow{k.Stage, k.OwnerKind, k.Currency, n})
	}
	sortTrial(list)
	return list, nil
}

func trialSums(list []TrialRow) []TrialTotal {
	out := []TrialTotal{}
	for _, r := range list { // sorted by currency
		if len(out) == 0 || out[len(out)-1].Currency != r.Currency {
			out = append(out, TrialTotal{Currency: r.Currency})
		}
		t := &out[len(out)-1]
		if r.Balance > 0 {
			t.Above += r.Balance
		} else {
			t.Below += r.Balance
		}
		t.Sum += r.Balance
	}
	return out
}
