package wallet

import (
	"context"
	"fmt"
	"math"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// span is how many accounts, or entries of one, are folded at a time.
const span = 2000

// Verify proves V6 range by range, each in a snapshot of its own: every
// transfer has two entries or more and they sum to zero, each in the currency
// of its transfer and its account; every balance equals the fold of its
// entries; no guarded balance is negative.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V6", Says: "transfers sum to zero, balances equal their entries"}
	if err := proveTransfers(ctx, db, &p); err != nil {
		return nil, fmt.Errorf("wallet: verify transfers: %w", err)
	}
	if err := inRanges(ctx, db, "accounts", &p, proveFolds); err != nil {
		return nil, err
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
