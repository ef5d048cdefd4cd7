package wallet

import (
	"fmt"
	"strings"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// PostTx writes one transfer. The same key again returns the first transfer,
// or ErrKeyReused if its legs differ. ErrInsufficient means that a budget
// would fall below zero; nothing has been written then and the caller may go
// on.
func PostTx(tx *database.Tx, t Transfer) (id.Transfer, error) {
	ids, err := PostManyTx(tx, []Transfer{t})
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// PostManyTx writes the transfers together with a fixed number of statements
// and returns their ids in order. All stand or none: a budget that cannot
// carry the sum refuses the whole call.
func PostManyTx(tx *database.Tx, ts []Transfer) ([]id.Transfer, error) {
	if len(ts) == 0 {
		return nil, nil
	}
	b, err := newBatch(ts)
	if err != nil {
		return nil, err
	}
	want := map[account]bool{}
	for _, t := range b.list {
		for _, l := range t.Legs {
			want[l.account(t.Currency)] = true
		}
	}
	accounts, err := lockTx(tx, want)
	if err != nil {
		return nil, err
	}
	// Keys are looked up under the locks of the accounts. Another call with the
	// same key and legs locks the same accounts, so it has either committed by
	// now or waits for this one. One with other legs is refused by the unique
	// key.
	ids, err := standing(tx, b)
	if err != nil {
		return nil, err
	}
	var fresh []Transfer
	for _, t := range b.list {
		if _, stands := ids[t.Key]; !stands {
			fresh = append(fresh, t)
			ids[t.Key] = id.Transfer(tx.Next())
		}
	}
	if len(fresh) == 0 {
		return b.answer(ts, ids), nil
	}
	if err := moveTx(tx, fresh, accounts); err != nil {
		return nil, err
	}
	if err := writeTx(tx, fresh, accounts, ids); err != nil {
		return nil, err
	}
	return b.answer(ts, ids), nil
}

// moveTx changes the balances. The locked balances are looked at first, so
// that a refusal leaves nothing behind; the condition of the UPDATE and the
// CHECK of the table hold the limit.
func moveTx(tx *database.Tx, ts []Transfer, accounts map[account]accountRow) error {
	change := map[id.Account]money.Amount{}
	guarded := map[id.Account]bool{}
	for _, t := range ts {
		for _, l := range t.Legs {
			row := accounts[l.account(t.Currency)]
			change[row.ID] += l.Amount
			guarded[row.ID] = l.Stage.guarded()
		}
	}
	for _, row := range accounts {
		if guarded[row.ID] && change[row.ID] < 0 && row.Balance+change[row.ID] < 0 {
			return ErrInsufficient
		}
	}
	return addTx(tx, change, guarded)
}

// writeTx inserts the transfers and their entries, one statement each.
func writeTx(tx *database.Tx, ts []Transfer, accounts map[account]accountRow, ids map[string]id.Transfer) error {
	var heads, legs []any
	for _, t := range ts {
		heads = append(heads, []any{ids[t.Key], t.Key, t.Kind, t.Currency, t.Corrects, tx.Now})
		for _, l := range t.Legs {
			legs = append(legs, []any{tx.Next(), ids[t.Key], accounts[l.account(t.Currency)].ID, t.Currency, l.Amount, tx.Now})
		}
	}
	err := tx.Exec("INSERT INTO transfers (id, transfer_key, kind, currency, corrects, at) VALUES "+rows(heads), heads...).Error
	switch {
	case database.IsDuplicate(err):
		return ErrKeyReused
	case err != nil:
		return fmt.Errorf("wallet: transfers: %w", err)
	}
	err = tx.Exec("INSERT INTO entries (id, transfer_id, account_id, currency, amount, at) VALUES "+rows(legs), legs...).Error
	if err != nil {
		return fmt.Errorf("wallet: entries: %w", err)
	}
	return nil
}

// rows is one placeholder per row; gorm writes a list as (a, b, …).
func rows(list []any) string { return strings.Repeat("?,", len(list)-1) + "?" }

// standing finds the transfers of the batch that were posted before and makes
// sure that they say the same. Most batches are new, and then one look at the
// index of keys is all; a join would let the engine begin with the entries.
func standing(tx *database.Tx, b batch) (map[string]id.Transfer, error) {
	keys := make([]string, 0, len(b.list))
	for _, t := range b.list {
		keys = append(keys, t.Key)
	}
	var found []struct {
		ID          id.Transfer
		TransferKey string
	}
	if err := tx.Raw("SELECT id, transfer_key FROM transfers WHERE transfer_key IN ?", keys).Scan(&found).Error; err != nil {
		return nil, fmt.Errorf("wallet: find transfers: %w", err)
	}
	ids := make(map[string]id.Transfer, len(b.list))
	if len(found) == 0 {
		return ids, nil
	}
	old := make([]id.Transfer, len(found))
	for i, f := range found {
		ids[f.TransferKey], old[i] = f.ID, f.ID
	}
	said, err := saidBy(tx, old)
	if err != nil {
		return nil, err
	}
	for key, t := range said {
		if !b.list[b.place[key]].same(t) {
			return nil, ErrKeyReused
		}
	}
	return ids, nil
}

// saidBy reads transfers with their legs, by key.
func saidBy(tx *database.Tx, transfers []id.Transfer) (map[string]Transfer, error) {
	var legs []struct {
		TransferKey string
		Kind        string
		Currency    string
		Corrects    id.Transfer
		Stage       Stage
		OwnerKind   OwnerKind
		OwnerID     int64
		Amount      money.Amount
	}
	err := tx.Raw(`SELECT t.transfer_key, t.kind, t.currency, t.corrects, a.stage, a.owner_kind, a.owner_id, e.amount
		FROM transfers t JOIN entries e ON e.transfer_id = t.id JOIN accounts a ON a.id = e.account_id
		WHERE t.id IN ?`, transfers).Scan(&legs).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: legs of transfers: %w", err)
	}
	out := map[string]Transfer{}
	for _, l := range legs {
		t := out[l.TransferKey]
		t.Kind, t.Currency, t.Corrects = l.Kind, l.Currency, l.Corrects
		t.Legs = append(t.Legs, Leg{l.Stage, Owner{l.OwnerKind, l.OwnerID}, l.Amount})
		out[l.TransferKey] = t
	}
	return out, nil
}
