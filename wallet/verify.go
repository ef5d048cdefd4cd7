package wallet

import (
	"context"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// span is how many transfers, entries or accounts one snapshot checks.
const span = 2000

// Verify proves V6 range by range, each in a snapshot of its own: every
// transfer has two entries or more and they sum to zero, each in the currency
// of its transfer and its account; every balance equals the fold of its
// entries; no guarded balance is negative.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V6", Says: "transfers sum to zero, balances equal their entries"}
	for _, walk := range []struct {
		table string
		check func(*database.Query, int64, int64, *database.Proof) error
	}{
		{"transfers", proveLegs}, {"entries", proveSums}, {"accounts", proveFolds},
	} {
		if err := inRanges(ctx, db, walk.table, &p, walk.check); err != nil {
			return nil, err
		}
	}
	return []database.Proof{p}, nil
}

// inRanges walks a table by id.
func inRanges(ctx context.Context, db *database.DB, table string, p *database.Proof,
	check func(q *database.Query, after, upto int64, p *database.Proof) error) error {
	n, err := db.InRanges(ctx, table, "id", span, func(q *database.Query, after, upto int64) error { return check(q, after, upto, p) })
	p.Checked += n
	return err
}

// proveLegs finds transfers with fewer than two entries.
func proveLegs(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		ID id.Transfer
		N  int
	}
	err := q.Raw(`SELECT t.id, COUNT(e.id) AS n FROM transfers t LEFT JOIN entries e ON e.transfer_id = t.id
		WHERE t.id > ? AND t.id <= ? GROUP BY t.id HAVING COUNT(e.id) < 2`, after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("transfer %s has %d entries", b.ID, b.N)
	}
	return err
}

// tornMost is below the number of ids from which on an engine guesses what an
// IN list will find.
const tornMost = 190

// proveSums reads entries as they lie in the store, not transfer by transfer.
// What does not sum to zero within the range may go on beyond it, and is read
// whole.
func proveSums(q *database.Query, after, upto int64, p *database.Proof) error {
	var odd []struct {
		ID         int64
		TransferID id.Transfer
	}
	err := q.Raw(`SELECT e.id, e.transfer_id FROM entries e
			LEFT JOIN transfers t ON t.id = e.transfer_id AND t.currency = e.currency
			LEFT JOIN accounts a ON a.id = e.account_id AND a.currency = e.currency
		WHERE e.id > ? AND e.id <= ? AND (t.id IS NULL OR a.id IS NULL)`, after, upto).Scan(&odd).Error
	if err != nil {
		return err
	}
	for _, o := range odd {
		p.Break("entry %d of transfer %s has no transfer or no account of its currency", o.ID, o.TransferID)
	}
	var torn []id.Transfer
	err = q.Raw(`SELECT transfer_id FROM entries WHERE id > ? AND id <= ?
		GROUP BY transfer_id HAVING SUM(amount) <> 0`, after, upto).Scan(&torn).Error
	if err != nil {
		return err
	}
	for part := range slices.Chunk(torn, tornMost) {
		var bad []struct {
			TransferID id.Transfer
			Total      money.Amount
			N          int
		}
		err := q.Raw(`SELECT transfer_id, SUM(amount) AS total, COUNT(*) AS n FROM entries WHERE transfer_id IN ?
			GROUP BY transfer_id HAVING SUM(amount) <> 0`, part).Scan(&bad).Error
		if err != nil {
			return err
		}
		for _, b := range bad {
			p.Break("transfer %s has %d entries that sum to %s", b.TransferID, b.N, b.Total)
		}
	}
	return nil
}

// proveFolds compares balances with their entries.
func proveFolds(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		ID      id.Account
		Balance money.Amount
		Fold    money.Amount
	}
	err := q.Raw(`SELECT a.id, a.balance, COALESCE(SUM(e.amount), 0) AS fold
		FROM accounts a LEFT JOIN entries e ON e.account_id = a.id
		WHERE a.id > ? AND a.id <= ? GROUP BY a.id, a.balance, a.guarded
		HAVING a.balance <> COALESCE(SUM(e.amount), 0) OR (a.guarded = 1 AND a.balance < 0)`,
		after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("account %s holds %s, its entries fold to %s", b.ID, b.Balance, b.Fold)
	}
	return err
}
