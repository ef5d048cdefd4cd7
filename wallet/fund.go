package wallet

import (
	"siyu/internal/clock"
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

// Used is what has left a budget since then, on balance, other than by changes
// of the budget itself.
func Used(q *database.Query, o Owner, currency string, since clock.Milli) (money.Amount, error) {
	var n money.Amount
	err := q.Raw(`SELECT COALESCE(SUM(e.amount), 0) FROM accounts a JOIN entries e ON e.account_id = a.id JOIN transfers t ON t.id = e.transfer_id
		WHERE a.stage = ? AND a.owner_kind = ? AND a.owner_id = ? AND a.currency = ? AND e.at >= ? AND t.kind <> 'fund'`,
		StageBudget, o.Kind, o.ID, currency, since).Scan(&n).Error
	return -n, err
}

// Balance is what an account holds; an account never used holds nothing.
func Balance(q *database.Query, s Stage, o Owner, currency string) (money.Amount, error) {
	var n money.Amount
	err := q.Raw(`SELECT COALESCE(SUM(balance), 0) FROM accounts
		WHERE stage = ? AND owner_kind = ? AND owner_id = ? AND currency = ?`, s, o.Kind, o.ID, currency).Scan(&n).Error
	return n, err
}
