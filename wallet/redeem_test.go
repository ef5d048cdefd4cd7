package wallet_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

func redeem(db *database.DB, c id.MemberCoupon, order string) (r wallet.Redemption, err error) {
	err = db.Tx(bg, func(tx *database.Tx) error {
		r, err = wallet.RedeemTx(tx, wallet.Redeem{Coupon: c, OrderRef: order, Lines: []wallet.Line{{SKU: "a", Amount: 900}, {SKU: "b", Amount: 100}}})
		return err
	})
	return r, err
}

func giveBack(db *database.DB, order string) (r wallet.Redemption, err error) {
	err = db.Tx(bg, func(tx *database.Tx) error {
		r, err = wallet.ReturnTx(tx, order)
		return err
	})
	return r, err
}

func status(t *testing.T, db *database.DB, c id.MemberCoupon) wallet.HoldStatus {
	t.Helper()
	m, err := (&wallet.Service{DB: db}).FindMemberCoupon(bg, c)
	if err != nil {
		t.Fatal(err)
	}
	return m.Status
}

func TestRedeem(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		def := coupon(t, db)
		c, other := issued(t, db, def, 1, "r1"), issued(t, db, def, 1, "r2")
		first, err := redeem(db, c, "order-1")
		if err != nil || first.Discount != 500 || !cmp.Equal(first.Lines, []money.Amount{450, 50}) || status(t, db, c) != wallet.HoldRedeemed {
			t.Fatalf("got %+v, %v", first, err)
		}
		if m, err := (&wallet.Service{DB: db}).FindMemberCoupon(bg, c); err != nil || m.OrderRef != "order-1" || m.Discount != 500 {
			t.Errorf("got %+v, %v", m, err)
		}
		t.Run("the same order again is the first redemption", func(t *testing.T) {
			again, err := redeem(db, c, "order-1")
			if diff := cmp.Diff(first, again); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		})
		t.Run("another order is refused", func(t *testing.T) {
			if _, err := redeem(db, c, "order-2"); !errors.Is(err, wallet.ErrCouponRedeemed) {
				t.Errorf("got %v", err)
			}
		})
		t.Run("the order takes no second coupon", func(t *testing.T) {
			if _, err := redeem(db, other, "order-1"); !errors.Is(err, wallet.ErrOrderRedeemed) || status(t, db, other) != wallet.HoldIssued {
				t.Errorf("got %v", err)
			}
		})
		t.Run("somebody else's is not there", func(t *testing.T) {
			err := db.Tx(bg, func(tx *database.Tx) error {
				_, err := wallet.RedeemTx(tx, wallet.Redeem{Coupon: other, Member: 2, OrderRef: "order-3", Lines: []wallet.Line{{SKU: "a", Amount: 900}}})
				return err
			})
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("got %v", err)
			}
		})
		t.Run("a refund returns it, once", func(t *testing.T) {
			back, err := giveBack(db, "order-1")
			if err != nil || back.ReturnedAt == 0 || status(t, db, c) != wallet.HoldReturned {
				t.Fatalf("got %+v, %v", back, err)
			}
			if again, err := giveBack(db, "order-1"); err != nil || !cmp.Equal(again, back) {
				t.Errorf("again: got %+v, %v", again, err)
			}
			if _, err := giveBack(db, "order-9"); !errors.Is(err, wallet.ErrNotRedeemed) {
				t.Errorf("an order without one: got %v", err)
			}
		})
		t.Run("a late report of the order does not use it again", func(t *testing.T) {
			late, err := redeem(db, c, "order-1")
			if err != nil || late.ReturnedAt == 0 || status(t, db, c) != wallet.HoldReturned {
				t.Errorf("got %+v, %v", late, err)
			}
		})
		t.Run("a returned one is used for another order, and returned again", func(t *testing.T) {
			if _, err := redeem(db, c, "order-4"); err != nil || status(t, db, c) != wallet.HoldRedeemed {
				t.Errorf("got %v", err)
			}
			if _, err := giveBack(db, "order-4"); err != nil || status(t, db, c) != wallet.HoldReturned {
				t.Errorf("got %v", err)
			}
		})
		t.Run("some are not returned", func(t *testing.T) {
			kept := issued(t, db, coupon(t, db, func(in *wallet.CouponIn) { in.ReturnOnRefund = false }), 1, "r1")
			if _, err := redeem(db, kept, "order-5"); err != nil {
				t.Fatal(err)
			}
			if _, err := giveBack(db, "order-5"); !errors.Is(err, wallet.ErrNotReturnable) || status(t, db, kept) != wallet.HoldRedeemed {
				t.Errorf("got %v", err)
			}
			if err := db.Tx(bg, func(tx *database.Tx) error { _, err := wallet.ReleaseTx(tx, "order-5"); return err }); err != nil || status(t, db, kept) != wallet.HoldReturned {
				t.Errorf("an order that was never paid keeps it: %v", err)
			}
		})
		t.Run("another coupon's order is not this one's", func(t *testing.T) {
			s := &wallet.Service{DB: db}
			if _, err := redeem(db, c, "order-7"); err != nil {
				t.Fatal(err)
			}
			if _, err := s.ReturnCoupon(bg, other, "order-7"); !errors.Is(err, wallet.ErrNotRedeemed) || status(t, db, c) != wallet.HoldRedeemed {
				t.Errorf("returned by another's name: got %v", err)
			}
			if _, err := s.FindRedemption(bg, wallet.Redeem{Coupon: other, OrderRef: "order-7"}); !errors.Is(err, wallet.ErrNotRedeemed) {
				t.Errorf("found by another's name: got %v", err)
			}
			if _, err := s.ReturnCoupon(bg, c, "order-7"); err != nil {
				t.Error(err)
			}
		})
		t.Run("after its last day it is refused, returned or not", func(t *testing.T) {
			db.Clock.Jump(8 * 24 * time.Hour)
			for _, x := range []id.MemberCoupon{c, other} {
				if _, err := redeem(db, x, "order-6"); !errors.Is(err, wallet.ErrCouponExpired) || status(t, db, x) != wallet.HoldExpired {
					t.Errorf("got %v", err)
				}
			}
		})
		provenCoupons(t, db)
	})
}

