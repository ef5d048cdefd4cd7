package wallet_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

func takePoints(t *testing.T, db *database.DB, m id.Member, reference string, n money.Amount) (took money.Amount) {
	t.Helper()
	err := db.Tx(bg, func(tx *database.Tx) (err error) {
		took, err = wallet.TakePointsTx(tx, wallet.TakePoints{Member: m, Reference: reference, Points: n})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return took
}

// TestTakePoints takes points back: those that last longest first, once for a
// reference, no more than are there, and those of today too.
func TestTakePoints(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		earn(t, db, 1, "old", 5, 20260302) // today
		earn(t, db, 1, "soon", 30, 20260303)
		earn(t, db, 1, "late", 20, 20260401)
		for range 2 { // the second time nothing more, and it says the same
			if took := takePoints(t, db, 1, "a", 25); took != 25 {
				t.Errorf("took %d, want 25", took)
			}
		}
		wantLots(t, db, 1, [3]int64{20260302, 5, 0}, [3]int64{20260303, 25, 0})
		if took := takePoints(t, db, 1, "b", 99); took != 30 {
			t.Errorf("took %d, want the 30 that are left", took)
		}
		if took := takePoints(t, db, 1, "c", 1); took != 0 {
			t.Errorf("took %d of nothing", took)
		}
		wantLots(t, db, 1)
		earn(t, db, 1, "after", 8, 20260401)
		if took := takePoints(t, db, 1, "b", 99); took != 30 {
			t.Errorf("told again, it took %d, want the 30 of the first time", took)
		}
		wantLots(t, db, 1, [3]int64{20260401, 8, 0})

		earn(t, db, 2, "over", 5, 20260302)
		db.Clock.Jump(24 * time.Hour) // over, and not taken away yet
		if took := takePoints(t, db, 2, "d", 5); took != 0 {
			t.Errorf("took %d that have expired", took)
		}
		provenPoints(t, db)
	})
}

// TestWithdrawCoupon takes a coupon back while it can be used, and then it is
// neither used, listed as usable nor counted as given; one that was used or has
// run out stays.
func TestWithdrawCoupon(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		def := coupon(t, db, func(in *wallet.CouponIn) { in.ValidDays = 1 })
		withdraw := func(source string) (done bool) {
			t.Helper()
			err := db.Tx(bg, func(tx *database.Tx) (err error) {
				done, err = wallet.WithdrawTx(tx, wallet.Issue{Coupon: def, Member: 1, SourceKind: "reward", SourceID: source})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return done
		}
		fresh, returned, used := issued(t, db, def, 1, "fresh"), issued(t, db, def, 1, "returned"), issued(t, db, def, 1, "used")
		kept := issued(t, db, def, 1, "over")
		for c, order := range map[id.MemberCoupon]string{returned: "o1", used: "o2", kept: "o4"} {
			if _, err := redeem(db, c, order); err != nil {
				t.Fatal(err)
			}
		}
		for _, order := range []string{"o1", "o4"} {
			if _, err := giveBack(db, order); err != nil {
				t.Fatal(err)
			}
		}
		earn(t, db, 1, "reward:fresh", 7, 20260401)
		for source, want := range map[string][2]bool{"fresh": {true, false}, "returned": {true, false}, "used": {false, false}, "unknown": {false, false}} {
			if got := [2]bool{withdraw(source), withdraw(source)}; got != want {
				t.Errorf("%s, twice: got %v, want %v", source, got, want)
			}
		}
		if _, err := redeem(db, fresh, "o3"); !errors.Is(err, wallet.ErrCouponWithdrawn) || status(t, db, fresh) != wallet.HoldWithdrawn {
			t.Errorf("used after it was taken back: got %v", err)
		}
		given, err := wallet.GivenFor(db.Read(bg), "reward", []string{"fresh", "used", "over"})
		if diff := cmp.Diff(map[string]wallet.Given{"fresh": {Earned: 7}, "used": {Coupons: 1}, "over": {Coupons: 1}}, given); err != nil || diff != "" {
			t.Errorf("given: %v %s", err, diff)
		}
		until := clock.MilliOf(time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC))
		db.Clock.Jump(until.Time().Sub(db.Clock.Now())) // its first moment of being over
		if withdraw("over") {
			t.Error("took back one that has run out")
		}
		for want, n := range map[wallet.HoldStatus]int{wallet.HoldWithdrawn: 2, wallet.HoldExpired: 1, wallet.HoldRedeemed: 1, wallet.HoldReturned: 0, wallet.HoldIssued: 0} {
			list, err := s.ListMemberCoupons(bg, 1, want, database.Page{})
			if err != nil || len(list.Items) != n {
				t.Errorf("%s: got %d, %v, want %d", want, len(list.Items), err, n)
			}
			for _, m := range list.Items {
				if m.Status != want {
					t.Errorf("listed as %s and says %s", want, m.Status)
				}
			}
		}
		provenCoupons(t, db)
	})
}
