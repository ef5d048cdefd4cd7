package settlement_test

import (
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/referral/tax"
)

// TestWhatIsDue: what is due by a payer and in no settlement is its cleared
// rewards on no live line, less what was taken back, and nobody else's; of very
// many the oldest alone are counted, and that is said.
func TestWhatIsDue(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		no := false
		h := newTaxed(t, db, payee.PayerIn{Strategy: tax.ExternalAgent, PayeeNeeded: &no})
		beside := h.addProgram(unit, money.CNY)
		due := func(want settlement.Due) {
			t.Helper()
			o, err := h.FindOwing(as(maker), h.payer)
			h.must(err)
			if o.Due != want {
				t.Errorf("got %+v, want %+v", o.Due, want)
			}
		}
		due(settlement.Due{})
		began := now(db)
		r := h.clear(reward{member: 1, amount: 60_00}, reward{member: 2, amount: 50_00}, reward{program: beside, member: 3, amount: 7_00})
		due(settlement.Due{Rewards: 2, Gross: 110_00, Since: began})
		h.clawBack(r[0], 1, 10_00, "refund:1")
		h.clawBack(r[1], 2, 50_00, "refund:2")
		due(settlement.Due{Rewards: 1, Gross: 50_00, Since: began})
		st := h.sealed()
		due(settlement.Due{})
		later := now(db)
		h.clear(reward{member: 2, amount: 8_00})
		due(settlement.Due{Rewards: 1, Gross: 8_00, Since: later})
		h.must(h.Reject(as(reviewer), st.ID, settlement.RejectIn{Reason: "少算"}))
		h.work()
		due(settlement.Due{Rewards: 2, Gross: 58_00, Since: began})

		list := make([]reward, 200) // more clearings than one statement adds up
		for i := range list {
			list[i] = reward{member: 4, amount: 1_00}
		}
		made := h.clearBy(1, list)
		due(settlement.Due{Rewards: 202, Gross: 258_00, Since: began})
		for _, r := range made {
			h.clawBack(r, 4, 1_00, "refund:4")
		}

		// What other payers leave open is passed over, up to a bound.
		for part := range 2 {
			h.tx(func(tx *database.Tx) error {
				list := make([]referral.Clearing, 500)
				for i := range list {
					list[i] = referral.Clearing{ID: tx.Next(), ProgramID: beside, PayerID: id.Payer(99), Currency: money.CNY, RewardCount: 1, ClearedAt: began.Add(time.Duration(-part))}
				}
				return referral.ClearingsTx(tx, list)
			})
		}
		o, err := h.FindOwing(as(maker), h.payer)
		if h.must(err); !o.Due.More || o.Due.Gross >= 58_00 {
			t.Errorf("behind 1,000 of others: %+v", o.Due)
		}
	})
}
