package campaign_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestVerifyBySpans proves a store in snapshots of three orders each, and
// breaks what it proves, one thing at a time.
func TestVerifyBySpans(t *testing.T) {
	breaks := []struct {
		name, proof, sql string
		args             func(orders []campaign.Order) []any
	}{
		{"a counter that orders do not bear out", "V1", "UPDATE items SET left_qty = left_qty - 1, held_qty = held_qty + 1 WHERE id = ?",
			func(o []campaign.Order) []any { return []any{o[0].ItemID} }},
		{"one order above its limit", "V2", "UPDATE orders SET qty = 9 WHERE id = ?",
			func(o []campaign.Order) []any { return []any{o[7].ID} }},
		{"orders of one member above the limit", "V2", "UPDATE orders SET qty = 3 WHERE id = ?",
			func(o []campaign.Order) []any { return []any{o[5].ID} }},
		{"held past the sweep", "V9", "UPDATE orders SET deadline_at = 1 WHERE id = ?",
			func(o []campaign.Order) []any { return []any{o[11].ID} }},
		{"paid and let go", "V9", "UPDATE orders SET status = 'expired' WHERE id = ?",
			func(o []campaign.Order) []any { return []any{o[1].ID} }},
		{"a second payment that is kept", "V9", "INSERT INTO payments (id, provider, payment_no, order_id, goods, freight, discount, points, amount, paid_at, noted_at) VALUES (1, 'mall', 'twice', ?, 1, 0, 0, 0, 1, 1, 1)",
			func(o []campaign.Order) []any { return []any{o[1].ID} }},
	}
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := campaigntest.New(t, dbtest.Open(t, engine))
			c := w.Run(campaigntest.Sale{Stock: 100, PerMember: 3})
			m := w.Members(9)
			var orders []campaign.Order
			for _, by := range []id.Member{m[0], m[0], m[0], m[1], m[1], m[2], m[2], m[3], m[4], m[5], m[6], m[7]} {
				orders = append(orders, w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: by}))
			}
			w.Pay(orders[1].ID)
			// m[4] comes to hold four, one of them brought in; m[8] three of m[0].
			for _, pair := range [][2]id.Member{{m[1], m[4]}, {m[5], m[4]}, {m[0], m[8]}} {
				if err := w.Campaign.MergeMembers(bg, pair[0], pair[1]); err != nil {
					t.Fatal(err)
				}
			}
			proofs := func() []database.Proof {
				t.Helper()
				small, err := campaign.VerifyBy(bg, w.DB, 3)
				if err != nil {
					t.Fatal(err)
				}
				whole, err := campaign.Verify(bg, w.DB)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(whole, small); diff != "" {
					t.Errorf("spans of three find other things than one: %s", diff)
				}
				return small
			}
			for _, p := range proofs() {
				if len(p.Broken) > 0 {
					t.Fatalf("%s of an honest store: %v", p.ID, p.Broken)
				}
				if p.ID == "V2" && p.Checked != int64(len(orders)) {
					t.Errorf("V2 checked %d orders of %d", p.Checked, len(orders))
				}
			}
			if err := w.DB.Tx(bg, func(tx *database.Tx) error {
				return tx.Exec("INSERT INTO sweeps (name, swept) VALUES ('orders', 2)").Error
			}); err != nil && !database.IsDuplicate(err) {
				t.Fatal(err)
			}
			for _, b := range breaks {
				undone := w.DB.Tx(bg, func(tx *database.Tx) error {
					if err := tx.Exec(b.sql, b.args(orders)...).Error; err != nil {
						t.Fatalf("%s: %v", b.name, err)
					}
					return nil
				})
				if undone != nil {
					t.Fatal(undone)
				}
				var found []string
				for _, p := range proofs() {
					if len(p.Broken) > 0 {
						found = append(found, p.ID)
					}
				}
				if !strings.Contains(strings.Join(found, " "), b.proof) {
					t.Errorf("%s: found %v, want %s", b.name, found, b.proof)
				}
				restore(t, w, orders)
			}
		})
	}
}

// restore puts back what a break changed.
func restore(t *testing.T, w *campaigntest.World, orders []campaign.Order) {
	t.Helper()
	err := w.DB.Tx(bg, func(tx *database.Tx) error {
		for _, o := range orders {
			now := "held"
			if o.ID == orders[1].ID {
				now = "paid"
			}
			if err := tx.Exec("UPDATE orders SET qty = 1, deadline_at = ?, status = ? WHERE id = ?", o.DeadlineAt, now, o.ID).Error; err != nil {
				return err
			}
		}
		if err := tx.Exec("DELETE FROM payments WHERE id = 1").Error; err != nil {
			return err
		}
		return tx.Exec("UPDATE items SET left_qty = 88, held_qty = 11, sold_qty = 1 WHERE id = ?", orders[0].ItemID).Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestVerifyWhileItSells proves a store again and again while claims are
// granted: an item that changed during the walk is counted in one snapshot.
func TestVerifyWhileItSells(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := campaigntest.New(t, dbtest.Open(t, engine))
			c := w.Run(campaigntest.Sale{Stock: 1000, PerMember: 1})
			m := w.Members(200)
			var selling sync.WaitGroup
			selling.Go(func() {
				for _, by := range m {
					if _, err := w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: by}); err != nil {
						t.Error(err)
					}
				}
			})
			sold := make(chan struct{})
			go func() { selling.Wait(); close(sold) }()
			for ended := false; !ended; {
				select {
				case <-sold:
					ended = true
				default:
				}
				proofs, err := campaign.VerifyBy(bg, w.DB, 7)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range proofs {
					if len(p.Broken) > 0 {
						t.Fatalf("%s: %v", p.ID, p.Broken)
					}
				}
			}
		})
	}
}
