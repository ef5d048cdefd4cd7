package wallet

import (
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Fund is outside money put into a budget.
type Fund struct {
	Key      string
	Owner    Owner
	Currency string
	Amount   money.Amount
}

// FundTx fills a budget from the brand's outside money.
func FundTx(tx *database.Tx, f Fund) (id.Transfer, error) {
	return PostTx(tx, Move(f.Key, "fund", f.Currency, f.Amount, At(StageSource, Brand()), At(StageBudget, f.Owner)))
}

// Balance is what an account holds; an account never used holds nothing.
func Balance(q *database.Query, s Stage, o Owner, currency string) (money.Amount, error) {
	var n money.Amount
	err := q.Raw(`SELECT COALESCE(SUM(balance), 0) FROM accounts
		WHERE stage = ? AND owner_kind = ? AND owner_id = ? AND currency = ?`, s, o.Kind, o.ID, currency).Scan(&n).Error
	return n, err
}
