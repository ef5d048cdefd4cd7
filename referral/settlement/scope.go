package settlement

import (
	"siyu/internal/database"
	"siyu/referral/payee"
)

// scope is a settlement with the set of its programs, for a query to join.
type scope struct {
	Settlement
	programs string
	args     []any
}

// fixed is the scope that closing has written down.
func fixed(st Settlement) scope {
	return scope{st, "(SELECT program_id FROM settlement_programs WHERE settlement_id = ?)", []any{st.ID}}
}

// coming is the scope that closing an open settlement would write down.
func coming(q *database.Query, st Settlement) (scope, error) {
	if st.AllPrograms == 0 {
		return fixed(st), nil
	}
	payers, err := payee.Covered(q, st.PayerID)
	return scope{
		st, "(SELECT id AS program_id FROM programs WHERE currency = ? AND payer_id IN ? AND unit_id IN " + below + ")",
		[]any{st.Currency, payers, st.UnitID},
	}, err
}

// with puts the arguments of the set before those of the rest of a query.
func (s scope) with(rest ...any) []any {
	return append(append(make([]any, 0, len(s.args)+len(rest)), s.args...), rest...)
}
