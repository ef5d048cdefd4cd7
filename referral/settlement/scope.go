package settlement

import (
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/payee"
)

// scope is a settlement with the set of its programs, for a query to join. Of
// these it holds what its payer pays; a program that names no payer may have
// several, by campaign.
type scope struct {
	Settlement
	programs string
	args     []any
	payers   []id.Payer
}

// paid is the condition that a row of rewards or clearings is the payer's; its
// argument is payers.
func (s scope) paid(row string) string { return referral.PayerOf(row) + " IN ?" }

// fixed is the scope that closing has written down.
func fixed(q *database.Query, st Settlement) (scope, error) {
	payers, err := payee.Covered(q, st.PayerID)
	return scope{st, "(SELECT program_id FROM settlement_programs WHERE settlement_id = ?)", []any{st.ID}, payers}, err
}

// naming are the payer ids of programs of which a settlement of these payers
// may hold rewards: theirs, and none.
func naming(payers []id.Payer) []id.Payer { return append(payers[:len(payers):len(payers)], 0) }

// coming is the scope that closing an open settlement would write down.
func coming(q *database.Query, st Settlement) (scope, error) {
	s, err := fixed(q, st)
	if err != nil || st.AllPrograms == 0 {
		return s, err
	}
	s.programs = "(SELECT id AS program_id FROM programs WHERE currency = ? AND payer_id IN ? AND unit_id IN " + below + ")"
	s.args = []any{st.Currency, naming(s.payers), st.UnitID}
	return s, nil
}

// with puts the arguments of the set before those of the rest of a query.
func (s scope) with(rest ...any) []any {
	return append(append(make([]any, 0, len(s.args)+len(rest)), s.args...), rest...)
}
