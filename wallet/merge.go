package wallet

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// MergeTx moves what the member from holds to the member into: coupons, points, and
// money by one transfer per account. It says how many rows it wrote; the
// caller refuses more than one transaction should carry. Entries keep their
// accounts: the history of from stays his. Calling it again moves what came
// since.
func MergeTx(tx *database.Tx, from, into id.Member) (int, error) {
	if err := mergeHolders(tx, from, into); err != nil {
		return 0, err
	}
	rows := 0
	for _, merge := range []func(*database.Tx, id.Member, id.Member) (int, error){mergeCoupons, mergePoints, mergeAccounts} {
		n, err := merge(tx, from, into)
		if err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, nil
}

func mergeAccounts(tx *database.Tx, from, into id.Member) (int, error) {
	var held []accountRow
	err := tx.Raw(`SELECT id, stage, owner_kind, owner_id, currency, balance FROM accounts
		WHERE owner_kind = ? AND owner_id IN ? ORDER BY id`+tx.Dialect.ForUpdate,
		OwnerMember, []id.Member{from, into}).Scan(&held).Error
	if err != nil {
		return 0, fmt.Errorf("wallet: merge %s: %w", from, err)
	}
	var ts []Transfer
	for _, r := range held {
		if r.OwnerID != int64(from) || r.Balance == 0 {
			continue
		}
		key := fmt.Sprintf("merge:%d:%s", from, id.Transfer(tx.Next()))
		ts = append(ts, Move(key, "merge", r.Currency, r.Balance, At(r.Stage, Member(from)), At(r.Stage, Member(into))))
	}
	if _, err := PostManyTx(tx, ts); err != nil {
		return 0, err
	}
	return 5 * len(ts), nil // a transfer, two entries, two balances
}
