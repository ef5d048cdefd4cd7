package referral_test

import (
	"math"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// TestBooks: what rewards and their events come to on the accounts of programs
// is the same wherever the rows at rest end, and so is what is wrong with it.
// What comes, clears and goes after they were walked breaks nothing, not even
// where it was taken for at rest.
func TestBooks(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, inKind(h.coupon(50)))
		anna := h.member()
		order := id.Order(0)
		buys := func() {
			bob := h.member()
			h.mustBind(anna, bob)
			order++
			h.pay(order, bob, 10_000)
		}
		for range 4 {
			buys()
		}
		h.refund(1, 1, 4_000) // of what waits
		h.mature()
		h.refund(2, 2, 10_000) // of what was given
		buys()
		h.newProgram(100_000, everyOrder())
		for range 3 {
			buys()
		}
		h.refund(order, 3, 5_000)
		var ids []int64
		for _, table := range []string{"rewards", "reward_events"} {
			var some []int64
			if err := db.Read(bg).Raw("SELECT id FROM " + table).Scan(&some).Error; err != nil {
				t.Fatal(err)
			}
			ids = append(ids, some...)
		}
		proof := func(rested int64, walked func()) database.Proof {
			t.Helper()
			p, err := referral.VerifyRewardsUpto(bg, db, rested, func() error { walked(); return nil })
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		nothing := func() {}
		everywhere := append(ids, 0, math.MaxInt64)
		for _, upto := range everywhere {
			if p := proof(upto, nothing); len(p.Broken) != 0 {
				t.Errorf("at rest up to %d: %s", upto, p.Broken)
			}
		}
		for name, c := range map[string][2]string{
			"a promise":     {"UPDATE rewards SET amount = amount + 1 WHERE id = ?", "UPDATE rewards SET amount = amount - 1 WHERE id = ?"},
			"whose it is":   {"UPDATE rewards SET funded_by = 9 WHERE id = ?", "UPDATE rewards SET funded_by = 0 WHERE id = ?"},
			"a price":       {"UPDATE rewards SET unit_cost = unit_cost + 1 WHERE id = ?", "UPDATE rewards SET unit_cost = unit_cost - 1 WHERE id = ?"},
			"what was left": {"UPDATE reward_events SET amount = amount - 1 WHERE reward_id = ? AND kind <> 'earned'", "UPDATE reward_events SET amount = amount + 1 WHERE reward_id = ? AND kind <> 'earned'"},
		} {
			points := h.rewards(referral.RewardFilter{})
			at := points[0]
			for _, r := range points {
				if r.Currency == money.PTS && r.ClearedAt != 0 {
					at = r
				}
			}
			h.tx(func(tx *database.Tx) error { return tx.Exec(c[0], at.ID).Error })
			for _, upto := range everywhere {
				if len(proof(upto, nothing).Broken) == 0 {
					t.Errorf("at rest up to %d: %s was changed and nobody saw it", upto, name)
				}
			}
			h.tx(func(tx *database.Tx) error { return tx.Exec(c[1], at.ID).Error })
		}
		for _, upto := range []int64{0, ids[len(ids)/2], ids[len(ids)-1], math.MaxInt64} {
			p := proof(upto, func() {
				buys()
				h.mature()
				h.refund(order-1, id.Refund(100+order), 10_000)
			})
			if len(p.Broken) != 0 {
				t.Errorf("at rest up to %d, and more came meanwhile: %s", upto, p.Broken)
			}
		}
		h.proven()
	})
}
