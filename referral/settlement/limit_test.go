package settlement_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

// TestWhatIsCarriedTakesNoRoom: a payout's limit is of what it gives out. Who is
// carried without being paid takes none of it, also not from those who come in
// another transaction.
func TestWhatIsCarriedTakesNoRoom(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		const people = 102 // two transactions, of 100 and 2
		h := newTaxed(t, db, payee.PayerIn{})
		h.payees(people)
		var list []reward
		for m := range id.Member(people) {
			amount := money.Amount(1_00)
			if m+1 == 50 {
				amount = 60_00
			}
			list = append(list, reward{member: m + 1, amount: amount})
		}
		h.clear(list...)
		h.exec("UPDATE payees SET active_no = 0 WHERE member_id = 50")
		p := h.pays(settlement.PayoutIn{SettlementID: h.reviewed(), Limit: 100_00, CarryHeld: true})
		if got := h.holds(p.ID); p.LineCount != people-1 || p.FailedCount != 1 || p.Gross != 100_00 || !cmp.Equal(got, []string{"102 1.00 over_limit"}) {
			t.Errorf("gave out %s by %d lines, %d of them carried; held %v", p.Gross, p.LineCount, p.FailedCount, got)
		}
		h.proven()
	})
}
