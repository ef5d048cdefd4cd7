package wallet

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// span is how many transfers or accounts one snapshot checks.
const span = 5000

// Verify proves V6 range by range, each in a snapshot of its own: every
// transfer sums to zero and keeps to one currency, every balance equals the
// fold of its entries, no guarded balance is negative.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V6", Says: "transfers sum to zero, balances equal their entries"}
	if err := inRanges(ctx, db, "transfers", &p, sums); err != nil {
		return nil, err
	}
	if err := inRanges(ctx, db, "accounts", &p, folds); err != nil {
		return nil, err
	}
	return []database.Proof{p}, nil
}

// inRanges walks a table by id.
func inRanges(ctx context.Context, db *database.DB, table string, p *database.Proof,
	check func(q *database.Query, after, upto int64, p *database.Proof) error) error {
	for after := int64(0); ; {
		var ids []int64
		err := db.Snapshot(ctx, func(q *database.Query) error {
			err := q.Raw("SELECT id FROM "+table+" WHERE id > ? ORDER BY id LIMIT ?", after, span).Scan(&ids).Error
			if err != nil || len(ids) == 0 {
				return err
			}
			p.Checked += int64(len(ids))
			return check(q, after, ids[len(ids)-1], p)
		})
		if err != nil {
			return fmt.Errorf("wallet: verify %s: %w", table, err)
		}
		if len(ids) == 0 {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

func sums(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		ID    id.Transfer
		Total money.Amount
		N     int
		Odd   int
	}
	err := q.Raw(`SELECT t.id, COALESCE(SUM(e.amount), 0) AS total, COUNT(e.id) AS n,
			COALESCE(SUM(CASE WHEN e.currency <> t.currency OR a.currency <> t.currency THEN 1 ELSE 0 END), 0) AS odd
		FROM transfers t LEFT JOIN entries e ON e.transfer_id = t.id LEFT JOIN accounts a ON a.id = e.account_id
		WHERE t.id > ? AND t.id <= ? GROUP BY t.id
		HAVING SUM(e.amount) <> 0 OR COUNT(e.id) < 2
			OR SUM(CASE WHEN e.currency <> t.currency OR a.currency <> t.currency THEN 1 ELSE 0 END) > 0`,
		after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("transfer %s has %d entries that sum to %s, %d of them in another currency", b.ID, b.N, b.Total, b.Odd)
	}
	return err
}

func folds(q *database.Query, after, upto int64, p *database.Proof) error {
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
