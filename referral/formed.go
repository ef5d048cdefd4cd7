package referral

import (
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// EarnsFormed says whether an order with that version earns when its team
// forms, so that only those are asked for.
func EarnsFormed(q *database.Query, p id.Program, version int) (bool, error) {
	if p == 0 {
		return false, nil
	}
	rules, err := rulesOf(q, p, version)
	return rules.Trigger == TriggerTeamFormed, err
}

// FormedTx writes what an order earns because its team has formed, less the
// share of what was refunded until now. Called again it changes nothing.
func FormedTx(tx *database.Tx, o PaidOrder, refunded money.Amount) error {
	if err := orderTx(tx, o, true); err != nil || refunded == 0 {
		return err
	}
	return lostTx(tx, o.Order, "formed", refunded)
}
