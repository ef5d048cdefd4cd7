package wallet

import (
	"context"
	"math"
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

// proveFolds compares balances with their entries: those of members many at
// once, those of programs, campaigns and the brand, through which all money
// goes, one by one.
func proveFolds(q *database.Query, after, upto int64, p *database.Proof) error {
	type account struct {
		ID      id.Account
		Balance money.Amount
		Guarded bool
		Fold    money.Amount
	}
	var bad, large []account
	err := q.Raw(`SELECT a.id, a.balance, COALESCE(SUM(e.amount), 0) AS fold
		FROM accounts a LEFT JOIN entries e ON e.account_id = a.id
		WHERE a.id > ? AND a.id <= ? AND a.owner_kind = ? GROUP BY a.id, a.balance, a.guarded
		HAVING a.balance <> COALESCE(SUM(e.amount), 0) OR (a.guarded = 1 AND a.balance < 0)`,
		after, upto, OwnerMember).Scan(&bad).Error
	if err != nil {
		return err
	}
	err = q.Raw("SELECT id, balance, guarded FROM accounts WHERE id > ? AND id <= ? AND owner_kind <> ? ORDER BY id", after, upto, OwnerMember).Scan(&large).Error
	if err != nil {
		return err
	}
	for _, a := range large {
		if a.Fold, err = foldOf(q, a.ID); err != nil {
			return err
		}
		if a.Fold != a.Balance || a.Guarded && a.Balance < 0 {
			bad = append(bad, a)
		}
	}
	for _, b := range bad {
		p.Break("account %s holds %s, its entries fold to %s", b.ID, b.Balance, b.Fold)
	}
	return nil
}

// foldOf sums up the entries of one account along its book, some at a time.
func foldOf(q *database.Query, a id.Account) (fold money.Amount, err error) {
	for after := int64(math.MinInt64); ; {
		upto, part := int64(math.MaxInt64), money.Amount(0)
		if err := q.Raw("SELECT at FROM entries WHERE account_id = ? AND at > ? ORDER BY at LIMIT 1 OFFSET ?", a, after, span-1).Scan(&upto).Error; err != nil {
			return 0, err
		}
		if err := q.Raw("SELECT COALESCE(SUM(amount), 0) FROM entries WHERE account_id = ? AND at > ? AND at <= ?", a, after, upto).Scan(&part).Error; err != nil {
			return 0, err
		}
		if fold += part; upto == math.MaxInt64 {
			return fold, nil
		}
		after = upto
	}
}