// TestRedeemOnce uses one coupon for 64 orders at once, and 64 coupons for one
// order.
func TestRedeemOnce(t *testing.T) {
	run := func(t *testing.T, db *database.DB, one bool) (granted int) {
		t.Helper()
		def := coupon(t, db)
		var held []id.MemberCoupon
		for i := range 64 {
			held = append(held, issued(t, db, def, id.Member(i+1), "r"))
		}
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 64 {
			c, order := held[i], "order"
			if one {
				c, order = held[0], fmt.Sprintf("order-%d", i)
			}
			all.Go(func() {
				_, err := redeem(db, c, order)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					granted++
				case !errors.Is(err, wallet.ErrCouponRedeemed) && !errors.Is(err, wallet.ErrOrderRedeemed):
					t.Errorf("redeem: %v", err)
				}
			})
		}
		all.Wait()
		return granted
	}
	for name, one := range map[string]bool{"one coupon, many orders": true, "one order, many coupons": false} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				if got := run(t, db, one); got != 1 {
					t.Errorf("redeemed %d times", got)
				}
				provenCoupons(t, db)
			})
			for _, engine := range dbtest.Engines {
				t.Run(engine+"/breaks without its locks", func(t *testing.T) {
					for range 20 {
						db := dbtest.Unlocked(t, engine, "coupon_redemptions.coupon_redemptions_order", "coupon_redemptions.coupon_redemptions_live")
						if run(t, db, one) > 1 {
							return
						}
					}
					t.Error("it was redeemed once without locks: the test cannot fail")
				})
			}
		})
	}
}
