package wallet_test

import (
	"errors"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/wallet"
)

func merge(t *testing.T, db *database.DB, from, into id.Member) {
	t.Helper()
	err := db.Tx(bg, func(tx *database.Tx) error {
		_, err := wallet.MergeTx(tx, from, into)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMergeCoupons(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		c := coupon(t, db, func(in *wallet.CouponIn) { in.PerMember, in.PerDay = 2, 2 })
		used := issued(t, db, c, 1, "r1")
		issued(t, db, c, 1, "r2")
		issued(t, db, c, 2, "r1")
		if _, err := redeem(db, used, "order-1"); err != nil {
			t.Fatal(err)
		}
		merge(t, db, 1, 2)
		provenCoupons(t, db) // three of two: two were brought in
		merge(t, db, 2, 3)

		list, err := s.ListMemberCoupons(bg, 3, "", database.Page{})
		if err != nil || len(list.Items) != 3 {
			t.Fatalf("got %+v, %v", list, err)
		}
		t.Run("more than the limit was brought in, and no more is given", func(t *testing.T) {
			provenCoupons(t, db)
			if _, err := issue(db, wallet.Issue{Coupon: c, Member: 3, SourceID: "r9"}); !errors.Is(err, wallet.ErrCouponLimit) {
				t.Errorf("got %v", err)
			}
		})
		t.Run("what comes for the old id reaches the new one", func(t *testing.T) {
			other := coupon(t, db)
			issued(t, db, other, 1, "r1")
			if list, err := s.ListMemberCoupons(bg, 3, wallet.HoldIssued, database.Page{}); err != nil || len(list.Items) != 3 {
				t.Errorf("got %+v, %v", list, err)
			}
		})
		t.Run("a source told again finds what it gave", func(t *testing.T) {
			if again := issued(t, db, c, 1, "r1"); again != used {
				t.Errorf("got %s, want %s", again, used)
			}
		})
		t.Run("an order in his old name uses it", func(t *testing.T) {
			_, err := s.RedeemCoupon(bg, wallet.Redeem{Coupon: issued(t, db, coupon(t, db), 3, "r1"), Member: 1, OrderRef: "order-old", Lines: []wallet.Line{{SKU: "a", Amount: 900}}})
			if err != nil {
				t.Error(err)
			}
		})
		t.Run("the refund reaches who holds it now", func(t *testing.T) {
			if _, err := giveBack(db, "order-1"); err != nil || status(t, db, used) != wallet.HoldReturned {
				t.Errorf("got %v", err)
			}
		})
		provenCoupons(t, db)
	})
}

// TestVerifyCoupons breaks each part of V11 by hand.
func TestVerifyCoupons(t *testing.T) {
	for name, sql := range map[string]string{
		"more issued than rows":       "UPDATE coupons SET issued_qty = issued_qty + 1",
		"a counter that lies":         "UPDATE coupon_counts SET qty = 2 WHERE day = 0",
		"a limit passed":              "UPDATE coupons SET per_member = 1",
		"no counter":                  "DELETE FROM coupon_counts WHERE day <> 0",
		"a mark without a redemption": "UPDATE member_coupons SET redeemed_at = 1 WHERE redeemed_at = 0",
		"a redemption without a mark": "UPDATE member_coupons SET redeemed_at = 0",
		"returned by half":            "UPDATE coupon_redemptions SET freed = id",
		"a limit of the day passed":   "UPDATE coupons SET per_day = 2",
		"used and taken back":         "UPDATE member_coupons SET withdrawn_at = 1 WHERE redeemed_at <> 0",
		"a use of no coupon":          "INSERT INTO coupon_redemptions (id, member_coupon_id, order_ref, discount, redeemed_at, returned_at, freed) VALUES (9, 9, 'o', 1, 1, 0, 0)",
		"a code that gave unmarked":   "UPDATE coupon_codes SET used_at = 0",
		"a code marked for nothing":   "UPDATE coupon_codes SET used_at = 1",
		"a code of another coupon":    "UPDATE coupon_codes SET coupon_id = 9",
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				c := coupon(t, db)
				used := issued(t, db, c, 1, "r1")
				for _, source := range []string{"r2", "r3"} {
					issued(t, db, c, 1, source)
				}
				if _, err := redeem(db, used, "order-1"); err != nil {
					t.Fatal(err)
				}
				if _, err := (&wallet.Service{DB: db}).UseCode(bg, codesOf(t, db, coupon(t, db), 2)[0], 1); err != nil {
					t.Fatal(err)
				}
				provenCoupons(t, db)
				err := db.Tx(bg, func(tx *database.Tx) error { return tx.Exec(sql).Error })
				if err != nil {
					t.Fatal(err)
				}
				if len(couponBreaches(t, db)) == 0 {
					t.Error("nothing was found")
				}
			})
		})
	}
}
